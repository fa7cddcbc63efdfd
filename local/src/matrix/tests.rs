//! Small templates held against small tables.

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
    let events =
        format!("Path: /a, Method: GET\nPath: /b, Method: PUT\nPath: /c, Method: GET, {PUBLIC}");
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
    let said = self::said(unmetered, &["GET /a -"]);
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
