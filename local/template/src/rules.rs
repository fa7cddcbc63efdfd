//! `Rules`: what the parameters must agree on (CloudFormation user guide, "Rules section"). The functions
//! that only rules have, such as `Fn::Contains`, are not known here.

use super::fields::Fields;
use super::resolve::Resolver;
use super::yaml::Node;

impl Resolver<'_> {
    /// Reports each assertion that does not hold, of the rules whose condition does.
    pub(super) fn check_rules(&self, rules: Option<&Node>) {
        for rule in rules.map_or(&[][..], Node::entries) {
            let place = format!("Rules.{}", rule.name);
            let Some(mut fields) = Fields::of(rule.node.clone(), &place, self.problems) else {
                continue;
            };
            let condition = fields.node("RuleCondition");
            let applies =
                condition.is_none_or(|condition| self.evaluate(&condition, &place) == Some(true));
            let assertions = fields.list("Assertions");
            if assertions.is_empty() {
                fields.report("Assertions is required");
            }
            for assertion in assertions {
                self.check_assertion(assertion, applies);
            }
            fields.end();
        }
    }

    fn check_assertion(&self, mut assertion: Fields<'_>, applies: bool) {
        let description = assertion.text("AssertDescription");
        match assertion.node("Assert") {
            // Evaluated even where the rule does not apply, so that a broken one is found.
            Some(assert) => {
                let holds = self.evaluate(&assert, assertion.place());
                if applies && holds == Some(false) {
                    let message = description.unwrap_or_else(|| "does not hold".to_owned());
                    assertion.report(message);
                }
            }
            None => assertion.report("Assert is required"),
        }
        assertion.end();
    }
}
