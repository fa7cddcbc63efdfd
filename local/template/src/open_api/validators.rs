//! `x-amazon-apigateway-request-validators`.

use std::collections::BTreeMap;

use super::super::fields::Fields;

const VALIDATOR: &str = "x-amazon-apigateway-request-validator";

/// The validators of a document.
#[derive(Debug, Default)]
pub(super) struct Validators {
    by_name: BTreeMap<String, Validator>,
    default: Option<String>,
}

/// What a validator checks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Validator {
    pub(super) of_bodies: bool,
    pub(super) of_parameters: bool,
}

impl Validators {
    /// Reads the validators, and which one is meant where an operation names none.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let mut by_name = BTreeMap::new();
        let validators = fields.fields("x-amazon-apigateway-request-validators");
        for (name, mut said) in validators.map_or_else(Vec::new, Fields::named) {
            let validator = Validator {
                of_bodies: said.flag("validateRequestBody").unwrap_or(false),
                of_parameters: said.flag("validateRequestParameters").unwrap_or(false),
            };
            said.end();
            by_name.insert(name, validator);
        }
        let default = fields.text(VALIDATOR);
        Self { by_name, default }
    }

    /// The validator of an operation.
    pub(super) fn of(&self, operation: &mut Fields<'_>) -> Validator {
        let own = operation.text(VALIDATOR);
        let Some(name) = own.as_ref().or(self.default.as_ref()) else {
            return Validator::default();
        };
        let found = self.by_name.get(name).copied();
        if found.is_none() {
            operation.report(format!("`{name}` is none of the request validators"));
        }
        found.unwrap_or_default()
    }
}
