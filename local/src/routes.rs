//! `keygate routes`: the whole access matrix, for a security reviewer and for CI.

use std::process::ExitCode;

use keygate_console as console;
use keygate_routes::RouteTable;
use keygate_template::offered;
use keygate_template::{self as template, TemplateError};
use serde_json::{Value, json};

use crate::cli::{Output, Routes};
use crate::matrix::{Matrix, MatrixError, Row};
use crate::{aws, ports};

/// Why there is nothing to print.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoutesError {
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Its route table cannot be used.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
    /// There is none to check.
    #[error(
        "no function behind an authorizer of the template is given ROUTES or ROUTES_FILE, so there \
         is no route table to hold its events against"
    )]
    NoTable,
    /// The matrix cannot be printed.
    #[error("standard output cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

/// Prints the matrix, or with `--check` only what is wrong; then it ends with 1 when something is.
pub(crate) fn print(options: &Routes) -> Result<ExitCode, RoutesError> {
    let parameters = offered::parameters(
        &options.parameters,
        options.config_env.as_deref(),
        &aws::address(ports::ISSUER),
    );
    let application = template::load(&options.template, &parameters)?;
    let matrix = Matrix::of(&application, &options.template)?;
    if options.check && matrix.table.is_none() {
        return Err(RoutesError::NoTable);
    }
    let printed = match (options.output, options.check) {
        (Output::Json, _) => format!("{:#}\n", document(&matrix)),
        (Output::Table, _) => table(&matrix),
        (Output::Text, false) => text(&matrix),
        (Output::Text, true) if matrix.disagreements.is_empty() => format!(
            "{} routes: events and route table agree, and the longest policy is {} of {} bytes\n",
            matrix.rows.len(),
            matrix.longest_policy,
            keygate_policy::MAX_BYTES
        ),
        (Output::Text, true) => String::new(),
    };
    console::print(&match options.output {
        Output::Json => keygate_visible::json(&printed),
        Output::Table | Output::Text => keygate_visible::lines(&printed),
    })?;
    for disagreement in &matrix.disagreements {
        console::warn(&keygate_visible::line(&disagreement.to_string()));
    }
    let has_failed = options.check && !matrix.disagreements.is_empty();
    Ok(if has_failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

const TITLES: [&str; 6] = [
    "METHOD",
    "PATH",
    "OPENED BY",
    "AUTHORIZER",
    "USAGE KEY",
    "FUNCTION",
];

/// Columns as wide as what they hold.
fn text(matrix: &Matrix) -> String {
    let titles = TITLES.map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(titles)
        .chain(
            matrix
                .rows
                .iter()
                .map(|row| cells(row, matrix.table.is_some())),
        )
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..TITLES.len()).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn cells(row: &Row, has_table: bool) -> [String; 6] {
    let route = &row.route;
    let opened_by = match &row.access {
        Some(access) => access.to_string(),
        None if has_table => "(not listed)".to_owned(),
        None => "?".to_owned(),
    };
    [
        route.method.to_string(),
        route.path.to_string(),
        opened_by,
        route.authorizer.clone().unwrap_or_else(|| "-".to_owned()),
        if route.api_key_required {
            "required"
        } else {
            "-"
        }
        .to_owned(),
        route.function().unwrap_or("(mock)").to_owned(),
    ]
}

/// The table as it is read: what is not listed is left out.
fn table(matrix: &Matrix) -> String {
    let routes = matrix.table.iter().flat_map(RouteTable::routes);
    let lines = routes.map(|route| format!("{} {} {}\n", route.method, route.path, route.access));
    lines.collect()
}

fn document(matrix: &Matrix) -> Value {
    let routes = matrix.rows.iter().map(|row| {
        let route = &row.route;
        let scopes = row.access.as_ref().map(keygate_routes::Access::scopes);
        json!({
            "method": route.method.as_str(),
            "path": route.path.as_str(),
            // As it stands in the table: scopes, `*` or `-`; null where it is not listed.
            "access": row.access.as_ref().map(ToString::to_string),
            "scopes": scopes.map(|scopes| scopes.iter().map(ToString::to_string).collect::<Vec<_>>()),
            "authorizer": route.authorizer,
            "usage_key": route.api_key_required,
            "function": route.function(),
            "line": route.line,
        })
    });
    json!({
        "routes": routes.collect::<Vec<_>>(),
        "disagreements": matrix.disagreements.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "longest_policy": matrix.longest_policy,
    })
}
