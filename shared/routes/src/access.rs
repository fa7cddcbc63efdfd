//! What opens a route.

use std::fmt;

use keygate_principal::scope::{Scope, Scopes};

/// What a caller must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// `-`: no credential is asked for.
    Public,
    /// `*`: any credential that the authorizer accepts.
    AnyCredential,
    /// A credential with any one of these scopes; at least one.
    AnyOf(Vec<Scope>),
}

impl Access {
    /// Whether a caller who was authenticated and holds these scopes may pass. What is public is
    /// open by having no authorizer, not to callers of one: where a method has an authorizer all
    /// the same, table and template disagree, and it stays closed.
    #[must_use]
    pub fn opens_to(&self, held: &Scopes) -> bool {
        match self {
            Self::Public => false,
            Self::AnyCredential => true,
            Self::AnyOf(scopes) => scopes.iter().any(|scope| held.contains(scope.as_str())),
        }
    }

    /// The scopes of which one is needed; none where no scope decides.
    #[must_use]
    pub fn scopes(&self) -> &[Scope] {
        match self {
            Self::AnyOf(scopes) => scopes,
            Self::Public | Self::AnyCredential => &[],
        }
    }
}

impl fmt::Display for Access {
    /// As it stands in the table.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Public => "-".to_owned(),
            Self::AnyCredential => "*".to_owned(),
            Self::AnyOf(scopes) => {
                let scopes: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
                scopes.join(" ")
            }
        };
        formatter.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_one_scope_of_a_line_opens_and_what_is_public_opens_to_no_caller() {
        let any_of = Access::AnyOf(vec!["a".parse().unwrap(), "b".parse().unwrap()]);
        let held = |text: &str| text.parse::<Scopes>().unwrap();
        assert!(any_of.opens_to(&held("b c")));
        assert!(!any_of.opens_to(&held("c")) && !any_of.opens_to(&held("")));
        assert!(Access::AnyCredential.opens_to(&held("")));
        assert!(!Access::Public.opens_to(&held("a")));
    }
}
