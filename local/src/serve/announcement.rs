//! What is said once the gateway is ready, and again where a change of the template makes it another: where
//! everything is, the key for a first call, and the routes.

use keygate_api_key::ApiKey;
use keygate_console::Console;
use keygate_model::Application;
use serde_json::json;

use super::error::ServeError;
use super::place::Place;
use crate::cli::{LogForm, Serve};
use crate::matrix::Matrix;
use crate::ready_file;
use crate::welcome::Addresses;

/// Says it, and what it has said last.
pub(super) struct Announcement<'s> {
    options: &'s Serve,
    console: &'s Console,
    place: &'s Place,
    /// The link to the page, where there is one.
    page: Option<String>,
    said: String,
    written: String,
}

impl<'s> Announcement<'s> {
    /// Nothing is said yet.
    pub(super) fn new(
        options: &'s Serve,
        console: &'s Console,
        place: &'s Place,
        page: Option<String>,
    ) -> Self {
        Self {
            options,
            console,
            place,
            page,
            said: String::new(),
            written: String::new(),
        }
    }

    /// Says what is new of it, if anything is.
    ///
    /// # Errors
    /// When the ready file cannot be written.
    pub(super) fn say(
        &mut self,
        application: &Application,
        url: &str,
        api_key: Option<ApiKey>,
        matrix: &Matrix,
    ) -> Result<(), ServeError> {
        let addresses = Addresses {
            url: url.to_owned(),
            issuer: self.place.issuer.clone(),
            services: self.place.services.clone(),
            api_key,
            page: self.page.clone(),
            kept_in: self.options.data.clone(),
            key_source: application.api.key_source,
            matrix,
        };
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
