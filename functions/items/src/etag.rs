//! Entity tags and the conditions that name them (RFC 9110 sections 8.8.3 and 13.1).

use keygate::problem::{BAD_REQUEST, Problem};

/// What `If-Match` or `If-None-Match` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `*`: whatever the version.
    Any,
    /// One of these strong entity tags' versions, or weak ones where `weak` is true.
    OneOf(Vec<Tag>),
}

/// One entity tag of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    weak: bool,
    opaque: String,
}

/// The strong entity tag of a version.
pub(crate) fn of_version(version: u64) -> String {
    format!("\"{version}\"")
}

impl Condition {
    /// Reads the values of a header that may come several times; `None` without any.
    ///
    /// # Errors
    /// 400 for what is no list of entity tags: to ignore it could overwrite somebody's change.
    pub(crate) fn read<'a>(
        name: &str,
        values: impl Iterator<Item = &'a str>,
    ) -> Result<Option<Self>, Problem> {
        let list = values.collect::<Vec<_>>().join(",");
        if list.trim().is_empty() {
            return Ok(None);
        }
        if list.trim() == "*" {
            return Ok(Some(Self::Any));
        }
        let tags: Option<Vec<Tag>> = list.split(',').map(|tag| Tag::read(tag.trim())).collect();
        tags.map(|tags| Some(Self::OneOf(tags))).ok_or_else(|| {
            Problem::new(
                &BAD_REQUEST,
                format!("The header {name} is neither * nor a list of entity tags such as \"1\"."),
            )
        })
    }

    /// `If-Match`: the versions that it accepts by strong comparison (section 8.8.3.2); `None`
    /// accepts any.
    pub(crate) fn strong_versions(&self) -> Option<Vec<u64>> {
        match self {
            Self::Any => None,
            Self::OneOf(tags) => {
                let strong = tags.iter().filter(|tag| !tag.weak);
                Some(strong.filter_map(|tag| tag.opaque.parse().ok()).collect())
            }
        }
    }

    /// `If-None-Match`: whether a version is one that the client has, by weak comparison.
    pub(crate) fn holds(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|tag| tag.opaque == version.to_string()),
        }
    }
}

impl Tag {
    fn read(text: &str) -> Option<Self> {
        let (weak, quoted) = match text.strip_prefix("W/") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let opaque = quoted.strip_prefix('"')?.strip_suffix('"')?;
        (!opaque.contains('"')).then(|| Self {
            weak,
            opaque: opaque.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<Condition> {
        Condition::read("If-Match", values.iter().copied()).unwrap()
    }

    #[test]
    fn a_weak_tag_never_matches_strongly() {
        let condition = read(&["W/\"3\", \"4\"", "\"5\""]).unwrap();
        assert_eq!(condition.strong_versions(), Some(vec![4, 5]));
        assert!(condition.holds(3));
        assert!(!condition.holds(6));
    }

    #[test]
    fn a_star_is_any_version_and_nothing_is_no_condition() {
        assert_eq!(read(&["*"]).unwrap().strong_versions(), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn a_tag_that_is_not_ours_matches_nothing() {
        assert_eq!(read(&["\"abc\""]).unwrap().strong_versions(), Some(vec![]));
    }

    #[test]
    fn what_is_no_entity_tag_is_refused_rather_than_ignored() {
        for value in ["1", "\"1", "\"1\" \"2\"", "w/\"1\"", "*, \"1\""] {
            assert!(
                Condition::read("If-Match", [value].into_iter()).is_err(),
                "{value}"
            );
        }
    }
}
