//! Policies held against the route table: what a policy lets through must be on a route that is open.

use http::Method;
use keygate_principal::scope::Scopes;
use keygate_routes::{Route, RouteTable, Segment};
use proptest::prelude::*;
use serde_json::Value;

use crate::policy::glob;
use crate::policy::tests::allows;
use crate::{MAX_BYTES, MethodArn, Policies, Room, UnfitTable};

/// As long as the room that is reckoned with, so that what is reckoned too short shows.
const STAGE: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123defg/development-0001";
const REGION: Option<&str> = Some("eu-west-1");

fn policies(table: &str) -> Policies {
    let table: RouteTable = table.parse().unwrap();
    Policies::new(&table, Room::of(REGION, None)).unwrap()
}

fn policy(policies: &Policies, scopes: &str) -> Value {
    let arn = MethodArn::parse(&format!("{STAGE}/GET/")).unwrap();
    let policy = policies.policy(&arn, &scopes.parse().unwrap()).unwrap();
    serde_json::to_value(policy).unwrap()
}

/// The resources of an effect, below the stage.
fn resources(policy: &Value, effect: &str) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let named = statements.filter(|statement| statement["Effect"] == effect);
    let resources = named.flat_map(|statement| statement["Resource"].as_array().unwrap());
    let below = |resource: &Value| resource.as_str().unwrap()[STAGE.len() + 1..].to_owned();
    resources.map(below).collect()
}

#[track_caller]
fn check(table: &str, scopes: &str, open: &[&str], closed: &[&str]) {
    let policy = policy(&policies(table), scopes);
    for (requests, expected) in [(open, true), (closed, false)] {
        for request in requests {
            let arn = format!("{STAGE}/{request}");
            assert_eq!(allows(&policy, &arn), expected, "{request}: {policy:#}");
        }
    }
}

#[test]
fn each_scope_opens_its_routes_whatever_route_asked() {
    let table = "GET /books books:read\nGET /books/{id} books:read\nPUT /books/{id} books:write";
    let policy = policy(&policies(table), "books:read");
    assert_eq!(resources(&policy, "Allow"), ["GET/books", "GET/books/*"]);
    assert_eq!(resources(&policy, "Deny"), ["GET/books/*/*"]);
    let requests = ["GET/books", "GET/books/7", "GET/books/*"];
    check(
        table,
        "books:read",
        &requests,
        &["PUT/books/7", "POST/books", "GET/keys"],
    );
    check(table, "books:write", &["PUT/books/7"], &requests);
    check(
        table,
        "books:read books:write",
        &["PUT/books/7", "GET/books"],
        &["POST/books"],
    );
    check(table, "other", &[], &["GET/books", "PUT/books/7"]);
}

#[test]
fn any_one_scope_of_a_line_opens_and_a_star_opens_to_all() {
    let table = "GET /reports reports:read reports:admin\nGET /me *\nGET /help -";
    check(
        table,
        "reports:admin",
        &["GET/reports", "GET/me"],
        &["GET/help"],
    );
    check(
        table,
        "reports:read",
        &["GET/reports", "GET/me"],
        &["POST/me"],
    );
    check(table, "", &["GET/me"], &["GET/reports", "GET/help"]);
}

#[test]
fn a_route_below_a_variable_is_not_opened_by_what_is_above_it() {
    let table = "GET /users/{id} users:read\nGET /users/{id}/audit audit:read\n\
                 GET /users/{id}/tags users:read";
    let above = ["GET/users/7", "GET/users/7/tags"];
    check(
        table,
        "users:read",
        &above,
        &["GET/users/7/audit", "GET/users/7/audit/"],
    );
    check(table, "audit:read", &["GET/users/7/audit"], &above);
    check(
        table,
        "audit:read users:read",
        &["GET/users/7/audit", "GET/users/7"],
        &[],
    );
}

#[test]
fn a_literal_beside_a_variable_keeps_its_own_scope() {
    let table = "GET /users/{id} users:read\nGET /users/all users:admin";
    check(
        table,
        "users:read",
        &["GET/users/7"],
        &["GET/users/all", "GET/users/all/"],
    );
    check(table, "users:admin", &["GET/users/all"], &["GET/users/7"]);
}

#[test]
fn a_method_of_its_own_is_not_opened_by_any() {
    let table = "ANY /files/{path+} files:all\nGET /files/{path+} files:read";
    check(
        table,
        "files:all",
        &["PUT/files/a", "DELETE/files/a/b"],
        &["GET/files/a"],
    );
    check(table, "files:read", &["GET/files/a/b"], &["PUT/files/a"]);
}

