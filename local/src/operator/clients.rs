//! `keygate clients`: what the function `keys` does with OAuth clients for its callers, for an operator.

use std::io;

use keygate_console::{print, warn};
use keygate_issuing::{ClientError, ClientRepresentation, Flush, Issuing, Registration};
use keygate_key_record::{RegisteredClient, Status};
use serde_json::json;

use super::error::OperatorError;
use super::output::{Printer, cached, print_json, table, time};
use super::place::Place;
use crate::cli::clients::{Clients, ClientsCommand, Create};
use crate::cli::keys::Output;

/// Carries out one command.
pub(crate) async fn run(options: Clients) -> Result<(), OperatorError> {
    let place = Place::connect(&options.place).await?;
    let outcome = carry_out(&place, options.output, options.command).await;
    outcome.map_err(|error| place.explain(error))
}

async fn carry_out(
    place: &Place,
    output: Output,
    command: ClientsCommand,
) -> Result<(), OperatorError> {
    let issuing = &place.issuing;
    match command {
        ClientsCommand::Create(create) => register(place, output, create).await,
        ClientsCommand::List => Ok(print_list(output, &list(issuing).await?)?),
        ClientsCommand::Show { client_id } => {
            Ok(print_client(output, &find(issuing, &client_id).await?)?)
        }
        ClientsCommand::Usage { client_id, days } => {
            let days = days.days()?;
            let client = find(issuing, &client_id).await?;
            let usage = issuing.usage_of_client(&client, days).await;
            let usage = usage.map_err(|error| OperatorError::no_usage(&client_id, error))?;
            Ok(Printer::new(output).usage(&usage)?)
        }
        ClientsCommand::Plan {
            client_id,
            usage_plan,
        } => {
            let planned = |client: &RegisteredClient| Registration {
                usage_plan: Some(usage_plan),
                ..as_it_is(client)
            };
            change(place, output, &client_id, planned).await
        }
        ClientsCommand::Revoke { client_id } => {
            let shut_out = |client: &RegisteredClient| Registration {
                status: Status::Revoked,
                ..as_it_is(client)
            };
            change(place, output, &client_id, shut_out).await
        }
        ClientsCommand::Restore { client_id } => {
            let let_in = |client: &RegisteredClient| Registration {
                status: Status::Active,
                ..as_it_is(client)
            };
            change(place, output, &client_id, let_in).await
        }
        ClientsCommand::Remove { client_id } => remove(place, output, &client_id).await,
    }
}

async fn register(place: &Place, output: Output, create: Create) -> Result<(), OperatorError> {
    let registration = Registration {
        name: create.name,
        status: if create.revoked {
            Status::Revoked
        } else {
            Status::Active
        },
        usage_plan: create.usage_plan,
    };
    let (client_id, issuer) = (create.client_id, create.issuer.as_deref());
    let stage = place.stage().await?;
    let registered = place
        .issuing
        .register(&client_id, issuer, &registration, stage.as_ref());
    let (client, flush) = registered.await.map_err(|error| of(&client_id, error))?;
    print_client(output, &client)?;
    cached(flush);
    Ok(())
}

/// What changes nothing of a client.
fn as_it_is(client: &RegisteredClient) -> Registration {
    Registration {
        name: client.name.clone(),
        status: client.record.status,
        usage_plan: client.usage_plan.clone(),
    }
}

async fn change(
    place: &Place,
    output: Output,
    id: &str,
    asked: impl FnOnce(&RegisteredClient) -> Registration,
) -> Result<(), OperatorError> {
    // The client is shut out whatever API Gateway says.
    let (stage, silence) = match place.stage().await {
        Ok(stage) => (stage, None),
        Err(failure) => (None, Some(failure)),
    };
    let changed = place.issuing.change(id, asked, stage.as_ref());
    let (changed, flush) = changed.await.map_err(|error| of(id, error))?;
    if let Some(failure) = silence {
        return Err(of(id, ClientError::Unfinished(failure)));
    }
    print_client(output, &changed)?;
    cached(flush);
    Ok(())
}

async fn remove(place: &Place, output: Output, client_id: &str) -> Result<(), OperatorError> {
    let stage = place.stage().await?;
    let removed = place.issuing.remove(client_id, stage.as_ref()).await;
    let flush = removed.map_err(|error| of(client_id, error))?;
    if output == Output::Json {
        let flushed = flush == Flush::Done;
        print_json(&json!({"client_id": client_id, "removed": true, "flushed": flushed}))?;
    } else {
        print(&format!(
            "{} is removed.\n",
            keygate_visible::line(client_id)
        ))?;
    }
    cached(flush);
    Ok(())
}

async fn find(issuing: &Issuing, client_id: &str) -> Result<RegisteredClient, OperatorError> {
    let found = issuing.store.client(client_id).await?;
    found.ok_or_else(|| of(client_id, ClientError::NotFound))
}

/// Every client of the table, in the order in which they were registered.
async fn list(issuing: &Issuing) -> Result<Vec<RegisteredClient>, OperatorError> {
    let (mut clients, malformed) = issuing.store.all_clients().await?;
    for error in malformed {
        let text = format!("keygate: left out: {error}");
        warn(&keygate_visible::line(&text));
    }
    clients.sort_by(|one, other| {
        (one.created_at, &one.client_id).cmp(&(other.created_at, &other.client_id))
    });
    Ok(clients)
}

fn of(client_id: &str, error: ClientError) -> OperatorError {
    OperatorError::Client(client_id.to_owned(), error)
}

fn print_client(output: Output, client: &RegisteredClient) -> io::Result<()> {
    if output == Output::Json {
        return print_json(&ClientRepresentation::from(client));
    }
    let optional = [
        ("ISSUER", client.record.issuer.clone()),
        ("NAME", client.name.clone()),
        ("PLAN", client.usage_plan.clone()),
        ("USAGE KEY", client.record.usage_key.clone()),
        ("REGISTERED", registered(client)),
    ];
    let mut fields = vec![
        ["CLIENT".to_owned(), client.client_id.clone()],
        [
            "STATUS".to_owned(),
            client.record.status.as_str().to_owned(),
        ],
    ];
    let optional = optional
        .into_iter()
        .filter_map(|(name, value)| Some([name.to_owned(), value?]));
    fields.extend(optional);
    print(&table(&fields))
}

fn print_list(output: Output, clients: &[RegisteredClient]) -> io::Result<()> {
    if output == Output::Json {
        let all = clients.iter().map(ClientRepresentation::from);
        return print_json(&all.collect::<Vec<_>>());
    }
    let head = ["CLIENT", "ISSUER", "NAME", "STATUS", "REGISTERED", "PLAN"];
    let mut rows = vec![head.map(str::to_owned)];
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    rows.extend(clients.iter().map(|client| {
        [
            client.client_id.clone(),
            or_none(client.record.issuer.clone()),
            or_none(client.name.clone()),
            client.record.status.as_str().to_owned(),
            or_none(registered(client)),
            or_none(client.usage_plan.clone()),
        ]
    }));
    print(&table(&rows))
}

/// When a client was registered; nothing of one whose record somebody wrote by hand.
fn registered(client: &RegisteredClient) -> Option<String> {
    (client.created_at > 0).then(|| time(client.created_at))
}
