//! The route table and the template's events: what the one has and the other lacks is named, and
//! closed.

use std::process::Output;

use serde_json::{Value, json};

use keygate_tests::keygate::Keygate;
use keygate_tests::project::Project;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_route_that_the_table_lacks_is_closed_and_named_until_it_is_listed needs "own-gateway";
    a_public_event_that_the_table_does_not_call_public_is_named needs "own-gateway";
    a_cached_policy_opens_the_callers_routes_and_nothing_below_them needs "own-gateway";
    the_matrix_shows_each_route_with_all_that_opens_it needs "own-gateway";
    the_matrix_is_json_for_a_program needs "own-gateway";
    a_check_fails_where_events_and_table_disagree_and_only_there needs "own-gateway";
    a_malformed_table_ends_the_start_and_names_its_line needs "own-gateway";
    a_table_in_each_package_is_served needs "own-gateway";
    a_table_in_a_layer_is_served needs "own-gateway";
}

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
/// The exit code of a template that cannot be right.
const USAGE: i32 = 64;

/// The last event of the probe's, and the same behind another.
const LAST_EVENT: &str = "        RemoveBook:\n";
const NOTES: &str = "        ReadNotes:
          Type: Api
          Properties: {RestApiId: !Ref Api, Path: '/books/{id}/notes', Method: GET}
        RemoveBook:\n";
const PUBLIC: &str = "        ReadNews:
          Type: Api
          Properties: {RestApiId: !Ref Api, Path: /news, Method: GET, Auth: *public}
        RemoveBook:\n";
/// The first line of the table, and the same behind another.
const FIRST_LINE: &str = "          GET      /books            books:read\n";
const LISTED: &str = "          GET /books/{id}/notes books:notes
          GET /books books:read\n";

/// A template with these passages replaced.
fn changed(target: &Target, changes: &[(&str, &str)]) -> Project {
    Project::new(&target.build().changed_template(changes))
}

fn serving(target: &Target, project: &Project) -> (Keygate, Target) {
    target.own(&["--template", &project.template()])
}

/// Where a passage of a template is, as `PATH:LINE: `.
fn place(project: &Project, passage: &str) -> String {
    let path = project.template();
    let text = std::fs::read_to_string(&path).unwrap();
    let line = text.lines().position(|line| line.contains(passage));
    format!("{path}:{}: ", line.unwrap() + 1)
}

