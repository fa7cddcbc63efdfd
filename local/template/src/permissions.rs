//! What lets API Gateway call a function: `AWS::Lambda::Permission`, and the permission that SAM makes for
//! an event of type `Api` ("Control access to a REST API", API Gateway guide: without one a request is
//! answered 500). Events have theirs; what an OpenAPI document calls has only what the template says.

use keygate_model::deployment::{arn, function_arn};

use super::fields::Fields;
use super::method::Event;
use super::parameters::whole;
use super::problems::Problems;
use super::resources::Resource;

/// The methods that one of `ANY` takes: which of the names AWS asks for is not known.
const METHODS: [&str; 8] = [
    "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
];

/// A function that API Gateway is to call without a role.
#[derive(Debug)]
pub(super) struct Call {
    /// The function's logical id.
    pub(super) function: String,
    /// Where that is said.
    pub(super) place: String,
    pub(super) line: usize,
}

/// The permissions of a template for its API.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    /// The function, by name, ARN or alias, and the pattern of who may call it, if not everybody.
    given: Vec<(String, Option<String>)>,
}

impl Permissions {
    /// Reads a permission for API Gateway.
    pub(super) fn read(&mut self, resource: Resource<'_>) {
        let mut properties: Fields<'_> = resource.properties;
        properties.no_meaning(&[
            "EventSourceToken",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
        ]);
        let function = properties.required_text("FunctionName");
        let action = properties.required_text("Action");
        let source = properties.text("SourceArn");
        properties.end();
        if action.is_some_and(|action| is_match(&action, "lambda:InvokeFunction")) {
            self.given
                .extend(function.map(|function| (function, source)));
        }
    }

    /// Adds the permission that SAM makes for an event; `function` is its name.
    pub(super) fn of_event(&mut self, event: &Event, function: &str) {
        let method = match event.method.to_string() {
            any if any == "ANY" => "*".to_owned(),
            one => one,
        };
        let pieces = event.path.as_str().split('/');
        let pieces = pieces.map(|piece| if piece.starts_with('{') { "*" } else { piece });
        let path: Vec<&str> = pieces.collect();
        let source = format!("{}/*/{method}{}", event.api, path.join("/"));
        let source = Some(arn("execute-api", &source));
        self.given.push((function.to_owned(), source));
    }

    /// Reports a method of a document whose function API Gateway may not call; `name` is the function's.
    pub(super) fn check_method(&self, event: &Event, stage: &str, name: &str, problems: &Problems) {
        let Some(function) = event.function() else {
            return;
        };
        let method = event.method.to_string();
        let methods = METHODS
            .into_iter()
            .filter(|one| method == "ANY" || *one == method);
        let mut sources = methods.map(|method| {
            let path = event.path.as_str();
            arn(
                "execute-api",
                &format!("{}/{stage}/{method}{path}", event.api),
            )
        });
        if !sources.any(|source| self.allow(name, &source)) {
            let message = format!(
                "API Gateway may not call {function} here and would answer 500: give {function} an event of \
                 type Api with this method and path, or an AWS::Lambda::Permission, or the integration \
                 `credentials`"
            );
            problems.report(event.line, &event.place, message);
        }
    }

    /// Reports an authorizer that API Gateway may not call; `name` is the function's.
    pub(super) fn check_authorizer(&self, call: &Call, api: &str, name: &str, problems: &Problems) {
        let source = arn("execute-api", &format!("{api}/authorizers/local"));
        if !self.allow(name, &source) {
            let function = &call.function;
            let message = format!(
                "API Gateway may not call {function} as an authorizer and would answer 500: give {function} \
                 an AWS::Lambda::Permission, or the authorizer a role"
            );
            problems.report(call.line, &call.place, message);
        }
    }

    fn allow(&self, name: &str, source: &str) -> bool {
        let function = function_arn(name);
        let mut given = self.given.iter();
        given.any(|(of, pattern)| {
            let alias = of.strip_prefix(&function);
            let is_of_function =
                *of == name || alias.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
            let pattern = pattern.as_deref();
            is_of_function && pattern.is_none_or(|pattern| is_match(pattern, source))
        })
    }
}

/// Whether a text is of a pattern, in which `*` is any letters and `?` is any one.
fn is_match(pattern: &str, text: &str) -> bool {
    let expression = regex::escape(pattern)
        .replace(r"\*", ".*")
        .replace(r"\?", ".");
    whole(&expression).is_ok_and(|expression| expression.is_match(text))
}
