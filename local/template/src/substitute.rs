//! `Fn::Sub`: `${Name}`, `${Resource.Attribute}` and `${!Literal}` in a text.

use super::resolve::Resolver;
use super::yaml::{Node, Value};

impl Resolver<'_> {
    /// Carries out `Fn::Sub` in its form of a text, or of a text and a mapping of variables.
    pub(super) fn substitute(&self, argument: &Node, line: usize, place: &str) -> Value {
        let (text, variables) = match &argument.value {
            Value::Text(text) => (Some(text.as_str()), &[][..]),
            Value::List(items) => match items.as_slice() {
                [text, variables] => (text.as_text(), variables.entries()),
                _ => (None, &[][..]),
            },
            _ => (None, &[][..]),
        };
        let Some(text) = text else {
            return self.wrong(
                line,
                place,
                "`Fn::Sub` takes a text, or a text and a mapping of variables",
            );
        };
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                return self.wrong(line, place, "`Fn::Sub` has a `${` without its `}`");
            };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                result.extend(["${", literal, "}"]);
                continue;
            }
            let value = match variables.iter().find(|entry| entry.name == name) {
                Some(entry) => match self.resolve(&entry.node, place) {
                    Some(node) => node.value,
                    None => Value::Text(String::new()),
                },
                None => self.named(name, line, place),
            };
            match value {
                Value::Text(value) => {
                    if !self.may_be(result.len() + value.len(), line, place) {
                        return Value::Unknown;
                    }
                    result.push_str(&value);
                }
                Value::Unknown => return Value::Unknown,
                _ => {
                    let message = format!("`${{{name}}}` in `Fn::Sub` is no text");
                    return self.wrong(line, place, &message);
                }
            }
        }
        result.push_str(rest);
        Value::Text(result)
    }

    /// A name in `${}` is what `Ref` gives for it, and with a dot what `Fn::GetAtt` gives.
    fn named(&self, name: &str, line: usize, place: &str) -> Value {
        match name.split_once('.') {
            Some((id, attribute)) if !self.is_referable(name) => {
                self.attribute(id, attribute, line, place)
            }
            _ if name == "AWS::NoValue" => Value::Text(String::new()),
            _ => self.reference(name, line, place),
        }
    }
}
