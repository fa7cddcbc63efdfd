//! `Models` of an API, and `RequestModel` and `RequestParameters` of its methods (SAM specification, "Api"
//! event source).

use std::collections::BTreeMap;

use keygate_model::{BodySchema, ParameterPlace, Validation};
use serde_json::{Map, json};

use super::fields::Fields;
use super::json;
use super::schemas::Schemas;
use super::yaml::{Node, Value};

/// The models of an API by their names.
#[derive(Debug, Default)]
pub(super) struct Models(BTreeMap<String, Option<BodySchema>>);

/// What a method asks of its requests.
#[derive(Debug, Default)]
pub(super) struct Asked {
    model: Option<String>,
    validates_body: bool,
    validates_parameters: bool,
    required: Vec<(ParameterPlace, String)>,
}

/// Reads the API's `Models`: JSON schemas of draft 4 by their names, which SAM puts side by side so that
/// one can refer to another as `#/definitions/NAME`, in lower case.
pub(super) fn models(properties: &mut Fields<'_>) -> Models {
    let Some(node) = properties.node("Models") else {
        return Models::default();
    };
    let mut definitions = Map::new();
    for entry in node.entries() {
        let schema = json::of(&entry.node).unwrap_or_default();
        definitions.insert(entry.name.to_lowercase(), schema);
    }
    let schemas = Schemas::of(json!({"definitions": definitions}));
    let read = node.entries().iter().map(|entry| {
        let report = |message: String| {
            properties.report_at(entry.line, &format!("Models.{}", entry.name), message);
        };
        if entry.node.get("type").is_none() {
            report("`type` is required: SAM refuses a model without it".to_owned());
        }
        let reference = format!("#/definitions/{}", entry.name.to_lowercase());
        let compiled = schemas.compile(&json!({"$ref": reference}));
        let compiled = compiled.inspect_err(|error| {
            report(format!("is no JSON schema of draft 4: {error}"));
        });
        (entry.name.clone(), compiled.ok())
    });
    Models(read.collect())
}

impl Asked {
    /// Reads what an event says of its requests.
    pub(super) fn read(properties: &mut Fields<'_>) -> Self {
        let mut asked = Self::default();
        if let Some(mut model) = properties.fields("RequestModel") {
            asked.model = model.required_text("Model");
            asked.validates_body = model.flag("ValidateBody").unwrap_or(false);
            asked.validates_parameters = model.flag("ValidateParameters").unwrap_or(false);
            // For the documentation of the API: an empty body is held against the model as `{}`.
            model.no_meaning(&["Required"]);
            model.end();
        }
        let Some(node) = properties.node("RequestParameters") else {
            return asked;
        };
        let Value::List(items) = node.value else {
            properties.report_at(node.line, "RequestParameters", "must be a list");
            return asked;
        };
        for item in items {
            asked.parameter(item, properties);
        }
        asked
    }

    /// One parameter: a name, or a mapping of a name to what is asked of it.
    fn parameter(&mut self, item: Node, properties: &Fields<'_>) {
        let line = item.line;
        let (name, settings) = match item.value {
            Value::Text(name) => (name, None),
            Value::Map(entries) if entries.len() == 1 => {
                let Some(entry) = entries.into_iter().next() else {
                    return;
                };
                let settings = properties.nested("RequestParameters", entry.node);
                (entry.name, settings)
            }
            Value::Unknown => return,
            _ => {
                let message = "must be names, or mappings of one name each";
                properties.report_at(line, "RequestParameters", message);
                return;
            }
        };
        let mut is_required = false;
        if let Some(mut settings) = settings {
            is_required = settings.flag("Required").unwrap_or(false);
            // Of the cache, which is refused.
            settings.pass_over(&["Caching"]);
            settings.end();
        }
        match parameter(&name) {
            Some(parameter) if is_required => self.required.push(parameter),
            Some(_) => {}
            None => {
                let message = format!(
                    "`{name}` is none of method.request.header.NAME, method.request.path.NAME and \
                     method.request.querystring.NAME"
                );
                properties.report_at(line, "RequestParameters", message);
            }
        }
    }

    /// What API Gateway checks of it. A parameter that is required is not, unless `ValidateParameters`
    /// says so.
    pub(super) fn validation(self, models: &Models, report: impl FnOnce(String)) -> Validation {
        let mut validation = Validation::default();
        if self.validates_parameters {
            validation.parameters.extend(self.required);
        }
        let Some(name) = self.model else {
            return validation;
        };
        match models.0.get(&name) {
            Some(schema) if self.validates_body => {
                // What is no schema is reported where it stands.
                let bodies = schema.iter().cloned();
                let bodies = bodies.map(|schema| ("application/json".to_owned(), schema));
                validation.bodies.extend(bodies);
            }
            Some(_) => {}
            None => report(format!("RequestModel: the API has no model `{name}`")),
        }
        validation
    }
}

fn parameter(name: &str) -> Option<(ParameterPlace, String)> {
    let rest = name.strip_prefix("method.request.")?;
    let (place, name) = rest.split_once('.')?;
    let place = match place {
        "header" => ParameterPlace::Header,
        "path" => ParameterPlace::Path,
        "querystring" => ParameterPlace::Query,
        _ => return None,
    };
    (!name.is_empty()).then(|| (place, name.to_owned()))
}
