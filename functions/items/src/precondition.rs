//! `If-Match` and `If-None-Match` (RFC 9110 section 13.1). What cannot be read is 400: to ignore it
//! could overwrite somebody's change.

use keygate_problem::{BAD_REQUEST, PRECONDITION_FAILED, Problem};
use lambda_http::http::header::{HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};

/// Whether `If-Match` names this entity tag, by strong comparison, which no weak tag passes; `None`
/// without the header, and for `*`, since the item is there.
pub(crate) fn if_match(headers: &HeaderMap, etag: &str) -> Result<Option<bool>, Problem> {
    let listed = tags(headers, &IF_MATCH)?.filter(|tags| *tags != ["*"]);
    Ok(listed.map(|tags| tags.iter().any(|tag| tag == etag)))
}

/// Whether `If-None-Match` holds for this entity tag, by weak comparison; `None` without the header.
pub(crate) fn if_none_match(headers: &HeaderMap, etag: &str) -> Result<Option<bool>, Problem> {
    let named = |tag: &String| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
    Ok(tags(headers, &IF_NONE_MATCH)?.map(|tags| !tags.iter().any(named)))
}

/// The one version that a write may replace, of an item whose version is this one now; `None` for any,
/// where `If-Match` names none. 412 when a condition does not hold.
pub(crate) fn only<'a>(headers: &HeaderMap, etag: &'a str) -> Result<Option<&'a str>, Problem> {
    match (if_match(headers, etag)?, if_none_match(headers, etag)?) {
        (Some(false), _) | (_, Some(false)) => Err(failed()),
        (named, _) => Ok(named.map(|_| etag)),
    }
}

/// 412.
pub(crate) fn failed() -> Problem {
    Problem::new(
        &PRECONDITION_FAILED,
        "The item's version is not one that If-Match or If-None-Match allows.",
    )
}

/// The entity tags of a header, each as it was sent: `"tag"`, `W/"tag"`, or `*` alone. Several lines
/// are one list.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Vec<String>>, Problem> {
    if !headers.contains_key(name) {
        return Ok(None);
    }
    // A tag may hold bytes that are no UTF-8. None of ours does.
    let text = |line: &HeaderValue| String::from_utf8_lossy(line.as_bytes()).into_owned();
    let list = headers.get_all(name).iter().map(text).collect::<Vec<_>>();
    let tags = match list.join(",").trim() {
        "*" => Some(vec!["*".to_owned()]),
        list => entity_tags(list).filter(|tags| !tags.is_empty()),
    };
    let detail = format!("The header {name} is neither * nor a list of entity tags.");
    tags.ok_or_else(|| Problem::new(&BAD_REQUEST, detail))
        .map(Some)
}

/// Reads `#entity-tag` (RFC 9110 sections 5.6.1 and 8.8.3): a tag may hold commas, and empty elements
/// of the list count for nothing.
fn entity_tags(list: &str) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    let mut rest = list.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let quoted = rest.strip_prefix("W/").unwrap_or(rest);
        let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
        let (tag, _) = rest.split_at(rest.len() - after.len());
        let next = after.trim_start_matches([' ', '\t']);
        if opaque.contains([' ', '\t']) || !(next.is_empty() || next.starts_with(',')) {
            return None;
        }
        tags.push(tag.to_owned());
        rest = next.trim_start_matches([' ', '\t', ',']);
    }
    Some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, lines: &[&[u8]]) -> HeaderMap {
        let lines = lines.iter();
        let values = lines.map(|line| HeaderValue::from_bytes(line).unwrap());
        values.map(|value| (name.clone(), value)).collect()
    }

    fn read_if_match(lines: &[&[u8]]) -> Result<Option<bool>, Problem> {
        if_match(&headers(&IF_MATCH, lines), "\"b\"")
    }

    fn read_if_none_match(lines: &[&[u8]]) -> Result<Option<bool>, Problem> {
        if_none_match(&headers(&IF_NONE_MATCH, lines), "\"b\"")
    }

    #[test]
    fn a_condition_names_versions_in_lists_and_in_several_lines() {
        for lines in [
            &[&b"\"b\""[..]][..],
            &[b"\"a\", \"b\""],
            &[b", \"a\",,\t\"b\" ,"],
            &[b"\"a\"", b"W/\"c\",\"b\""],
        ] {
            assert_eq!(read_if_match(lines).unwrap(), Some(true), "{lines:?}");
            assert_eq!(read_if_none_match(lines).unwrap(), Some(false), "{lines:?}");
        }
        assert_eq!(read_if_match(&[]).unwrap(), None);
        assert_eq!(read_if_none_match(&[]).unwrap(), None);
    }

    #[test]
    fn a_star_is_any_version() {
        assert_eq!(read_if_match(&[b" * "]).unwrap(), None);
        assert_eq!(read_if_none_match(&[b" * "]).unwrap(), Some(false));
    }

    #[test]
    fn a_weak_tag_never_matches_strongly() {
        assert_eq!(read_if_match(&[b"W/\"b\""]).unwrap(), Some(false));
        assert_eq!(read_if_none_match(&[b"W/\"b\""]).unwrap(), Some(false));
    }

    #[test]
    fn a_tag_that_is_not_ours_matches_nothing() {
        for tag in [
            &b"\"B\""[..],
            b"\"\"",
            b"\"a,b\"",
            b"\"*\"",
            b"\"W/\"",
            b"\"\xe9\"",
        ] {
            assert_eq!(read_if_match(&[tag]).unwrap(), Some(false), "{tag:?}");
            assert_eq!(read_if_none_match(&[tag]).unwrap(), Some(true), "{tag:?}");
        }
    }

    #[test]
    fn what_is_no_list_of_entity_tags_is_refused_rather_than_ignored() {
        for line in [
            &b"b"[..],
            b"\"b",
            b"\"b\" \"c\"",
            b"\"b\"\"c\"",
            b"w/\"b\"",
            b"W/ \"b\"",
            b"*, \"b\"",
            b"\"b\", *",
            b"\"a b\"",
            b"\"a\tb\"",
            b"",
            b",",
            b"\xe9",
        ] {
            assert!(read_if_match(&[line]).is_err(), "{line:?}");
            assert!(read_if_none_match(&[line]).is_err(), "{line:?}");
        }
        assert!(read_if_match(&[b"*", b"*"]).is_err());
    }
}
