//! The usage key that meters an issued key: for now the one that its usage plan shares.
//!
//! A usage key of its own for each issued key, created in API Gateway, belongs here.

use std::str::FromStr;

use keygate::settings::comma_separated;

/// The usage plans to choose from, each with the usage key that meters its clients; from
/// `USAGE_KEYS`, as `plan=usage key`, comma separated. The first is the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UsageKeys(Vec<UsageKey>);

/// A usage plan's name and its usage key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsageKey {
    /// The plan's name, as a client asks for it.
    pub(crate) plan: String,
    /// The `usageIdentifierKey`.
    pub(crate) value: String,
}

/// `USAGE_KEYS` is not a list of plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write it as plan=usage-key, comma separated, each plan once")]
pub(crate) struct MalformedUsageKeys;

impl FromStr for UsageKeys {
    type Err = MalformedUsageKeys;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut keys: Vec<UsageKey> = Vec::new();
        for pair in comma_separated(text) {
            let (plan, value) = pair.split_once('=').ok_or(MalformedUsageKeys)?;
            let known = keys.iter().any(|key| key.plan == plan);
            if plan.is_empty() || value.is_empty() || known {
                return Err(MalformedUsageKeys);
            }
            keys.push(UsageKey {
                plan: plan.to_owned(),
                value: value.to_owned(),
            });
        }
        Ok(Self(keys))
    }
}

impl UsageKeys {
    /// The usage key of a plan, or of the default plan.
    pub(crate) fn of_plan(&self, plan: Option<&str>) -> Option<&UsageKey> {
        match plan {
            None => self.0.first(),
            Some(plan) => self.0.iter().find(|key| key.plan == plan),
        }
    }

    /// The plans there are, for a message.
    pub(crate) fn plans(&self) -> String {
        let plans: Vec<&str> = self.0.iter().map(|key| key.plan.as_str()).collect();
        plans.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_plan_is_the_default() {
        let keys: UsageKeys = "standard=usage-a, partner=usage-b".parse().unwrap();
        assert_eq!(keys.of_plan(None).unwrap().value, "usage-a");
        assert_eq!(keys.of_plan(Some("partner")).unwrap().value, "usage-b");
        assert_eq!(keys.of_plan(Some("other")), None);
    }

    #[test]
    fn a_list_with_a_mistake_is_refused() {
        for text in ["standard", "=a", "standard=", "a=b,a=c"] {
            assert_eq!(text.parse::<UsageKeys>(), Err(MalformedUsageKeys), "{text}");
        }
    }
}
