//! Entity tags and the conditions that name them (RFC 9110 sections 8.8.3 and 13.1).

use keygate_problem::{BAD_REQUEST, Problem};
use lambda_http::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};

/// How many tags a condition may list: `DynamoDB`'s `IN` takes 100 values.
const MAX_TAGS: usize = 100;

/// What `If-Match` or `If-None-Match` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `*`: whatever the version.
    Any,
    /// One of these entity tags; at least one.
    OneOf(Vec<Tag>),
}

/// One entity tag of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    weak: bool,
    opaque: Vec<u8>,
}

/// Which versions of an item a request may change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Precondition {
    /// Only these; `None` is any.
    pub(crate) only: Option<Vec<u64>>,
    /// None of these.
    pub(crate) except: Vec<u64>,
}

/// The strong entity tag of a version.
pub(crate) fn of_version(version: u64) -> String {
    format!("\"{version}\"")
}

impl Precondition {
    /// Reads `If-Match` and `If-None-Match` of a request that changes an item.
    ///
    /// # Errors
    /// As [`Condition::read`].
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut precondition = Self {
            only: Self::read_if_match(headers)?,
            except: Vec::new(),
        };
        match Condition::read(headers, &IF_NONE_MATCH)? {
            None => {}
            // "Only if there is none" (section 13.1.2), and nothing here creates by such a request.
            Some(Condition::Any) => precondition.only = Some(Vec::new()),
            Some(listed) => precondition.except = listed.versions(|_| true).unwrap_or_default(),
        }
        Ok(precondition)
    }

    /// Reads `If-Match` alone: the only versions that will do, `None` for any.
    ///
    /// # Errors
    /// As [`Condition::read`].
    pub(crate) fn read_if_match(headers: &HeaderMap) -> Result<Option<Vec<u64>>, Problem> {
        let only = Condition::read(headers, &IF_MATCH)?;
        // Strong comparison (RFC 9110 section 13.1.1): a weak tag never matches.
        Ok(only.and_then(|condition| condition.versions(|tag| !tag.weak)))
    }
}

impl Condition {
    /// Reads a header that may come several times; `None` when it does not come at all.
    ///
    /// # Errors
    /// 400 for what is no list of up to 100 entity tags: to ignore it could overwrite somebody's
    /// change.
    pub(crate) fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, Problem> {
        if !headers.contains_key(name) {
            return Ok(None);
        }
        let lines: Vec<&[u8]> = headers
            .get_all(name)
            .iter()
            .map(lambda_http::http::HeaderValue::as_bytes)
            .collect();
        let list = lines.join(&b',');
        if list.trim_ascii() == b"*" {
            return Ok(Some(Self::Any));
        }
        let tags = tags(&list).filter(|tags| (1..=MAX_TAGS).contains(&tags.len()));
        tags.map(|tags| Some(Self::OneOf(tags))).ok_or_else(|| {
            Problem::new(
                &BAD_REQUEST,
                format!(
                    "The header {name} is neither * nor a list of up to {MAX_TAGS} entity tags \
                     such as \"1\"."
                ),
            )
        })
    }

    /// `If-None-Match` of a request that reads: whether a version is one that the client has, by
    /// weak comparison (RFC 9110 section 13.1.2).
    pub(crate) fn holds(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|tag| tag.version() == Some(version)),
        }
    }

    /// The versions that the chosen tags name; `None` is any.
    fn versions(&self, chosen: impl Fn(&Tag) -> bool) -> Option<Vec<u64>> {
        match self {
            Self::Any => None,
            Self::OneOf(tags) => {
                let chosen = tags.iter().filter(|tag| chosen(tag));
                let mut versions: Vec<u64> = chosen.filter_map(Tag::version).collect();
                versions.sort_unstable();
                versions.dedup();
                Some(versions)
            }
        }
    }
}

impl Tag {
    /// The version that has this tag; none where the tag is not one of ours. Tags compare character
    /// by character, so `"01"` is not `"1"`.
    fn version(&self) -> Option<u64> {
        let text = std::str::from_utf8(&self.opaque).ok()?;
        let version: u64 = text.parse().ok()?;
        (version.to_string() == text).then_some(version)
    }
}

