//! A template in a folder of its own, with the files that its paths lead to.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use tempfile::TempDir;

/// The folder, which lives as long as the value.
#[derive(Debug)]
pub struct Project(TempDir);

impl Project {
    /// With a template and nothing else.
    #[must_use]
    pub fn new(template: &str) -> Self {
        Self(TempDir::new().unwrap()).with("template.yaml", template)
    }

    /// The same with one more file.
    #[must_use]
    pub fn with(self, path: &str, text: &str) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// The same with one more file that can be run.
    #[must_use]
    pub fn with_executable(self, path: &str, text: &str) -> Self {
        let project = self.with(path, text);
        let file = project.0.path().join(path);
        fs::set_permissions(file, Permissions::from_mode(0o755)).unwrap();
        project
    }

    /// Saves a file of it as some editors do, in one step, so that it is one change.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn save(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        let mut beside = path.clone().into_os_string();
        beside.push(".tmp");
        fs::write(&beside, text).unwrap();
        if let Ok(file) = fs::metadata(&path) {
            fs::set_permissions(&beside, file.permissions()).unwrap();
        }
        fs::rename(beside, path).unwrap();
    }

    /// The same with a link at `path` to what lies elsewhere.
    #[must_use]
    pub fn with_link(self, path: &str, target: &Path) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The template's path.
    #[must_use]
    pub fn template(&self) -> String {
        let path = self.0.path().join("template.yaml");
        path.to_str().unwrap().to_owned()
    }
}