#[test]
fn what_takes_the_rest_leaves_other_routes_closed_and_is_itself_not_opened_by_them() {
    let table = "ANY /{proxy+} legacy:use\nGET /books/{id} books:read\nGET /keys keys:admin";
    let legacy = ["GET/a", "PUT/a/b/c", "PUT/books/7"];
    check(table, "legacy:use", &legacy, &["GET/books/7", "GET/keys"]);
    check(table, "books:read", &["GET/books/7"], &legacy);
}

#[test]
fn what_the_table_does_not_list_is_closed() {
    let table = "GET /books books:read\nGET /books/{id} books:read\nPOST /a/{x}/b/{y} books:read";
    let unlisted = [
        "GET/books/7/parts",
        "GET/reports",
        "POST/books",
        "GET/books2",
        "GET/",
        "POST/a/1/2/b/3",
        "POST/a/1/b/2/3",
        "POST/a/1/b/",
        "POST/a/1/b",
    ];
    check(
        table,
        "books:read",
        &["GET/books", "POST/a/1/b/2"],
        &unlisted,
    );
}

#[test]
fn a_slash_at_the_end_opens_nothing_else() {
    let table = "GET /books books:list\nGET /books/{id} books:read\nGET /{any+} rest\nGET / root";
    check(
        table,
        "books:read",
        &["GET/books/7"],
        &["GET/books/", "GET/books"],
    );
    check(
        table,
        "books:list books:read",
        &["GET/books/7", "GET/books/", "GET/books"],
        &[],
    );
    check(table, "rest", &["GET/a"], &["GET/"]);
}

#[test]
fn a_table_that_no_policy_can_say_is_refused() {
    for (table, closed) in [
        (
            "GET /{all+} a\nGET /books/{id} b\nGET /books/new a",
            "GET /books/{id}",
        ),
        (
            "ANY /{all+} legacy\nGET /books/{id} books\nGET /books/{id}/parts books",
            "ANY /{all+}",
        ),
    ] {
        let table: RouteTable = table.parse().unwrap();
        match Policies::new(&table, Room::of(REGION, None)) {
            Err(UnfitTable::Inseparable { closed: named, .. }) => assert_eq!(named, closed),
            other => panic!("{other:?}"),
        }
    }
    // By the same scopes it can be said.
    policies("GET /{all+} a\nGET /books/{id} a b\nGET /books/new a");
    policies("ANY /{all+} legacy books\nGET /books/{id} books\nGET /books/{id}/parts books");
}

