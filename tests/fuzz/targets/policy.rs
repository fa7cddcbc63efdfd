//! A route table of few names, so that its routes meet in every way, as the bytes choose it; scopes,
//! room and requests as well. The policy opens what the table opens to these scopes, and nothing that
//! it closes to them.
#![no_main]

use http::Method;
use keygate_fuzz::house::STAGE;
use keygate_fuzz::policy::{MAX_BYTES, allows};
use keygate_policy::{MethodArn, Policies, Room};
use keygate_principal::scope::Scopes;
use keygate_routes::{Access, Route, RouteTable, Segment};

const MAX_ROUTES: usize = 40;
const METHODS: [&str; 4] = ["GET", "PUT", "ANY", "POST"];
const SEGMENTS: [&str; 8] = ["a", "b", "{v}", "{v}", "ab", "a.b", "{p+}", ""];
const ACCESS: [&str; 8] = ["x", "y", "z", "x y", "x y z", "*", "-", "w z"];
const SCOPES: [&str; 4] = ["x", "y", "z", "w"];
const PARTS: [&str; 8] = ["a", "b", "7", "*", "a%2Fb", "GET", "ab", "a.b"];
/// The lengths of a stage's name: room for everything, and for very few resources.
const STAGES: [usize; 4] = [1, 400, 900, 1800];

struct Choices<'d>(&'d [u8]);

impl<'d> Choices<'d> {
    /// Nothing is left to choose.
    fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    fn number(&mut self) -> usize {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                usize::from(*first)
            }
            None => 0,
        }
    }

    fn one_of<T: Copy>(&mut self, these: &[T]) -> T {
        these[self.number() % these.len()]
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut choices = Choices(data);
    let held = choices.number();
    let held = SCOPES
        .iter()
        .enumerate()
        .filter(|(bit, _)| held & (1 << bit) != 0);
    let held: Vec<&str> = held.map(|(_, scope)| *scope).collect();
    let held: Scopes = held.join(" ").parse().expect("scopes");
    let room = Room::of(None, Some(&"s".repeat(choices.one_of(&STAGES))));
    let Some(table) = table(&mut choices) else {
        return;
    };
    let Ok(policies) = Policies::new(&table, room) else {
        return;
    };
    assert!(policies.longest() <= MAX_BYTES);

    let arn = MethodArn::parse(&format!("{STAGE}/GET/a")).expect("a method ARN");
    let policy = policies.policy(&arn, &held).expect("it has room");
    let wire = serde_json::to_value(&policy).expect("a policy is JSON");
    assert!(wire.to_string().len() <= policies.longest());
    let open = table
        .routes()
        .iter()
        .filter(|route| route.access.opens_to(&held));
    assert_eq!(policy.open_routes(), open.clone().count());

    let own = table
        .routes()
        .iter()
        .flat_map(|route| ["7", "a", "*"].map(|value| request(route, value)));
    let mut requests: Vec<(Method, String)> = own.collect();
    requests.extend(PARTS.map(|part| (Method::GET, format!("/a/{part}/b"))));
    requests.extend(PARTS.map(|part| (Method::PUT, format!("/{part}"))));
    for (method, path) in requests {
        let text = format!("{STAGE}/{method}{path}");
        let is_allowed = allows(&wire, &text);
        let parsed = MethodArn::parse(&text).expect("a method ARN");
        assert_eq!(policy.allows(&parsed), is_allowed, "{text}");
        if let Some(route) = table.resolve(&method, &path) {
            // A public route has no authorizer, so nobody evaluates a policy for it.
            let is_closed = !route.access.opens_to(&held) && route.access != Access::Public;
            assert!(!(is_closed && is_allowed), "{text} with {held}: {wire}");
        }
    }
    // A value that is no part of another path: such a value may be denied.
    for route in open {
        let (method, path) = request(route, "7~");
        if table.resolve(&method, &path) == Some(route) {
            assert!(
                allows(&wire, &format!("{STAGE}/{method}{path}")),
                "{path} with {held}: {wire}"
            );
        }
    }
});

/// The table that is chosen, without the lines that cannot stand beside those before them.
fn table(choices: &mut Choices<'_>) -> Option<RouteTable> {
    let mut kept = String::new();
    let mut table = None;
    let mut count = 0;
    while !choices.is_over() && count < MAX_ROUTES {
        let method = choices.one_of(&METHODS);
        let access = choices.one_of(&ACCESS);
        let segments: Vec<&str> = (0..choices.number() % 5)
            .map(|_| choices.one_of(&SEGMENTS))
            .filter(|segment| !segment.is_empty())
            .collect();
        let more = format!("{kept}{method} /{} {access}\n", segments.join("/"));
        if let Ok(parsed) = more.parse() {
            table = Some(parsed);
            kept = more;
            count += 1;
        }
    }
    table
}

/// A request on a route, with this value for each variable.
fn request(route: &Route, value: &str) -> (Method, String) {
    let method = match route.method.as_str() {
        "ANY" => Method::PATCH,
        method => method.parse().expect("a method"),
    };
    let parts = route.path.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => text,
        Segment::Variable(_) | Segment::Greedy(_) => value,
    });
    (method, format!("/{}", parts.collect::<Vec<_>>().join("/")))
}
