//! Changes of files, folder by folder: what is built, installed or kept by others is never looked at, so
//! that a project of any size takes few watches.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{ModifyKind, RenameMode};
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
    told: UnboundedReceiver<Told>,
    watched: BTreeSet<PathBuf>,
    /// Files and folders besides that are written to by this program, or change by what it does.
    own: Vec<PathBuf>,
    /// The files that standard output and standard error are, as the system knows them.
    outputs: Vec<(u64, u64)>,
    /// What is said to have changed where the system has lost count.
    all: PathBuf,
}

/// What the system tells.
enum Told {
    Changed(PathBuf),
    /// It is no more where it was: what is there now is another.
    Gone(PathBuf),
    /// More has changed than it could tell of.
    Lost,
}

impl Changes {
    /// Of nothing yet; `own` is never looked at. Where more has changed than the system can tell of, `all`
    /// is what has changed.
    pub(crate) fn new(own: &[PathBuf], all: PathBuf) -> Result<Self, ChangesError> {
        let (sender, told) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // Without a receiver nobody wants to know.
            let say = |told| drop(sender.send(told));
            match event {
                Ok(event) if event.need_rescan() => say(Told::Lost),
                Err(_) => say(Told::Lost),
                Ok(Event { kind, paths, .. }) => match kind {
                    EventKind::Access(_) => {}
                    EventKind::Remove(_)
                    | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => {
                        paths.into_iter().map(Told::Gone).for_each(say);
                    }
                    _ => paths.into_iter().map(Told::Changed).for_each(say),
                },
            }
        });
        let watcher = watcher.map_err(|error| ChangesError::Watch {
            path: PathBuf::new(),
            error,
        })?;
        Ok(Self {
            watcher,
            told,
            watched: BTreeSet::new(),
            own: own.iter().filter_map(|path| canonical(path)).collect(),
            outputs: outputs(),
            all,
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
                Err(error) if next != folder && self.watched.len() < MAX_FOLDERS => {
                    if next.is_dir() {
                        tracing::warn!(%error, "what is saved there is not taken up");
                    }
                    continue;
                }
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
                let told = self.told.recv().await;
                last = Instant::now() + MAX_WAIT;
                told
            } else {
                let quiet = (Instant::now() + QUIET).min(last);
                timeout_at(quiet, self.told.recv()).await.ok().flatten()
            };
            match received {
                Some(told) => self.add(told, &mut changed),
                None if changed.is_empty() => std::future::pending().await,
                None => return changed,
            }
        }
    }

    /// What has changed up to here.
    pub(crate) fn so_far(&mut self) -> BTreeSet<PathBuf> {
        let mut changed = BTreeSet::new();
        while let Ok(told) = self.told.try_recv() {
            self.add(told, &mut changed);
        }
        changed
    }

    /// Looks at these files no more.
    pub(crate) fn leave(&mut self, files: BTreeSet<PathBuf>) {
        self.own.extend(files);
    }

    fn add(&mut self, told: Told, changed: &mut BTreeSet<PathBuf>) {
        let path = match told {
            Told::Lost => {
                tracing::warn!("more has changed than the system tells of: all is taken up anew");
                changed.insert(self.all.clone());
                return;
            }
            Told::Gone(path) => {
                self.forget(&path);
                path
            }
            Told::Changed(path) => path,
        };
        if self.is_ignored(&path) || is_of_an_editor(&path) || self.is_output(&path) {
            return;
        }
        if path.is_dir() {
            // It is watched already where only its own properties have changed.
            if !self.watched.contains(&path) && self.watch_below(&path).is_ok() {
                changed.insert(path);
            }
            return;
        }
        changed.insert(path);
    }

    /// Forgets a folder and those below it, or else others of the same names would not be watched.
    fn forget(&mut self, path: &Path) {
        let gone = self
            .watched
            .iter()
            .filter(|watched| watched.starts_with(path));
        let gone: Vec<PathBuf> = gone.cloned().collect();
        for folder in gone {
            // It is not watched any more where it is no more.
            let _ = self.watcher.unwatch(&folder);
            self.watched.remove(&folder);
        }
    }

    fn is_output(&self, path: &Path) -> bool {
        let file = path.metadata().ok();
        file.is_some_and(|file| self.outputs.contains(&(file.dev(), file.ino())))
    }

    fn is_ignored(&self, path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| IGNORED.contains(&name) || name.starts_with(".keygate-"))
            || self.own.iter().any(|own| path.starts_with(own))
            || path.join(CACHE_TAG).is_file()
    }
}

/// The files that standard output and standard error are. What is said would be a change of them.
fn outputs() -> Vec<(u64, u64)> {
    let handles = [
        std::io::stdout().as_fd().try_clone_to_owned(),
        std::io::stderr().as_fd().try_clone_to_owned(),
    ];
    let files = handles.into_iter().flatten().map(fs::File::from);
    let files = files.filter_map(|file| file.metadata().ok());
    files.map(|file| (file.dev(), file.ino())).collect()
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
        let mut changes = Changes::new(&[home.join("data")], home.join("all")).unwrap();
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

    #[tokio::test]
    async fn a_folder_that_another_takes_the_place_of_is_watched_to_its_depth() {
        let folder = TempDir::new().unwrap();
        let home = folder.path().canonicalize().unwrap();
        fs::create_dir_all(home.join("lib/deep")).unwrap();
        let mut changes = Changes::new(&[], home.join("all")).unwrap();
        changes.watch_below(&home).unwrap();
        fs::rename(home.join("lib"), home.join("old")).unwrap();
        fs::create_dir_all(home.join("lib/deep")).unwrap();
        changes.next().await;
        for file in ["lib/deep/a.txt", "old/deep/b.txt"] {
            fs::write(home.join(file), "a").unwrap();
            let seen = changes.next().await;
            assert!(seen.contains(&home.join(file)), "{seen:?}");
        }
    }
}
