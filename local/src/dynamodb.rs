//! DynamoDB on this machine: `dynoxide-rs` embedded, in memory or in a file, behind the real
//! DynamoDB protocol, with the template's tables.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};
use dynoxide::Database;
use keygate_model::{Index, Table};
use tokio::net::TcpListener;

/// The database file in `--data DIR`.
const FILE: &str = "dynamodb.sqlite";
/// The file whose lock keeps a second gateway away from it.
const LOCK: &str = "lock";

/// Why the tables are not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DynamoDbError {
    /// The data directory cannot be made.
    #[error("--data {}: {error}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Another gateway keeps its tables there: two would delete each other's seeded key.
    #[error("--data {}: another keygate uses this directory", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The database cannot be opened.
    #[error("the DynamoDB data cannot be opened{}: {reason}", place(path.as_deref()))]
    Open {
        /// The file, where there is one.
        path: Option<PathBuf>,
        /// What the database said.
        reason: String,
    },
    /// A table cannot be made.
    #[error("the table {table} cannot be created: {reason}")]
    Table {
        /// The table's name.
        table: String,
        /// What the database said.
        reason: String,
    },
}

/// Opens the database: in memory, or kept below `data`, which is this process's alone while the
/// file lives.
pub(crate) fn open(data: Option<&Path>) -> Result<(Database, Option<File>), DynamoDbError> {
    let file = data.map(|path| path.join(FILE));
    let failed = |error: dynoxide::DynoxideError| DynamoDbError::Open {
        path: file.clone(),
        reason: error.to_string(),
    };
    let (Some(path), Some(file)) = (data, &file) else {
        return Ok((Database::memory().map_err(failed)?, None));
    };
    let directory = |error: std::io::Error| DynamoDbError::Directory {
        path: path.to_owned(),
        error,
    };
    std::fs::create_dir_all(path).map_err(directory)?;
    let lock = File::create(path.join(LOCK)).map_err(directory)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(DynamoDbError::InUse {
                path: path.to_owned(),
            });
        }
        Err(TryLockError::Error(error)) => return Err(directory(error)),
    }
    let database = Database::new(&file.to_string_lossy()).map_err(failed)?;
    Ok((database, Some(lock)))
}

/// Where the data are, and what most likely keeps them from being opened.
fn place(path: Option<&Path>) -> String {
    path.map(|path| {
        format!(
            " in {}: is the disk full, or the file another program's?",
            path.display()
        )
    })
    .unwrap_or_default()
}

/// Serves the database until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, database: Database) {
    dynoxide::server::serve_on(listener, database).await;
}

/// Creates the tables that are not there yet.
pub(crate) async fn create_tables(client: &Client, tables: &[Table]) -> Result<(), DynamoDbError> {
    for table in tables {
        let failed = |reason: String| DynamoDbError::Table {
            table: table.name.clone(),
            reason,
        };
        match create(client, table).await {
            Ok(()) => {}
            Err(SdkError::ServiceError(error)) if error.err().is_resource_in_use_exception() => {
                continue;
            }
            Err(error) => return Err(failed(DisplayErrorContext(error).to_string())),
        }
        if let Some(attribute) = &table.ttl_attribute {
            let specification = TimeToLiveSpecification::builder()
                .attribute_name(attribute)
                .enabled(true)
                .build()
                .map_err(|error| failed(error.to_string()))?;
            client
                .update_time_to_live()
                .table_name(&table.name)
                .time_to_live_specification(specification)
                .send()
                .await
                .map_err(|error| failed(DisplayErrorContext(error).to_string()))?;
        }
    }
    Ok(())
}

async fn create(client: &Client, table: &Table) -> Result<(), SdkError<CreateTableError>> {
    let malformed = |error| SdkError::construction_failure(error);
    let mut request = client
        .create_table()
        .table_name(&table.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(
            key_schema(&table.hash_key, table.range_key.as_deref()).map_err(malformed)?,
        ));
    for (name, kind) in &table.attributes {
        let definition = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::from(kind.as_str()));
        request = request.attribute_definitions(definition.build().map_err(malformed)?);
    }
    for index in &table.indexes {
        request = request.global_secondary_indexes(global_index(index).map_err(malformed)?);
    }
    request.send().await.map(drop)
}

type BuildError = aws_sdk_dynamodb::error::BuildError;

fn key_schema(hash: &str, range: Option<&str>) -> Result<Vec<KeySchemaElement>, BuildError> {
    let hash = (hash, KeyType::Hash);
    let range = range.map(|range| (range, KeyType::Range));
    std::iter::once(hash)
        .chain(range)
        .map(|(name, kind)| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
        })
        .collect()
}

fn global_index(index: &Index) -> Result<GlobalSecondaryIndex, BuildError> {
    let projection = Projection::builder().projection_type(ProjectionType::All);
    GlobalSecondaryIndex::builder()
        .index_name(&index.name)
        .set_key_schema(Some(key_schema(
            &index.hash_key,
            index.range_key.as_deref(),
        )?))
        .projection(projection.build())
        .build()
}
