//! Resources of a policy as patterns over the parts of a method ARN below its stage: the method, and
//! each part of the path.
//!
//! A `*` here always stands between slashes, so it takes whole parts, one or more. What a pattern
//! takes in can therefore be decided part by part.

use std::fmt;
use std::rc::Rc;

use keygate_routes::{ResourcePath, Segment};

/// A pattern: `GET/books/*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Pattern<'t>(Rc<[Part<'t>]>);

/// What stands between two slashes of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part<'t> {
    /// Itself; empty behind a slash at the end.
    Text(&'t str),
    /// `*`.
    Star,
}

/// What a part of a method ARN may be, to compare two sets of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    /// This part; empty behind a slash at the end.
    Is(&'t str),
    /// Any one part that is not empty.
    One,
    /// Any one part, or nothing behind a slash at the end.
    OneOrNothing,
    /// Any number of parts, or none, a slash at the end included: what a star takes besides.
    More,
    /// Any number of parts that are not empty, or none: what a greedy variable takes besides.
    Rest,
}

impl Token<'_> {
    fn is_run(self) -> bool {
        matches!(self, Self::More | Self::Rest)
    }
}

/// A value that no literal of a table is, so that only a star takes it.
const FRESH: &str = "\u{0}";

impl<'t> Pattern<'t> {
    /// What requests with a method on a resource look like, and whatever else its stars take in.
    pub(crate) fn of(method: &'t str, path: &'t ResourcePath) -> Self {
        let path = path.segments().iter().map(|segment| match segment {
            Segment::Literal(text) => Part::Text(text.as_str()),
            Segment::Variable(_) | Segment::Greedy(_) => Part::Star,
        });
        let mut parts: Vec<Part<'t>> = std::iter::once(Part::Text(method)).chain(path).collect();
        if parts.len() == 1 {
            // The root's method ARN ends with the slash behind the method.
            parts.push(Part::Text(""));
        }
        Self(parts.into())
    }

    pub(crate) fn new(parts: Vec<Part<'t>>) -> Self {
        Self(parts.into())
    }

    pub(crate) fn parts(&self) -> &[Part<'t>] {
        &self.0
    }

    /// The bytes of its text.
    pub(crate) fn length(&self) -> usize {
        let parts = self.parts().iter().map(|part| match part {
            Part::Text(text) => text.len(),
            Part::Star => "*".len(),
        });
        let slashes = self.0.len().saturating_sub(1);
        parts.sum::<usize>() + slashes
    }

    /// The same with one star that takes two parts at least.
    pub(crate) fn doubled(&self, star: usize) -> Self {
        let mut parts = self.0.to_vec();
        parts.insert(star, Part::Star);
        Self(parts.into())
    }

    /// The same with nothing in place of a star at its end: what a request on the resource above is
    /// when it has a slash at its end.
    pub(crate) fn without_last(&self) -> Option<Self> {
        let mut parts = self.0.to_vec();
        if parts.pop() != Some(Part::Star) || parts.is_empty() {
            return None;
        }
        parts.push(Part::Text(""));
        Some(Self(parts.into()))
    }

    /// Whether `slashed` is this pattern with a slash at its end.
    pub(crate) fn is_same_but_for_slash(&self, slashed: &Self) -> bool {
        self.with_slash().as_ref() == Some(slashed) || self == slashed
    }

    /// Requests that the pattern takes in, each star one part.
    pub(crate) fn shortest(&self) -> Vec<Token<'t>> {
        let tokens = self.parts().iter().map(|part| match part {
            Part::Text(text) => Token::Is(text),
            Part::Star => Token::One,
        });
        tokens.collect()
    }

    /// The same with a slash at the end, which API Gateway ignores in a path; `None` where the
    /// pattern has one, or takes it in by a star.
    pub(crate) fn with_slash(&self) -> Option<Self> {
        match self.0.last() {
            Some(Part::Text(text)) if !text.is_empty() => {
                let mut parts = self.0.to_vec();
                parts.push(Part::Text(""));
                Some(Self(parts.into()))
            }
            _ => None,
        }
    }

    /// Whether it takes in requests whatever the values of their variables are; for a greedy one,
    /// with some number of parts.
    pub(crate) fn covers(&self, requests: &[Token<'_>]) -> bool {
        let is_greedy = requests.last() == Some(&Token::Rest);
        let longest = if is_greedy { self.0.len() } else { 1 };
        (1..=longest).any(|length| meet(&self.tokens(), &instance(requests, length)))
    }

    /// Whether it takes in all that the other does.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        let (mut own, mut others) = (self.parts(), other.parts());
        while let ([Part::Text(text), own_rest @ ..], [Part::Text(same), rest @ ..]) = (own, others)
        {
            if text != same {
                return false;
            }
            (own, others) = (own_rest, rest);
        }
        let instance = others.iter().map(|part| match part {
            Part::Text(text) => Token::Is(text),
            // A longer run is only taken by a star as well.
            Part::Star => Token::Is(FRESH),
        });
        meet(&tokens(own), &instance.collect::<Vec<_>>())
    }

    /// All that the pattern takes in.
    pub(crate) fn tokens(&self) -> Vec<Token<'t>> {
        tokens(&self.0)
    }
}

