//! The template that CloudFormation gets (tests/templates/deployed.json), with its references resolved to
//! the names that a gateway on this machine has for them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::policy::Statement;
use super::right::Right;
use crate::services::STACK;

pub(crate) const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/deployed.json");

/// The template with values for some of its parameters.
pub(crate) struct Deployed {
    template: Value,
    parameters: Vec<(&'static str, &'static str)>,
}

/// A function, and what its role grants.
pub(crate) struct Function {
    /// Its logical id.
    pub(crate) id: String,
    /// The name of its executable, and of its folder.
    pub(crate) binary: String,
    pub(crate) statements: Vec<Statement>,
    /// What Lambda does with the function's role, by what the function's own properties say.
    pub(crate) of_lambda: Vec<Right>,
}

impl Deployed {
    /// What is deployed with these parameters, and the defaults of the others.
    pub(crate) fn with(parameters: &[(&'static str, &'static str)]) -> Self {
        Self::of(&fs::read_to_string(FILE).unwrap(), parameters)
    }

    /// The same of another template.
    pub(crate) fn of(template: &str, parameters: &[(&'static str, &'static str)]) -> Self {
        let template: Value = serde_json::from_str(template).unwrap();
        for (name, _) in parameters {
            assert!(!template["Parameters"][name].is_null(), "no {name}");
        }
        Self {
            template,
            parameters: parameters.to_owned(),
        }
    }

    pub(crate) fn text() -> String {
        fs::read_to_string(FILE).unwrap()
    }

