//! `Rules`: what CloudFormation asks of the values of parameters together (user guide, "Rules"). The
//! functions of lists that rules alone may have are reported with the others that are not known.

use super::fields::Fields;
use super::resolve::Resolver;
use super::yaml::Node;

impl Resolver<'_> {
    /// Reports each assertion that does not hold.
    pub(super) fn check_rules(&self, rules: Option<&Node>) {
        for rule in rules.map_or(&[][..], Node::entries) {
            let place = format!("Rules.{}", rule.name);
            if let Some(fields) = Fields::of(rule.node.clone(), &place, self.problems) {
                self.check_rule(fields);
            }
        }
    }

    fn check_rule(&self, mut rule: Fields<'_>) {
        let place = rule.place().to_owned();
        let condition = rule.node("RuleCondition");
        let is_of_use = condition.is_none_or(|node| self.evaluate(&node, &place) == Some(true));
        for mut assertion in rule.list("Assertions") {
            let description = assertion.text("AssertDescription");
            let Some(node) = assertion.node("Assert") else {
                assertion.report("Assert is required");
                continue;
            };
            if is_of_use && self.evaluate(&node, &place) == Some(false) {
                let said = description.unwrap_or_else(|| "the assertion does not hold".to_owned());
                assertion.report(format!("CloudFormation refuses these parameters: {said}"));
            }
            assertion.end();
        }
        rule.end();
    }
}
