//! The pages' own resources.

use keygate_routes::{Access, RouteTable};
use lambda_http::http::Method;

/// The resource of the list of problem types.
pub(crate) const INDEX: &str = "/problems";
/// The resource of one of them.
pub(crate) const PAGE: &str = "/problems/{type}";

/// The resource of the page that everybody may read at this path.
pub(crate) fn page_at<'t>(table: &'t RouteTable, path: &str) -> Option<&'t str> {
    let route = table.resolve(&Method::GET, path)?;
    let resource = route.path.as_str();
    (route.access == Access::Public && [INDEX, PAGE].contains(&resource)).then_some(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_answered_for_pages_and_for_nothing_else() {
        let table = "GET /problems -\nGET /problems/{type} -\nGET /status -\nGET /books books:read";
        let table = table.parse().unwrap();
        assert_eq!(page_at(&table, "/problems"), Some(INDEX));
        assert_eq!(page_at(&table, "/problems/not-found"), Some(PAGE));
        for other in ["/status", "/books", "/nothing"] {
            assert_eq!(page_at(&table, other), None, "{other}");
        }
        // Only where the table says that they are public.
        let closed = "GET /problems books:read".parse().unwrap();
        assert_eq!(page_at(&closed, "/problems"), None);
    }
}
