//! The names in what is never resolved, such as permissions and outputs: whether there is anything of that
//! name is all that matters of them here, as CloudFormation refuses a template with a reference to nothing.

use super::resolve::Resolver;
use super::yaml::{Node, Value};

impl Resolver<'_> {
    /// Reports each reference to nothing in a node whose value nobody asks for.
    pub(super) fn check_names(&self, node: &Node, place: &str) {
        match &node.value {
            Value::Call { function, argument } => {
                self.check_call(function, argument, node.line, place);
            }
            Value::List(items) => {
                for item in items {
                    self.check_names(item, place);
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    self.check_names(&entry.node, place);
                }
            }
            Value::Text(text) => self.references.mention(text),
            Value::Null | Value::Unknown => {}
        }
    }

    fn check_call(&self, function: &str, argument: &Node, line: usize, place: &str) {
        match (function, &argument.value) {
            ("Ref", Value::Text(name)) => self.check_name(name, line, place),
            ("Fn::GetAtt", Value::Text(path)) => {
                let (id, _) = path.split_once('.').unwrap_or((path, ""));
                self.check_name(id, line, place);
            }
            ("Fn::GetAtt", Value::List(items)) => {
                if let Some(id) = items.first().and_then(Node::as_text) {
                    self.check_name(id, line, place);
                }
            }
            ("Fn::Sub", Value::Text(text)) => self.check_text(text, &[], line, place),
            ("Fn::Sub", Value::List(items)) => {
                let [text, variables] = items.as_slice() else {
                    return;
                };
                let own = variables.entries().iter();
                let own: Vec<&str> = own.map(|entry| entry.name.as_str()).collect();
                self.check_text(text.as_text().unwrap_or_default(), &own, line, place);
                self.check_names(variables, place);
            }
            ("Fn::If", Value::List(items)) => {
                if let [condition, yes, no] = items.as_slice()
                    && let Some(name) = condition.as_text()
                    && let Some(holds) = self.condition(name, line, place)
                {
                    self.check_names(if holds { yes } else { no }, place);
                }
            }
            _ => self.check_names(argument, place),
        }
    }

    /// The names between `${` and `}` of a text, but for those that come with it.
    fn check_text(&self, text: &str, own: &[&str], line: usize, place: &str) {
        self.references.mention(text);
        for piece in text.split("${").skip(1) {
            let Some((name, _)) = piece.split_once('}') else {
                continue;
            };
            if name.starts_with('!') || own.contains(&name) {
                continue;
            }
            let (id, _) = name.split_once('.').unwrap_or((name, ""));
            self.check_name(id, line, place);
        }
    }

    fn check_name(&self, name: &str, line: usize, place: &str) {
        if name.starts_with("AWS::") || self.parameters.contains_key(name) {
            return;
        }
        let mut resources = self.resources.entries().iter();
        if self.resources.get(name).is_some() {
            self.active(name, line, place);
        } else if !resources.any(|resource| name.starts_with(&resource.name)) {
            // SAM makes resources too, and names them after those that they are for.
            let message = format!("`{name}` is no parameter and no resource of this template");
            self.wrong(line, place, &message);
        }
    }
}
