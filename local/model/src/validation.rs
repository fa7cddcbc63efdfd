//! What API Gateway checks of a request before it is passed on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// What a method's validator asks of a request.
#[derive(Debug, Clone, Default)]
pub struct Validation {
    /// Parameters that must be there, and not be blank.
    pub parameters: BTreeSet<(ParameterPlace, String)>,
    /// What a body must be, by its content type.
    pub bodies: BTreeMap<String, BodySchema>,
}

/// Where a parameter of a request stands; in the order in which the missing ones are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParameterPlace {
    /// A header, in any case.
    Header,
    /// A variable of the path.
    Path,
    /// The query string.
    Query,
}

/// How often a `pattern` may be tried anew within one text, and how large one may be once it is compiled: a
/// few letters of one can ask for more time or memory than there is.
const MAX_BACKTRACKS: usize = 10_000;
const MAX_PATTERN_BYTES: usize = 4 * 1024 * 1024;

/// A JSON schema of draft 4.
#[derive(Clone)]
pub struct BodySchema(Arc<Validator>);

impl BodySchema {
    /// Compiles a schema. It refers to nothing outside itself.
    ///
    /// # Errors
    /// What is no schema of draft 4, or refers to what is not there.
    pub fn of(schema: &Value) -> Result<Self, ValidationError<'static>> {
        let patterns = PatternOptions::fancy_regex()
            .backtrack_limit(MAX_BACKTRACKS)
            .size_limit(MAX_PATTERN_BYTES);
        let options = jsonschema::draft4::options().with_pattern_options(patterns);
        Ok(Self(Arc::new(options.build(schema)?)))
    }

    /// What is wrong with a value, if something is.
    #[must_use]
    pub fn first_error(&self, value: &Value) -> Option<String> {
        let error = self.0.validate(value).err()?;
        Some(error.masked().to_string())
    }
}

impl fmt::Debug for BodySchema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BodySchema")
    }
}
