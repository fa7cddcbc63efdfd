//! What each function does with its settings at its start, by its own code.

use authorizer::Prepared;
use error_mapper::Api;
use keygate_proxy::ProxySettings;
use keygate_settings::{SettingError, Settings, logging};
use keys::KeysSettings;
use preflight::Policy;

use crate::properties::Configured;

/// What is read of a function's settings.
#[derive(Debug)]
pub(crate) enum Read {
    /// An authorizer, whose issuers can be asked.
    Authorizer(Box<Prepared>),
    /// A handler, whose settings are good.
    Handler,
    /// No function of this name is known.
    Unknown,
}

/// Reads a function's settings as its start does.
pub(crate) fn read(configured: &Configured) -> Result<Read, SettingError> {
    let settings = &configured.settings;
    logging::Threshold::read(settings)?;
    if configured.is_handler {
        return handler(settings, |_| Ok(()));
    }
    match configured.function.as_str() {
        "authorizer" => {
            let prepared = Prepared::read(settings.clone())?;
            prepared.check_policies()?;
            Ok(Read::Authorizer(Box::new(prepared)))
        }
        "error-mapper" => handler(settings, |settings| Api::read(settings).map(drop)),
        "keys" => handler(settings, |settings| KeysSettings::read(settings).map(drop)),
        "preflight" => handler(settings, |settings| Policy::read(settings).map(drop)),
        _ => Ok(Read::Unknown),
    }
}

/// What every handler reads, and then what is a handler's own.
fn handler(
    settings: &Settings,
    own: impl FnOnce(&Settings) -> Result<(), SettingError>,
) -> Result<Read, SettingError> {
    ProxySettings::read(settings)?;
    own(settings)?;
    Ok(Read::Handler)
}
