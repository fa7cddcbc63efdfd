//! Paths of resources, as API Gateway makes them: `/books/{id}`.

use std::fmt;
use std::str::FromStr;

/// The longest path in bytes, and in parts. API Gateway takes addresses of up to 10,240 bytes.
const MAX_BYTES: usize = 2048;
const MAX_PARTS: usize = 48;

/// A resource's path: literal parts, `{name}` for one part of a request's path, and `{name+}` at the
/// end for one part or more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourcePath {
    text: String,
    segments: Vec<Segment>,
}

/// One part of a resource's path. The order is that in which API Gateway prefers them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// The part itself.
    Literal(String),
    /// `{name}`: any one part that is not empty.
    Variable(String),
    /// `{name+}`: all that follows, one part at least.
    Greedy(String),
}

/// Why API Gateway could not make a resource of a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPath {
    /// It does not begin with a slash.
    #[error("the path `{0}` must begin with a slash")]
    NoSlash(String),
    /// Two slashes follow each other, or one stands at the end.
    #[error("the path `{0}` has an empty part: two slashes in a row, or one at the end")]
    EmptyPart(String),
    /// A part has another character than letters, digits and `._:,-`, or a variable has no name.
    #[error(
        "the path `{path}` has a part `{part}` that API Gateway does not take: a part is letters, \
         digits and ._:,- or one variable such as {{id}} or {{proxy+}}"
    )]
    Part {
        /// The path.
        path: String,
        /// The part.
        part: String,
    },
    /// Something follows a part that takes all that follows.
    #[error("the path `{0}` goes on after a variable that takes the whole rest")]
    BehindGreedy(String),
    /// It is longer than 2,048 bytes or 48 parts.
    #[error("the path is longer than {MAX_BYTES} bytes or {MAX_PARTS} parts")]
    TooLong,
}

impl ResourcePath {
    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its parts; none for `/`.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether it ends with a variable that takes all that follows.
    #[must_use]
    pub fn is_greedy(&self) -> bool {
        matches!(self.segments.last(), Some(Segment::Greedy(_)))
    }

    /// Whether a request's path (below the stage, not percent-decoded) is on this resource. An
    /// encoded slash stays inside its part, and a slash at the end makes no other path, as API Gateway
    /// has it.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let path = path.strip_prefix('/').unwrap_or(path);
        let mut parts = path.split('/').peekable();
        if path.is_empty() {
            parts.next();
        }
        for segment in &self.segments {
            match (segment, parts.next()) {
                (Segment::Literal(literal), Some(part)) if literal == part => {}
                (Segment::Variable(_), Some(part)) if !part.is_empty() => {}
                (Segment::Greedy(_), Some(part)) => {
                    return !part.is_empty() || parts.peek().is_some();
                }
                _ => return false,
            }
        }
        parts.next().is_none()
    }

    /// How specific it is: of two paths that a request is on, API Gateway takes the lesser.
    pub(crate) fn specificity(&self) -> impl Ord {
        let ranks = self.segments.iter().map(|segment| match segment {
            Segment::Literal(_) => 0_u8,
            Segment::Variable(_) => 1,
            Segment::Greedy(_) => 2,
        });
        ranks.collect::<Vec<_>>()
    }
}

impl FromStr for ResourcePath {
    type Err = MalformedPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_BYTES || text.matches('/').count() > MAX_PARTS {
            return Err(MalformedPath::TooLong);
        }
        let path = || text.to_owned();
        let Some(parts) = text.strip_prefix('/') else {
            return Err(MalformedPath::NoSlash(path()));
        };
        let mut segments = Vec::new();
        for part in parts.split('/').filter(|_| !parts.is_empty()) {
            if matches!(segments.last(), Some(Segment::Greedy(_))) {
                return Err(MalformedPath::BehindGreedy(path()));
            }
            if part.is_empty() {
                return Err(MalformedPath::EmptyPart(path()));
            }
            let segment = segment(part).ok_or_else(|| MalformedPath::Part {
                path: path(),
                part: part.to_owned(),
            })?;
            segments.push(segment);
        }
        Ok(Self {
            text: path(),
            segments,
        })
    }
}

/// One part ("Amazon API Gateway important notes", API Gateway guide, names the characters).
fn segment(part: &str) -> Option<Segment> {
    let is_plain = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:,-".contains(&byte);
        !text.is_empty() && text.bytes().all(plain)
    };
    let variable = part
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let (name, kind): (_, fn(String) -> Segment) = match variable {
        None => (part, Segment::Literal),
        Some(variable) => match variable.strip_suffix('+') {
            None => (variable, Segment::Variable),
            Some(name) => (name, Segment::Greedy),
        },
    };
    is_plain(name).then(|| kind(name.to_owned()))
}

impl fmt::Display for ResourcePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ResourcePath {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_that_api_gateway_makes_reads_back_as_it_was_written() {
        for text in [
            "/",
            "/a",
            "/a/{id}",
            "/{proxy+}",
            "/v1.2/a:batch,b/{a_b-c}/{rest+}",
        ] {
            assert_eq!(path(text).to_string(), text);
        }
        assert_eq!(path("/").segments(), []);
    }

    #[test]
    fn a_path_that_api_gateway_refuses_is_named() {
        for text in [
            "",
            "a",
            "//",
            "/a/",
            "/a//b",
            "/{a+}/b",
            "/{a+}/{b+}",
            "/{}",
            "/{+}",
            "/x{id}",
            "/{id}x",
            "/a b",
            "/a*",
            "/é",
            "/a?b=1",
            "/{a b}",
            "/{{a}}",
            "/%20",
        ] {
            assert!(text.parse::<ResourcePath>().is_err(), "{text}");
        }
        assert!("/a".repeat(MAX_PARTS).parse::<ResourcePath>().is_ok());
        assert_eq!(
            "/a".repeat(MAX_PARTS + 1).parse::<ResourcePath>(),
            Err(MalformedPath::TooLong)
        );
        assert_eq!(
            format!("/{}", "a".repeat(MAX_BYTES)).parse::<ResourcePath>(),
            Err(MalformedPath::TooLong)
        );
    }

    #[test]
    fn a_variable_takes_one_part_that_is_not_empty() {
        let book = path("/books/{id}");
        assert!(book.matches("/books/7") && book.matches("/books/a%2Fb"));
        assert!(book.matches("/books/7/"));
        for other in ["/books", "/books/", "/books/7/parts", "/Books/7", "/"] {
            assert!(!book.matches(other), "{other}");
        }
    }

    #[test]
    fn a_greedy_variable_takes_one_part_or_more_and_never_the_root() {
        let rest = path("/{proxy+}");
        assert!(rest.matches("/a") && rest.matches("/a/b/c"));
        assert!(!rest.matches("/") && !rest.matches(""));
        let below = path("/files/{proxy+}");
        assert!(
            below.matches("/files/a/b") && !below.matches("/files") && !below.matches("/files/")
        );
    }

    #[test]
    fn the_root_is_the_root_alone() {
        assert!(path("/").matches("/") && path("/").matches(""));
        assert!(!path("/").matches("/a") && !path("/").matches("//a"));
    }
}
