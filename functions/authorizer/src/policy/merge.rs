//! As few resources as name the open routes and no other.
//!
//! A `*` of IAM takes slashes too, so `*/items` would open `GET /keys/items` as well, which is a
//! key's address. A resource with a wildcard therefore only stands for several routes where no
//! closed route could be asked for in a way that it matches.

use keygate_routes::{ROUTES, Route};

/// The resources of the open routes, below the stage.
pub(super) fn merged(open: &[bool]) -> Vec<String> {
    let is_open = |open_here: bool| {
        let routes = ROUTES.iter().zip(open);
        // Routes without a scope have no authorizer, so no policy opens or closes them.
        let routes = routes.filter(|(route, _)| route.scope.is_some());
        routes
            .filter(move |(_, open)| **open == open_here)
            .map(|(route, _)| route)
    };
    let closed: Vec<String> = is_open(false).map(resource).collect();
    let mut resources: Vec<String> = is_open(true).map(resource).collect();
    for candidate in candidates() {
        let is_safe = !closed.iter().any(|closed| meet(&candidate, closed));
        let covers = |resource: &String| covers(&candidate, resource);
        if is_safe && resources.iter().filter(|one| covers(one)).count() > 1 {
            resources.retain(|resource| !covers(resource));
            resources.push(candidate);
        }
    }
    resources
}

/// A route's resource: `GET/items/*`.
fn resource(route: &Route) -> String {
    format!("{}/{}", route.method, path(route))
}

/// A route's path with a wildcard for each parameter.
fn path(route: &Route) -> String {
    let segments = route.path.trim_start_matches('/').split('/');
    let segments: Vec<&str> = segments
        .map(|segment| {
            if segment.starts_with('{') {
                "*"
            } else {
                segment
            }
        })
        .collect();
    segments.join("/")
}

/// What may stand for several routes: everything, a whole method, every method of a path.
fn candidates() -> Vec<String> {
    let mut candidates = vec!["*".to_owned()];
    for of_route in [
        |route: &Route| format!("{}/*", route.method),
        |route: &Route| format!("*/{}", path(route)),
    ] {
        for route in ROUTES.iter().filter(|route| route.scope.is_some()) {
            let candidate = of_route(route);
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
    }
    candidates
}

/// Whether a pattern takes everything that a resource of the table does: read as a text, each of the
/// resource's wildcards must be taken by one of the pattern's. A method ARN is such a text, and an
/// asterisk in it, which a client may send, no wildcard.
pub(super) fn covers(pattern: &str, resource: &str) -> bool {
    meet(pattern, &resource.replace('*', "\u{0}"))
}

/// Whether there is a text that both patterns match, `*` being any characters. With a text for one
/// of them, whether the other matches it.
pub(super) fn meet(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    // reached[at]: the part of `one` that is looked at and other[..at] can match the same text.
    let mut reached = vec![false; other.len() + 1];
    reached[0] = true;
    extend_over_wildcards(&mut reached, other);
    for byte in one {
        let mut next = vec![false; other.len() + 1];
        for at in 0..=other.len() {
            let here = reached[at];
            let before = at.checked_sub(1);
            let takes = |from: usize| {
                let wild = other[from] == b'*';
                // One of the other's bytes, or more for its wildcard, is what `byte` stands for.
                (wild || other[from] == *byte) && (reached[from] || (wild && here))
            };
            next[at] = if *byte == b'*' {
                here || before.is_some_and(|from| next[from])
            } else {
                before.is_some_and(takes)
            };
        }
        extend_over_wildcards(&mut next, other);
        reached = next;
    }
    reached[other.len()]
}

/// A wildcard of the other pattern may stand for nothing.
fn extend_over_wildcards(reached: &mut [bool], other: &[u8]) {
    for (at, byte) in other.iter().enumerate() {
        if *byte == b'*' && reached[at] {
            reached[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_meet_where_a_text_matches_both() {
        for (one, other) in [
            ("a", "a"),
            ("*", ""),
            ("*", "*"),
            ("a*", "*b"),
            ("*/items", "GET/keys/*"),
            ("GET/*", "*/items"),
            ("a*c", "abbbc"),
            ("*a*", "bab"),
            ("a**", "a"),
        ] {
            assert!(meet(one, other) && meet(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("a", "b"),
            ("a", ""),
            ("a*", "b*"),
            ("GET/items/*", "POST/items/*"),
            ("GET/items", "GET/items/*"),
            ("a*c", "abbb"),
            ("*/items", "GET/items/7"),
        ] {
            assert!(!meet(one, other) && !meet(other, one), "{one} {other}");
        }
    }

    #[test]
    fn everything_open_is_one_resource() {
        assert_eq!(merged(&ROUTES.each_ref().map(|_| true)), ["*"]);
    }

    #[test]
    fn a_whole_method_is_one_resource() {
        let open = ROUTES.each_ref().map(|route| route.method == "GET");
        assert_eq!(merged(&open), ["GET/*"]);
    }

    #[test]
    fn what_could_open_a_closed_route_is_not_merged() {
        let open = ROUTES.each_ref().map(|route| route.path == "/items");
        assert_eq!(merged(&open), ["GET/items", "POST/items"]);
    }

    /// IAM's matching, in the plainest way.
    fn matches(pattern: &str, text: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == text,
            Some((before, rest)) => text
                .strip_prefix(before)
                .is_some_and(|text| (0..=text.len()).any(|from| matches(rest, &text[from..]))),
        }
    }

    proptest! {
        #[test]
        fn meeting_a_text_is_matching_it(pattern in "[ab*]{0,6}", text in "[ab]{0,6}") {
            prop_assert_eq!(meet(&pattern, &text), matches(&pattern, &text));
        }

        #[test]
        fn patterns_that_match_one_text_meet(
            one in "[ab*]{0,5}", other in "[ab*]{0,5}", text in "[ab]{0,5}"
        ) {
            if matches(&one, &text) && matches(&other, &text) {
                prop_assert!(meet(&one, &other));
            }
        }

        #[test]
        fn no_set_of_open_routes_opens_another(bits in proptest::collection::vec(any::<bool>(), ROUTES.len())) {
            let resources = merged(&bits);
            for (route, open) in ROUTES.iter().zip(&bits).filter(|(route, _)| route.scope.is_some()) {
                let met = resources.iter().any(|one| meet(one, &resource(route)));
                prop_assert_eq!(met, *open, "{}", resource(route));
            }
        }
    }
}
