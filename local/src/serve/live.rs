//! Changes of the template and of functions' code, taken up while requests are served. A change that
//! cannot be is told, and what was there goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keygate_api_key::ApiKey;
use keygate_builds::BuildLog;
use keygate_builds::binaries::{self, Building, Built, Identity};
use keygate_builds::package;
use keygate_functions::Functions;
use keygate_gateway::{Controls, Door};
use keygate_model::{Application, Build, Function};
use keygate_principal::scope::Scopes;
use keygate_template::SAM_CONFIGS;
use tokio::sync::watch;

use super::error::ServeError;
use super::ground::{self, Ground};
use super::place::Place;
use crate::changes::{Changes, ChangesError};
use crate::cli::Serve;

/// How many builds of a function are kept: the one before the last may still be started, for a request
/// that waits.
const KEPT_BUILDS: usize = 2;
/// How many changed files are named.
const MAX_NAMED: usize = 3;

/// What is served, and what it was made of.
pub(super) struct Live<'s> {
    pub(super) options: &'s Serve,
    pub(super) place: &'s Place,
    pub(super) log: BuildLog,
    pub(super) application: Application,
    pub(super) functions: Arc<Functions>,
    pub(super) door: &'s Door,
    pub(super) controls: Controls,
    /// What the development issuer's tokens open.
    pub(super) scopes: watch::Sender<Scopes>,
    pub(super) api_key: Option<ApiKey>,
    /// What functions were built to, the latest first.
    pub(super) built: BTreeMap<String, Vec<Arc<Built>>>,
    /// The executables that cargo has built.
    pub(super) identities: BTreeMap<String, Identity>,
}

/// What a change concerns.
enum Concern {
    /// The template or its parameters, or what all functions stand on.
    Everything,
    /// These functions; none, where it is nobody's.
    Functions(BTreeSet<String>),
}

