//! Changes of files, folder by folder: what is built, installed or kept by others is never looked at, so
//! that a project of any size takes few watches.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout_at};

/// Folders that hold nothing that a person writes.
const IGNORED: [&str; 9] = [
    ".aws-sam",
    ".git",
    ".idea",
    ".mypy_cache",
    ".pytest_cache",
    ".venv",
    "__pycache__",
    "node_modules",
    "target",
];
/// Folders with this file hold what can be made again (<https://bford.info/cachedir/>).
const CACHE_TAG: &str = "CACHEDIR.TAG";
/// How long nothing may change until what has changed is taken up: an editor writes more than once.
const QUIET: Duration = Duration::from_millis(100);
/// How long it may be put off by further changes.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// How many folders are looked at.
const MAX_FOLDERS: usize = 10_000;

/// Why changes are not seen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangesError {
    /// The system does not watch.
    #[error("{} cannot be watched for changes: {error}", path.display())]
    Watch {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: notify::Error,
    },
    /// There are too many folders.
    #[error(
        "{} and what else is to be watched has more than {MAX_FOLDERS} folders: put the template into a folder of its own",
        path.display()
    )]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
}

/// What changes from here on.
pub(crate) struct Changes {
    watcher: RecommendedWatcher,
    paths: UnboundedReceiver<PathBuf>,
    watched: BTreeSet<PathBuf>,
    /// Files and folders besides that are written to by this program.
    own: Vec<PathBuf>,
}

impl Changes {
    /// Of nothing yet; `own` is never looked at.
    pub(crate) fn new(own: &[PathBuf]) -> Result<Self, ChangesError> {
        let (sender, paths) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            if !matches!(event.kind, EventKind::Access(_)) {
                // Without a receiver nobody wants to know.
                event
                    .paths
                    .into_iter()
                    .for_each(|path| drop(sender.send(path)));
            }
        });
        let watcher = watcher.map_err(|error| ChangesError::Watch {
            path: PathBuf::new(),
            error,
        })?;
        Ok(Self {
            watcher,
            paths,
            watched: BTreeSet::new(),
            own: own.iter().filter_map(|path| canonical(path)).collect(),
        })
    }

    /// Watches the files of a folder, and those of the folders below it.
    pub(crate) fn watch_below(&mut self, folder: &Path) -> Result<(), ChangesError> {
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            if next != folder && self.is_ignored(&next) {
                continue;
            }
            match self.watch(&next) {
                // A folder may go, or be somebody else's.
                Err(_) if next != folder && self.watched.len() < MAX_FOLDERS => continue,
                watched => watched?,
            }
            let entries = fs::read_dir(&next).into_iter().flatten().flatten();
            let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            folders.extend(below.map(|entry| entry.path()));
        }
        Ok(())
    }

    /// Watches the files of a folder alone.
    pub(crate) fn watch(&mut self, folder: &Path) -> Result<(), ChangesError> {
        let path = folder.to_owned();
        if self.watched.contains(folder) {
            return Ok(());
        }
        if self.watched.len() >= MAX_FOLDERS {
            return Err(ChangesError::TooMany { path });
        }
        let watched = self.watcher.watch(folder, RecursiveMode::NonRecursive);
        watched.map_err(|error| ChangesError::Watch {
            path: path.clone(),
            error,
        })?;
        self.watched.insert(path);
        Ok(())
    }

    /// The files that have changed, once there are any and no more follow at once.
    pub(crate) async fn next(&mut self) -> BTreeSet<PathBuf> {
        let mut changed = BTreeSet::new();
        let mut last = Instant::now() + MAX_WAIT;
        loop {
            let received = if changed.is_empty() {
                let path = self.paths.recv().await;
                last = Instant::now() + MAX_WAIT;
                path
            } else {
                let quiet = (Instant::now() + QUIET).min(last);
                timeout_at(quiet, self.paths.recv()).await.ok().flatten()
            };
            match received {
                Some(path) => self.add(&path, &mut changed),
                None if changed.is_empty() => std::future::pending().await,
                None => return changed,
            }
        }
    }

    /// Forgets what has changed up to here below these folders, and gives the rest.
    pub(crate) fn settled(&mut self, folders: &[PathBuf]) -> BTreeSet<PathBuf> {
        let mut changed = BTreeSet::new();
        while let Ok(path) = self.paths.try_recv() {
            self.add(&path, &mut changed);
        }
        changed.retain(|path| !folders.iter().any(|folder| path.starts_with(folder)));
        changed
    }

    fn add(&mut self, path: &Path, changed: &mut BTreeSet<PathBuf>) {
        if self.is_ignored(path) || is_of_an_editor(path) {
            return;
        }
        if path.is_dir() {
            // It is watched already where only its own properties have changed.
            if !self.watched.contains(path) && self.watch_below(path).is_ok() {
                changed.insert(path.to_owned());
            }
            return;
        }
        // Or else a folder of the same name would not be watched again.
        self.watched.remove(path);
        changed.insert(path.to_owned());
    }

    fn is_ignored(&self, path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| IGNORED.contains(&name) || name.starts_with(".keygate-"))
            || self.own.iter().any(|own| path.starts_with(own))
            || path.join(CACHE_TAG).is_file()
    }
}

/// A path as the system tells it, whether or not there is anything yet.
fn canonical(path: &Path) -> Option<PathBuf> {
    let folder = path.parent()?;
    let here = folder.as_os_str().is_empty();
    let folder = if here { Path::new(".") } else { folder };
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

/// What editors write beside a file while it is open.
fn is_of_an_editor(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_none_or(|name| {
        let ends = [".swp", ".swx", ".swo", ".tmp", "~"];
        // Vim tries whether it may write.
        name == "4913" || name.starts_with(".#") || ends.iter().any(|end| name.ends_with(end))
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn what_a_person_writes_is_seen_and_nothing_else() {
        let folder = TempDir::new().unwrap();
        let home = folder.path().canonicalize().unwrap();
        for below in ["src", "target", "node_modules/a", "cache", "data"] {
            fs::create_dir_all(home.join(below)).unwrap();
        }
        fs::write(home.join("cache").join(CACHE_TAG), "").unwrap();
        let mut changes = Changes::new(&[home.join("data")]).unwrap();
        changes.watch_below(&home).unwrap();
        for file in [
            "target/a",
            "node_modules/a/b",
            "cache/a",
            "data/a",
            "src/.a.rs.swp",
            "src/a.rs~",
        ] {
            fs::write(home.join(file), "a").unwrap();
        }
        fs::write(home.join("src/a.rs"), "a").unwrap();
        assert_eq!(
            changes.next().await,
            BTreeSet::from([home.join("src/a.rs")])
        );
        fs::create_dir(home.join("src/new")).unwrap();
        assert_eq!(changes.next().await, BTreeSet::from([home.join("src/new")]));
        fs::write(home.join("src/new/b.rs"), "b").unwrap();
        assert_eq!(
            changes.next().await,
            BTreeSet::from([home.join("src/new/b.rs")])
        );
        fs::rename(home.join("src/a.rs"), home.join("src/c.rs")).unwrap();
        let both = BTreeSet::from([home.join("src/a.rs"), home.join("src/c.rs")]);
        assert_eq!(changes.next().await, both);
    }
}
