//! Principals of several issuers.
//!
//! Handlers and the key table know a caller by the principal alone, so no issuer may be able to
//! write a name that is another's: each has a prefix of its own, and none begins with another. One
//! issuer may go without. Whatever else it writes is its own, and what begins with another's prefix
//! is refused.

use crate::issuer::Issuer;

/// Sees to it, or says why that cannot be.
pub(super) fn tell_apart(issuers: &mut [Issuer]) -> Result<(), String> {
    for (position, issuer) in issuers.iter().enumerate() {
        for other in issuers.iter().skip(position + 1) {
            held_apart(issuer, other)?;
        }
    }
    let prefixes = issuers.iter().map(|issuer| issuer.principal_prefix.clone());
    let prefixes: Vec<_> = prefixes.filter(|prefix| !prefix.is_empty()).collect();
    let bare = issuers
        .iter_mut()
        .find(|issuer| issuer.principal_prefix.is_empty());
    if let Some(bare) = bare {
        bare.reserved_prefixes = prefixes;
    }
    Ok(())
}

fn held_apart(one: &Issuer, other: &Issuer) -> Result<(), String> {
    let (prefix, others) = (&one.principal_prefix, &other.principal_prefix);
    match (prefix.is_empty(), others.is_empty()) {
        (true, true) => Err(format!(
            "{} and {} have no principal_prefix, and could name each other's principals: one \
             issuer may go without",
            one.iss, other.iss
        )),
        (false, false) if prefix.starts_with(others) || others.starts_with(prefix) => Err(format!(
            "of {} and {} one has a principal_prefix that the other's begins with, and could name \
             its principals",
            one.iss, other.iss
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_apart(prefixes: &[&str]) -> Result<Vec<Vec<String>>, String> {
        let issuer = |(number, prefix): (usize, &&str)| Issuer {
            principal_prefix: (*prefix).to_owned(),
            ..Issuer::of(&format!("https://{number}.example"), "x")
        };
        let mut issuers: Vec<_> = prefixes.iter().enumerate().map(issuer).collect();
        tell_apart(&mut issuers)?;
        let reserved = issuers.into_iter().map(|issuer| issuer.reserved_prefixes);
        Ok(reserved.collect())
    }

    #[test]
    fn no_prefix_begins_with_another() {
        for prefixes in [
            &["a|", "a|"][..],
            &["a|", "a|b|"],
            &["", "partner-x", "partner"],
            &["", ""],
            &["", "a|", ""],
        ] {
            let error = told_apart(prefixes).unwrap_err();
            assert!(error.contains(".example and https://"), "{error}");
        }
        // Some letters in common are none of the other's names.
        assert!(told_apart(&["partner1|", "partner2|"]).is_ok());
    }

    #[test]
    fn one_issuer_may_go_without_and_then_others_prefixes_are_not_its_to_write() {
        assert_eq!(
            told_apart(&["a|", "", "b|"]),
            Ok(vec![vec![], vec!["a|".to_owned(), "b|".to_owned()], vec![]])
        );
        assert_eq!(told_apart(&["a|", "b|"]), Ok(vec![vec![], vec![]]));
        assert_eq!(told_apart(&[""]), Ok(vec![vec![]]));
    }
}
