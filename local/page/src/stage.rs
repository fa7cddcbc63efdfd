//! What a page shows of the stage that is served, until a change of the template makes another.

use keygate_api_key::ApiKey;

/// The stage.
#[derive(Debug, Clone, Default)]
pub struct Stage {
    /// Its address, which the form sends requests to.
    pub url: String,
    /// What it serves.
    pub routes: Vec<RouteShown>,
    /// Every scope of the route table.
    pub scopes: Vec<String>,
    /// The seeded one, where there is one.
    pub api_key: Option<ApiKey>,
    /// Whether clients send a usage key of their own (`ApiKeySourceType: HEADER`).
    pub takes_usage_keys: bool,
}

/// A route with who may call it.
#[derive(Debug, Clone)]
pub struct RouteShown {
    /// The method.
    pub method: String,
    /// The resource.
    pub path: String,
    /// What opens it, in words.
    pub opens: String,
    /// Whether it asks for no credential.
    pub is_public: bool,
    /// The function behind it; `None` where the gateway answers itself.
    pub function: Option<String>,
}
