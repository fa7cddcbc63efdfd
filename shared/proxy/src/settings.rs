//! What every handler is configured with.

use std::sync::Arc;

use keygate_routes::RouteTable;
use keygate_settings::{SettingError, Settings};
use url::Url;

use crate::cors::AllowedOrigins;

/// What every handler is configured with.
#[derive(Debug, Clone)]
pub struct ProxySettings {
    /// Who may read responses from a browser, from `CORS_ALLOWED_ORIGINS`.
    pub allowed_origins: AllowedOrigins,
    /// Where clients reach the stage, from `PUBLIC_URL`, without a slash at its end; `None` is the
    /// address that the request came to.
    pub public_url: Option<String>,
    /// The route table, from `ROUTES` or `ROUTES_FILE`, where the function is given one. A caller is
    /// held to it once more behind the gateway's own check.
    pub routes: Option<Arc<RouteTable>>,
}

impl ProxySettings {
    /// Reads `CORS_ALLOWED_ORIGINS`, `PUBLIC_URL` and the route table.
    ///
    /// # Errors
    /// When an origin is not in the form that browsers send, the URL is not absolute, or the table
    /// is malformed.
    pub fn read(settings: &Settings) -> Result<Self, SettingError> {
        let public_url = settings.optional("PUBLIC_URL")?;
        if let Some(url) = public_url {
            let parsed =
                Url::parse(url).map_err(|error| SettingError::malformed("PUBLIC_URL", error))?;
            if !matches!(parsed.scheme(), "http" | "https") {
                return Err(SettingError::malformed("PUBLIC_URL", "use http or https"));
            }
        }
        Ok(Self {
            allowed_origins: settings.parsed("CORS_ALLOWED_ORIGINS")?.unwrap_or_default(),
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            routes: keygate_routes::read(settings)?.map(Arc::new),
        })
    }
}
