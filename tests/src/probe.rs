//! The template that is served with the suites' own routes in it: `/books`, behind a handler that
//! answers with what it was given (`tests/probe`). So no suite depends on whose routes else there
//! are.

/// What stands before the routes of a template's table.
const TABLE: &str = "        ROUTES: |\n";
/// What stands behind its resources.
const OUTPUTS: &str = "Outputs:\n";

const ROUTES: &str = include_str!("../probe/routes");
const RESOURCES: &str = include_str!("../probe/resources.yaml");

/// A template with the probe in it.
///
/// # Panics
/// When it has no table of routes, or no outputs.
#[must_use]
pub fn added_to(template: &str) -> String {
    for (what, count) in [(TABLE, 1), (OUTPUTS, 1)] {
        let found = template.matches(what).count();
        assert_eq!(found, count, "{what:?} in the template");
    }
    template
        .replacen(TABLE, &format!("{TABLE}{ROUTES}"), 1)
        .replacen(OUTPUTS, &format!("{RESOURCES}{OUTPUTS}"), 1)
}
