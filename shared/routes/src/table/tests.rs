use proptest::prelude::*;

use super::*;

const TABLE: &str = "
# METHOD PATH         SCOPE...
GET    /books         books:read
POST   /books         books:write
GET    /books/{id}    books:read books:admin   # any one of them
DELETE /books/{id}    books:admin
GET    /books/new     *
ANY    /files/{path+} files:all
GET    /files/{path+} files:read
GET    /help          -
ANY    /              -
ANY    /{proxy+}      -
";

fn table() -> RouteTable {
    TABLE.parse().unwrap()
}

fn error(text: &str) -> MalformedTable {
    text.parse::<RouteTable>().unwrap_err()
}

#[test]
fn a_line_is_a_route_with_its_number() {
    let table = table();
    assert_eq!(table.routes().len(), 10);
    let read = &table.routes()[2];
    assert_eq!(read.line, 5);
    assert_eq!(
        (read.method.as_str(), read.path.as_str()),
        ("GET", "/books/{id}")
    );
    assert_eq!(read.access.to_string(), "books:read books:admin");
    let scopes: Vec<_> = table.scopes().into_iter().map(Scope::as_str).collect();
    let expected = [
        "books:admin",
        "books:read",
        "books:write",
        "files:all",
        "files:read",
    ];
    assert_eq!(scopes, expected);
}

#[test]
fn the_form_of_white_space_and_line_ends_does_not_matter() {
    let same = "GET\t/a   x\r\n\r\n   PUT /b *# \r\n#\n";
    let table: RouteTable = same.replace("*#", "* #").parse().unwrap();
    assert_eq!(table.routes().len(), 2);
    // A scope may hold the character, as long as it does not begin with it.
    let table: RouteTable = "GET /a urn:x#y".parse().unwrap();
    assert_eq!(table.routes()[0].access.to_string(), "urn:x#y");
}

#[test]
fn a_request_is_on_the_most_specific_route_that_has_its_method() {
    let table = table();
    for (method, path, expected) in [
        (Method::GET, "/books", Some(("GET", "/books"))),
        (Method::GET, "/books/new", Some(("GET", "/books/new"))),
        (Method::GET, "/books/7", Some(("GET", "/books/{id}"))),
        // The literal resource has no DELETE, and is passed over.
        (
            Method::DELETE,
            "/books/new",
            Some(("DELETE", "/books/{id}")),
        ),
        (Method::GET, "/files/a/b", Some(("GET", "/files/{path+}"))),
        (Method::PUT, "/files/a/b", Some(("ANY", "/files/{path+}"))),
        (Method::GET, "/nothing", Some(("ANY", "/{proxy+}"))),
        (Method::PATCH, "/", Some(("ANY", "/"))),
        (Method::TRACE, "/books", None),
    ] {
        let route = table.resolve(&method, path);
        let route = route.map(|route| (route.method.as_str(), route.path.as_str()));
        assert_eq!(route, expected, "{method} {path}");
    }
}

#[test]
fn a_path_has_the_methods_of_its_routes_and_none_by_a_fallback() {
    let methods = |path: &str| {
        let methods = table().methods_of(path);
        methods.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(methods("/books"), ["GET", "POST"]);
    assert_eq!(methods("/books/7"), ["GET", "DELETE"]);
    assert_eq!(methods("/books/new"), ["GET", "DELETE"]);
    assert_eq!(
        methods("/files/a"),
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    );
    assert_eq!(methods("/help"), ["GET"]);
    assert_eq!(methods("/books/"), ["GET", "POST"]);
    for nothing in ["/", "/nothing", "/books/7/parts", "//"] {
        assert_eq!(methods(nothing), [""; 0], "{nothing}");
    }
}

#[test]
fn a_route_is_found_by_its_resource_as_api_gateway_names_it() {
    let table = table();
    let found = table.of_resource(&Method::GET, "/books/{id}").unwrap();
    assert_eq!(found.line, 5);
    assert!(table.of_resource(&Method::PUT, "/books/{id}").is_none());
    assert!(table.of_resource(&Method::GET, "/books/7").is_none());
    let any = table.of_resource(&Method::PUT, "/files/{path+}").unwrap();
    assert_eq!(any.access.to_string(), "files:all");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, line, said) in [
        ("GET /a x\nFETCH /b x", 2, "FETCH"),
        ("GET /a x\n\nGET a x", 3, "slash"),
        ("GET /a", 1, "no scope"),
        ("GET", 1, "METHOD PATH SCOPE"),
        ("GET /a/ x", 1, "/a/"),
        ("GET /a * x", 1, "alone"),
        ("GET /a x -", 1, "alone"),
        ("GET /a \"x\"", 1, "\"x\""),
        ("GET /a x x", 1, "twice"),
        ("GET /a x\n# one more\nget /a y", 3, "twice"),
        ("GET /a/{b} x\nPUT /a/{c} x", 2, "{c}"),
        ("", 1, "no route"),
        ("# nothing\n", 1, "no route"),
    ] {
        let error = error(text);
        assert_eq!(error.line, line, "{text:?}");
        assert!(error.reason.contains(said), "{text:?}: {error}");
    }
}

#[test]
fn a_table_that_is_too_long_is_refused_at_the_line_that_is_too_many() {
    let lines = |count: usize| -> String {
        let lines = (0..count).map(|number| format!("GET /r{number} x\n"));
        lines.collect()
    };
    assert!(lines(MAX_ROUTES).parse::<RouteTable>().is_ok());
    assert_eq!(error(&lines(10_000)).line, MAX_ROUTES + 1);
}

#[test]
fn what_an_error_quotes_is_bounded() {
    let long = format!("GET /a {}", "x".repeat(100_000));
    assert!(error(&long).to_string().len() < 500);
}

#[test]
fn only_what_serves_everything_is_a_fallback() {
    let table: RouteTable = "ANY / -\nANY /{all+} -\nANY /hooks/{p+} -\nGET /x/{p+} -\nANY /y *"
        .parse()
        .unwrap();
    let fallbacks = table.routes().iter().map(Route::is_fallback);
    assert_eq!(
        fallbacks.collect::<Vec<_>>(),
        [true, true, false, false, false]
    );
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC{0,200}") {
        let _ = text.parse::<RouteTable>();
    }

    #[test]
    fn reading_what_looks_like_a_table_never_panics(
        text in "((GET|ANY|PUT|X) /[a-c{}+/]{0,8} ([*-]|[a-c:]{0,4})\n?){0,6}"
    ) {
        if let Ok(table) = text.parse::<RouteTable>() {
            // What was read is what was written.
            let written: Vec<String> = table.routes().iter()
                .map(|route| format!("{} {} {}", route.method, route.path, route.access))
                .collect();
            let again: RouteTable = written.join("
").parse().unwrap();
            let access = |table: &RouteTable| {
                table.routes().iter().map(|route| route.access.clone()).collect::<Vec<_>>()
            };
            prop_assert_eq!(access(&again), access(&table));
        }
    }
}
