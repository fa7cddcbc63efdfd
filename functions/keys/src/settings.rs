//! What the settings decide, read before anything is called.

use keygate_api_key::KeyPrefix;
use keygate_issuing::{AuthorizerEvents, StackPlans};
use keygate_outbound::Outbound;
use keygate_settings::{SettingError, Settings};

use crate::trust::Trust;

/// The function's settings but for those that every handler has.
#[derive(Debug)]
pub struct KeysSettings {
    pub(crate) table: String,
    /// Where keys and clients are metered each by itself.
    pub(crate) plans: Option<StackPlans>,
    pub(crate) trust: Trust,
    /// What new keys begin with.
    pub(crate) prefix: KeyPrefix,
    pub(crate) events: AuthorizerEvents,
    pub(crate) outbound: Outbound,
}

impl KeysSettings {
    /// Reads and checks them.
    ///
    /// # Errors
    /// When one is missing or malformed.
    pub fn read(settings: &Settings) -> Result<Self, SettingError> {
        let table = settings.required("KEY_TABLE", "the DynamoDB table of API keys")?;
        Ok(Self {
            table: table.to_owned(),
            plans: StackPlans::read(settings)?,
            trust: Trust::read(settings)?,
            prefix: settings.parsed("KEY_PREFIX")?.unwrap_or_default(),
            events: settings.parsed("AUTHORIZER_EVENTS")?.unwrap_or_default(),
            outbound: Outbound::new(settings)?,
        })
    }
}
