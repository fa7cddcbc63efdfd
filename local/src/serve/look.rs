//! The page beside the gateway, where there is to be one: what it is shown of what is served.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use keygate_api_key::ApiKey;
use keygate_connection::Room;
use keygate_gateway::trips::Trips;
use keygate_gateway::{Controls, Watcher};
use keygate_model::{Application, KeySource};
use keygate_page::{self as page, Link, Look, RouteShown, Stage};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::error::ServeError;
use super::ground;
use super::listeners::port;
use super::place::Place;
use crate::checks::{self, Checked};
use crate::matrix::{Matrix, Row};

/// What whoever looks on is told of the stage, which a change of the template replaces.
pub(super) struct Shown {
    /// The link to the page, where there is one.
    pub(super) link: Option<String>,
    stage: watch::Sender<Arc<Stage>>,
    checked: watch::Sender<HashMap<String, Checked>>,
    template: PathBuf,
    dynamodb: String,
}

/// The page, once it is served.
pub(super) struct Opened {
    pub(super) trips: Arc<Trips>,
    pub(super) shown: Shown,
    /// What serves it.
    pub(super) tasks: Vec<JoinHandle<()>>,
}

impl Shown {
    /// Shows what is served now.
    pub(super) fn show(
        &self,
        application: &Application,
        url: &str,
        matrix: &Matrix,
        api_key: Option<&ApiKey>,
    ) {
        let key_source = application.api.key_source;
        let scopes = ground::scopes(matrix);
        let stage = Stage {
            url: url.to_owned(),
            routes: matrix
                .rows
                .iter()
                .map(|row| route(row, key_source))
                .collect(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            api_key: api_key.cloned(),
            takes_usage_keys: key_source == KeySource::Header,
        };
        self.stage.send_replace(Arc::new(stage));
        let checked = Checked::all(application, &self.template, &self.dynamodb);
        self.checked.send_replace(checked);
    }
}

fn route(row: &Row, key_source: KeySource) -> RouteShown {
    let route = &row.route;
    RouteShown {
        method: route.method.to_string(),
        path: route.path.to_string(),
        opens: row.opens(key_source),
        is_public: route.authorizer.is_none(),
        function: route.function().map(ToOwned::to_owned),
    }
}

/// Keeps requests, and serves the page on its listener, where there is one.
pub(super) fn open(
    listener: Option<TcpListener>,
    requests: Watcher,
    controls: &Controls,
    room: &Room,
    place: &Place,
    template: PathBuf,
) -> Result<Opened, ServeError> {
    let (stage, staged) = watch::channel(Arc::default());
    let (checked, to_ask) = watch::channel(HashMap::new());
    let mut shown = Shown {
        link: None,
        stage,
        checked,
        template,
        dynamodb: place.services.dynamodb.clone(),
    };
    let trips = Trips::new(requests);
    let Some(listener) = listener else {
        let (trips, tasks) = (Arc::new(trips), Vec::new());
        return Ok(Opened {
            trips,
            shown,
            tasks,
        });
    };
    let (to_check, events) = mpsc::channel(checks::MAX_WAITING);
    let trips = Arc::new(trips.shown(to_check));
    let link = Arc::new(Link::new(port(&listener))?);
    shown.link = Some(link.url());
    let issuer = place.issuer.clone();
    let look = Look::at(Arc::clone(&trips), controls.clone(), staged, issuer);
    let tasks = vec![
        tokio::spawn(checks::follow(events, to_ask, Arc::clone(&trips))),
        tokio::spawn(page::serve(listener, room.clone(), link, look)),
    ];
    Ok(Opened {
        trips,
        shown,
        tasks,
    })
}
