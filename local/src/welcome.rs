//! What `keygate` prints once it is ready: lines to read and to paste.

use std::path::PathBuf;

use keygate_api_key::ApiKey;

use crate::aws::Services;

/// Where everything is, and the key for a first call.
pub(crate) struct Addresses {
    /// The stage's address.
    pub(crate) url: String,
    /// The development issuer's.
    pub(crate) issuer: String,
    /// DynamoDB's, and that of API Gateway's management API.
    pub(crate) services: Services,
    /// The seeded key, when the template has a key table.
    pub(crate) api_key: Option<ApiKey>,
    /// Where tables are kept; in memory without it.
    pub(crate) kept_in: Option<PathBuf>,
}

impl Addresses {
    /// Prints them with lines that work when pasted.
    pub(crate) fn print(&self) {
        let Self {
            url,
            issuer,
            services,
            ..
        } = self;
        let tables = self.kept_in.as_ref().map_or_else(
            || "in memory; --data DIR keeps them".to_owned(),
            |path| format!("kept in {}", path.display()),
        );
        println!("\nKeygate is ready at {url}");
        println!("  OAuth issuer  {issuer}  (development only: it believes whoever asks)");
        println!("  DynamoDB      {}  (tables {tables})", services.dynamodb);
        println!(
            "  API Gateway   {}  (usage keys, for keygate keys)",
            services.api_gateway
        );
        if let Some(key) = &self.api_key {
            let key = key.expose();
            println!("  API key       {key}");
            println!("\nTry it, in another terminal:\n");
            println!("curl -i {url}/items -H 'Authorization: ApiKey {key}'\n");
            println!(
                "curl -i {url}/items -H 'Authorization: ApiKey {key}' \
                 -H 'Content-Type: application/json' -d '{{\"name\": \"first\"}}'\n"
            );
        }
        println!(
            "curl -i {url}/keys -H \"Authorization: Bearer $(curl -s {issuer}/token \
             -d grant_type=client_credentials -d client_id=me \
             | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\""
        );
        println!("\nOne line of access log follows for each request. Ctrl-C stops everything.\n");
    }
}
