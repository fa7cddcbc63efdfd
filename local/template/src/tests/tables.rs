//! DynamoDB tables.

use keygate_model::Index;

use super::{load, problem, with};

const TABLE: &str = "
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      TableName: things
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
        - {AttributeName: at, AttributeType: N}
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: by-time
          KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: at, KeyType: RANGE}]
          Projection: {ProjectionType: ALL}
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
";

#[test]
fn tables_are_read_with_their_indexes() {
    let application = load(&with(TABLE), &[]).unwrap();
    let table = &application.tables[0];
    assert_eq!(
        (table.name.as_str(), table.hash_key.as_str()),
        ("things", "pk")
    );
    assert_eq!(table.range_key, None);
    assert_eq!(table.attributes["at"], "N");
    assert_eq!(table.ttl_attribute.as_deref(), Some("expires_at"));
    let index = Index {
        name: "by-time".to_owned(),
        hash_key: "pk".to_owned(),
        range_key: Some("at".to_owned()),
    };
    assert_eq!(table.indexes, [index]);
}

#[test]
fn tables_that_dynamodb_would_refuse_are_problems() {
    let cases = [
        ("TableName: things", "TableName: a b", "the name `a b`"),
        (
            "\n        - {AttributeName: at, AttributeType: N}",
            "",
            "`at` is not in AttributeDefinitions",
        ),
        (
            "AttributeDefinitions:",
            "AttributeDefinitions:\n        - {AttributeName: x, AttributeType: N}",
            "`x` is defined, but no key uses it",
        ),
        (
            "[{AttributeName: pk, KeyType: HASH}]\n      Global",
            "[]\n      Global",
            "one HASH key",
        ),
        (
            "ProjectionType: ALL",
            "ProjectionType: KEYS_ONLY",
            "KEYS_ONLY",
        ),
        (
            "BillingMode: PAY_PER_REQUEST",
            "LocalSecondaryIndexes: []",
            "Table.LocalSecondaryIndexes",
        ),
    ];
    for (from, to, expected) in cases {
        assert!(TABLE.contains(from), "{from}");
        let problems = load(&with(&TABLE.replacen(from, to, 1)), &[]).unwrap_err();
        assert!(problems[0].contains(expected), "{to}: {problems:?}");
    }
    let twice = format!("{TABLE}{}", TABLE.replacen("  Table:", "  Again:", 1));
    assert!(problem(&with(&twice)).contains("two tables are named `things`"));
}
