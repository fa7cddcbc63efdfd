//! The check: every function's settings are read as the function reads them, and the issuers asked for
//! their keys.

use std::time::Duration;

use authorizer::Prepared;
use keygate_settings::Settings;
use serde_json::Value;

use crate::functions::{self, Read};
use crate::properties::Properties;
use crate::refusal::{self, Refusal};

/// How long the whole check may take: twice what an issuer has for discovery and key set, and some.
const LIMIT: Duration = Duration::from_secs(10);

/// Checks what the properties say. `own` are the settings of this process.
pub(crate) async fn check(properties: Value, own: Settings) -> Result<(), Refusal> {
    guarded(LIMIT, async move { checked(&properties, &own).await }).await
}

/// A check in a task of its own, so that one which breaks off, or waits for somebody too long, is a refusal
/// like another.
async fn guarded(
    limit: Duration,
    check: impl Future<Output = Result<(), Refusal>> + Send + 'static,
) -> Result<(), Refusal> {
    let task = tokio::spawn(check);
    match tokio::time::timeout(limit, task).await {
        Ok(Ok(checked)) => checked,
        Ok(Err(_)) => Err(Refusal::BrokeOff),
        Err(_) => Err(Refusal::TimedOut),
    }
}

async fn checked(properties: &Value, own: &Settings) -> Result<(), Refusal> {
    let properties = Properties::read(properties).map_err(Refusal::Properties)?;
    let authorizer = read(&properties, own)?;
    if !properties.checks_issuers() {
        tracing::warn!("the issuers are not asked for their keys, as CheckIssuers says");
        return Ok(());
    }
    let missing = match authorizer {
        Some(authorizer) => authorizer.missing_key_sets().await,
        None => Vec::new(),
    };
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Issuers(missing))
    }
}

/// Reads the settings of all functions, and gives back the authorizer that could start.
fn read(properties: &Properties, own: &Settings) -> Result<Option<Prepared>, Refusal> {
    let (mut wrong, mut unknown, mut authorizer) = (Vec::new(), Vec::new(), None);
    for configured in properties.functions(own) {
        match functions::read(&configured) {
            Ok(Read::Authorizer(prepared)) => authorizer = Some(*prepared),
            Ok(Read::Handler) => {}
            Ok(Read::Unknown) => unknown.push(configured.function),
            Err(error) => refusal::add(&mut wrong, &configured.function, error),
        }
    }
    if !unknown.is_empty() {
        Err(Refusal::Unknown(unknown))
    } else if !wrong.is_empty() {
        Err(Refusal::Settings(wrong))
    } else {
        Ok(authorizer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn a_check_that_breaks_off_is_a_refusal() {
        let broken = guarded(LIMIT, async { panic!("a fault of the check's own") }).await;
        assert!(matches!(broken, Err(Refusal::BrokeOff)), "{broken:?}");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_check_that_hangs_is_a_refusal() {
        let hanging = guarded(Duration::ZERO, std::future::pending()).await;
        assert!(matches!(hanging, Err(Refusal::TimedOut)), "{hanging:?}");
    }
}
