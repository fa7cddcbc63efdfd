//! The API key that a first call needs: one, replaced at each start.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use keygate_api_key::{ApiKey, KeyPrefix, RandomnessUnavailable};
use keygate_key_record::{KeyRecord, Metadata, Status, now};
use keygate_model::Application;
use keygate_principal::scope::Scopes;

/// The principal that the seeded key speaks for.
const OWNER: &str = "local";
/// How the seeded key is found again under `--data`.
const NAME: &str = "local development";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    /// The system has no randomness to give.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The key table does not take the key.
    #[error("the key table does not take the API key: {0}")]
    Table(String),
}

/// The letters that the functions have new keys begin with.
pub(crate) fn prefix(application: &Application) -> KeyPrefix {
    let mut functions = application.functions.values();
    let prefix =
        functions.find_map(|function| function.environment.get("KEY_PREFIX")?.parse().ok());
    prefix.unwrap_or_default()
}

/// Writes a key with these scopes and this prefix, in place of the one of an earlier start: the former one
/// again, where it has this prefix, or else a new one.
pub(crate) async fn seed(
    client: &Client,
    table: &str,
    scopes: &Scopes,
    usage_key: Option<&str>,
    prefix: &KeyPrefix,
    former: Option<&ApiKey>,
) -> Result<ApiKey, SeedError> {
    let failed = |error: String| SeedError::Table(error);
    let earlier = client
        .query()
        .table_name(table)
        .index_name("owner-index")
        .key_condition_expression("#owner = :owner")
        .filter_expression("#name = :name")
        .expression_attribute_names("#owner", "owner")
        .expression_attribute_names("#name", "name")
        .expression_attribute_values(":owner", AttributeValue::S(OWNER.to_owned()))
        .expression_attribute_values(":name", AttributeValue::S(NAME.to_owned()))
        .send()
        .await
        .map_err(|error| failed(DisplayErrorContext(error).to_string()))?;
    let begins_so = |key: &&ApiKey| key.expose().starts_with(&format!("{prefix}_"));
    let key = match former.filter(begins_so) {
        Some(former) => former.clone(),
        None => prefix.generate()?,
    };
    // First the one that stays: an authorizer that looks meanwhile would find none, and remember that.
    let record = write(client, table, scopes, usage_key, &key).await?;
    for item in earlier.items() {
        if let Some(pk) = item.get("pk").filter(|pk| record.get("pk") != Some(pk)) {
            client
                .delete_item()
                .table_name(table)
                .key("pk", pk.clone())
                .send()
                .await
                .map_err(|error| failed(DisplayErrorContext(error).to_string()))?;
        }
    }
    Ok(key)
}

/// Writes a new key with these scopes and this prefix.
pub(crate) async fn issue(
    client: &Client,
    table: &str,
    scopes: &Scopes,
    usage_key: Option<&str>,
    prefix: &KeyPrefix,
) -> Result<ApiKey, SeedError> {
    let key = prefix.generate()?;
    write(client, table, scopes, usage_key, &key).await?;
    Ok(key)
}

async fn write(
    client: &Client,
    table: &str,
    scopes: &Scopes,
    usage_key: Option<&str>,
    key: &ApiKey,
) -> Result<HashMap<String, AttributeValue>, SeedError> {
    let record = KeyRecord {
        id: key.id().clone(),
        secret: key.secret_hash(),
        previous: None,
        owner: OWNER.to_owned(),
        name: NAME.to_owned(),
        scopes: scopes.clone(),
        status: Status::Active,
        created_at: now(),
        expires_at: None,
        usage_key: usage_key.map(ToOwned::to_owned),
        // It is the template's own, which no key takes with it.
        usage_key_id: None,
        usage_plan: None,
        allowed_cidrs: Vec::new(),
        metadata: Metadata::default(),
    };
    let item = record.to_item();
    client
        .put_item()
        .table_name(table)
        .set_item(Some(item.clone()))
        .send()
        .await
        .map_err(|error| SeedError::Table(DisplayErrorContext(error).to_string()))?;
    Ok(item)
}
