//! `Conditions`, evaluated when something asks for one.

use super::intrinsics::LOGICAL_FUNCTIONS;
use super::resolve::Resolver;
use super::yaml::{Node, Value};

impl Resolver<'_> {
    /// Whether a condition holds; `None`, reported, when it cannot be told.
    pub(super) fn condition(&self, name: &str, line: usize, place: &str) -> Option<bool> {
        let Some(node) = self.conditions.and_then(|all| all.get(name)) else {
            let message = format!("the template has no condition `{name}`");
            self.problems.report(line, place, message);
            return None;
        };
        if let Some(told) = self.told.borrow().get(name) {
            return *told;
        }
        let own_place = format!("Conditions.{name}");
        let holds = self.once(&own_place, line, place, || self.evaluate(node, &own_place));
        // Once for all: conditions that ask each other twice would take twice as long at each step.
        self.told.borrow_mut().insert(name.to_owned(), holds);
        holds
    }

    /// Evaluates every condition, so that a broken one is found even when nothing uses it.
    pub(super) fn check_conditions(&self) {
        for entry in self.conditions.map_or(&[][..], Node::entries) {
            self.condition(&entry.name, entry.line, "Conditions");
        }
    }

    /// Whether a condition's expression holds.
    pub(super) fn evaluate(&self, node: &Node, place: &str) -> Option<bool> {
        let (function, argument) = match &node.value {
            Value::Call { function, argument } => (function.as_str(), argument.as_ref()),
            // The long form of `!Condition`. Elsewhere `Condition` is an ordinary key.
            Value::Map(entries) if entries.len() == 1 && entries[0].name == "Condition" => {
                ("Condition", &entries[0].node)
            }
            _ => ("", node),
        };
        match function {
            "Condition" => match argument.as_text() {
                Some(name) => self.condition(name, node.line, place),
                None => self.not_logical(node, place, "`Condition` takes a condition's name"),
            },
            "Fn::Equals" => self.equals(argument, place),
            "Fn::Not" => self.all(argument, 1..=1, place).map(|of| !of[0]),
            "Fn::And" => self
                .all(argument, 2..=10, place)
                .map(|of| of.into_iter().all(|holds| holds)),
            "Fn::Or" => self
                .all(argument, 2..=10, place)
                .map(|of| of.into_iter().any(|holds| holds)),
            _ => {
                let functions = LOGICAL_FUNCTIONS.join(", ");
                let message = format!("a condition is one of {functions}");
                self.not_logical(node, place, &message)
            }
        }
    }

    fn not_logical(&self, node: &Node, place: &str, message: &str) -> Option<bool> {
        self.problems.report(node.line, place, message);
        None
    }

    fn equals(&self, argument: &Node, place: &str) -> Option<bool> {
        let Value::List(items) = &argument.value else {
            return self.not_logical(argument, place, "`Fn::Equals` takes a list of two values");
        };
        let [left, right] = items.as_slice() else {
            return self.not_logical(argument, place, "`Fn::Equals` takes a list of two values");
        };
        let [left, right] = [left, right].map(|item| self.resolve(item, place));
        let (left, right) = (left?, right?);
        if matches!(left.value, Value::Unknown) || matches!(right.value, Value::Unknown) {
            return None;
        }
        match (left.as_text(), right.as_text()) {
            (Some(left), Some(right)) => Some(left == right),
            _ => self.not_logical(argument, place, "`Fn::Equals` compares two texts"),
        }
    }

    fn all(
        &self,
        argument: &Node,
        count: std::ops::RangeInclusive<usize>,
        place: &str,
    ) -> Option<Vec<bool>> {
        let items = match &argument.value {
            Value::List(items) if count.contains(&items.len()) => items,
            _ => {
                let message = format!(
                    "this function takes a list of {} to {} conditions",
                    count.start(),
                    count.end()
                );
                self.problems.report(argument.line, place, message);
                return None;
            }
        };
        // All of them, not up to the first that decides, so that each broken one is reported.
        let values: Vec<Option<bool>> = items
            .iter()
            .map(|item| self.evaluate(item, place))
            .collect();
        values.into_iter().collect()
    }
}
