//! What is said once the gateway is ready, and again where a change of the template makes it another: where
//! everything is, the key for a first call, and the routes.

use keygate_api_key::ApiKey;
use keygate_console::Console;
use serde_json::json;

use super::error::ServeError;
use crate::cli::{LogForm, Serve};
use crate::ready_file;
use crate::welcome::Addresses;

/// Says it, and what it has said last.
pub(super) struct Announcement<'s> {
    options: &'s Serve,
    console: &'s Console,
    said: String,
    written: String,
}

impl<'s> Announcement<'s> {
    /// Nothing is said yet.
    pub(super) fn new(options: &'s Serve, console: &'s Console) -> Self {
        Self {
            options,
            console,
            said: String::new(),
            written: String::new(),
        }
    }

    /// Says what is new of it, if anything is.
    ///
    /// # Errors
    /// When the ready file cannot be written.
    pub(super) fn say(&mut self, addresses: &Addresses<'_>) -> Result<(), ServeError> {
        let ready = json!({
            "url": addresses.url,
            "issuer": addresses.issuer,
            "token_endpoint": format!("{}/token", addresses.issuer),
            "dynamodb": addresses.services.dynamodb,
            "api_gateway": addresses.services.api_gateway,
            "lambda": addresses.services.lambda,
            "page": addresses.page,
            "api_key": addresses.api_key.as_ref().map(ApiKey::expose),
        });
        let text = match self.options.log {
            LogForm::Json => json!({"ready": ready}).to_string(),
            LogForm::Text => keygate_visible::lines(&addresses.to_string()).into_owned(),
        };
        if self.said != text {
            self.console.stdout.say(&text);
            // Whoever finds the file finds the words too.
            self.console.settle();
            self.said = text;
        }
        let file = format!("{ready}\n");
        if let Some(path) = &self.options.ready_file
            && self.written != file
        {
            ready_file::write(path, &file).map_err(ServeError::ReadyFile)?;
            self.written = file;
        }
        Ok(())
    }
}
