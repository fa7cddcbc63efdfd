//! Calls of AWS's services, and the rights that each needs. What is not known here fails the test: then the
//! Service Authorization Reference says what it needs.

use std::collections::BTreeMap;

use keygate_tests::loopback::Request;
use reqwest::Url;
use serde_json::Value;

use super::deployed::{REGION, table_arn};
use super::right::Right;
use crate::faulty::operation;

/// A call that a function has made.
#[derive(Debug)]
pub(crate) struct Call {
    /// Such as `dynamodb.GetItem`.
    pub(crate) operation: String,
    pub(crate) rights: Vec<Right>,
}

/// What is known of the resources that calls are about.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    /// The partition keys of tables, by the tables' names.
    pub(crate) partition_keys: BTreeMap<String, String>,
    /// The tags of API keys, by their ids.
    pub(crate) tags: BTreeMap<String, BTreeMap<String, String>>,
}

/// The fields of a form, as services of the AWS Query protocol are called by one.
fn form(body: &[u8]) -> BTreeMap<String, String> {
    let form = String::from_utf8_lossy(body);
    let url = Url::parse(&format!("http://localhost/?{form}")).unwrap();
    url.query_pairs().into_owned().collect()
}

impl Resources {
    /// The call that a signed request of a service is.
    pub(crate) fn call(&self, service: &str, request: &Request) -> Result<Call, String> {
        let form = form(&request.body);
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let operation = match field("Action") {
            action if action.is_empty() => operation(request),
            action => action,
        };
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let rights = match (service, &*operation) {
            ("dynamodb", operation) => self.of_dynamodb(operation, &body)?,
            ("apigateway", _) => self.of_api_gateway(request, &body),
            ("sns", "Publish") => vec![Right::new("sns:Publish", field("TopicArn"))],
            // Which is asked for by the stack's ARN.
            ("cloudformation", "DescribeStacks") => {
                vec![Right::new(
                    "cloudformation:DescribeStacks",
                    field("StackName"),
                )]
            }
            _ => return Err(format!("{service}: {operation}")),
        };
        Ok(Call {
            operation: format!("{service}.{operation}"),
            rights,
        })
    }

    fn of_dynamodb(&self, operation: &str, body: &Value) -> Result<Vec<Right>, String> {
        let unknown = || format!("dynamodb: {operation} {body}");
        match operation {
            "GetItem" | "UpdateItem" | "DeleteItem" => {
                Ok(vec![self.of_item(operation, body, "Key")])
            }
            "PutItem" => Ok(vec![self.of_item(operation, body, "Item")]),
            "Query" | "Scan" => {
                let table = table_arn(body["TableName"].as_str().ok_or_else(unknown)?);
                let resource = match body["IndexName"].as_str() {
                    Some(index) => format!("{table}/index/{index}"),
                    None => table,
                };
                Ok(vec![Right::new(format!("dynamodb:{operation}"), resource)])
            }
            // There is no right to a transaction, but to each of its parts ("Using IAM with DynamoDB
            // transactions", DynamoDB guide).
            "TransactWriteItems" => {
                let parts = body["TransactItems"].as_array().ok_or_else(unknown)?.iter();
                let parts = parts.map(|part| {
                    let (kind, of) = part.as_object()?.iter().next()?;
                    Some(match &**kind {
                        "Put" => self.of_item("PutItem", of, "Item"),
                        "Update" => self.of_item("UpdateItem", of, "Key"),
                        "Delete" => self.of_item("DeleteItem", of, "Key"),
                        "ConditionCheck" => self.of_item("ConditionCheckItem", of, "Key"),
                        _ => return None,
                    })
                });
                parts.collect::<Option<_>>().ok_or_else(unknown)
            }
            _ => Err(unknown()),
        }
    }

    /// The right to do something to one item, whose partition key stands in this member.
    fn of_item(&self, action: &str, body: &Value, member: &str) -> Right {
        let table = body["TableName"].as_str().unwrap_or_default();
        let partition_key = self.partition_keys.get(table);
        let partition_key = partition_key.map_or("", |name| name);
        let value = body[member][partition_key]["S"].as_str();
        let right = Right::new(format!("dynamodb:{action}"), table_arn(table));
        right.with(
            "dynamodb:LeadingKeys",
            value.map(str::to_owned).into_iter().collect(),
        )
    }

    /// The action is the method and the resource the path ("Actions, resources, and condition keys for
    /// Amazon API Gateway Management", Service Authorization Reference).
    fn of_api_gateway(&self, request: &Request, body: &Value) -> Vec<Right> {
        let path = request.path.split('?').next().unwrap_or_default();
        let resource = |path: &str| format!("arn:aws:apigateway:{REGION}::{path}");
        let mut right = Right::new(format!("apigateway:{}", request.method), resource(path));
        if let Some(tags) = path
            .strip_prefix("/apikeys/")
            .and_then(|id| self.tags.get(id))
        {
            for (name, value) in tags {
                right = right.with(format!("aws:ResourceTag/{name}"), vec![value.clone()]);
            }
        }
        let Some(tags) = body["tags"].as_object().filter(|tags| !tags.is_empty()) else {
            return vec![right];
        };
        let tagged = |mut right: Right| {
            for (name, value) in tags {
                let value = value.as_str().unwrap_or_default().to_owned();
                right = right.with(format!("aws:RequestTag/{name}"), vec![value]);
            }
            right.with("aws:TagKeys", tags.keys().cloned().collect())
        };
        if path.starts_with("/tags/") {
            return vec![tagged(right)];
        }
        // What is tagged as it is made needs the right to tag besides (docs/security.md has the sources).
        let made = format!("arn:aws:apigateway:{REGION}::{path}/*");
        let made = made.replace(':', "%3A").replace('/', "%2F");
        let tagging = Right::new("apigateway:PUT", resource(&format!("/tags/{made}")));
        vec![tagged(right), tagged(tagging)]
    }

    /// Learns the tags of the API keys in an answer.
    pub(crate) fn learn(&mut self, path: &str, answer: &str) {
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        if !path.starts_with("/apikeys") {
            return;
        }
        let listed = answer["item"].as_array().into_iter().flatten();
        for key in listed.chain([&answer]) {
            let tags = serde_json::from_value(key["tags"].clone());
            if let (Some(id), Ok(tags)) = (key["id"].as_str(), tags) {
                self.tags.insert(id.to_owned(), tags);
            }
        }
    }
}
