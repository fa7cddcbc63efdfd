//! The path of a request as API Gateway reads it: below the stage, however many slashes are before
//! it, and served whether or not there is a slash at its end.

/// The path below the stage, in which one slash is left of those that it begins with; `None` for
/// another stage.
pub(super) fn below_stage<'a>(path: &'a str, stage: &str) -> Option<&'a str> {
    let rest = path.strip_prefix('/')?.strip_prefix(stage)?;
    match rest {
        "" => Some("/"),
        rest if rest.starts_with('/') => {
            let named = rest.trim_start_matches('/');
            rest.get(rest.len() - named.len() - 1..)
        }
        _ => None,
    }
}

/// A path without the slashes at its end, for which no resource is another one: what is matched, and
/// what policies are held against, so that a Deny of `/books` holds for `/books/` too.
pub(super) fn of_resource(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_stage_is_a_whole_segment() {
        assert_eq!(below_stage("/dev/books", "dev"), Some("/books"));
        assert_eq!(below_stage("/dev", "dev"), Some("/"));
        assert_eq!(below_stage("/developers", "dev"), None);
        assert_eq!(below_stage("/prod/books", "dev"), None);
        assert_eq!(below_stage("", "dev"), None);
    }

    #[test]
    fn slashes_before_the_path_are_one_and_those_within_it_stay() {
        assert_eq!(below_stage("/dev//books", "dev"), Some("/books"));
        assert_eq!(below_stage("/dev////", "dev"), Some("/"));
        assert_eq!(below_stage("/dev///a//b/", "dev"), Some("/a//b/"));
        assert_eq!(below_stage("//dev/books", "dev"), None);
    }

    #[test]
    fn a_slash_at_the_end_makes_no_other_resource() {
        assert_eq!(of_resource("/books/"), "/books");
        assert_eq!(of_resource("/a//b//"), "/a//b");
        assert_eq!(of_resource("/"), "/");
    }

    proptest! {
        #[test]
        fn a_path_of_the_stage_begins_with_one_slash(rest in "[/a.%é]{0,12}") {
            let full = format!("/dev/{rest}");
            let path = below_stage(&full, "dev").unwrap();
            prop_assert!(path.starts_with('/') && !path.starts_with("//"));
            prop_assert!(full.ends_with(path));
            let resource = of_resource(path);
            prop_assert!(resource == "/" || !resource.ends_with('/'));
            prop_assert!(path.starts_with(resource));
        }
    }
}
