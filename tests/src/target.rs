//! The gateway under test: an address, an issuer, and nothing else.

use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::Value;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::call::{Call, Reply};
use crate::chromium;
use crate::disk::Disk;
use crate::keygate::{Build, Keygate};
use crate::node;
use crate::suite::{Lacks, OWN_GATEWAY};
use crate::symbols;
use crate::venv;

/// The longest that any one answer is waited for; API Gateway itself gives up after 29 s.
const ANSWER: Duration = Duration::from_secs(35);

/// A gateway and how to reach it. Cheap to make another one of, for a gateway of a test's own.
pub struct Target {
    /// The stage's address, without a slash at its end.
    pub url: String,
    /// The audience that tokens must be for.
    pub audience: String,
    /// The issuer that the gateway trusts.
    pub issuer: String,
    token_endpoint: OnceLock<String>,
    headers: Vec<(String, String)>,
    lacks: Lacks,
    http: Client,
    runtime: Arc<Runtime>,
    /// How to start further gateways; absent for a deployment.
    build: Option<Arc<Build>>,
}

impl Target {
    /// The deployment that `GATEWAY_URL` names.
    pub fn deployment(url: &str, runtime: Arc<Runtime>) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let issuer = variable("GATEWAY_ISSUER").expect("GATEWAY_URL needs GATEWAY_ISSUER too");
        let mut lacks = Lacks::parse(&variable("GATEWAY_SKIP").unwrap_or_default());
        lacks.add(
            OWN_GATEWAY,
            "it starts keygate itself, and GATEWAY_URL is set",
        );
        if let Some(reason) = node::lacking() {
            lacks.add("node", reason);
        }
        let headers = variable("GATEWAY_HEADERS").unwrap_or_default();
        let headers = headers.lines().filter_map(|line| line.split_once(':'));
        Self {
            url: url.trim_end_matches('/').to_owned(),
            audience: variable("GATEWAY_AUDIENCE").unwrap_or_else(|| "keygate-local".to_owned()),
            issuer,
            token_endpoint: OnceLock::new(),
            headers: headers
                .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                .collect(),
            lacks,
            http: client(),
            runtime,
            build: None,
        }
    }

    /// A gateway that the suite has started.
    pub fn started(gateway: &Keygate, build: Arc<Build>, runtime: Arc<Runtime>) -> Self {
        let mut lacks = Lacks::parse(&std::env::var("GATEWAY_SKIP").unwrap_or_default());
        let path = std::env::var_os("PATH").unwrap_or_default();
        if !std::env::split_paths(&path).any(|folder| folder.join("python3").exists()) {
            lacks.add("python", "there is no python3 on the path");
        }
        if TcpListener::bind(("127.0.0.2", 0)).is_err() {
            lacks.add("second-address", "127.0.0.2 is no address of this machine");
        }
        for (capability, lacking) in [
            ("chromium", chromium::lacking()),
            ("node", node::lacking()),
            ("node-client", node::lacking_runtime_client()),
            ("python-client", venv::lacking()),
            ("small-disk", Disk::lacking()),
            ("symbols", symbols::lacking(&build.directory.join("keys"))),
        ] {
            if let Some(reason) = lacking {
                lacks.add(capability, reason);
            }
        }
        Self {
            url: gateway.ready.url.clone(),
            audience: "keygate-local".to_owned(),
            issuer: gateway.ready.issuer.clone(),
            token_endpoint: OnceLock::new(),
            headers: Vec::new(),
            lacks,
            http: client(),
            runtime,
            build: Some(build),
        }
    }

    /// Starts a gateway with settings of its own, and what reaches it.
    pub fn own(&self, arguments: &[&str]) -> (Keygate, Self) {
        let gateway = self.build().start(arguments);
        let target = self.reaching(&gateway);
        (gateway, target)
    }

    /// What reaches a gateway that the test has started.
    pub fn reaching(&self, gateway: &Keygate) -> Self {
        Self::started(gateway, Arc::clone(self.build()), Arc::clone(&self.runtime))
    }

    /// The same gateway, reached from this address of the machine.
    #[must_use]
    pub fn from(self, source: IpAddr) -> Self {
        Self {
            http: client_from(Some(source)),
            ..self
        }
    }

    /// The executables of this repository. Only for tests that need [`OWN_GATEWAY`].
    pub fn build(&self) -> &Arc<Build> {
        self.build
            .as_ref()
            .expect("this test needs the capability own-gateway")
    }

    /// What the gateway lacks.
    pub fn lacks(&self) -> &Lacks {
        &self.lacks
    }

    /// Whether the gateway has this capability.
    pub fn can(&self, capability: &str) -> bool {
        self.lacks.reason(capability).is_none()
    }

    /// A request to a path below the stage, such as `/books?status=404`.
    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        let mut call = self.absolute(method, &format!("{}{path}", self.url));
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        call
    }

    /// A request to any address.
    pub fn absolute(&self, method: Method, url: &str) -> Call<'_> {
        let request = self.http.request(method, url);
        Call::new(request, &self.runtime, self.can("gateway-responses"))
    }

    /// A `GET` of a path below the stage.
    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    /// A `POST` to a path below the stage.
    pub fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    /// A `PUT` of a path below the stage.
    pub fn put(&self, path: &str) -> Call<'_> {
        self.call(Method::PUT, path)
    }

    /// A `DELETE` of a path below the stage.
    pub fn delete(&self, path: &str) -> Call<'_> {
        self.call(Method::DELETE, path)
    }

    /// A token with every scope, for a client that no other test is.
    pub fn token(&self) -> String {
        self.token_with(&[])
    }

    /// A token as the form's fields ask for; the client is a new one when they name none.
    pub fn token_with(&self, fields: &[(&str, &str)]) -> String {
        let client_id = Uuid::new_v4().to_string();
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            ("audience", self.audience.as_str()),
        ];
        form.retain(|(name, _)| fields.iter().all(|(other, _)| other != name));
        form.extend(fields);
        let reply = self.granted(self.token_endpoint(), &form).unwrap();
        let reply = reply.expect(200).json();
        let token = reply["access_token"].as_str().map(ToOwned::to_owned);
        token.expect("the issuer answers with an access_token")
    }

    /// A token of an issuer that keygate runs at `issuer`, if it answers.
    pub fn try_token_at(&self, issuer: &str) -> Option<String> {
        let form = [("grant_type", "client_credentials"), ("client_id", "x")];
        let reply = self.granted(&format!("{issuer}/token"), &form).ok()?;
        reply.json()["access_token"].as_str().map(ToOwned::to_owned)
    }

    fn granted(&self, endpoint: &str, form: &[(&str, &str)]) -> Result<Reply, reqwest::Error> {
        let request = self.http.post(endpoint).form(form);
        Call::new(request, &self.runtime, true).try_send()
    }

    fn token_endpoint(&self) -> &str {
        self.token_endpoint.get_or_init(|| {
            let issuer = self.issuer.trim_end_matches('/');
            let metadata = format!("{issuer}/.well-known/openid-configuration");
            let request = self.http.get(metadata);
            let metadata: Value = Call::new(request, &self.runtime, true).send().json();
            let endpoint = metadata["token_endpoint"].as_str();
            let endpoint = endpoint.expect("discovery names the token_endpoint");
            endpoint.to_owned()
        })
    }
}

/// An HTTP client that follows no redirect and trusts Mozilla's roots.
///
/// # Panics
/// When the TLS library refuses its own defaults.
#[must_use]
pub fn client() -> Client {
    client_from(None)
}

fn client_from(source: Option<IpAddr>) -> Client {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots: rustls::RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS has safe defaults")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER)
        .local_address(source)
        .no_proxy();
    client.build().expect("the HTTP client can be made")
}