/// A table of 300 routes: 20 areas, each with a scope to read and one to write.
fn large_table() -> String {
    let area = |area: usize| {
        let mut lines = Vec::new();
        for thing in 0..3 {
            let path = format!("/area{area}/things{thing}");
            lines.push(format!("GET {path} area{area}:read"));
            lines.push(format!("POST {path} area{area}:write"));
            lines.push(format!("GET {path}/{{id}} area{area}:read"));
            lines.push(format!("PUT {path}/{{id}} area{area}:write"));
            lines.push(format!("DELETE {path}/{{id}} area{area}:write"));
        }
        lines.join("\n")
    };
    (0..20).map(area).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_table_of_three_hundred_routes_and_forty_scopes_fits() {
    let text = large_table();
    let table: RouteTable = text.parse().unwrap();
    assert_eq!((table.routes().len(), table.scopes().len()), (300, 40));
    let policies = policies(&text);
    assert!(policies.longest() <= MAX_BYTES);
    let every: Vec<String> = table.scopes().iter().map(ToString::to_string).collect();
    let whole = policy(&policies, &every.join(" "));
    assert!(serde_json::to_string(&whole).unwrap().len() <= policies.longest());
    let reader = policy(&policies, "area7:read");
    for route in table.routes() {
        let request = request(route, "7", 1);
        let held: Scopes = "area7:read".parse().unwrap();
        assert!(allows(&whole, &request), "{request}");
        assert_eq!(
            allows(&reader, &request),
            route.access.opens_to(&held),
            "{request}"
        );
    }
}

/// 150 routes without a prefix in common, which one scope opens.
fn scattered(method: &str, scope: &str) -> String {
    let lines = (0..150).map(|number| format!("{method} /a{number}/{{id}} {scope}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn resources_are_merged_no_further_than_the_size_demands() {
    let table = format!("{}\nPOST /b many", scattered("GET", "many"));
    let whole = policy(&policies(&table), "many");
    assert_eq!(resources(&whole, "Allow"), ["POST/b", "GET/*"]);
    // Nor is one resource by itself ever made wider.
    let table = format!("{}\nPOST /b/{{id}} single", scattered("GET", "many"));
    let single = policy(&policies(&table), "single");
    assert_eq!(resources(&single, "Allow"), ["POST/b/*"]);
}

#[test]
fn a_resource_that_another_includes_is_left_out() {
    let table =
        "GET /a/{rest+} x\nGET /a/b x\nGET /a/{rest+}/ x".replace("\nGET /a/{rest+}/ x", "");
    let policy = policy(&policies(&table), "x");
    assert_eq!(resources(&policy, "Allow"), ["GET/a/*"]);
}

#[test]
fn a_table_fits_to_the_last_byte() {
    let table: RouteTable = "GET /a x".parse().unwrap();
    let with_stage =
        |length: usize| Policies::new(&table, Room::of(REGION, Some(&"s".repeat(length))));
    let room = MAX_BYTES - with_stage(16).unwrap().longest();
    assert_eq!(with_stage(16 + room).unwrap().longest(), MAX_BYTES);
    assert!(with_stage(16 + room + 1).is_err());
}

#[test]
fn a_table_that_is_too_large_is_refused_with_the_scopes_that_take_the_most() {
    let scattered: Vec<String> = (0..300)
        .map(|number| format!("GET /a{number}/{{id}} scope{}", number % 7))
        .collect();
    let table: RouteTable = scattered.join("\n").parse().unwrap();
    let error = Policies::new(&table, Room::of(REGION, None)).unwrap_err();
    let UnfitTable::TooLarge { bytes, scopes } = &error else {
        panic!("{error}");
    };
    assert!(*bytes > MAX_BYTES && scopes.len() == 3);
    let said = error.to_string();
    let (largest, size) = &scopes[0];
    assert!(
        said.contains(&format!("due to {largest} ({size} bytes), ")),
        "{said}"
    );
    assert!(!said.contains('\n'), "{said}");
}

/// A method ARN of a request on a route, with these values.
fn request(route: &Route, value: &str, greedy: usize) -> String {
    let mut parts = vec![match route.method.as_str() {
        "ANY" => "PATCH",
        method => method,
    }];
    for segment in route.path.segments() {
        match segment {
            Segment::Literal(text) => parts.push(text),
            Segment::Variable(_) => parts.push(value),
            Segment::Greedy(_) => parts.extend((0..greedy).map(|_| value)),
        }
    }
    match parts.len() {
        1 => format!("{STAGE}/{}/", parts[0]),
        _ => format!("{STAGE}/{}", parts.join("/")),
    }
}

/// Tables of up to a dozen routes over few names, so that they meet in every way.
fn tables() -> impl Strategy<Value = RouteTable> {
    let method = prop::sample::select(vec!["GET", "PUT", "ANY"]);
    let segment = prop::sample::select(vec!["a", "b", "{v}", "{v}"]);
    let end = prop::sample::select(vec!["", "", "", "/{v}", "/{p+}"]);
    let access = prop::sample::select(vec!["x", "y", "z", "x y", "x y z", "*", "-"]);
    let line = (method, prop::collection::vec(segment, 0..4), end, access);
    let line = line.prop_map(|(method, segments, end, access)| {
        let path = format!("/{}{end}", segments.join("/")).replace("//", "/");
        format!("{method} {path} {access}")
    });
    prop::collection::vec(line, 1..12).prop_filter_map("a table", |mut lines| {
        // What cannot stand beside what was before is left out.
        let mut kept: Vec<String> = Vec::new();
        for line in lines.drain(..) {
            kept.push(line);
            if kept.join("\n").parse::<RouteTable>().is_err() {
                kept.pop();
            }
        }
        kept.join("\n").parse().ok()
    })
}

/// Methods and parts of a path, among them names of the table and what looks like patterns.
fn requests() -> impl Strategy<Value = (Method, Vec<String>, bool)> {
    let method = prop::sample::select(vec![Method::GET, Method::PUT, Method::PATCH]);
    let part = prop::sample::select(vec!["a", "b", "7", "*", "a%2Fb", "GET"]);
    let parts = prop::collection::vec(part.prop_map(str::to_owned), 0..6);
    (method, parts, any::<bool>())
}

fn scopes() -> impl Strategy<Value = Scopes> {
    prop::sample::subsequence(vec!["x", "y", "z", "w"], 0..4)
        .prop_map(|held| held.join(" ").parse().unwrap())
}

/// Rooms from one for everything to one for very few resources.
fn rooms() -> impl Strategy<Value = Room> {
    prop::sample::select(vec![1, 400, 900, 1800])
        .prop_map(|length| Room::of(REGION, Some(&"s".repeat(length))))
}

/// Paths of requests on a route: each variable, by itself, is a name of the table or another.
fn paths(route: &Route) -> Vec<String> {
    let mut paths = vec![String::new()];
    for segment in route.path.segments() {
        let parts = match segment {
            Segment::Literal(text) => vec![text.as_str()],
            Segment::Variable(_) | Segment::Greedy(_) => vec!["7", "a", "b"],
        };
        let longer = |path: &String| {
            let parts = parts.iter();
            parts
                .map(|part| format!("{path}/{part}"))
                .collect::<Vec<_>>()
        };
        paths = paths.iter().flat_map(longer).collect();
    }
    paths
}

/// Whether the pattern of an open route takes in requests on another that is open.
fn is_any_beyond_another(table: &RouteTable, held: &Scopes) -> bool {
    let open = table
        .routes()
        .iter()
        .filter(|route| route.access.opens_to(held));
    let open: Vec<&Route> = open.collect();
    open.iter().any(|route| {
        let arn = request(route, "*", 1);
        let (_, pattern) = arn[STAGE.len() + 1..].split_once('/').unwrap();
        let pattern = format!("/{pattern}");
        let mut others = open.iter().filter(|other| other.path != route.path);
        others.any(|other| paths(other).iter().any(|path| glob(&pattern, path)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        max_global_rejects: 20_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_policy_opens_a_closed_route(
        table in tables(), held in scopes(), room in rooms(),
        requests in prop::collection::vec(requests(), 30),
    ) {
        let Ok(policies) = Policies::new(&table, room) else { return Ok(()) };
        let policy = policy(&policies, &held.to_string());
        for (method, parts, has_slash) in requests {
            let path = format!("/{}", parts.join("/"));
            // API Gateway ignores a slash at the end of a path.
            let slash = if has_slash && !parts.is_empty() { "/" } else { "" };
            let arn = format!("{STAGE}/{method}{path}{slash}");
            if let Some(route) = table.resolve(&method, &path)
                && route.access != keygate_routes::Access::Public
            {
                let is_open = route.access.opens_to(&held);
                prop_assert!(is_open || !allows(&policy, &arn), "{} {} {:#}", arn, held, policy);
            }
        }
    }

    #[test]
    fn every_open_route_is_open_whatever_its_variables_are(
        table in tables(), held in scopes(), room in rooms(),
    ) {
        let Ok(policies) = Policies::new(&table, room) else { return Ok(()) };
        let policy = policy(&policies, &held.to_string());
        let open = table.routes().iter().filter(|route| route.access.opens_to(&held));
        for route in open {
            // Values that are no part of another route's path: such a value may be denied.
            for (value, greedy) in [("7", 1), ("7", 3), ("*", 2), ("a%2Fb", 1), ("aa", 1)] {
                let arn = request(route, value, greedy);
                let (method, path) = arn[STAGE.len() + 1..].split_once('/').unwrap();
                let resolved = table.resolve(&method.parse().unwrap(), &format!("/{path}"));
                if resolved == Some(route) {
                    prop_assert!(allows(&policy, &arn), "{} {} {:#}", arn, held, policy);
                }
            }
        }
    }

    #[test]
    fn what_no_route_lists_is_closed_where_no_open_route_lies_beyond_another(
        table in tables(), held in scopes(),
        requests in prop::collection::vec(requests(), 30),
    ) {
        let Ok(policies) = Policies::new(&table, Room::of(REGION, None)) else { return Ok(()) };
        let policy = policy(&policies, &held.to_string());
        // Where one open route lies among what another's pattern takes in, nothing can be denied there.
        prop_assume!(!is_any_beyond_another(&table, &held));
        prop_assume!(table.routes().iter().all(|route| !route.path.is_greedy()));
        for (method, parts, _) in requests {
            let path = format!("/{}", parts.join("/"));
            if table.resolve(&method, &path).is_none() {
                let arn = format!("{STAGE}/{method}{path}");
                prop_assert!(!allows(&policy, &arn), "{} {} {:#}", arn, held, policy);
            }
        }
    }

    #[test]
    fn no_policy_is_longer_than_the_longest(table in tables(), held in scopes(), room in rooms()) {
        let Ok(policies) = Policies::new(&table, room) else { return Ok(()) };
        let policy = policy(&policies, &held.to_string());
        prop_assert!(serde_json::to_string(&policy).unwrap().len() <= policies.longest());
        prop_assert!(policies.longest() <= MAX_BYTES);
    }
}
