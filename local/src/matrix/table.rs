//! The route table that the template's authorizer is given, and where its lines stand.

use std::fs;
use std::path::{Path, PathBuf};

use keygate_builds::package;
use keygate_model::{Application, Function};
use keygate_routes::{MalformedTable, RouteTable};
use keygate_settings::{SettingError, Settings};

/// Why there is no table where one is set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    /// It cannot be read.
    #[error("{0}")]
    Setting(#[from] SettingError),
    /// A line of the template is none of a table's.
    #[error("{place}: {error}")]
    Line { place: String, error: SettingError },
}

/// The table, and where it stands.
pub(super) struct Table {
    pub(super) routes: RouteTable,
    pub(super) lines: Lines,
}

/// Where the lines of a table are.
pub(super) enum Lines {
    File(PathBuf),
    Template {
        path: PathBuf,
        /// The table itself.
        table: String,
        /// The line of the template where its setting's value begins.
        value: usize,
    },
}

impl Table {
    /// The table that the functions behind the API's authorizers are given.
    pub(super) fn of(
        application: &Application,
        template: &Path,
    ) -> Result<Option<Self>, TableError> {
        let authorizers = application.api.authorizers.values();
        let functions = authorizers.filter_map(|one| application.functions.get(&one.function));
        for function in functions {
            if let Some(table) = Self::of_function(function, template)? {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }

    fn of_function(function: &Function, template: &Path) -> Result<Option<Self>, TableError> {
        let home = package::home(template);
        let mut environment = package::environment(function, home);
        let file = environment
            .get(keygate_routes::FILE)
            .filter(|path| !path.trim().is_empty());
        let file = file.map(|path| home.join(&function.code).join(path.trim()));
        if let Some(file) = &file {
            let path = file.to_string_lossy().into_owned();
            environment.insert(keygate_routes::FILE.to_owned(), path);
        }
        let value = function.environment_lines.get(keygate_routes::SETTING);
        let lines = match file {
            Some(file) => Lines::File(file),
            None => Lines::Template {
                path: template.to_owned(),
                table: environment
                    .get(keygate_routes::SETTING)
                    .cloned()
                    .unwrap_or_default(),
                value: value.copied().unwrap_or_default(),
            },
        };
        let settings: Settings = environment.into_iter().collect();
        let routes = keygate_routes::read(&settings).map_err(|error| lines.placed(error))?;
        Ok(routes.map(|routes| Self { routes, lines }))
    }
}

impl Lines {
    /// Where a line of the table is, counted from 1, as `PATH:LINE`.
    pub(super) fn place(&self, line: usize) -> String {
        match self {
            Self::File(path) => format!("{}:{line}", path.display()),
            Self::Template { path, table, value } => {
                let template = fs::read_to_string(path).unwrap_or_default();
                let before = lines_before(&template, table, *value);
                let at = before.map_or(*value, |before| before + line);
                format!("{}:{at}", path.display())
            }
        }
    }

    /// Names the template's line that a malformed table is malformed in. Of a file it is said already.
    fn placed(&self, error: SettingError) -> TableError {
        if let Self::Template { table, .. } = self
            && let Err(MalformedTable { line, .. }) = table.parse::<RouteTable>()
        {
            let place = self.place(line);
            return TableError::Line { place, error };
        }
        error.into()
    }
}

/// How many lines of a template stand before a table that it holds line by line, as a block of text
/// does, at its setting or above: a parameter may hold it. `None` for one that is written otherwise.
fn lines_before(template: &str, table: &str, setting: usize) -> Option<usize> {
    let template: Vec<&str> = template.lines().map(str::trim).collect();
    let table: Vec<&str> = table.lines().map(str::trim).collect();
    let mut above = (0..=setting).rev();
    above.find(|before| {
        let from_there = template.get(*before..).unwrap_or_default();
        from_there.starts_with(&table)
    })
}
