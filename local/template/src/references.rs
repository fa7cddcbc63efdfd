//! Dynamic references, `{{resolve:SERVICE:NAME}}` (CloudFormation user guide, "Get values stored in other
//! services using dynamic references"). The services are not here, so the caller says the values, as
//! those of parameters.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::problems::Problems;

/// What the names of references begin with on the command line.
const PREFIX: &str = "resolve:";

static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\{\{(resolve:[^{}]+)\}\}").ok());

/// Whether a name of the command line is a reference's, and no parameter's.
pub(super) fn is_reference(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// The values of references.
pub(super) struct References {
    given: BTreeMap<String, String>,
    used: RefCell<BTreeSet<String>>,
}

impl References {
    /// Those among what the caller says.
    pub(super) fn of(given: &BTreeMap<String, String>) -> Self {
        let references = given.iter().filter(|(name, _)| is_reference(name));
        Self {
            given: references
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            used: RefCell::default(),
        }
    }

    /// A text with the values of the references in it.
    ///
    /// # Errors
    /// What is wrong with one that has none.
    pub(super) fn replaced(&self, text: &str) -> Result<String, String> {
        let mut missing = None;
        let put = |found: &Captures<'_>| {
            let name = &found[1];
            self.used.borrow_mut().insert(name.to_owned());
            self.given.get(name).cloned().unwrap_or_else(|| {
                missing.get_or_insert(name.to_owned());
                String::new()
            })
        };
        let replaced = match REFERENCE.as_ref() {
            Some(reference) => reference.replace_all(text, put).into_owned(),
            None => text.to_owned(),
        };
        match missing {
            None => Ok(replaced),
            Some(name) => Err(format!(
                "what `{{{{{name}}}}}` stands for is not on this machine: give it with --parameter {name}=Value"
            )),
        }
    }

    /// Notes the references in a text whose value nobody asks for, so that a value for one is no mistake.
    pub(super) fn mention(&self, text: &str) {
        let found = REFERENCE.iter().flat_map(|it| it.captures_iter(text));
        let names = found.map(|found| found[1].to_owned());
        self.used.borrow_mut().extend(names);
    }

    /// Reports values that nothing has asked for.
    pub(super) fn check_used(&self, problems: &Problems) {
        let used = self.used.borrow();
        for name in self.given.keys().filter(|name| !used.contains(*name)) {
            let message = "nothing that is served here has this reference";
            problems.report(0, &format!("--parameter {name}"), message);
        }
    }
}
