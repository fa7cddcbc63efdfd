//! Metadata of an API key that handlers are given in the authorizer's context.

/// What stands before each of them, so that none is taken for a member of Keygate's own or a claim.
pub const PREFIX: &str = "metadata_";

/// The context's member for a name: `metadata_` and the name, in which a hyphen is an underscore, as
/// `$context.authorizer.NAME` cannot be written with one.
///
/// ```
/// use keygate_principal::metadata::context_key;
///
/// assert_eq!(context_key("tenant"), "metadata_tenant");
/// assert_eq!(context_key("cost-centre"), "metadata_cost_centre");
/// ```
#[must_use]
pub fn context_key(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('-', "_"))
}
