//! Claims of a token that handlers are given in the authorizer's context.

/// What stands before each of them, so that none is taken for a member of Keygate's own.
pub const PREFIX: &str = "claim_";

/// The context's member for a claim: `claim_` and the claim's name, in which each character but ASCII
/// letters and digits is an underscore. `$context.authorizer.NAME` of a log format or of a mapping
/// template can be written with those.
///
/// ```
/// use keygate_principal::claim::context_key;
///
/// assert_eq!(context_key("tenant"), "claim_tenant");
/// assert_eq!(context_key("realm_access.roles"), "claim_realm_access_roles");
/// assert_eq!(context_key("cognito:groups"), "claim_cognito_groups");
/// ```
#[must_use]
pub fn context_key(claim: &str) -> String {
    let fits = |character: char| character.is_ascii_alphanumeric();
    let name = claim.chars().map(|one| if fits(one) { one } else { '_' });
    PREFIX.chars().chain(name).collect()
}
