//! An issuer that is trusted, and what its tokens must be.

use std::sync::Arc;
use std::time::Duration;

use crate::algorithm::SigningAlgorithm;
use crate::rule::compiled::Rule;
use crate::trusted_url::TrustedUrl;

/// One issuer and what its tokens must be.
#[derive(Debug, Clone)]
pub(crate) struct Issuer {
    /// `iss`, compared exactly.
    pub(crate) iss: String,
    /// The same as an address, to find the issuer's metadata by.
    pub(crate) url: TrustedUrl,
    /// Accepted `aud` values; at least one.
    pub(crate) audience: Vec<String>,
    /// Where the keys are; found by discovery when unset.
    pub(crate) jwks_uri: Option<TrustedUrl>,
    /// Accepted algorithms; at least one.
    pub(crate) algorithms: Vec<SigningAlgorithm>,
    /// The clock skew allowed.
    pub(crate) leeway: Duration,
    /// The `token_use` claim that a token must carry (Amazon Cognito).
    pub(crate) token_use: Option<String>,
    /// The `typ` that a token's header must carry, such as `at+jwt` (RFC 9068 section 2.1).
    pub(crate) required_typ: Option<String>,
    /// What else must be true of a token; each rule by itself.
    pub(crate) rules: Vec<Arc<Rule>>,
    /// What stands before a principal's name, to tell apart principals of several issuers.
    pub(crate) principal_prefix: String,
}
