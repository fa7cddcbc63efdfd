//! The access matrix: which credential opens which route, with the events of the template held
//! against the route table that its authorizer is given.
//!
//! What the two disagree in is named with the line to add. None of it is open for it: a route that
//! the table lacks is closed by the authorizer's policy, and one that has no authorizer is public by
//! the template's own word, `Authorizer: NONE`.

mod events;
#[cfg(test)]
mod repository;
mod table;

use std::fmt;
use std::path::Path;

use keygate_gateway::ListedRoutes;
use keygate_model::deployment::method_arn;
use keygate_model::{Application, KeySource, Route};
use keygate_policy::{MethodArn, Policies, Room, UnfitTable};
use keygate_principal::scope::Scopes;
use keygate_routes::{Access, Route as Listed, RouteMethod, RouteTable, Segment};

use self::table::{Table, TableError};

/// Why there is no matrix.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MatrixError {
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No policies can be made of the table.
    #[error("the route table cannot be used: {0}")]
    Unfit(#[from] UnfitTable),
}

/// Every route of the template, and where template and table disagree.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub(crate) rows: Vec<Row>,
    pub(crate) disagreements: Vec<Disagreement>,
    /// `None` where no authorizer of the template is given one.
    pub(crate) table: Option<RouteTable>,
    /// How long the longest policy is, in bytes.
    pub(crate) longest_policy: usize,
}

/// A method of a resource.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) route: Route,
    /// `None` where the table does not list it.
    pub(crate) access: Option<Access>,
}

/// What is wrong, where, and how it is mended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Disagreement {
    place: String,
    text: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.text)
    }
}

impl Matrix {
    /// Holds a template against the table that its authorizer is given.
    ///
    /// # Errors
    /// When the table cannot be read, is malformed, or no policies can be made of it.
    pub(crate) fn of(application: &Application, template: &Path) -> Result<Self, MatrixError> {
        let routes = &application.api.routes;
        let place = |line: usize| format!("{}:{line}", template.display());
        let of_settings = events::disagreements(application).into_iter();
        let of_settings = of_settings.map(|(line, text)| Disagreement {
            place: place(line),
            text,
        });
        let Some(table) = Table::of(application, template)? else {
            let rows = routes.iter().cloned();
            let rows = rows.map(|route| Row {
                route,
                access: None,
            });
            return Ok(Self {
                rows: rows.collect(),
                disagreements: of_settings.collect(),
                table: None,
                longest_policy: 0,
            });
        };
        let stage = application.api.stage.as_str();
        let policies = Policies::new(&table.routes, Room::of(None, Some(stage)))?;
        let rows: Vec<Row> = routes
            .iter()
            .map(|route| Row {
                access: listed(&table.routes, route).map(|listed| listed.access.clone()),
                route: route.clone(),
            })
            .collect();
        let of_events = rows.iter().filter_map(|row| {
            let is_open = || is_open_to_some(&policies, &table.routes, application, &row.route);
            let text = disagreement(row, application.api.key_source, is_open)?;
            Some(Disagreement {
                place: place(row.route.line),
                text,
            })
        });
        let without_event = table.routes.routes().iter().filter(|listed| {
            let has = |route: &Route| route.method == listed.method && route.path == listed.path;
            !routes.iter().any(has)
        });
        let of_lines = without_event.map(|listed| Disagreement {
            place: table.lines.place(listed.line),
            text: format!(
                "{} {} is in the route table, and no event of the template has it: add the event, \
                 or take the line away",
                listed.method, listed.path
            ),
        });
        Ok(Self {
            disagreements: of_events.chain(of_lines).chain(of_settings).collect(),
            rows,
            longest_policy: policies.longest(),
            table: Some(table.routes),
        })
    }
}

impl Matrix {
    /// What the routes need, for whoever tells of refusals.
    pub(crate) fn listed(&self) -> ListedRoutes {
        let rows = self.rows.iter();
        let rows = rows.map(|row| (&row.route, row.access.as_ref()));
        ListedRoutes::of(rows, self.table.is_some())
    }
}

