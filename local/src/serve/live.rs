//! Changes of the template and of functions' code, taken up while requests are served. A change that
//! cannot be is told, and what was there goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use keygate_builds::BuildLog;
use keygate_builds::binaries::{self, Building, Built, Identity};
use keygate_builds::package;
use keygate_console::excerpt;
use keygate_functions::{Functions, Prepared};
use keygate_gateway::trips::Trips;
use keygate_gateway::{Controls, Door};
use keygate_model::Application;
use keygate_principal::scope::Scopes;
use tokio::sync::watch;

use super::announcement::Announcement;
use super::error::ServeError;
use super::ground::{self, Ground};
use super::look::Shown;
use super::place::Place;
use super::watching::{self, Concern};
use super::written::Written;
use crate::changes::Changes;
use crate::cli::Serve;
use crate::kept::Kept;
use crate::outlets::Outlets;

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
    pub(super) shown: Shown,
    /// What the development issuer's tokens open.
    pub(super) scopes: watch::Sender<Scopes>,
    /// The keys that stay the same.
    pub(super) kept: Kept,
    pub(super) outlets: Outlets<'s>,
    pub(super) trips: Arc<Trips>,
    pub(super) announcement: Announcement<'s>,
    /// The executables that cargo has built.
    pub(super) identities: BTreeMap<String, Identity>,
}

impl Live<'_> {
    /// Takes up changes for as long as it is asked to.
    pub(super) async fn follow(mut self, mut changes: Changes) -> Infallible {
        let mut written = Written::default();
        let all = self.application.functions.keys().cloned().collect();
        // What is served was built just now.
        let mut made = watching::built_by_make(&all, self.options, &self.application);
        loop {
            let taken_up = Instant::now();
            let mut files = written.sources(changes.so_far(), &made);
            if files.is_empty() {
                files = changes.next().await;
                written.edited(&files, taken_up.elapsed());
            }
            if written.goes_round(&files, taken_up.elapsed()) {
                let names = self.named(&files);
                self.log.tell(&format!(
                    "{names} changes each time that something is taken up: it is left alone until keygate starts again"
                ));
                changes.leave(files);
                made.clear();
                continue;
            }
            made = self.take_up(&files, &mut changes).await;
        }
    }

    /// Takes up a change of these files. Gives the folders in which make has built meanwhile.
    async fn take_up(&mut self, files: &BTreeSet<PathBuf>, changes: &mut Changes) -> Vec<PathBuf> {
        let options = self.options;
        match watching::concern(files, options, &self.application) {
            Concern::Everything => {
                let all = self.application.functions.keys().cloned().collect();
                let made = watching::built_by_make(&all, options, &self.application);
                self.reload(files).await;
                if let Err(error) = watching::watch(changes, options, &self.application) {
                    self.log.tell(&error.to_string());
                }
                made
            }
            Concern::Functions(ids) if ids.is_empty() => Vec::new(),
            Concern::Functions(ids) => {
                self.rebuild(&ids, files).await;
                watching::built_by_make(&ids, options, &self.application)
            }
        }
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
            self.functions.put(self.prepare(&built, &concerned).await?);
            self.identities.extend(identities);
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
                self.tell_mistakes(&format!("{what} changed, and {error}"));
                self.log.tell(&format!("what was there goes on: {ids}"));
            }
        }
    }

    fn tell_mistakes(&self, text: &str) {
        self.log.tell(&excerpt::of_lines(text));
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

    /// Starts what was built of these functions, beside what they are to take the place of.
    async fn prepare(
        &self,
        built: &Arc<Built>,
        application: &Application,
    ) -> Result<Prepared, ServeError> {
        let home = package::home(&self.options.template);
        let services = self.place.services.environment();
        let programs = built.programs(application, &services, home);
        Ok(self.functions.prepare(programs).await?)
    }

    /// Reads the template anew, and serves what it says now.
    async fn reload(&mut self, changed: &BTreeSet<PathBuf>) {
        let what = self.named(changed);
        match self.take_up_template().await {
            Ok(url) => self
                .log
                .tell(&format!("{what} changed: {url} is served anew")),
            Err(error) => {
                self.tell_mistakes(&format!("{what} changed, and {error}"));
                self.log.tell("what was there goes on");
            }
        }
    }

    /// Nothing of the former is given up until all that can fail has not.
    async fn take_up_template(&mut self) -> Result<String, ServeError> {
        let Ground {
            application,
            url,
            matrix,
            gateway,
        } = Ground::read(self.options, self.place, &self.log)?;
        self.outlets.choose_anew(gateway.has_access_log())?;
        let built = self.build(&application).await?;
        let prepared = self.prepare(&built, &application).await?;
        let scopes = ground::scopes(&matrix);
        let services = &self.place.services;
        let kept = self.kept.api_key();
        let outbound = ground::outbound()?;
        let former = kept.as_ref();
        let api_key = ground::lay(&application, services, &outbound, &scopes, former).await?;
        self.functions.put(prepared);
        gateway.succeed(&self.controls.current());
        self.controls.replace(gateway.control());
        let parting = self
            .functions
            .part(|id| application.functions.contains_key(id));
        let access_log = self.outlets.access_log.clone();
        self.door
            .replace(gateway, matrix.listed(), access_log, Box::new(parting));
        if let Err(error) = ground::sweep(&application, services, &outbound).await {
            self.log.tell(&error.to_string());
        }
        self.trips.tell(self.outlets.requests());
        self.shown
            .show(&application, &url, &matrix, api_key.as_ref());
        self.scopes.send_replace(scopes);
        self.identities = built.identities();
        self.application = application;
        if let Err(error) = self.kept.keep(None, api_key.as_ref()) {
            self.log.tell(&error.to_string());
        }
        let said = self
            .announcement
            .say(&self.application, &url, api_key, &matrix);
        if let Err(error) = said {
            self.log.tell(&error.to_string());
        }
        Ok(url)
    }

    /// The changed files, as they are told.
    fn named(&self, changed: &BTreeSet<PathBuf>) -> String {
        let home = watching::home(self.options);
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
