//! `keygate`: everything that a request needs on this machine, started in parallel, and stopped
//! without leaving a process behind.

mod announcement;
mod error;
mod ground;
mod holder;
mod invoker;
mod listeners;
mod live;
mod look;
mod place;
mod stop;
mod watching;
mod written;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keygate_builds::BuildLog;
use keygate_builds::binaries::{self, Building, Built};
use keygate_builds::package;
use keygate_connection::Room;
use keygate_console::{Console, Lines};
use keygate_functions::{Functions, Keeping};
use keygate_gateway::trips::Trips;
use keygate_gateway::{Controls, Door, Told};
use keygate_issuer::{self as issuer, SigningFailed};
use keygate_lambda as lambda;
use keygate_management as management;
use keygate_model::Application;
use keygate_principal::scope::Scopes;
use keygate_process_group::file_limit;
use keygate_template as template;
use keygate_template::offered;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::announcement::Announcement;
pub(crate) use self::error::ServeError;
use self::ground::Ground;
use self::listeners::{Listeners, listen, port};
use self::live::Live;
use self::look::{Opened, Shown};
use self::place::Place;
use self::stop::{stop_signal, stopped};
use crate::aws;
use crate::changes::Changes;
use crate::cli::{self, Serve};
use crate::dynamodb;
use crate::function_log;
use crate::kept::Kept;
use crate::matrix::Matrix;
use crate::outlets::Outlets;

/// Serves the template until Ctrl-C, a termination signal or, when asked, the end of standard
/// input.
///
/// # Errors
/// Whatever keeps the gateway from starting.
pub(crate) async fn serve(options: Serve, console: &Console) -> Result<(), ServeError> {
    file_limit::raise();
    let listeners = Listeners::bind(&options).await?;
    let place = listeners.place();
    let log = BuildLog::alone(&console.stderr);
    let ground = Ground::read(&options, &place, &log)?;
    let has_format = ground.gateway.has_access_log();
    let chosen = options.access_log.as_deref();
    let outlets = Outlets::choose(chosen, options.log, has_format, console)?;
    let stop = stop_signal(options.until_stdin_closes);

    let home = package::home(&options.template);
    let kept = Kept::open(options.identity.as_deref(), options.data.as_deref())?;
    let signing_key = tokio::task::spawn_blocking(move || (kept.signing_key(), kept));
    package::check(&ground.application, home)?;
    // From here on, so that what is saved during the first build is not lost.
    let changes = changes(&options, &ground.application, console)?;
    let building = Building {
        application: &ground.application,
        home,
        functions: options.functions.as_deref(),
        log: &log,
        is_watched: changes.is_some(),
    };
    let built = tokio::select! {
        built = binaries::executables(building) => Arc::new(built?),
        () = stopped(stop.clone()) => return Ok(()),
    };
    let (signing_key, mut kept) = signing_key.await.map_err(|_| SigningFailed::INTERRUPTED)?;
    let signing_key = signing_key?;
    let (database, _lock) = dynamodb::open(options.data.as_deref())?;
    // Whose the folder is has just been found out.
    kept.keep(Some(&signing_key), None)?;
    let (offered, offer) = watch::channel(ground::scopes(&ground.matrix));
    let controls = Controls::from(ground.gateway.control());
    let room = Room::of_process();
    let template = options.template.clone();
    let Opened {
        trips,
        shown,
        mut tasks,
    } = look::open(
        listeners.page,
        outlets.requests(),
        &controls,
        &room,
        &place,
        template,
    )?;
    let management = management::serve(
        listeners.api_gateway,
        room.clone(),
        controls.clone(),
        Arc::clone(&trips),
    );
    let room_of_issuer = room.clone();
    let log = function_log::outlet(console.stderr.clone(), Arc::clone(&trips));
    let programs = built.programs(&ground.application, &place.services.environment(), home);
    let functions = Arc::new(Functions::new(programs, &log, keeping(&options)));
    tasks.extend([
        tokio::spawn(async move {
            let _ = issuer::serve(listeners.issuer, &room_of_issuer, signing_key, offer).await;
        }),
        tokio::spawn(dynamodb::serve(listeners.dynamodb, database)),
        tokio::spawn(management),
        tokio::spawn(lambda::serve(
            listeners.lambda,
            room.clone(),
            Arc::clone(&functions),
        )),
    ]);
    let background = Background(tasks);
    let access_log = outlets.access_log.clone();
    let opening = Opening {
        options: &options,
        room,
        console,
        place: &place,
        changes,
        built,
        functions: Arc::clone(&functions),
        controls,
        offered,
        kept,
        outlets,
        trips,
        shown,
    };
    let outcome = opening.open(ground, listeners.gateway, stop).await;
    access_log.iter().for_each(Lines::settle);
    if access_log.as_ref().is_some_and(Lines::is_behind) {
        tracing::warn!("the last lines of the access log could not be written");
    }
    functions.shut_down().await;
    drop(background);
    outcome
}