/// What is wrong with an event; `is_open` tells whether a policy takes it in although it is not
/// listed.
fn disagreement(
    row: &Row,
    key_source: KeySource,
    is_open: impl FnOnce() -> bool,
) -> Option<String> {
    let Route { method, path, .. } = &row.route;
    let is_public = row.route.authorizer.is_none();
    let text = match &row.access {
        // No function is reached by it.
        None if is_public && row.route.function().is_none() => return None,
        None if is_public => format!(
            "{method} {path} is public (Authorizer: NONE), and the route table does not say so: add \
             the line `{method} {path} -`, or take NONE away"
        ),
        None if is_open() => format!(
            "{method} {path} is not in the route table, and lies where another route's policy \
             reaches: whoever has that one open has this one too. Add the line \
             `{method} {path} SCOPE`"
        ),
        None => format!(
            "{method} {path} is not in the route table, so it is closed: add the line \
             `{method} {path} SCOPE` (* for any accepted credential)"
        ),
        Some(Access::Public) if !is_public => format!(
            "{method} {path} asks for a credential, and the route table says that it is public: \
             write `Auth: {{Authorizer: NONE, ApiKeyRequired: false}}` in the event, or \
             `{method} {path} SCOPE` in the table"
        ),
        Some(Access::Public)
            if row.route.api_key_required && key_source == KeySource::Authorizer =>
        {
            format!(
                "{method} {path} is public and asks for a usage key, which only the authorizer can name, \
             so nobody gets in: write `ApiKeyRequired: false` in the event"
            )
        }
        Some(access) if *access != Access::Public && is_public => format!(
            "{method} {path} is public (Authorizer: NONE), and the route table asks for {access}: \
             take NONE away, or write `{method} {path} -` in the table"
        ),
        Some(_) => return None,
    };
    Some(text)
}

/// The line of the table about exactly this method of exactly this resource.
fn listed<'t>(table: &'t RouteTable, route: &Route) -> Option<&'t Listed> {
    let mut routes = table.routes().iter();
    routes.find(|listed| listed.method == route.method && listed.path == route.path)
}

