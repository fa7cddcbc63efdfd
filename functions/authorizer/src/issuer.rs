//! An issuer that is trusted, and what its tokens must be.

use std::sync::Arc;
use std::time::Duration;

use crate::algorithm::SigningAlgorithm;
use crate::claim_path::ClaimPath;
use crate::rule::compiled::Rule;
use crate::trusted_url::TrustedUrl;

/// One issuer and what its tokens must be.
#[derive(Debug, Clone)]
pub(crate) struct Issuer {
    /// `iss`, compared exactly.
    pub(crate) iss: String,
    /// The same as an address, to find the issuer's metadata by.
    pub(crate) url: TrustedUrl,
    /// Accepted audiences; at least one.
    pub(crate) audience: Vec<String>,
    /// The claim that must name one of them where that is not `aud`.
    pub(crate) audience_claim: Option<ClaimPath>,
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
    /// Whether a token that is bound to a key of its bearer's (`cnf`) is accepted from anybody.
    pub(crate) allows_bound_tokens: bool,
    /// The claims that hold scopes; all that a token has count.
    pub(crate) scope_claims: Arc<[ClaimPath]>,
    /// The claims that name the OAuth client; the first that a token has counts.
    pub(crate) client_claims: Arc<[ClaimPath]>,
    /// What else must be true of a token; each rule by itself.
    pub(crate) rules: Vec<Arc<Rule>>,
    /// What stands before a principal's name, to tell apart principals of several issuers.
    pub(crate) principal_prefix: String,
    /// What none of its principals may begin with, because another issuer's do.
    pub(crate) reserved_prefixes: Vec<String>,
}

#[cfg(test)]
impl Issuer {
    /// One that a test says more of.
    pub(crate) fn of(iss: &str, audience: &str) -> Self {
        Self {
            iss: iss.to_owned(),
            url: TrustedUrl::parse(iss).unwrap(),
            audience: vec![audience.to_owned()],
            audience_claim: None,
            jwks_uri: None,
            algorithms: SigningAlgorithm::defaults(),
            leeway: Duration::ZERO,
            token_use: None,
            required_typ: None,
            allows_bound_tokens: false,
            scope_claims: Arc::from([]),
            client_claims: Arc::from([]),
            rules: Vec::new(),
            principal_prefix: String::new(),
            reserved_prefixes: Vec::new(),
        }
    }
}
