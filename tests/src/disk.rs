//! A small disk, to be filled.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What fills it.
const FILLER: &str = "filler";

/// A disk of its own, which ends with the value.
#[derive(Debug)]
pub struct Disk(TempDir);

impl Disk {
    /// A disk of so many KiB; `None` where nobody lets this program mount one.
    #[must_use]
    pub fn of_kib(size: u32) -> Option<Self> {
        let folder = TempDir::new().ok()?;
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={size}k"), "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null());
        let is_mounted = mount.status().is_ok_and(|status| status.success());
        is_mounted.then(|| Self(folder))
    }

    /// Why there can be none, if so.
    #[must_use]
    pub fn lacking() -> Option<&'static str> {
        let lacking = Self::of_kib(64).is_none();
        lacking.then_some("nobody lets this program mount a small disk")
    }

    /// Where something may lie on it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The same as text.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut filler = File::create(self.path(FILLER)).unwrap();
        for size in [4096, 64, 1] {
            let piece = vec![b'x'; size];
            while filler.write_all(&piece).is_ok() {}
        }
    }

    /// Makes the room that was there before.
    pub fn make_room(&self) {
        fs::remove_file(self.path(FILLER)).unwrap();
    }

    /// What lies on it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Also where somebody still has a file open.
        let mut unmount = Command::new("umount");
        let _ = unmount.arg("--lazy").arg(self.0.path()).status();
    }
}