impl Live<'_> {
    /// Sees to it that changes are seen.
    pub(super) fn watch(&self) -> Result<Changes, ChangesError> {
        let options = self.options;
        let own = [
            &options.data,
            &options.access_log,
            &options.identity,
            &options.ready_file,
        ];
        let own: Vec<PathBuf> = own.into_iter().flatten().cloned().collect();
        let mut changes = Changes::new(&own)?;
        self.watch_all(&mut changes)?;
        Ok(changes)
    }

    /// Takes up changes for as long as it is asked to.
    pub(super) async fn follow(mut self, mut changes: Changes) -> Infallible {
        let mut files = changes.next().await;
        loop {
            let home = self.home();
            let made: Vec<PathBuf> = match self.concern(&files) {
                Concern::Everything => {
                    self.reload(&files).await;
                    if let Err(error) = self.watch_all(&mut changes) {
                        self.log.tell(&error.to_string());
                    }
                    Vec::new()
                }
                Concern::Functions(ids) => {
                    let functions = self.application.functions.values();
                    let made = functions
                        .filter(|function| ids.contains(&function.id))
                        .filter(|function| function.build == Build::Make);
                    let made = made.filter_map(|function| package::directory(function, &home));
                    let made = made.collect();
                    if !ids.is_empty() {
                        self.rebuild(&ids, &files).await;
                    }
                    made
                }
            };
            // What a Makefile has written beside the code is no change of it.
            let meanwhile = changes.settled(&made);
            files = if meanwhile.is_empty() {
                changes.next().await
            } else {
                meanwhile
            };
        }
    }

    fn home(&self) -> PathBuf {
        let home = package::home(&self.options.template);
        home.canonicalize().unwrap_or_else(|_| home.to_owned())
    }

    fn watch_all(&self, changes: &mut Changes) -> Result<(), ChangesError> {
        let home = self.home();
        changes.watch(&home)?;
        if let Some(functions) = self.functions_folder() {
            changes.watch(&functions)?;
        }
        for function in self.application.functions.values() {
            match (&function.build, &self.options.functions) {
                (Build::Cargo(_), None) => changes.watch_below(&home)?,
                (Build::Cargo(name), Some(given)) => watch_if_there(changes, &given.join(name))?,
                (Build::Make, Some(given)) => watch_if_there(changes, &given.join(&function.id))?,
                (Build::Make | Build::None, _) => {
                    if let Some(code) = package::directory(function, &home) {
                        changes.watch_below(&code)?;
                    }
                }
            }
            for layer in layers(function, &home) {
                changes.watch_below(&layer)?;
            }
        }
        Ok(())
    }

    fn functions_folder(&self) -> Option<PathBuf> {
        self.options.functions.as_ref()?.canonicalize().ok()
    }

    /// What these files are to what is served.
    fn concern(&self, changed: &BTreeSet<PathBuf>) -> Concern {
        let home = self.home();
        let is_in = |folder: &Path| changed.iter().any(|path| path.starts_with(folder));
        let template = self.options.template.file_name();
        let mut all_said = template.into_iter().chain(SAM_CONFIGS.map(OsStr::new));
        let functions = self.application.functions.values();
        let mut all_layers = functions
            .clone()
            .flat_map(|function| layers(function, &home));
        if all_said.any(|name| changed.contains(&home.join(name)))
            || all_layers.any(|layer| is_in(&layer))
        {
            return Concern::Everything;
        }
        let given = self.functions_folder();
        let is_concerned = |function: &&Function| match (&function.build, &given) {
            (Build::Cargo(_) | Build::Make, Some(given)) => is_in(given),
            (Build::Cargo(_), None) => is_in(&home),
            (Build::Make | Build::None, _) => {
                package::directory(function, &home).is_some_and(|code| is_in(&code))
            }
        };
        let concerned = functions.filter(is_concerned);
        Concern::Functions(concerned.map(|function| function.id.clone()).collect())
    }

    /// Builds these functions, and puts those that are others now in the place of the former.
    async fn rebuild(&mut self, ids: &BTreeSet<String>, changed: &BTreeSet<PathBuf>) {
        let mut concerned = self.application.clone();
        concerned.functions.retain(|id, _| ids.contains(id));
        let what = self.named(changed);
        let outcome = async {
            let built = self.build(&concerned).await?;
            let identities = built.identities();
            let is_other = |id: &String| match identities.get(id) {
                Some(identity) => self.identities.get(id) != Some(identity),
                None => true,
            };
            concerned.functions.retain(|id, _| is_other(id));
            let ids: Vec<String> = concerned.functions.keys().cloned().collect();
            self.start(built, &concerned, identities).await?;
            Ok::<_, ServeError>(ids)
        };
        match outcome.await {
            Ok(ids) if ids.is_empty() => {}
            Ok(ids) => self
                .log
                .tell(&format!("{what} changed: {} anew", ids.join(", "))),
            Err(error) => {
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                let ids = ids.join(", ");
                self.log.tell(&format!("{what} changed, and {error}"));
                self.log.tell(&format!("what was there goes on: {ids}"));
            }
        }
    }

    async fn build(&self, application: &Application) -> Result<Arc<Built>, ServeError> {
        let home = package::home(&self.options.template);
        package::check(application, home)?;
        let built = binaries::executables(Building {
            application,
            home,
            functions: self.options.functions.as_deref(),
            log: &self.log,
            is_watched: true,
        });
        Ok(Arc::new(built.await?))
    }

    /// Starts what was built of these functions.
    async fn start(
        &mut self,
        built: Arc<Built>,
        application: &Application,
        identities: BTreeMap<String, Identity>,
    ) -> Result<(), ServeError> {
        let home = package::home(&self.options.template);
        let services = self.place.services.environment();
        let programs = built.programs(application, &services, home);
        self.functions.replace(programs).await?;
        for id in application.functions.keys() {
            let builds = self.built.entry(id.clone()).or_default();
            builds.insert(0, Arc::clone(&built));
            builds.truncate(KEPT_BUILDS);
        }
        self.identities.extend(identities);
        Ok(())
    }

    /// Reads the template anew, and serves what it says now.
    async fn reload(&mut self, changed: &BTreeSet<PathBuf>) {
        let what = self.named(changed);
        match self.take_up_template().await {
            Ok(url) => self
                .log
                .tell(&format!("{what} changed: {url} is served anew")),
            Err(error) => {
                self.log.tell(&format!("{what} changed, and {error}"));
                self.log.tell("what was there goes on");
            }
        }
    }

    /// Nothing of the former is given up until all that can fail has not; but functions that have started
    /// stay where the tables or keys of a template then fail.
    async fn take_up_template(&mut self) -> Result<String, ServeError> {
        let Ground {
            application,
            url,
            matrix,
            gateway,
        } = Ground::read(self.options, self.place, &self.log)?;
        let built = self.build(&application).await?;
        let identities = built.identities();
        self.start(built, &application, identities).await?;
        let scopes = ground::scopes(&matrix);
        let former = self.controls.replace(gateway.control());
        let services = &self.place.services;
        let laid = ground::lay(&application, services, &scopes, self.api_key.as_ref()).await;
        match laid {
            Ok(api_key) => self.api_key = api_key,
            Err(error) => {
                self.controls.replace(former);
                return Err(error);
            }
        }
        self.door.replace(gateway, matrix.listed());
        self.scopes.send_replace(scopes);
        let is_kept = |id: &str| application.functions.contains_key(id);
        self.functions.retain(is_kept);
        self.built.retain(|id, _| is_kept(id));
        self.application = application;
        Ok(url)
    }

    /// The changed files, as they are told.
    fn named(&self, changed: &BTreeSet<PathBuf>) -> String {
        let home = self.home();
        let named = changed.iter().take(MAX_NAMED).map(|path| {
            let path = path.strip_prefix(&home).unwrap_or(path);
            path.display().to_string()
        });
        let named = named.collect::<Vec<_>>().join(", ");
        match changed.len().saturating_sub(MAX_NAMED) {
            0 => named,
            more => format!("{named} and {more} more"),
        }
    }
}

fn watch_if_there(changes: &mut Changes, folder: &Path) -> Result<(), ChangesError> {
    let folder = folder.canonicalize().ok().filter(|folder| folder.is_dir());
    folder.map_or(Ok(()), |folder| changes.watch_below(&folder))
}

fn layers(function: &Function, home: &Path) -> Vec<PathBuf> {
    let layers = function.layers.iter();
    layers
        .filter_map(|layer| home.join(layer).canonicalize().ok())
        .collect()
}