    /// All functions of the template.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let found = self.resources("AWS::Lambda::Function");
        let functions = found.map(|(id, function)| {
            let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str();
            let role = self.role(id);
            Function {
                id: id.clone(),
                binary: binary.expect("a function has a binary").to_owned(),
                statements: self.statements(role),
                of_lambda: self.of_lambda(&function["Properties"]),
            }
        });
        functions.collect()
    }

    /// The logical id of a function's role, which must be one of the template.
    pub(crate) fn role(&self, function: &str) -> &str {
        let role = &self.template["Resources"][function]["Properties"]["Role"];
        match role["Fn::GetAtt"][0].as_str() {
            Some(role) if role_of(&self.template, role).is_some() => role,
            _ => panic!("{function} has no role of the template's: {role}"),
        }
    }

    /// A role's properties, as the template has them.
    pub(crate) fn role_properties(&self, role: &str) -> &Value {
        role_of(&self.template, role).expect("the role is there")
    }

    /// What it has of IAM's: logical id, type, and the roles that a policy is attached to.
    pub(crate) fn identities(&self) -> Vec<(String, String, Vec<String>)> {
        let resources = self.template["Resources"].as_object().unwrap().iter();
        let found = resources.filter_map(|(id, one)| {
            let kind = one["Type"]
                .as_str()
                .filter(|kind| kind.starts_with("AWS::IAM::"))?;
            let roles = one["Properties"]["Roles"].as_array().into_iter().flatten();
            let roles = roles.map(|role| role["Ref"].as_str().unwrap_or_default().to_owned());
            Some((id.clone(), kind.to_owned(), roles.collect()))
        });
        found.collect()
    }

    /// The partition keys of its tables, by the tables' names.
    pub(crate) fn partition_keys(&self) -> BTreeMap<String, String> {
        let tables = self.resources("AWS::DynamoDB::Table");
        let keys = tables.map(|(id, table)| {
            let schema = table["Properties"]["KeySchema"].as_array().unwrap();
            let mut schema = schema.iter().filter(|key| key["KeyType"] == "HASH");
            let name = schema.next().unwrap()["AttributeName"].as_str().unwrap();
            (self.name(id), name.to_owned())
        });
        keys.collect()
    }

    fn resources(&self, kind: &'static str) -> impl Iterator<Item = (&String, &Value)> {
        let resources = self.template["Resources"].as_object().unwrap().iter();
        resources.filter(move |(_, one)| one["Type"] == kind)
    }

    /// What a role grants, by its own policies and by those that name it.
    fn statements(&self, role: &str) -> Vec<Statement> {
        let properties = self.role_properties(role);
        let own = self.resolved(&properties["Policies"]);
        let own = own.as_array().cloned().unwrap_or_default();
        let beside = self.resources("AWS::IAM::Policy").filter(|(_, policy)| {
            let roles = policy["Properties"]["Roles"].as_array();
            let mut roles = roles.into_iter().flatten();
            let is_made = policy["Condition"].as_str();
            roles.any(|one| one["Ref"] == role) && is_made.is_none_or(|name| self.holds_named(name))
        });
        let beside = beside.map(|(_, policy)| self.resolved(&policy["Properties"]));
        let policies = own.into_iter().chain(beside);
        let statements = policies.flat_map(|policy| {
            let statements = policy["PolicyDocument"]["Statement"].as_array().cloned();
            statements.expect("a policy has a list of statements")
        });
        statements.map(|one| Statement::read(&one)).collect()
    }

    /// Lambda writes a function's log and its traces with the function's role ("Using source function ARN to
    /// control function access behavior", Lambda guide, has the calls).
    fn of_lambda(&self, properties: &Value) -> Vec<Right> {
        let group = self.resolved(&properties["LoggingConfig"]["LogGroup"]);
        let group = group.as_str().expect("a function names its log group");
        let stream = format!(
            "arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:2026/01/01/[$LATEST]0"
        );
        let mut rights = vec![
            Right::new("logs:CreateLogStream", &stream),
            Right::new("logs:PutLogEvents", &stream),
        ];
        let tracing = self.resolved(&properties["TracingConfig"]["Mode"]);
        if tracing == "Active" {
            for action in ["xray:PutTraceSegments", "xray:PutTelemetryRecords"] {
                rights.push(Right::new(action, "*"));
            }
        }
        rights
    }

    /// A value without references; `Null` where it refers to no value.
    fn resolved(&self, value: &Value) -> Value {
        let members = match value {
            Value::Array(items) => {
                let items = items.iter().map(|item| self.resolved(item));
                return items.filter(|item| !item.is_null()).collect();
            }
            Value::Object(members) => members,
            other => return other.clone(),
        };
        let mut entries = members.iter();
        if let (Some((function, argument)), None) = (entries.next(), entries.next())
            && (function == "Ref" || function.starts_with("Fn::"))
        {
            return self.called(function, argument);
        }
        let entries = members.iter();
        let entries = entries.map(|(name, value)| (name.clone(), self.resolved(value)));
        Value::Object(entries.filter(|(_, value)| !value.is_null()).collect())
    }

    fn called(&self, function: &str, argument: &Value) -> Value {
        match function {
            "Ref" if argument == "AWS::NoValue" => Value::Null,
            "Ref" => self.name(argument.as_str().unwrap()).into(),
            "Fn::If" => {
                let is_true = self.holds_named(argument[0].as_str().unwrap());
                self.resolved(&argument[if is_true { 1 } else { 2 }])
            }
            "Fn::GetAtt" => {
                assert_eq!(argument[1], "Arn", "{argument}");
                self.arn(argument[0].as_str().unwrap()).into()
            }
            "Fn::Sub" => match argument.as_array() {
                Some(parts) => self.substituted(&parts[0], parts[1].as_object().unwrap()),
                None => self.substituted(argument, &Map::new()),
            },
            "Fn::Join" => {
                let parts = self.resolved(&argument[1]);
                let parts = parts.as_array().unwrap().iter();
                let parts: Vec<&str> = parts.map(|part| part.as_str().unwrap()).collect();
                parts.join(argument[0].as_str().unwrap()).into()
            }
            "Fn::Split" => {
                let whole = self.resolved(&argument[1]);
                let parts = whole.as_str().unwrap();
                parts.split(argument[0].as_str().unwrap()).collect()
            }
            other => panic!("{other} is not known here"),
        }
    }

    fn substituted(&self, text: &Value, own: &Map<String, Value>) -> Value {
        let mut parts = text.as_str().unwrap().split("${");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').expect("a reference ends");
            let value = match (own.get(name), name.strip_suffix(".Arn")) {
                (Some(value), _) => self.resolved(value).as_str().unwrap().to_owned(),
                (None, Some(resource)) => self.arn(resource),
                (None, None) => self.name(name),
            };
            whole.push_str(&value);
            whole.push_str(rest);
        }
        whole.into()
    }

    fn holds_named(&self, condition: &str) -> bool {
        let said = &self.template["Conditions"][condition];
        assert!(!said.is_null(), "no condition {condition}");
        self.holds(said)
    }

    fn holds(&self, condition: &Value) -> bool {
        let (function, argument) = condition.as_object().unwrap().iter().next().unwrap();
        let mut several = argument.as_array().into_iter().flatten();
        match &**function {
            "Condition" => self.holds_named(argument.as_str().unwrap()),
            "Fn::Equals" => {
                let text = |value: &Value| match self.resolved(value) {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                text(&argument[0]) == text(&argument[1])
            }
            "Fn::Not" => !self.holds(&argument[0]),
            "Fn::And" => several.all(|one| self.holds(one)),
            "Fn::Or" => several.any(|one| self.holds(one)),
            other => panic!("{other} is not known here"),
        }
    }

    /// What `Ref` is of a parameter, a pseudo parameter or a resource.
    fn name(&self, name: &str) -> String {
        if let Some((_, value)) = self.parameters.iter().find(|(given, _)| *given == name) {
            return (*value).to_owned();
        }
        match &self.template["Parameters"][name]["Default"] {
            Value::Null => {}
            Value::String(text) => return text.clone(),
            other => return other.to_string(),
        }
        let resource = &self.template["Resources"][name];
        match (name, resource["Type"].as_str()) {
            ("AWS::StackName", _) => STACK.to_owned(),
            ("AWS::Region", _) => REGION.to_owned(),
            ("AWS::Partition", _) => "aws".to_owned(),
            ("AWS::AccountId", _) => ACCOUNT.to_owned(),
            ("AWS::StackId", _) => stack_arn(),
            (_, Some("AWS::ApiGateway::RestApi")) => "local".to_owned(),
            (_, Some("AWS::ApiGateway::UsagePlan" | "AWS::ApiGateway::ApiKey")) => {
                name.to_ascii_lowercase()
            }
            (_, Some("AWS::Logs::LogGroup")) => {
                let said = self.resolved(&resource["Properties"]["LogGroupName"]);
                said.as_str().unwrap().to_owned()
            }
            (_, Some("AWS::SNS::Topic")) => {
                format!("arn:aws:sns:{REGION}:{ACCOUNT}:{STACK}-{name}")
            }
            (_, Some("AWS::DynamoDB::Table" | "AWS::Lambda::Function" | "AWS::IAM::Role")) => {
                format!("{STACK}-{name}")
            }
            (_, kind) => panic!("{name} ({kind:?}) has no name here"),
        }
    }

    /// The attribute `Arn` of a resource.
    fn arn(&self, resource: &str) -> String {
        let name = self.name(resource);
        match self.template["Resources"][resource]["Type"].as_str() {
            Some("AWS::DynamoDB::Table") => table_arn(&name),
            // Which ends so by itself ("AWS::Logs::LogGroup", CloudFormation's reference).
            Some("AWS::Logs::LogGroup") => {
                format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*")
            }
            Some("AWS::Lambda::Function") => {
                format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
            }
            kind => panic!("{resource} ({kind:?}) has no ARN here"),
        }
    }
}

fn role_of<'t>(template: &'t Value, role: &str) -> Option<&'t Value> {
    let resource = &template["Resources"][role];
    (resource["Type"] == "AWS::IAM::Role").then_some(&resource["Properties"])
}

/// The stack's ARN.
pub(crate) fn stack_arn() -> String {
    format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/00000000")
}

/// A table's ARN.
pub(crate) fn table_arn(name: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")
}

/// A function's folder.
pub(crate) fn folder(binary: &str) -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("functions").join(binary)
}