impl fmt::Display for Pattern<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, part) in self.parts().iter().enumerate() {
            if position > 0 {
                formatter.write_str("/")?;
            }
            formatter.write_str(match part {
                Part::Text(text) => text,
                Part::Star => "*",
            })?;
        }
        Ok(())
    }
}

/// All that the parts at the end of a pattern take in.
fn tokens<'t>(parts: &[Part<'t>]) -> Vec<Token<'t>> {
    let mut tokens = Vec::with_capacity(parts.len() + 2);
    for (position, part) in (1..).zip(parts) {
        match part {
            Part::Text(text) => tokens.push(Token::Is(text)),
            Part::Star if position == parts.len() => {
                tokens.extend([Token::OneOrNothing, Token::More]);
            }
            Part::Star => tokens.extend([Token::One, Token::More]),
        }
    }
    tokens
}

/// Requests with a method on a resource, where a variable takes exactly one part.
pub(crate) fn requests<'t>(method: &'t str, path: &'t ResourcePath) -> Vec<Token<'t>> {
    let mut tokens = vec![Token::Is(method)];
    for segment in path.segments() {
        match segment {
            Segment::Literal(text) => tokens.push(Token::Is(text)),
            Segment::Variable(_) => tokens.push(Token::One),
            Segment::Greedy(_) => tokens.extend([Token::One, Token::Rest]),
        }
    }
    if tokens.len() == 1 {
        tokens.push(Token::Is(""));
    }
    tokens
}

/// One of the requests, with values that no literal is; `greedy` is how many parts a greedy variable
/// takes.
fn instance<'t>(requests: &[Token<'t>], greedy: usize) -> Vec<Token<'t>> {
    let mut tokens = Vec::with_capacity(requests.len() + greedy);
    for token in requests {
        match token {
            Token::Is(text) => tokens.push(Token::Is(text)),
            Token::One | Token::OneOrNothing => tokens.push(Token::Is(FRESH)),
            Token::More | Token::Rest => tokens.extend((1..greedy).map(|_| Token::Is(FRESH))),
        }
    }
    tokens
}

/// Whether there are parts that both take. Of the other's tokens as many are looked at as a path
/// has, at most 127.
pub(crate) fn meet(mut one: &[Token<'_>], mut other: &[Token<'_>]) -> bool {
    // Most of what is compared differs before the first variable.
    while let ([Token::Is(text), rest @ ..], [Token::Is(others), others_rest @ ..]) = (one, other) {
        if text != others {
            return false;
        }
        (one, other) = (rest, others_rest);
    }
    // The bit at N is set when the tokens of `one` so far and the first N of `other` can take the
    // same parts.
    let mut reached = skipped(1, other);
    for token in one {
        let mut next: u128 = 0;
        if token.is_run() {
            // Takes none, or whatever of the other's follows.
            next = u128::MAX << reached.trailing_zeros();
        } else {
            for (at, others) in other.iter().enumerate() {
                if reached & (1 << at) != 0 && fit(*token, *others) {
                    // The other's run may go on.
                    let same = u128::from(others.is_run()) << at;
                    next |= same | (1 << (at + 1));
                }
            }
            next = skipped(next, other);
        }
        if next == 0 {
            return false;
        }
        reached = next;
    }
    reached & (1 << other.len()) != 0
}

