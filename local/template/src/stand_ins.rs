//! What `Ref` and `Fn::GetAtt` give here: parameters, pseudo parameters, and for resources
//! stand-ins that stay the same from start to start, because nothing is really created.

use keygate_model::deployment::{
    ACCOUNT_ID, API_ID, REGION, STACK_NAME, alias_arn, arn, function_arn, generated_name, role_arn,
};

use super::ignored;
use super::no_meaning;
use super::resolve::Resolver;
use super::yaml::{Node, Value};

const PERMISSION: &str = "AWS::Lambda::Permission";
/// The property by which SAM makes an alias of a function.
const ALIAS: &str = "AutoPublishAlias";

/// A layer's ARN, which `Ref` gives for it.
pub(super) fn layer_arn(id: &str) -> String {
    arn("lambda", &format!("layer:{id}:1"))
}

impl Resolver<'_> {
    /// What `Ref` gives for a name.
    pub(super) fn reference(&self, name: &str, line: usize, place: &str) -> Value {
        if let Some(value) = self.parameters.get(name) {
            return value.clone();
        }
        if name == "AWS::NotificationARNs" {
            return Value::List(Vec::new());
        }
        if let Some(value) = pseudo_parameter(name) {
            return Value::Text(value);
        }
        if let Some((id, "Stage")) = name.split_once('.')
            && self.kind(id) == Some("AWS::Serverless::Api")
        {
            // SAM's name for the stage that it makes of an API.
            if !self.active(id, line, place) {
                return Value::Unknown;
            }
            return self.own_name(id, "StageName", line, place, String::new);
        }
        if let Some(function) = self.function_of_alias(name) {
            return self.alias(function, line, place);
        }
        if let Some(function) = self.function_of_role(name) {
            return if self.active(function, line, place) {
                Value::Text(generated_name(name))
            } else {
                Value::Unknown
            };
        }
        if self.kind(name).is_none() {
            let message = format!("`{name}` is no parameter and no resource of this template");
            return self.wrong(line, place, &message);
        }
        if self.active(name, line, place) {
            self.physical_id(name, line, place)
        } else {
            Value::Unknown
        }
    }

    /// Whether a name with a dot is one that `Ref` takes.
    pub(super) fn is_referable(&self, name: &str) -> bool {
        matches!(name.split_once('.'), Some((id, "Stage"))
            if self.kind(id) == Some("AWS::Serverless::Api"))
            || self.function_of_alias(name).is_some()
    }

    /// The function whose alias SAM makes under this name, `FUNCTION.Alias`.
    fn function_of_alias<'n>(&self, name: &'n str) -> Option<&'n str> {
        let function = name.strip_suffix(".Alias")?;
        let is_function = self.kind(function) == Some("AWS::Serverless::Function");
        is_function.then_some(function)
    }

    /// What `Ref` gives for a function's alias: its ARN, with the alias behind that of the function.
    fn alias(&self, function: &str, line: usize, place: &str) -> Value {
        let name = match self.reference(function, line, place) {
            Value::Text(name) => name,
            other => return other,
        };
        let of_all = || self.globals?.get("Function")?.get(ALIAS);
        let Some(given) = self.property(function, ALIAS).or_else(of_all) else {
            return self.wrong(line, place, &format!("`{function}` has no {ALIAS}"));
        };
        let own_place = format!("{function}.{ALIAS}");
        let alias = self.once(&own_place, line, place, || {
            Some(self.resolve(given, &own_place))
        });
        match alias.flatten().map(|node| node.value) {
            Some(Value::Text(alias)) => Value::Text(alias_arn(&name, &alias)),
            Some(Value::Unknown) => Value::Unknown,
            _ => self.wrong(line, place, &format!("`{function}` has no {ALIAS}")),
        }
    }

    /// What `Fn::GetAtt` gives for a resource's attribute.
    pub(super) fn attribute(&self, id: &str, name: &str, line: usize, place: &str) -> Value {
        if let (Some(_), "Arn") = (self.function_of_role(id), name) {
            return match self.reference(id, line, place) {
                Value::Text(role) => Value::Text(role_arn(&role)),
                other => other,
            };
        }
        let Some(kind) = self.kind(id) else {
            return self.wrong(
                line,
                place,
                &format!("`{id}` is no resource of this template"),
            );
        };
        if !self.active(id, line, place) {
            return Value::Unknown;
        }
        if (kind, name) == ("AWS::SSM::Parameter", "Value") {
            return self.own_name(id, "Value", line, place, String::new);
        }
        if ignored::is_resource(kind) {
            return self.ignored_value(id, kind, Some(name), line, place);
        }
        let physical_id = match self.physical_id(id, line, place) {
            Value::Text(text) => text,
            other => return other,
        };
        Value::Text(match (kind, name) {
            ("AWS::Serverless::Function", "Arn") => function_arn(&physical_id),
            ("AWS::DynamoDB::Table", "Arn") => arn("dynamodb", &format!("table/{physical_id}")),
            ("AWS::Logs::LogGroup", "Arn") => arn("logs", &format!("log-group:{physical_id}:*")),
            ("AWS::IAM::Role", "Arn") => role_arn(&physical_id),
            ("AWS::IAM::Role", "RoleId") => format!("AROALOCAL{}", id.to_uppercase()),
            ("AWS::Serverless::Api", "RootResourceId") => "root".to_owned(),
            // Names of nothing, for a DNS record that points nowhere here.
            ("AWS::ApiGateway::DomainName", "RegionalDomainName") => {
                format!("{physical_id}.execute-api.{REGION}.amazonaws.com")
            }
            ("AWS::ApiGateway::DomainName", "RegionalHostedZoneId") => "ZLOCAL".to_owned(),
            ("AWS::Serverless::Api", "RestApiId")
            | ("AWS::ApiGateway::ApiKey", "APIKeyId")
            | ("AWS::ApiGateway::UsagePlan" | "AWS::ApiGateway::UsagePlanKey", "Id") => physical_id,
            _ => return self.no_attribute(id, kind, name, line, place),
        })
    }

    /// What `Fn::GetAtt` gives for an attribute, or `Ref` without one, of a resource beside the API.
    fn ignored_value(
        &self,
        id: &str,
        kind: &str,
        attribute: Option<&str>,
        line: usize,
        place: &str,
    ) -> Value {
        let generated = || generated_name(id);
        let own = match self.own_name(id, ignored::name_property(kind), line, place, generated) {
            Value::Text(own) => own,
            other => return other,
        };
        let has_other_form = ignored::form_property(kind)
            .is_some_and(|property| self.property(id, property).is_some());
        let value = match attribute {
            _ if has_other_form => None,
            Some(name) => ignored::attribute(kind, &own, name),
            None => ignored::reference(kind, own),
        };
        match (value, attribute) {
            (Some(value), _) => Value::Text(value),
            (None, Some(name)) => self.no_attribute(id, kind, name, line, place),
            (None, None) => {
                let message = format!("the local gateway has no `Ref` of {kind} `{id}`");
                self.wrong(line, place, &message)
            }
        }
    }

    fn no_attribute(&self, id: &str, kind: &str, name: &str, line: usize, place: &str) -> Value {
        let message = format!("the local gateway has no attribute `{name}` of {kind} `{id}`");
        self.wrong(line, place, &message)
    }

    /// The function whose role SAM makes under this name: the function's with `Role` behind it,
    /// unless the function names a role itself.
    fn function_of_role<'n>(&self, name: &'n str) -> Option<&'n str> {
        let function = name.strip_suffix("Role")?;
        let has_own = |properties: &Node| properties.get("Role").is_some();
        let resource = self.resources.get(function)?;
        let made = self.kind(name).is_none()
            && self.kind(function) == Some("AWS::Serverless::Function")
            && !resource.get("Properties").is_some_and(has_own);
        made.then_some(function)
    }

    /// The type of a declared resource.
    pub(super) fn kind(&self, id: &str) -> Option<&str> {
        self.resources.get(id)?.get("Type")?.as_text()
    }

    /// Whether a resource's condition holds; a reference to one that is not made is reported.
    pub(super) fn active(&self, id: &str, line: usize, place: &str) -> bool {
        let condition = self
            .resources
            .get(id)
            .and_then(|resource| resource.get("Condition"))
            .and_then(Node::as_text);
        let Some(condition) = condition else {
            return true;
        };
        match self.condition(condition, line, place) {
            Some(false) => {
                let message = format!("`{id}` is not made, because its condition does not hold");
                self.wrong(line, place, &message);
                false
            }
            holds => holds.is_some(),
        }
    }

    fn physical_id(&self, id: &str, line: usize, place: &str) -> Value {
        let generated = || generated_name(id);
        match self.kind(id) {
            Some(kind) if ignored::is_resource(kind) => {
                self.ignored_value(id, kind, None, line, place)
            }
            Some("AWS::Serverless::Api") => Value::Text(API_ID.to_owned()),
            Some("AWS::DynamoDB::Table") => self.own_name(id, "TableName", line, place, generated),
            Some("AWS::Logs::LogGroup") => {
                self.own_name(id, "LogGroupName", line, place, generated)
            }
            Some("AWS::IAM::Role") => self.own_name(id, "RoleName", line, place, generated),
            Some("AWS::Serverless::Function") => {
                self.own_name(id, "FunctionName", line, place, || id.to_owned())
            }
            Some("AWS::Serverless::LayerVersion") => Value::Text(layer_arn(id)),
            Some(kind) if kind.starts_with("AWS::ApiGateway::") => {
                Value::Text(id.to_ascii_lowercase())
            }
            Some(kind) if no_meaning::properties_of(kind).is_some() || kind == PERMISSION => {
                let message = format!("the local gateway has no `Ref` of {kind} `{id}`");
                self.wrong(line, place, &message)
            }
            // The type is reported as not supported where the resource stands.
            _ => Value::Unknown,
        }
    }

    fn property(&self, id: &str, property: &str) -> Option<&Node> {
        self.resources.get(id)?.get("Properties")?.get(property)
    }

    /// The name that a resource's property gives it, or the generated one.
    fn own_name(
        &self,
        id: &str,
        property: &str,
        line: usize,
        place: &str,
        generated: impl FnOnce() -> String,
    ) -> Value {
        let Some(given) = self.property(id, property) else {
            return Value::Text(generated());
        };
        let own_place = format!("{id}.{property}");
        let resolved = self.once(&own_place, line, place, || {
            Some(self.resolve(given, &own_place))
        });
        match resolved {
            Some(Some(node)) => node.value,
            Some(None) => Value::Text(generated()),
            None => Value::Unknown,
        }
    }
}

fn pseudo_parameter(name: &str) -> Option<String> {
    Some(match name {
        "AWS::Region" => REGION.to_owned(),
        "AWS::AccountId" => ACCOUNT_ID.to_owned(),
        "AWS::Partition" => "aws".to_owned(),
        "AWS::StackName" => STACK_NAME.to_owned(),
        "AWS::StackId" => arn("cloudformation", &format!("stack/{STACK_NAME}/local")),
        "AWS::URLSuffix" => "amazonaws.com".to_owned(),
        _ => return None,
    })
}