/// Reads `#entity-tag` (RFC 9110 sections 5.6.1 and 8.8.3): an opaque tag may hold commas, and
/// empty elements count for nothing.
fn tags(list: &[u8]) -> Option<Vec<Tag>> {
    let mut tags = Vec::new();
    let mut rest = list;
    loop {
        rest = trim_start(rest, b" \t,");
        if rest.is_empty() {
            return Some(tags);
        }
        let weak = rest.starts_with(b"W/");
        let quoted = rest.strip_prefix(b"W/").unwrap_or(rest);
        let body = quoted.strip_prefix(b"\"")?;
        let end = body.iter().position(|byte| *byte == b'"')?;
        let (opaque, after) = body.split_at(end);
        // etagc: visible characters and obs-text.
        if !opaque.iter().all(|byte| *byte > b' ' && *byte != 0x7f) {
            return None;
        }
        tags.push(Tag {
            weak,
            opaque: opaque.to_owned(),
        });
        rest = trim_start(after.get(1..)?, b" \t");
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
}

fn trim_start<'a>(bytes: &'a [u8], these: &[u8]) -> &'a [u8] {
    let kept = bytes.iter().position(|byte| !these.contains(byte));
    kept.and_then(|start| bytes.get(start..)).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::*;

    fn headers(name: &HeaderName, values: &[&[u8]]) -> HeaderMap {
        let values = values
            .iter()
            .map(|value| HeaderValue::from_bytes(value).unwrap());
        values.map(|value| (name.clone(), value)).collect()
    }

    fn if_match(values: &[&[u8]]) -> Result<Precondition, Problem> {
        Precondition::read(&headers(&IF_MATCH, values))
    }

    fn if_none_match(values: &[&[u8]]) -> Result<Precondition, Problem> {
        Precondition::read(&headers(&IF_NONE_MATCH, values))
    }

    #[test]
    fn a_weak_tag_never_matches_strongly() {
        let read = if_match(&[b"W/\"3\", \"4\"", b"\"5\", \"5\""]).unwrap();
        assert_eq!(read.only, Some(vec![4, 5]));
        let read = if_none_match(&[b"W/\"3\", \"4\""]).unwrap();
        assert_eq!((read.only, read.except), (None, vec![3, 4]));
    }

    #[test]
    fn a_star_is_any_version_and_nothing_is_no_condition() {
        assert_eq!(if_match(&[b" * "]).unwrap(), Precondition::default());
        assert_eq!(if_match(&[]).unwrap(), Precondition::default());
        assert_eq!(if_none_match(&[b"*"]).unwrap().only, Some(vec![]));
    }

    #[test]
    fn a_tag_that_is_not_ours_matches_nothing() {
        for tag in [
            &b"\"abc\""[..],
            b"\"01\"",
            b"\"+1\"",
            b"\"\"",
            b"\"1,2\"",
            b"\"\xe9\"",
        ] {
            assert_eq!(if_match(&[tag]).unwrap().only, Some(vec![]), "{tag:?}");
        }
    }

    #[test]
    fn empty_elements_of_a_list_count_for_nothing() {
        let read = if_match(&[b", \"1\",,\t\"2\" ,"]).unwrap();
        assert_eq!(read.only, Some(vec![1, 2]));
    }

    #[test]
    fn what_is_no_entity_tag_is_refused_rather_than_ignored() {
        for value in [
            &b"1"[..],
            b"\"1",
            b"\"1\" \"2\"",
            b"w/\"1\"",
            b"*, \"1\"",
            b"\"a b\"",
            b"",
            b",",
            b"\xe9",
        ] {
            assert!(if_match(&[value]).is_err(), "{value:?}");
            assert!(if_none_match(&[value]).is_err(), "{value:?}");
        }
    }

    #[test]
    fn a_hundred_tags_are_read_and_more_are_refused() {
        let list = |count: usize| vec!["\"1\""; count].join(", ");
        assert!(if_match(&[list(100).as_bytes()]).is_ok());
        assert!(if_match(&[list(101).as_bytes()]).is_err());
    }

    #[test]
    fn a_reader_that_has_the_version_is_found_by_weak_comparison() {
        let headers = headers(&IF_NONE_MATCH, &[b"\"1\", W/\"3\""]);
        let known = Condition::read(&headers, &IF_NONE_MATCH).unwrap().unwrap();
        assert!(known.holds(3));
        assert!(!known.holds(2));
    }
}
