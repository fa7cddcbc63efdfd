//! The checks of an API key.

use std::net::IpAddr;

use keygate_api_key::ApiKey;
use keygate_key_record::{KeyRecord, now};
use keygate_principal::name::is_usable_name;
use keygate_principal::scope::Scopes;

use super::Failure;
use super::report::Report;
use crate::api_key::{self, ApiKeyError, ApiKeyRefusal};
use crate::authorizer::Authorizer;
use crate::decision::{Fault, Rejection};
use crate::principal::UnusableOwner;

impl Authorizer {
    /// Makes every check of an API key that can be made, and gives its scopes once it is known.
    pub(super) async fn explain_key(
        &self,
        key: &ApiKey,
        source: Option<IpAddr>,
        report: &mut Report,
    ) -> Option<Scopes> {
        report.passed("checksum", "right");
        let Some(table) = &self.key_table else {
            let refused = ApiKeyError::from(ApiKeyRefusal::NotAccepted);
            report.failed("record", "", Failure::of(&refused.into()), None);
            return None;
        };
        let record = match table.key(key).await {
            Ok(Some(found)) => found.record,
            Ok(None) => {
                let refused = ApiKeyError::from(ApiKeyRefusal::Unknown);
                report.failed("record", "none", Failure::of(&refused.into()), None);
                return None;
            }
            Err(error) => {
                let fault = Rejection::from(Fault::from(error));
                report.failed("record", "", Failure::of(&fault), None);
                return None;
            }
        };
        report.passed("record", format!("{}, of {}", record.name, record.owner));
        explain_record(&record, key, source, report);
        if !is_usable_name(&record.owner) {
            let fault = Rejection::from(Fault::from(UnusableOwner));
            report.failed("principal", &record.owner, Failure::of(&fault), None);
        }
        report.passed("scopes", record.scopes.to_string());
        self.explain_meter(record.usage_key.as_deref(), report);
        Some(record.scopes.clone())
    }
}

fn explain_record(record: &KeyRecord, key: &ApiKey, source: Option<IpAddr>, report: &mut Report) {
    let now = now();
    let secrets = record
        .former(now)
        .map_or("the current one".to_owned(), |previous| {
            let left = previous.until - now;
            format!("the current one, or for {left} s the one before it")
        });
    judge(
        report,
        "secret",
        "not shown".to_owned(),
        api_key::check_secret(record, key, now).map_err(Into::into),
        Some(secrets),
    );
    let expiry = record.expires_at.map_or("never expires".to_owned(), |at| {
        if now < at {
            format!("expires in {} s", at - now)
        } else {
            format!("expired {} s ago", now - at)
        }
    });
    judge(
        report,
        "status",
        format!("{}, {expiry}", record.status.as_str()),
        api_key::check_use(record, now).map_err(Into::into),
        Some("active, and not expired".to_owned()),
    );
    let networks = record.allowed_cidrs.join(", ");
    judge(
        report,
        "network",
        source.map_or("not known (--source ADDRESS)".to_owned(), |source| {
            source.to_string()
        }),
        api_key::check_network(record, source),
        Some(networks).filter(|networks| !networks.is_empty()),
    );
}

fn judge(
    report: &mut Report,
    name: &'static str,
    found: String,
    outcome: Result<(), ApiKeyError>,
    expected: Option<String>,
) {
    let failed = outcome.err().map(|error| Failure::of(&error.into()));
    report.judged(name, found, failed, expected);
}
