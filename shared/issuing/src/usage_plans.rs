//! The usage plans that keys are issued on.

use std::str::FromStr;

use keygate_settings::comma_separated;

/// The usage plans to choose from, by the name that a client asks for; from `USAGE_PLANS`, as
/// `name=PLAN`, comma separated. `PLAN` is an API Gateway usage plan's id or name. The first is
/// the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsagePlans(Vec<UsagePlan>);

/// A usage plan to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsagePlan {
    /// What a client asks for, and what a key's record keeps.
    pub name: String,
    /// The plan's id or name at API Gateway.
    pub target: String,
}

/// A text that is no list of plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write it as name=PLAN, comma separated, each name once, PLAN being a usage plan's id or name"
)]
pub struct MalformedUsagePlans;

impl FromStr for UsagePlans {
    type Err = MalformedUsagePlans;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut plans: Vec<UsagePlan> = Vec::new();
        for pair in comma_separated(text) {
            let (name, target) = pair.split_once('=').ok_or(MalformedUsagePlans)?;
            let (name, target) = (name.trim(), target.trim());
            let known = plans.iter().any(|plan| plan.name == name);
            if name.is_empty() || target.is_empty() || known {
                return Err(MalformedUsagePlans);
            }
            plans.push(UsagePlan {
                name: name.to_owned(),
                target: target.to_owned(),
            });
        }
        if plans.is_empty() {
            return Err(MalformedUsagePlans);
        }
        Ok(Self(plans))
    }
}

impl UsagePlans {
    /// The plan of a name, or the default plan.
    #[must_use]
    pub fn find(&self, name: Option<&str>) -> Option<&UsagePlan> {
        match name {
            None => self.0.first(),
            Some(name) => self.0.iter().find(|plan| plan.name == name),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The plans in their order.
    pub fn iter(&self) -> impl Iterator<Item = &UsagePlan> {
        self.0.iter()
    }

    /// The names there are, for a message.
    #[must_use]
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.iter().map(|plan| plan.name.as_str()).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_plan_is_the_default() {
        let plans: UsagePlans = "standard=keygate-dev-standard, partner = a1b2c3"
            .parse()
            .unwrap();
        assert_eq!(plans.find(None).unwrap().target, "keygate-dev-standard");
        assert_eq!(plans.find(Some("partner")).unwrap().target, "a1b2c3");
        assert_eq!(plans.find(Some("other")), None);
        assert_eq!(plans.names(), "standard, partner");
    }

    #[test]
    fn a_list_with_a_mistake_is_refused() {
        for text in ["standard", "=a", "standard=", "a=b,a=c", ","] {
            let plans = text.parse::<UsagePlans>();
            assert_eq!(plans, Err(MalformedUsagePlans), "{text}");
        }
    }
}
