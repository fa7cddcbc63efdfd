//! Outgoing HTTP: one client, one TLS configuration and one connection pool for everything that a
//! function calls.
//!
//! Trust anchors are Mozilla's, compiled in (`webpki-roots`): parsing a system's bundle costs more
//! than 3 ms of each cold start. `AWS_CA_BUNDLE` or `SSL_CERT_FILE` (in this order) names a PEM
//! bundle to trust instead, for a network that inspects TLS. The TLS client is made at the first
//! `https` address, so a function that only calls loopback never pays for it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use keygate_settings::{SettingError, Settings};

/// How long connecting may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Why no client could be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OutboundError {
    /// The certificate bundle cannot be used.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The HTTP library refused its configuration.
    #[error("the HTTP client could not be made: {0}")]
    Client(String),
}

impl From<OutboundError> for SettingError {
    fn from(error: OutboundError) -> Self {
        match error {
            OutboundError::Setting(error) => error,
            OutboundError::Client(reason) => Self::malformed("AWS_CA_BUNDLE", reason),
        }
    }
}

/// The process's HTTP clients. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Outbound {
    plain: Client,
    tls: Arc<OnceLock<Result<Client, OutboundError>>>,
    bundle: Option<Bundle>,
}

/// A PEM bundle of trust anchors, and the setting that names it.
#[derive(Debug, Clone)]
struct Bundle {
    setting: &'static str,
    path: String,
}

impl Outbound {
    /// Clients that never follow a redirect, so that no credential or trust decision moves to an
    /// address that was not configured.
    ///
    /// # Errors
    /// When the HTTP library refuses its configuration.
    pub fn new(settings: &Settings) -> Result<Self, OutboundError> {
        let named = |setting| {
            let path = settings.optional(setting)?.map(str::to_owned);
            Ok::<_, SettingError>(path.map(|path| Bundle { setting, path }))
        };
        let bundle = named("AWS_CA_BUNDLE")?.or(named("SSL_CERT_FILE")?);
        Ok(Self {
            plain: build(RootCertStore::empty())?,
            tls: Arc::new(OnceLock::new()),
            bundle,
        })
    }

    /// The client for `url`: one that speaks TLS for `https`, one that does not otherwise.
    ///
    /// # Errors
    /// When the certificate bundle named in the environment cannot be read.
    pub fn client(&self, url: &Url) -> Result<&Client, OutboundError> {
        if url.scheme() != "https" {
            return Ok(&self.plain);
        }
        self.tls
            .get_or_init(|| build(self.trust_anchors()?))
            .as_ref()
            .map_err(Clone::clone)
    }

    fn trust_anchors(&self) -> Result<RootCertStore, SettingError> {
        match &self.bundle {
            Some(bundle) => bundle.read(),
            None => Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()),
        }
    }
}

fn build(roots: RootCertStore) -> Result<Client, OutboundError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OutboundError::Client(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    ClientBuilder::new()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .build()
        .map_err(|error| OutboundError::Client(error.to_string()))
}

impl Bundle {
    fn read(&self) -> Result<RootCertStore, SettingError> {
        let path = &self.path;
        let malformed = |reason: String| SettingError::malformed(self.setting, reason);
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| malformed(format!("{path}: {error}")))?;
        // A bundle may hold a certificate that rustls does not support; the others still count.
        let (added, _) = roots.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(malformed(format!(
                "{path} holds no certificate that can be used"
            )));
        }
        Ok(roots)
    }
}