/// What changes of the project, where that is to be taken up. On a terminal it is without being asked for,
/// and nobody goes without a gateway because of it.
fn changes(
    options: &Serve,
    application: &Application,
    console: &Console,
) -> Result<Option<Changes>, ServeError> {
    if options.no_watch || !(options.watch || console.stderr.is_terminal()) {
        return Ok(None);
    }
    match watching::begin(options, application) {
        Ok(changes) => Ok(Some(changes)),
        Err(error) if options.watch => Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "changes are not taken up");
            Ok(None)
        }
    }
}

/// How the functions' processes are kept.
fn keeping(options: &Serve) -> Keeping {
    Keeping {
        idle: Duration::from_secs(options.keep_idle),
        shown: options.platform_lines,
    }
}

/// What requests are served with, once it is ready.
struct Opening<'s> {
    options: &'s Serve,
    room: Room,
    console: &'s Console,
    place: &'s Place,
    changes: Option<Changes>,
    built: Arc<Built>,
    functions: Arc<Functions>,
    controls: Controls,
    /// What the development issuer's tokens open.
    offered: watch::Sender<Scopes>,
    kept: Kept,
    outlets: Outlets<'s>,
    trips: Arc<Trips>,
    /// What the page is shown.
    shown: Shown,
}

impl Opening<'_> {
    /// Makes ready what a first request needs, says so, and serves until it is to stop.
    async fn open(
        mut self,
        ground: Ground,
        listener: TcpListener,
        stop: watch::Receiver<bool>,
    ) -> Result<(), ServeError> {
        let Ground {
            application,
            url,
            matrix,
            gateway,
        } = ground;
        let scopes = ground::scopes(&matrix);
        let former = self.kept.api_key();
        let services = &self.place.services;
        let laid = async {
            let outbound = ground::outbound()?;
            let former = former.as_ref();
            let api_key = ground::lay(&application, services, &outbound, &scopes, former).await?;
            ground::sweep(&application, services, &outbound).await?;
            Ok::<_, ServeError>(api_key)
        };
        let (warmed, laid) = tokio::join!(self.functions.warm(), laid);
        warmed?;
        let api_key = laid?;
        self.kept.keep(None, api_key.as_ref())?;
        let shown = self.shown;
        shown.show(&application, &url, &matrix, api_key.as_ref());
        let told = Told {
            access_log: self.outlets.access_log.clone(),
            trips: Arc::clone(&self.trips),
        };
        let door = Door::new(
            gateway,
            matrix.listed(),
            &invoker::of(&self.functions),
            told,
        );
        let page = shown.link.clone();
        let mut announcement = Announcement::new(self.options, self.console, self.place, page);
        announcement.say(&application, &url, api_key, &matrix)?;
        let live = Live {
            options: self.options,
            place: self.place,
            log: BuildLog::beside(&self.console.stderr),
            identities: self.built.identities(),
            functions: self.functions,
            door: &door,
            controls: self.controls,
            shown,
            scopes: self.offered,
            kept: self.kept,
            outlets: self.outlets,
            trips: self.trips,
            announcement,
            application,
        };
        // It goes with the last of its processes.
        drop(self.built);
        let live = async {
            match self.changes {
                Some(changes) => live.follow(changes).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = door.serve(listener, &self.room, stopped(stop)) => Ok(()),
            never = live => match never {},
        }
    }
}

/// Serves the development issuer alone, until it is told to stop. Its tokens open what the template
/// lists, where there is one.
///
/// # Errors
/// When the port cannot be used, there is no key, or the template cannot be read.
pub(crate) async fn serve_issuer(
    options: &cli::Issuer,
    console: &Console,
) -> Result<(), ServeError> {
    file_limit::raise();
    let listener = listen(options.port, "--port").await?;
    let stop = stop_signal(false);
    let mut kept = Kept::open(options.identity.as_deref(), None)?;
    let key = kept.signing_key()?;
    kept.keep(Some(&key), None)?;
    let url = aws::address(port(&listener));
    let template = match &options.template {
        Some(template) => Some(template.clone()),
        None => Some(PathBuf::from(cli::TEMPLATE)).filter(|path| path.is_file()),
    };
    let scopes = match template {
        None => Scopes::default(),
        Some(template) => {
            let parameters =
                offered::parameters(&options.parameters, options.config_env.as_deref(), &url);
            let application = template::load(&template, &parameters)?;
            ground::scopes(&Matrix::of(&application, &template)?)
        }
    };
    let (_offered, offer) = watch::channel(scopes);
    let text = format!("OAuth issuer for development at {url}");
    console.stdout.say(&text);
    let room = Room::of_process();
    tokio::select! {
        _ = issuer::serve(listener, &room, key, offer) => {}
        () = stopped(stop) => {}
    }
    Ok(())
}

/// Tasks that end with this value.
struct Background(Vec<JoinHandle<()>>);

impl Drop for Background {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}
