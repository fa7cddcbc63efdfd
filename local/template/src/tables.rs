//! `AWS::DynamoDB::Table`.

use std::collections::{BTreeMap, BTreeSet};

use keygate_model::{Index, Table};

use super::fields::Fields;
use super::resources::Resource;

/// Reads a table; `name` is what `Ref` gives for it.
pub(super) fn read(resource: Resource<'_>, name: String) -> Option<Table> {
    let mut properties = resource.properties;
    // Read where the name is resolved, for references and for the table alike.
    properties.no_meaning(&["TableName"]);
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !(3..=255).contains(&name.len()) || !name.bytes().all(valid) {
        properties.report(format!(
            "the name `{name}` must be 3 to 255 letters, digits, `_`, `.` and `-`"
        ));
    }
    let attributes = attributes(&mut properties);
    let keys = keys(&mut properties);
    let mut indexes = Vec::new();
    for fields in properties.list("GlobalSecondaryIndexes") {
        indexes.extend(index(fields));
    }
    let ttl_attribute = properties
        .fields("TimeToLiveSpecification")
        .and_then(|mut ttl| {
            let attribute = ttl.text("AttributeName");
            let enabled = ttl.flag("Enabled").unwrap_or(false);
            ttl.end();
            attribute.filter(|_| enabled)
        });
    let table = keys.map(|(hash_key, range_key)| Table {
        name,
        attributes,
        hash_key,
        range_key,
        indexes,
        ttl_attribute,
    });
    if let Some(table) = &table {
        check_attributes(table, &properties);
    }
    properties.end();
    table
}

fn attributes(properties: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    for mut fields in properties.list("AttributeDefinitions") {
        let name = fields.required_text("AttributeName");
        let kind = fields.only("AttributeType", &["S", "N", "B"]);
        if let (Some(name), Some(kind)) = (name, kind)
            && attributes.insert(name.clone(), kind).is_some()
        {
            fields.report(format!("the attribute `{name}` is defined twice"));
        }
        fields.end();
    }
    attributes
}

/// The hash key and the range key of a table or an index.
fn keys(properties: &mut Fields<'_>) -> Option<(String, Option<String>)> {
    let (mut hash, mut range) = (None, None);
    let mut wrong = false;
    for mut fields in properties.list("KeySchema") {
        let name = fields.required_text("AttributeName");
        let kind = fields.only("KeyType", &["HASH", "RANGE"]);
        let slot = match kind.as_deref() {
            Some("HASH") => &mut hash,
            Some("RANGE") => &mut range,
            _ => {
                fields.end();
                wrong = true;
                continue;
            }
        };
        wrong |= slot.is_some() || name.is_none();
        *slot = name;
        fields.end();
    }
    if wrong || hash.is_none() {
        properties.report("KeySchema must have one HASH key, and one RANGE key at most");
        return None;
    }
    hash.map(|hash| (hash, range))
}

fn index(mut fields: Fields<'_>) -> Option<Index> {
    fields.pass_over(&[
        "ContributorInsightsSpecification",
        "OnDemandThroughput",
        "ProvisionedThroughput",
        "WarmThroughput",
    ]);
    let name = fields.required_text("IndexName");
    let keys = keys(&mut fields);
    match fields.fields("Projection") {
        Some(mut projection) => {
            projection.only("ProjectionType", &["ALL"]);
            projection.end();
        }
        None => fields.report("Projection is required"),
    }
    fields.end();
    let (hash_key, range_key) = keys?;
    Some(Index {
        name: name?,
        hash_key,
        range_key,
    })
}

/// DynamoDB refuses a key that is not defined, and a definition that no key uses.
fn check_attributes(table: &Table, properties: &Fields<'_>) {
    let own = [Some(&table.hash_key), table.range_key.as_ref()];
    let of_indexes = table
        .indexes
        .iter()
        .flat_map(|index| [Some(&index.hash_key), index.range_key.as_ref()]);
    let used: BTreeSet<&String> = own.into_iter().chain(of_indexes).flatten().collect();
    for name in &used {
        if !table.attributes.contains_key(*name) {
            properties.report(format!(
                "the key attribute `{name}` is not in AttributeDefinitions"
            ));
        }
    }
    for name in table.attributes.keys() {
        if !used.contains(name) {
            properties.report(format!(
                "the attribute `{name}` is defined, but no key uses it"
            ));
        }
    }
}
