//! Where the table is: in a setting, or in a file that a setting names.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use keygate_settings::{SettingError, Settings};

use crate::table::RouteTable;

/// The setting that holds the table.
pub const SETTING: &str = "ROUTES";
/// The setting that names a file with the table, for one that does not fit into the 4 KB that Lambda
/// gives all of a function's environment. A relative path is one within the function's package.
pub const FILE: &str = "ROUTES_FILE";

/// The largest file that is read, in bytes: more than the longest table with its comments.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads the table, where one is set.
///
/// # Errors
/// When both settings are there, the file cannot be read, or the table is malformed: with the line
/// that is.
pub fn read(settings: &Settings) -> Result<Option<RouteTable>, SettingError> {
    match (settings.optional(SETTING)?, settings.optional(FILE)?) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(SettingError::malformed(
            FILE,
            "ROUTES is set too: the table stands in one place",
        )),
        (Some(table), None) => {
            let parsed = table.parse::<RouteTable>();
            parsed
                .map(Some)
                .map_err(|error| SettingError::malformed(SETTING, error))
        }
        (None, Some(path)) => {
            let malformed = |reason: String| {
                let path = path.trim();
                SettingError::malformed(FILE, format!("{path}: {reason}"))
            };
            let text = text(Path::new(path.trim())).map_err(malformed)?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let parsed = text.parse::<RouteTable>();
            parsed
                .map(Some)
                .map_err(|error| malformed(error.to_string()))
        }
    }
}

/// Reads the table, which must be there.
///
/// # Errors
/// As [`read`], and when neither setting is there.
pub fn required(settings: &Settings) -> Result<RouteTable, SettingError> {
    read(settings)?.ok_or(SettingError::Missing {
        name: SETTING,
        purpose: "the route table, one METHOD PATH SCOPE... a line; or name a file by ROUTES_FILE",
    })
}

fn text(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    if text.len() as u64 > MAX_BYTES {
        return Err(format!("it is longer than {MAX_BYTES} bytes"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(settings: &[(&str, &str)]) -> Result<Option<RouteTable>, SettingError> {
        read(&settings.iter().copied().collect())
    }

    fn said(settings: &[(&str, &str)]) -> String {
        read_from(settings).unwrap_err().to_string()
    }

    #[test]
    fn the_setting_holds_the_table_and_without_it_there_is_none() {
        assert_eq!(read_from(&[]), Ok(None));
        let table = read_from(&[(SETTING, "GET /a x")]).unwrap().unwrap();
        assert_eq!(table.routes().len(), 1);
        let error = said(&[(SETTING, "GET /a x\nGO /b y")]);
        assert!(
            error.starts_with("ROUTES is malformed: line 2: `GO`"),
            "{error}"
        );
    }

    #[test]
    fn a_file_holds_the_same_form() {
        let file = std::env::temp_dir().join(format!("keygate-routes-{}", std::process::id()));
        let path = file.to_str().unwrap();
        std::fs::write(&file, "\u{feff}# a comment\nGET /a x\n").unwrap();
        assert_eq!(
            read_from(&[(FILE, path)]),
            read_from(&[(SETTING, "\nGET /a x")])
        );
        assert!(said(&[(FILE, path), (SETTING, "GET /a x")]).contains("one place"));
        std::fs::write(&file, "GET /a").unwrap();
        let error = said(&[(FILE, path)]);
        assert!(error.starts_with("ROUTES_FILE is malformed: "), "{error}");
        assert!(error.contains(": line 1: "), "{error}");
        std::fs::write(&file, b"GET /a \xff").unwrap();
        assert!(read_from(&[(FILE, path)]).is_err());
        std::fs::write(&file, "#".repeat(1024 * 1024 + 1)).unwrap();
        assert!(said(&[(FILE, path)]).contains("longer than"));
        std::fs::remove_file(&file).unwrap();
        let error = said(&[(FILE, path)]);
        assert!(
            error.contains("keygate-routes-") && error.contains("No such file"),
            "{error}"
        );
        assert!(read_from(&[(FILE, "/")]).is_err());
    }
}
