//! A route table. What is read is what was written, and each route has a request that is on it.
#![no_main]

use http::Method;
use keygate_routes::{Route, RouteMethod, RouteTable, Segment};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let table = match text.parse::<RouteTable>() {
        Ok(table) => table,
        Err(error) => {
            assert!(
                (1..=text.lines().count().max(1)).contains(&error.line),
                "{error}"
            );
            assert!(
                (1..=2_000).contains(&error.reason.chars().count()),
                "{error}"
            );
            return;
        }
    };
    let written = |route: &Route| format!("{} {} {}", route.method, route.path, route.access);
    let lines = |table: &RouteTable| table.routes().iter().map(written).collect::<Vec<_>>();
    let again: RouteTable = lines(&table).join("\n").parse().expect("it reads back");
    assert_eq!(lines(&again), lines(&table));
    assert_eq!(again.scopes(), table.scopes());
    assert!(
        again
            .by_preference()
            .map(written)
            .eq(table.by_preference().map(written))
    );

    for route in table.routes() {
        let line = text.lines().nth(route.line - 1).expect("its line");
        assert!(line.contains(route.path.as_str()), "{line:?}");
        let method = match &route.method {
            RouteMethod::Any => Method::PATCH,
            RouteMethod::One(method) => method.clone(),
        };
        let path = request(route);
        let resolved = table.resolve(&method, &path).expect("its own request");
        assert!(resolved.method.takes(&method) && resolved.path.matches(&path));
        // What API Gateway prefers to it has a literal or a method of its own.
        assert!(
            resolved == route || resolved.path != route.path || resolved.method != route.method
        );
        assert_eq!(
            table
                .of_resource(&method, route.path.as_str())
                .map(|route| &route.path),
            Some(&route.path)
        );
        assert_eq!(table.resolve(&Method::TRACE, &path), None);
    }
});

/// The path of a request on a route.
fn request(route: &Route) -> String {
    let parts = route.path.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => text,
        Segment::Variable(_) => "7~",
        Segment::Greedy(_) => "7~/8~",
    });
    format!("/{}", parts.collect::<Vec<_>>().join("/"))
}