fn printed(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_owned()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn a_route_that_the_table_lacks_is_closed_and_named_until_it_is_listed(target: &Target) {
    let closed = changed(target, &[(LAST_EVENT, NOTES)]);
    let (gateway, own) = serving(target, &closed);
    // Tokens have every scope of the table.
    let refused = own.get("/books/7/notes").bearer(&own.token()).send();
    refused.problem(403, "insufficient-scope");
    let refused = own.get("/books/7/notes");
    let refused = refused.bearer(&gateway.ready.api_key).send();
    refused.problem(403, "insufficient-scope");
    let place = place(&closed, "/books/{id}/notes");
    let said = gateway.logged(&place);
    let named = said.lines().find(|line| line.contains(&place));
    let named = named.unwrap_or_else(|| panic!("{place} is not named: {said}"));
    assert!(named.contains("so it is closed"), "{named}");
    assert!(named.contains("`GET /books/{id}/notes SCOPE`"), "{named}");

    let open = changed(target, &[(LAST_EVENT, NOTES), (FIRST_LINE, LISTED)]);
    let (gateway, own) = serving(target, &open);
    let served = own.get("/books/7/notes").bearer(&own.token()).send();
    assert_eq!(served.expect(200).json()["resource"], "/books/{id}/notes");
    let said = gateway.stderr();
    assert!(!said.contains("route table"), "{said}");
}

fn a_public_event_that_the_table_does_not_call_public_is_named(target: &Target) {
    let project = changed(target, &[(LAST_EVENT, PUBLIC)]);
    let (gateway, _own) = serving(target, &project);
    let place = place(&project, "/news");
    let said = gateway.logged(&place);
    let named = said.lines().find(|line| line.contains(&place));
    let named = named.unwrap_or_else(|| panic!("{place} is not named: {said}"));
    for words in ["GET /news is public", "`GET /news -`"] {
        assert!(named.contains(words), "{named}");
    }
}

fn a_cached_policy_opens_the_callers_routes_and_nothing_below_them(target: &Target) {
    let project = changed(target, &[(LAST_EVENT, NOTES)]);
    let path = project.template();
    // Whichever route asked the authorizer, the others are held to its answer.
    for first in ["/books/7", "/books/7/notes"] {
        let arguments = ["--template", &path, "--parameter", "AuthorizerCacheTtl=300"];
        let (gateway, own) = target.own(&arguments);
        let token = own.token_with(&[("scope", "books:read")]);
        own.get(first).bearer(&token).send();
        for _ in 0..2 {
            for (path, status) in [
                ("/books/7", 200),
                ("/books", 200),
                ("/books/7/notes", 403),
                ("/keys", 403),
            ] {
                own.get(path).bearer(&token).send().expect(status);
            }
        }
        let decision = "\"decision\":";
        let decisions = gateway.logged(decision).matches(decision).count();
        assert_eq!(decisions, 1, "the authorizer was asked again");
    }
}

/// The lines of the template's table, each as its words.
fn listed(template: &str) -> Vec<Vec<String>> {
    let (_, table) = template.split_once("        ROUTES: |\n").unwrap();
    let lines = table.lines().map(str::trim_start);
    // The table ends with what stands less deep, which is the next section.
    let lines = lines.take_while(|line| !line.starts_with("Resources:"));
    let words = lines.map(|line| line.split('#').next().unwrap_or_default());
    let words = words.map(|line| line.split_whitespace().map(str::to_owned).collect());
    words
        .filter(|words: &Vec<String>| !words.is_empty())
        .collect()
}

fn the_matrix_shows_each_route_with_all_that_opens_it(target: &Target) {
    let template = target.build().template.to_str().unwrap();
    let output = target.build().routes(template, &[]);
    let (printed, said) = printed(&output);
    assert!(output.status.success() && said.is_empty(), "{said}");
    let mut rows = printed.lines().map(|line| {
        let words = line.split("  ").map(str::trim);
        words.filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
    });
    let titles = rows.next().unwrap();
    assert_eq!(titles[..3], ["METHOD", "PATH", "OPENED BY"]);
    let rows: Vec<_> = rows.collect();
    let listed = listed(&target.build().changed_template(&[]));
    assert_eq!(rows.len(), listed.len(), "{printed}");
    for words in listed {
        let cells = [&words[0], &words[1], &words[2..].join(" ")];
        let row = rows.iter().find(|row| row[..3] == cells);
        let row = row.unwrap_or_else(|| panic!("{words:?} is not in\n{printed}"));
        let [authorizer, usage_key, function] = &row[3..] else {
            panic!("{row:?}")
        };
        let credential = match cells[2].as_str() {
            "-" => ["-", "-"],
            _ => ["Credential", "required"],
        };
        assert_eq!([*authorizer, *usage_key], credential, "{words:?}");
        assert!(function.ends_with("Function"), "{function}");
    }
}

fn the_matrix_is_json_for_a_program(target: &Target) {
    let template = target.build().template.to_str().unwrap();
    let output = target.build().routes(template, &["--output", "json"]);
    assert!(output.status.success(), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let routes = document["routes"].as_array().unwrap();
    let listed = listed(&target.build().changed_template(&[]));
    assert_eq!(routes.len(), listed.len(), "{document}");
    for (method, path, access, authorizer, usage_key, function) in [
        (
            "PUT",
            "/books/{id}",
            "books:write",
            json!("Credential"),
            true,
            "ProbeFunction",
        ),
        (
            "OPTIONS",
            "/{proxy+}",
            "-",
            Value::Null,
            false,
            "PreflightFunction",
        ),
    ] {
        let mut routes = routes.iter();
        let route = routes.find(|route| route["method"] == method && route["path"] == path);
        let route = route.unwrap_or_else(|| panic!("no {method} {path} in {document}"));
        assert_eq!(route["access"], access);
        assert_eq!(route["authorizer"], authorizer);
        assert_eq!(route["usage_key"], usage_key);
        assert_eq!(route["function"], function);
    }
}

fn a_check_fails_where_events_and_table_disagree_and_only_there(target: &Target) {
    let output = target.build().routes(REPOSITORY, &["--check"]);
    let (_, said) = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for changes in [
        (LAST_EVENT, NOTES),
        (LAST_EVENT, PUBLIC),
        (FIRST_LINE, LISTED),
    ] {
        let project = changed(target, &[changes]);
        let output = target.build().routes(&project.template(), &["--check"]);
        let (printed, said) = printed(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!((printed.as_str(), said.lines().count()), ("", 1), "{said}");
    }
}

fn a_malformed_table_ends_the_start_and_names_its_line(target: &Target) {
    for (malformed, wrong, words) in [
        (
            "          GO /books books:read\n",
            "GO /books",
            ["line 1", "GO"],
        ),
        (
            "          GET books books:read\n",
            "GET books",
            ["line 1", "books"],
        ),
        (
            "          GET /books\n",
            "GET /books\n",
            ["line 1", "scope"],
        ),
        (
            "          GET /books books:read\n          GET /books *\n",
            "GET /books *",
            ["line 2", "/books"],
        ),
    ] {
        let table = "          # The suites' own.\n";
        let whole = format!("{table}{FIRST_LINE}");
        let project = changed(target, &[(&whole, malformed)]);
        let path = project.template();
        let Err((status, said)) = target.build().try_start(&["--template", &path]) else {
            panic!("keygate starts with {malformed}");
        };
        let listed = target.build().routes(&path, &[]);
        assert_eq!(listed.status.code(), Some(USAGE));
        let (_, listed) = printed(&listed);
        let template = std::fs::read_to_string(&path).unwrap();
        let (before, _) = template.split_once(wrong).unwrap();
        let place = format!("keygate: {path}:{}: ", before.lines().count());
        assert_eq!(status.code(), Some(USAGE), "{said}");
        for said in [said, listed] {
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.starts_with(&place), "{place}: {said}");
            for word in words {
                assert!(said.contains(word), "{word}: {said}");
            }
        }
    }
}

/// The template with its table taken out into a file that each function is told of, and the table.
fn without_table(target: &Target, file: &str) -> (String, String) {
    let template = target.build().changed_template(&[]);
    let (before, rest) = template.split_once("        ROUTES: |\n").unwrap();
    let (table, after) = rest.split_once("\nResources:\n").unwrap();
    let setting = format!("{before}        ROUTES_FILE: {file}\n\nResources:\n{after}");
    (setting, table.to_owned())
}

#[track_caller]
fn is_served_by_its_table(target: &Target, project: &Project) {
    let check = target.build().routes(&project.template(), &["--check"]);
    assert!(check.status.success(), "{check:?}");
    let (_gateway, own) = serving(target, project);
    let token = own.token_with(&[("scope", "books:read")]);
    own.get("/books").bearer(&token).send().expect(200);
    let refused = own.delete("/books/7").bearer(&token).send();
    refused.problem(403, "insufficient-scope");
    // Handlers that answer from the table have it too.
    let refused = own.call(reqwest::Method::PATCH, "/books").send();
    refused.problem(405, "method-not-allowed");
    assert_eq!(refused.list("allow"), ["get", "options", "post"]);
    own.get("/keys").bearer(&own.token()).send().expect(200);
}

fn a_table_in_each_package_is_served(target: &Target) {
    let (template, table) = without_table(target, "routes");
    let packages = template.lines().filter_map(|line| {
        let code = line.trim().strip_prefix("CodeUri: ")?;
        Some(format!("{code}/routes"))
    });
    let project = Project::new(&template);
    let project = packages.fold(project, |project, file| project.with(&file, &table));
    is_served_by_its_table(target, &project);
}

fn a_table_in_a_layer_is_served(target: &Target) {
    let (template, table) = without_table(target, "/opt/access/routes");
    let layer = "\nResources:\n  RoutesLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layer}\n";
    let template = template.replacen("\nResources:\n", layer, 1);
    let runtime = "    Runtime: provided.al2023\n";
    let layers = format!("{runtime}    Layers: [!Ref RoutesLayer]\n");
    let project = Project::new(&template.replacen(runtime, &layers, 1));
    is_served_by_its_table(target, &project.with("layer/access/routes", &table));
}