/// Whether somebody's policy lets requests on a route through.
fn is_open_to_some(
    policies: &Policies,
    table: &RouteTable,
    application: &Application,
    route: &Route,
) -> bool {
    let every: Scopes = table.scopes().into_iter().cloned().collect();
    let method = match &route.method {
        RouteMethod::Any => "GET",
        RouteMethod::One(method) => method.as_str(),
    };
    // A value that is no name of the table's.
    let parts = route.path.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => text.as_str(),
        Segment::Variable(_) | Segment::Greedy(_) => "~",
    });
    let path: Vec<&str> = parts.collect();
    let api = &application.api;
    let arn = method_arn(&api.id, &api.stage, method, &format!("/{}", path.join("/")));
    let arn = MethodArn::parse(&arn);
    arn.is_some_and(|arn| {
        let policy = policies.policy(&arn, &every);
        policy.is_ok_and(|policy| policy.allows(&arn))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use keygate_template::{self as template, Parameters};
    use tempfile::TempDir;

    use super::*;

    /// A template with these events (of one function) and these settings of the authorizer.
    fn template(events: &str, settings: &str) -> String {
        let events: Vec<String> = (0..)
            .zip(events.lines())
            .map(|(number, event)| {
                format!(
                    "        E{number}: {{Type: Api, Properties: {{RestApiId: !Ref Api, {event}}}}}"
                )
            })
            .collect();
        format!(
            "Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      ApiKeySourceType: AUTHORIZER
      Auth:
        DefaultAuthorizer: Credential
        ApiKeyRequired: true
        Authorizers: {{Credential: {{FunctionArn: !GetAtt Authorizer.Arn}}}}
  Table:
    Type: AWS::Serverless::LayerVersion
    Properties: {{ContentUri: layer}}
  Authorizer:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Layers: [!Ref Table]
      Environment:
        Variables:
{settings}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Events:
{}
",
            events.join("\n")
        )
    }

    /// The matrix of a template in a folder with a layer and a package.
    fn matrix(template: &str) -> Result<Matrix, MatrixError> {
        let folder = TempDir::new().unwrap();
        for (name, text) in [
            ("layer/routes", "GET /layer a"),
            ("code/routes", "GET /package a"),
            ("template.yaml", template),
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let path = folder.path().join("template.yaml");
        let application = template::load(&path, &Parameters::default()).unwrap();
        Matrix::of(&application, &path)
    }

    /// What is said of events and the lines of a table, without the folder.
    fn said(events: &str, table: &[&str]) -> Vec<String> {
        let lines: Vec<String> = table
            .iter()
            .map(|line| format!("            {line}"))
            .collect();
        let settings = format!("          ROUTES: |\n{}", lines.join("\n"));
        let matrix = matrix(&template(events, &settings)).unwrap();
        let said = matrix.disagreements.iter().map(ToString::to_string);
        said.map(|text| text.split_once("template.yaml:").unwrap().1.to_owned())
            .collect()
    }

    const PUBLIC: &str = "Auth: {Authorizer: NONE, ApiKeyRequired: false}";

    #[test]
    fn events_and_table_that_agree_have_nothing_to_say() {
        let events = format!("Path: /a, Method: GET\nPath: /b, Method: ANY, {PUBLIC}");
        assert_eq!(said(&events, &["GET /a x", "ANY /b -"]), [""; 0]);
    }

    #[test]
    fn what_one_has_and_the_other_lacks_is_named_with_its_line_and_the_line_to_add() {
        let events = format!(
            "Path: /a, Method: GET\nPath: /b, Method: PUT\nPath: /c, Method: GET, {PUBLIC}"
        );
        let said = said(&events, &["GET /a x", "# nothing", "POST /d y"]);
        let [closed, public, missing] = said.as_slice() else {
            panic!("{said:?}")
        };
        assert!(
            closed.starts_with("31: PUT /b is not in the route table, so it is closed"),
            "{said:?}"
        );
        assert!(closed.contains("`PUT /b SCOPE`"), "{closed}");
        assert!(public.starts_with("32: GET /c is public") && public.contains("`GET /c -`"));
        assert!(
            missing.starts_with("25: POST /d is in the route table"),
            "{missing}"
        );
    }

    #[test]
    fn what_is_public_on_one_side_alone_is_named() {
        let events = format!("Path: /a, Method: GET\nPath: /b, Method: GET, {PUBLIC}");
        let said = said(&events, &["GET /a -", "GET /b x"]);
        assert!(
            said[0].contains("the route table says that it is public"),
            "{said:?}"
        );
        assert!(said[1].contains("the route table asks for x"), "{said:?}");
        let unmetered = "Path: /a, Method: GET, Auth: {Authorizer: NONE}";
        let said = super::tests::said(unmetered, &["GET /a -"]);
        assert!(said[0].contains("ApiKeyRequired: false"), "{said:?}");
    }

    #[test]
    fn a_route_that_is_not_listed_and_reached_all_the_same_is_named_as_such() {
        let events = "Path: '/a/{v}', Method: GET\nPath: '/a/{v}/b', Method: GET\n\
                      Path: '/a/{v}/c', Method: GET";
        let said = said(events, &["GET /a/{v} x", "GET /a/{v}/b x"]);
        assert_eq!(said.len(), 1);
        assert!(
            said[0].contains("whoever has that one open has this one too"),
            "{said:?}"
        );
    }

    #[test]
    fn a_table_is_found_in_the_package_and_in_a_layer() {
        for (file, listed) in [("routes", "/package"), ("/opt/routes", "/layer")] {
            let event = format!("Path: {listed}, Method: GET");
            let settings = format!("          ROUTES_FILE: {file}");
            let matrix = matrix(&template(&event, &settings)).unwrap();
            assert_eq!(matrix.disagreements, [], "{file}");
            let other = self::matrix(&template("Path: /other, Method: GET", &settings)).unwrap();
            let said = other.disagreements[1].to_string();
            assert!(said.contains("routes:1: GET "), "{said}");
        }
    }

    #[test]
    fn a_table_that_cannot_be_used_is_refused() {
        for (setting, said) in [
            ("ROUTES_FILE: nowhere", "ROUTES_FILE is malformed"),
            (
                "ROUTES: GO /a x",
                "template.yaml:22: ROUTES is malformed: line 1: `GO`",
            ),
            (
                "ROUTES: |\n            # c\n\n            GET /a x\n            GO /a x",
                "template.yaml:26: ROUTES is malformed: line 4: `GO`",
            ),
            (
                "ROUTES: \"GET /a x\\nGO /a x\"",
                "template.yaml:22: ROUTES is malformed: line 2: `GO`",
            ),
        ] {
            let settings = format!("          {setting}");
            let error = matrix(&template("Path: /a, Method: GET", &settings)).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    #[test]
    fn a_template_without_a_table_has_routes_and_nothing_to_hold_them_against() {
        let matrix = matrix(&template("Path: /a, Method: GET", "          X: y")).unwrap();
        assert!(matrix.table.is_none() && matrix.disagreements.is_empty());
        assert_eq!(matrix.rows.len(), 1);
    }
}
