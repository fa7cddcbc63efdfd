//! What `keygate` prints once it is ready: lines to read and to paste.

use std::fmt;
use std::path::PathBuf;

use keygate_api_key::ApiKey;
use keygate_model::KeySource;
use keygate_routes::{Access, Segment};

use crate::aws::Services;
use crate::matrix::{Matrix, Row};

/// How many routes are listed.
const MAX_ROUTES: usize = 40;

/// Where everything is, and the key for a first call.
pub(crate) struct Addresses<'m> {
    /// The stage's address.
    pub(crate) url: String,
    /// The development issuer's.
    pub(crate) issuer: String,
    /// Those of DynamoDB, of API Gateway's management API and of Lambda's Invoke API.
    pub(crate) services: Services,
    /// The seeded key, when the template has a key table.
    pub(crate) api_key: Option<ApiKey>,
    /// Where tables are kept; in memory without it.
    pub(crate) kept_in: Option<PathBuf>,
    /// The link to the page, where there is one.
    pub(crate) page: Option<String>,
    /// Where usage keys come from.
    pub(crate) key_source: KeySource,
    /// What is served.
    pub(crate) matrix: &'m Matrix,
}

/// With lines that work when pasted.
impl fmt::Display for Addresses<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            url,
            issuer,
            services,
            ..
        } = self;
        let tables = self.kept_in.as_ref().map_or_else(
            || "in memory; --data DIR keeps them".to_owned(),
            |path| format!("kept in {}", path.display()),
        );
        let routes = self.matrix.rows.len();
        writeln!(
            formatter,
            "
Keygate is ready at {url}
  OAuth issuer  {issuer}  (development only: it believes whoever asks)
  DynamoDB      {}  (tables {tables})
  API Gateway   {}  (usage keys, for keygate keys)
  Lambda        {}  (aws lambda invoke --endpoint-url, cargo lambda invoke -A 127.0.0.1 -P {})",
            services.dynamodb,
            services.api_gateway,
            services.lambda,
            services.lambda.rsplit(':').next().unwrap_or_default()
        )?;
        if let Some(page) = &self.page {
            writeln!(
                formatter,
                "  Page          {page}  (requests as they come: open it in a browser)"
            )?;
        }
        if let Some(key) = &self.api_key {
            writeln!(formatter, "  API key       {}", key.expose())?;
        }
        writeln!(formatter, "  Routes        {routes}, and what opens each:")?;
        for row in self.matrix.rows.iter().take(MAX_ROUTES) {
            writeln!(formatter, "{}", route(row, self.key_source))?;
        }
        if let more @ 1.. = routes.saturating_sub(MAX_ROUTES) {
            writeln!(
                formatter,
                "    and {more} more: keygate routes lists them all"
            )?;
        }
        let lines = self.lines();
        if !lines.is_empty() {
            writeln!(formatter, "\nTry it, in another terminal:\n")?;
        }
        for line in lines {
            writeln!(formatter, "{line}\n")?;
        }
        writeln!(
            formatter,
            "One line follows for each request. Ctrl-C stops everything."
        )
    }
}

impl Addresses<'_> {
    /// A public route, and one that asks for a credential with each kind of it.
    fn lines(&self) -> Vec<String> {
        let has_table = self.matrix.table.is_some();
        let rows = self.matrix.rows.iter();
        let readable = rows.filter(|row| is_readable(row, self.key_source, has_table));
        let (open, closed): (Vec<&Row>, Vec<&Row>) =
            readable.partition(|row| row.route.authorizer.is_none());
        let curl = |row: &Row| format!("curl -i {}{}", self.url, row.route.path);
        let mut lines: Vec<String> = open.first().map(|row| curl(row)).into_iter().collect();
        if let (Some(row), Some(key)) = (closed.first(), &self.api_key) {
            lines.push(format!(
                "{} -H 'Authorization: ApiKey {}'",
                curl(row),
                key.expose()
            ));
        }
        if let Some(row) = closed.get(1).or(closed.first()) {
            lines.push(format!(
                "{} -H \"Authorization: Bearer $(curl -s {}/token \
                 -d grant_type=client_credentials -d client_id=me \
                 | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\"",
                curl(row),
                self.issuer
            ));
        }
        lines
    }
}

/// A route with the scopes of which one opens it.
fn route(row: &Row, key_source: KeySource) -> String {
    let opens = row.opens(key_source);
    let (method, path) = (row.route.method.to_string(), row.route.path.to_string());
    format!("    {method:7} {path:30} {opens}")
}

/// Whether anybody who is let in can read it as it stands: `GET`, without a variable or a usage key, and
/// listed where there is a table.
fn is_readable(row: &Row, key_source: KeySource, has_table: bool) -> bool {
    let is_plain = |segment: &Segment| matches!(segment, Segment::Literal(_));
    let is_public = row.route.authorizer.is_none();
    let is_listed = match &row.access {
        Some(access) => is_public == (*access == Access::Public),
        None => is_public && !has_table,
    };
    row.route.method.as_str() == "GET"
        && row.route.path.segments().iter().all(is_plain)
        && !row.asks_for_usage_key(key_source)
        && is_listed
}
