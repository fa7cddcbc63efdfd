//! The file of `--ready-file`, which holds an API key: its owner alone may read it.

use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes the file. It is made under a name that nobody can foresee, readable by its owner alone, and
/// takes the place of what had its own name before: whoever waits for it finds it whole, and whoever
/// could read the former one, or points its name elsewhere, reads nothing.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    // Or else a crash of the machine may leave the name without what it names.
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn the_file_is_its_owners_alone_whatever_was_there_before() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ready.json");
        let elsewhere = folder.path().join("elsewhere");
        for before in [None, Some(0o666), Some(0o777)] {
            if let Some(mode) = before {
                fs::write(&path, "before").unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            write(&path, "after").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "after");
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&elsewhere, "untouched").unwrap();
        fs::remove_file(&path).unwrap();
        symlink(&elsewhere, &path).unwrap();
        write(&path, "after").unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "untouched");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