/// A run may take none.
fn skipped(mut reached: u128, tokens: &[Token<'_>]) -> u128 {
    for (at, token) in tokens.iter().enumerate() {
        if token.is_run() {
            reached |= (reached & (1 << at)) << 1;
        }
    }
    reached
}

/// Whether both take a same part.
fn fit(one: Token<'_>, other: Token<'_>) -> bool {
    match (one, other) {
        (Token::Is(one), Token::Is(other)) => one == other,
        (Token::Is(text), Token::One | Token::Rest)
        | (Token::One | Token::Rest, Token::Is(text)) => !text.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::glob;

    fn path(text: &str) -> ResourcePath {
        text.parse().unwrap()
    }

    fn pattern(text: &str) -> Pattern<'_> {
        let parts = text.split('/').map(|part| match part {
            "*" => Part::Star,
            text => Part::Text(text),
        });
        Pattern(parts.collect())
    }

    #[test]
    fn a_route_s_pattern_has_a_star_for_each_variable() {
        for (method, resource, expected) in [
            ("GET", "/books", "GET/books"),
            ("GET", "/books/{id}", "GET/books/*"),
            ("POST", "/files/{path+}", "POST/files/*"),
            ("PUT", "/", "PUT/"),
        ] {
            assert_eq!(Pattern::of(method, &path(resource)).to_string(), expected);
        }
    }

    proptest! {
        /// Against the plainest matching of texts: of two patterns that take in one text the tokens
        /// meet.
        #[test]
        fn patterns_that_take_in_one_text_meet(
            one in "[ab*](/[ab*]){0,4}", other in "[ab*](/[ab*]){0,4}", text in "[ab](/[ab]){0,5}"
        ) {
            let (one, other) = (pattern(&one), pattern(&other));
            let taken = |pattern: &Pattern<'_>| glob(&pattern.to_string(), &text);
            if taken(&one) && taken(&other) {
                prop_assert!(meet(&one.tokens(), &other.tokens()));
            }
            let parts: Vec<_> = text.split('/').map(Token::Is).collect();
            prop_assert_eq!(meet(&one.tokens(), &parts), taken(&one));
        }
    }

    #[test]
    fn a_star_takes_slashes_and_a_variable_does_not() {
        let meets = |text: &str, resource: &str| {
            let resource = path(resource);
            let mut requests = requests("GET", &resource);
            let own = pattern(text).tokens();
            meet(&own, &requests) || {
                requests.push(Token::Is(""));
                meet(&own, &requests)
            }
        };
        for (text, resource) in [
            ("GET/books/*", "/books/{id}"),
            ("GET/books/*", "/books/{id}/audit"),
            ("GET/books/*", "/books/{rest+}"),
            ("GET/books/*", "/{all+}"),
            ("GET/books/*", "/{a}/{b}/{c}"),
            ("GET/books/*", "/books/special"),
            // By a slash at the end of the path.
            ("GET/books/*", "/books"),
            ("GET/*", "/"),
            ("*/books", "/keys/{id}"),
            ("*/books/*", "/keys/{id}/parts"),
            ("GET/a/*/c", "/a/{x}/{y}/c"),
        ] {
            assert!(meets(text, resource), "{text} {resource}");
        }
        for (text, resource) in [
            ("PUT/books/*", "/books/{id}"),
            ("GET/books/*", "/keys/{id}"),
            ("GET/books", "/books/{id}"),
            ("*/books", "/keys"),
            ("*/books", "/keys/{id}/parts"),
            ("GET/a/*/c", "/a/{x}/c/{y}/d"),
            ("GET/*/*", "/"),
        ] {
            assert!(!meets(text, resource), "{text} {resource}");
        }
    }

    #[test]
    fn a_run_takes_none_from_where_it_stands_and_nowhere_else() {
        let (a, b, c) = (Token::Is("a"), Token::Is("b"), Token::Is("c"));
        for (one, other, expected) in [
            (&[a][..], &[a, Token::Rest][..], true),
            (&[a], &[a, Token::Rest, Token::More], true),
            (&[a, b], &[a, b, Token::Rest], true),
            (&[a, c], &[a, Token::Rest, Token::More, c], true),
            (&[a], &[a, b, Token::Rest], false),
            (&[a], &[a, Token::Rest, b], false),
            (&[a, b], &[a, Token::Rest, c], false),
        ] {
            assert_eq!(meet(one, other), expected, "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_pattern_is_as_long_as_its_text() {
        for text in ["GET/", "GET/books", "GET/books/*/parts", "*/a", "*"] {
            assert_eq!(pattern(text).length(), text.len());
        }
    }

    #[test]
    fn a_slash_at_the_end_is_told_from_another_path() {
        let slashed = pattern("GET/books/");
        assert!(pattern("GET/books").is_same_but_for_slash(&slashed));
        assert!(slashed.is_same_but_for_slash(&slashed));
        assert!(!pattern("GET/keys").is_same_but_for_slash(&slashed));
        assert_eq!(pattern("GET/books").with_slash(), Some(slashed.clone()));
        assert_eq!(slashed.with_slash(), None);
        assert_eq!(pattern("GET/*").with_slash(), None);
    }

    #[test]
    fn a_pattern_covers_a_route_whatever_the_values_of_its_variables() {
        let covers = |text: &str, resource: &str| {
            let resource = path(resource);
            pattern(text).covers(&requests("GET", &resource))
        };
        assert!(covers("GET/books/*", "/books/{id}/audit"));
        assert!(covers("GET/*", "/{all+}"));
        assert!(covers("GET/*/*", "/{all+}"));
        assert!(!covers("PUT/books/*", "/books/{id}"));
        assert!(!covers("GET/books/special", "/books/{id}"));
        assert!(!covers("GET/books/*/audit", "/books/{id}/{part}"));
        assert!(!covers("GET/books/*", "/{all+}"));
    }

    #[test]
    fn a_pattern_includes_another_where_it_takes_in_all_that_it_does() {
        assert!(pattern("GET/a/*").includes(&pattern("GET/a/*/b")));
        assert!(pattern("GET/a/*").includes(&pattern("GET/a/b")));
        assert!(pattern("*").includes(&pattern("*/a/*")));
        assert!(!pattern("GET/a/*").includes(&pattern("GET/a")));
        assert!(!pattern("GET/a/*/*").includes(&pattern("GET/a/*")));
        assert!(!pattern("GET/a/b").includes(&pattern("GET/a/*")));
    }
}
