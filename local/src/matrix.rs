//! The access matrix: which credential opens which route, with the events of the template held
//! against the route table that its authorizer is given.
//!
//! What the two disagree in is named with the line to add. None of it is open for it: a route that
//! the table lacks is closed by the authorizer's policy, and one that has no authorizer is public by
//! the template's own word, `Authorizer: NONE`.

mod events;
mod opener;
#[cfg(test)]
mod repository;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use keygate_gateway::ListedRoutes;
use keygate_model::deployment::method_arn;
use keygate_model::{Application, KeySource, Route};
use keygate_policy::{MethodArn, Policies, Room, UnfitTable};
use keygate_principal::scope::Scopes;
use keygate_routes::{Access, Route as Listed, RouteMethod, RouteTable, Segment};

use self::table::{Table, TableError};

/// Why there is no matrix.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MatrixError {
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No policies can be made of the table.
    #[error("the route table cannot be used: {0}")]
    Unfit(#[from] UnfitTable),
}

/// Every route of the template, and where template and table disagree.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub(crate) rows: Vec<Row>,
    pub(crate) disagreements: Vec<Disagreement>,
    /// `None` where no authorizer of the template is given one.
    pub(crate) table: Option<RouteTable>,
    /// How long the longest policy is, in bytes.
    pub(crate) longest_policy: usize,
}

/// A method of a resource.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) route: Route,
    /// `None` where the table does not list it.
    pub(crate) access: Option<Access>,
}

/// What is wrong, where, and how it is mended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Disagreement {
    place: String,
    text: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.text)
    }
}

impl Matrix {
    /// Holds a template against the table that its authorizer is given.
    ///
    /// # Errors
    /// When the table cannot be read, is malformed, or no policies can be made of it.
    pub(crate) fn of(application: &Application, template: &Path) -> Result<Self, MatrixError> {
        let routes = &application.api.routes;
        let place = |line: usize| format!("{}:{line}", template.display());
        let of_settings = events::disagreements(application).into_iter();
        let of_settings = of_settings.map(|(line, text)| Disagreement {
            place: place(line),
            text,
        });
        let Some(table) = Table::of(application, template)? else {
            let rows = routes.iter().cloned();
            let rows = rows.map(|route| Row {
                route,
                access: None,
            });
            return Ok(Self {
                rows: rows.collect(),
                disagreements: of_settings.collect(),
                table: None,
                longest_policy: 0,
            });
        };
        let stage = application.api.stage.as_str();
        let policies = Policies::new(&table.routes, Room::of(None, Some(stage)))?;
        let rows: Vec<Row> = routes
            .iter()
            .map(|route| Row {
                access: listed(&table.routes, route).map(|listed| listed.access.clone()),
                route: route.clone(),
            })
            .collect();
        let of_events = rows.iter().filter_map(|row| {
            let is_open = || is_open_to_some(&policies, &table.routes, application, &row.route);
            let text = disagreement(row, application.api.key_source, is_open)?;
            Some(Disagreement {
                place: place(row.route.line),
                text,
            })
        });
        let without_event = table.routes.routes().iter().filter(|listed| {
            let has = |route: &Route| route.method == listed.method && route.path == listed.path;
            !routes.iter().any(has)
        });
        let of_lines = without_event.map(|listed| Disagreement {
            place: table.lines.place(listed.line),
            text: format!(
                "{} {} is in the route table, and no event of the template has it: add the event, \
                 or take the line away",
                listed.method, listed.path
            ),
        });
        Ok(Self {
            disagreements: of_events.chain(of_lines).chain(of_settings).collect(),
            rows,
            longest_policy: policies.longest(),
            table: Some(table.routes),
        })
    }
}

impl Matrix {
    /// What the routes need, for whoever tells of refusals.
    pub(crate) fn listed(&self) -> ListedRoutes {
        let rows = self.rows.iter();
        let rows = rows.map(|row| (&row.route, row.access.as_ref()));
        ListedRoutes::of(rows, self.table.is_some())
    }
}

/// What is wrong with an event; `is_open` tells whether a policy takes it in although it is not
/// listed.
fn disagreement(
    row: &Row,
    key_source: KeySource,
    is_open: impl FnOnce() -> bool,
) -> Option<String> {
    let Route { method, path, .. } = &row.route;
    let is_public = row.route.authorizer.is_none();
    let text = match &row.access {
        // No function is reached by it.
        None if is_public && row.route.function().is_none() => return None,
        None if is_public => format!(
            "{method} {path} is public (Authorizer: NONE), and the route table does not say so: add \
             the line `{method} {path} -`, or take NONE away"
        ),
        None if is_open() => format!(
            "{method} {path} is not in the route table, and lies where another route's policy \
             reaches: whoever has that one open has this one too. Add the line \
             `{method} {path} SCOPE`"
        ),
        None => format!(
            "{method} {path} is not in the route table, so it is closed: add the line \
             `{method} {path} SCOPE` (* for any accepted credential)"
        ),
        Some(Access::Public) if !is_public => format!(
            "{method} {path} asks for a credential, and the route table says that it is public: \
             write `Auth: {{Authorizer: NONE, ApiKeyRequired: false}}` in the event, or \
             `{method} {path} SCOPE` in the table"
        ),
        Some(Access::Public)
            if row.route.api_key_required && key_source == KeySource::Authorizer =>
        {
            format!(
                "{method} {path} is public and asks for a usage key, which only the authorizer can name, \
             so nobody gets in: write `ApiKeyRequired: false` in the event"
            )
        }
        Some(access) if *access != Access::Public && is_public => format!(
            "{method} {path} is public (Authorizer: NONE), and the route table asks for {access}: \
             take NONE away, or write `{method} {path} -` in the table"
        ),
        Some(_) => return None,
    };
    Some(text)
}

/// The line of the table about exactly this method of exactly this resource.
fn listed<'t>(table: &'t RouteTable, route: &Route) -> Option<&'t Listed> {
    let mut routes = table.routes().iter();
    routes.find(|listed| listed.method == route.method && listed.path == route.path)
}

/// Whether somebody's policy lets requests on a route through.
fn is_open_to_some(
    policies: &Policies,
    table: &RouteTable,
    application: &Application,
    route: &Route,
) -> bool {
    let every: Scopes = table.scopes().into_iter().cloned().collect();
    let method = match &route.method {
        RouteMethod::Any => "GET",
        RouteMethod::One(method) => method.as_str(),
    };
    // A value that is no name of the table's.
    let parts = route.path.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => text.as_str(),
        Segment::Variable(_) | Segment::Greedy(_) => "~",
    });
    let path: Vec<&str> = parts.collect();
    let api = &application.api;
    let arn = method_arn(&api.id, &api.stage, method, &format!("/{}", path.join("/")));
    let arn = MethodArn::parse(&arn);
    arn.is_some_and(|arn| {
        let policy = policies.policy(&arn, &every);
        policy.is_ok_and(|policy| policy.allows(&arn))
    })
}
