//! `keygate keys`: what the function `keys` does for its callers, for an operator, who may do it
//! to anybody's key. So the first key of a deployment has a way to be born.

use std::collections::BTreeMap;

use keygate_api_key::ApiKeyId;
use keygate_console as console;
use keygate_issuing::{
    AuthorizerEvents, Issued, Issuing, LastUsed, Networks, Order, RevokeError, Sweep, UsagePlans,
    Within,
};
use keygate_key_record::{KeyRecord, Metadata, now};

use super::error::OperatorError;
use super::output::{Printer, cached};
use super::place::Place;
use crate::cli::keys::{Create, Keys, KeysCommand};

/// Carries out one command.
pub(crate) async fn run(options: Keys) -> Result<(), OperatorError> {
    let place = Place::connect(&options.place).await?;
    let printer = Printer::new(options.output);
    let outcome = carry_out(&place, printer, options.command).await;
    outcome.map_err(|error| place.explain(error))
}

async fn carry_out(
    place: &Place,
    printer: Printer,
    command: KeysCommand,
) -> Result<(), OperatorError> {
    let issuing = &place.issuing;
    match command {
        KeysCommand::Create(create) => {
            let issued = issue(place, create).await?;
            printer.issued(&issued)?;
        }
        KeysCommand::List {
            owner,
            expiring_within,
        } => {
            let within = expiring_within.map(|days| Within::days(days, now()));
            let records = list(issuing, owner.as_deref(), within).await?;
            let last_used = issuing.last_used(&records).await.unwrap_or_else(|error| {
                let text = format!("keygate: when keys were last used is not known: {error}");
                console::warn(&keygate_visible::line(&text));
                LastUsed::default()
            });
            printer.list(&records, &last_used)?;
        }
        KeysCommand::Usage { id, days } => {
            let days = days.days()?;
            let record = find(issuing, &id.id()?).await?;
            let usage = issuing.usage_of_key(&record, days).await;
            printer.usage(
                &usage.map_err(|error| OperatorError::no_usage(record.id.as_str(), error))?,
            )?;
        }
        KeysCommand::Show { id } => printer.record(&find(issuing, &id.id()?).await?)?,
        KeysCommand::Rotate {
            id,
            grace,
            authorizer_events: events,
        } => rotate(place, printer, &id.id()?, grace, events).await?,
        KeysCommand::Revoke { id } => revoke(place, printer, &id.id()?).await?,
        KeysCommand::Sweep(options) => {
            if issuing.plans().is_none_or(UsagePlans::is_empty) {
                let message = "a sweep looks at a stack's usage keys and plans: name it in --stack";
                return Err(OperatorError::Usage(message.to_owned()));
            }
            let sweep = Sweep {
                is_dry_run: options.dry_run,
                is_forced: options.force,
                adopted: options.adopt_from,
                deadline: None,
            };
            let swept = issuing.sweep(&sweep).await?;
            printer.swept(&swept)?;
            if !swept.is_complete() {
                return Err(OperatorError::Sweep(swept.failed.len()));
            }
        }
    }
    Ok(())
}

async fn rotate(
    place: &Place,
    printer: Printer,
    id: &ApiKeyId,
    grace: u64,
    events: Option<AuthorizerEvents>,
) -> Result<(), OperatorError> {
    let record = find(&place.issuing, id).await?;
    if !record.allowed_cidrs.is_empty() {
        let told = place.authorizer_events(events).await?.check(&record);
        told.map_err(|error| OperatorError::Bound(id.clone(), error))?;
    }
    // With a grace period nothing has to be flushed.
    let at_once = grace == 0;
    let stage = if at_once { place.stage().await? } else { None };
    let rotated = place.issuing.rotate(record, grace, stage.as_ref()).await;
    let (issued, flush) = rotated.map_err(OperatorError::Rotate)?;
    printer.issued(&issued)?;
    if at_once {
        cached(flush);
    }
    Ok(())
}

async fn revoke(place: &Place, printer: Printer, id: &ApiKeyId) -> Result<(), OperatorError> {
    // The key is shut out whatever API Gateway says.
    let (stage, silence) = match place.stage().await {
        Ok(stage) => (stage, None),
        Err(failure) => (None, Some(failure)),
    };
    let revoked = place.issuing.revoke(None, id, stage.as_ref()).await;
    let flush = revoked.map_err(|error| match error {
        RevokeError::NotFound => OperatorError::NoSuchKey(id.clone()),
        error => OperatorError::Revoke(error),
    })?;
    if let Some(failure) = silence {
        return Err(OperatorError::Revoke(RevokeError::Unfinished(failure)));
    }
    printer.revoked(id, flush)?;
    cached(flush);
    Ok(())
}

async fn issue(place: &Place, create: Create) -> Result<Issued, OperatorError> {
    let networks = if create.networks.is_empty() {
        Networks::default()
    } else {
        let events = place.authorizer_events(create.authorizer_events).await?;
        Networks::read(&create.networks, events)?
    };
    let scopes = create
        .scopes
        .iter()
        .flat_map(|scopes| scopes.iter().cloned());
    let order = Order {
        owner: create.owner,
        name: create.name,
        scopes: scopes.collect(),
        expires_at: create.expires,
        usage_plan: create.usage_plan,
        networks,
        metadata: metadata(create.metadata)?,
    };
    if order.scopes.is_empty() {
        return Err(OperatorError::Usage("--scope names no scope".to_owned()));
    }
    let issued = place.issuing.issue(&order).await;
    issued.map_err(OperatorError::Issue)
}

/// Entries of the command line, of which no two have one name.
fn metadata(entries: Vec<(String, String)>) -> Result<Metadata, OperatorError> {
    let mut named = BTreeMap::new();
    for (name, value) in entries {
        if named.insert(name.clone(), value).is_some() {
            return Err(OperatorError::Metadata(format!("{name} is there twice")));
        }
    }
    Metadata::new(named).map_err(|error| OperatorError::Metadata(error.to_string()))
}

async fn find(issuing: &Issuing, id: &ApiKeyId) -> Result<KeyRecord, OperatorError> {
    let found = issuing.store.get(None, id).await?;
    found.ok_or_else(|| OperatorError::NoSuchKey(id.clone()))
}

/// Every key of a principal, or of the table, the oldest first; or those that expire within a time, the
/// soonest first.
async fn list(
    issuing: &Issuing,
    owner: Option<&str>,
    within: Option<Within>,
) -> Result<Vec<KeyRecord>, OperatorError> {
    let store = &issuing.store;
    let (mut records, malformed) = match (owner, within) {
        (Some(owner), _) => store.of_owner(owner).await?,
        (None, None) => store.all().await?,
        (None, Some(within)) => {
            let (expiring, malformed) = store.expiring(within).await?;
            let records = expiring.into_iter().map(|key| key.record);
            (records.collect(), malformed)
        }
    };
    for error in malformed {
        let text = format!("keygate: left out: {error}");
        console::warn(&keygate_visible::line(&text));
    }
    let time = |record: &KeyRecord| match within {
        None => Some(record.created_at),
        Some(_) => record.expires_at,
    };
    records.retain(|record| within.is_none_or(|within| within.ends(record)));
    records.sort_by(|one, other| (time(one), &one.id).cmp(&(time(other), &other.id)));
    Ok(records)
}
