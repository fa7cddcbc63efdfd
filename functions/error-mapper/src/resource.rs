//! The resources that this function serves.

use keygate_routes::{Access, RouteTable};
use lambda_http::http::Method;

/// The resource of the list of problem types.
pub(crate) const INDEX: &str = "/problems";
/// The resource of one of them.
pub(crate) const PAGE: &str = "/problems/{type}";
/// The resource of the API's protected resource metadata.
pub(crate) const METADATA: &str = "/.well-known/oauth-protected-resource";
/// The resource of a path's.
pub(crate) const METADATA_OF_PATH: &str = "/.well-known/oauth-protected-resource/{proxy+}";

const ALL: [&str; 4] = [INDEX, PAGE, METADATA, METADATA_OF_PATH];

/// The resource of this function that everybody may read at this path.
pub(crate) fn readable_at<'t>(table: &'t RouteTable, path: &str) -> Option<&'t str> {
    let route = table.resolve(&Method::GET, path)?;
    let resource = route.path.as_str();
    (route.access == Access::Public && ALL.contains(&resource)).then_some(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_answered_for_what_this_function_serves_and_for_nothing_else() {
        let table = "GET /problems -\nGET /problems/{type} -\nGET /status -\nGET /books books:read\n\
                     GET /.well-known/oauth-protected-resource -";
        let table = table.parse().unwrap();
        assert_eq!(readable_at(&table, "/problems"), Some(INDEX));
        assert_eq!(readable_at(&table, "/problems/not-found"), Some(PAGE));
        assert_eq!(readable_at(&table, METADATA), Some(METADATA));
        for other in ["/status", "/books", "/nothing"] {
            assert_eq!(readable_at(&table, other), None, "{other}");
        }
        // Only where the table says that they are public.
        let closed = "GET /problems books:read".parse().unwrap();
        assert_eq!(readable_at(&closed, "/problems"), None);
    }
}
