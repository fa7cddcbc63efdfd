//! Intrinsic functions to values (CloudFormation user guide, "Intrinsic function reference").

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::problems::Problems;
use super::references::References;
use super::yaml::{Entry, NODE_BYTES, Node, Value};

/// The functions that give a value. `Condition` and the logical ones are known too, but only
/// within `Conditions`.
const VALUE_FUNCTIONS: &[&str] = &[
    "Ref",
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::FindInMap",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::Join",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
];
/// Those that a template has only with the transform of this name.
const EXTENSION_FUNCTIONS: &[&str] = &["Fn::Length", "Fn::ToJsonString"];
/// How many conditions and resources may be resolved for one another; the templates that people write
/// have a few. A bound so that a hostile file cannot exhaust the stack.
const MAX_UNDERWAY: usize = 32;
/// The longest text that a function makes, a quarter of the largest template, and how much all of them make.
const MAX_TEXT_BYTES: usize = 256 * 1024;
const MAX_MADE_BYTES: usize = 64 * 1024 * 1024;
pub(super) const EXTENSIONS: &str = "AWS::LanguageExtensions";
pub(super) const LOGICAL_FUNCTIONS: &[&str] =
    &["Condition", "Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"];

/// Resolves the parts of one template. A value that cannot be resolved is [`Value::Unknown`],
/// and the reason is among the problems.
pub(super) struct Resolver<'t> {
    pub(super) parameters: BTreeMap<String, Value>,
    mappings: Option<&'t Node>,
    pub(super) conditions: Option<&'t Node>,
    pub(super) resources: &'t Node,
    pub(super) globals: Option<&'t Node>,
    pub(super) problems: &'t Problems,
    pub(super) references: References,
    has_extensions: bool,
    /// Conditions and resources that are being resolved, so that a circle is found.
    underway: RefCell<Vec<String>>,
    /// The conditions that were told already.
    pub(super) told: RefCell<BTreeMap<String, Option<bool>>>,
    /// How many bytes of text functions have made.
    made: Cell<usize>,
}

impl<'t> Resolver<'t> {
    /// A resolver for a template's root, or `None`, reported, when it has no `Resources`.
    pub(super) fn new(
        root: &'t Node,
        parameters: BTreeMap<String, Value>,
        references: References,
        problems: &'t Problems,
    ) -> Option<Self> {
        let Some(resources) = root.get("Resources") else {
            problems.report(root.line, "Resources", "the template has none");
            return None;
        };
        Some(Self {
            parameters,
            mappings: root.get("Mappings"),
            conditions: root.get("Conditions"),
            resources,
            globals: root.get("Globals"),
            problems,
            references,
            has_extensions: has_extensions(root),
            underway: RefCell::default(),
            told: RefCell::default(),
            made: Cell::default(),
        })
    }

    /// The value of a node, with every function in it carried out; `None` is `AWS::NoValue`.
    pub(super) fn resolve(&self, node: &Node, place: &str) -> Option<Node> {
        let value = match &node.value {
            Value::List(items) => Value::List(self.items(items, place)),
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .filter_map(|entry| {
                        self.resolve(&entry.node, &format!("{place}.{}", entry.name))
                            .map(|node| Entry {
                                node,
                                ..entry.clone()
                            })
                    })
                    .collect(),
            ),
            Value::Call { function, argument } => {
                return self.call(function, argument, node.line, place);
            }
            Value::Text(text) => self.looked_up(text, node.line, place),
            Value::Null | Value::Unknown => node.value.clone(),
        };
        Some(Node {
            line: node.line,
            value,
            is_plain: node.is_plain,
        })
    }

    /// A text with what the dynamic references in it stand for.
    fn looked_up(&self, text: &str, line: usize, place: &str) -> Value {
        match self.references.replaced(text) {
            Ok(text) => Value::Text(text),
            Err(message) => self.wrong(line, place, &message),
        }
    }

    fn items(&self, items: &[Node], place: &str) -> Vec<Node> {
        (0..)
            .zip(items)
            .filter_map(|(index, item)| self.resolve(item, &format!("{place}[{index}]")))
            .collect()
    }

    fn call(&self, function: &str, argument: &Node, line: usize, place: &str) -> Option<Node> {
        // A call counts, whatever it gives, so that there is an end to calls too.
        if !self.may_make(NODE_BYTES, line, place) {
            return Some(Node::of(line, Value::Unknown));
        }
        let value = match function {
            "Ref" => match argument.as_text() {
                Some("AWS::NoValue") => return None,
                Some(name) => self.reference(name, line, place),
                None => self.wrong(line, place, "Ref takes a name"),
            },
            "Fn::If" => return self.choose(argument, line, place),
            "Fn::GetAtt" => self.get_att(argument, line, place),
            "Fn::Sub" => self.substitute(argument, line, place),
            "Fn::Join" => self.join(argument, line, place),
            "Fn::Select" => self.select(argument, line, place),
            "Fn::Split" => self.split(argument, line, place),
            "Fn::Base64" => self.base64(argument, line, place),
            "Fn::Cidr" => self.cidr(argument, line, place),
            "Fn::GetAZs" => self.zones(argument, line, place),
            "Fn::Length" if self.has_extensions => self.length(argument, line, place),
            "Fn::ToJsonString" if self.has_extensions => self.to_json(argument, line, place),
            "Fn::FindInMap" => self.find_in_map(argument, line, place),
            logical if LOGICAL_FUNCTIONS.contains(&logical) => self.wrong(
                line,
                place,
                &format!("`{logical}` may be used within Conditions only"),
            ),
            // Reported by `check_functions` already, wherever in the template it stands.
            _ => Value::Unknown,
        };
        let value = match value {
            Value::Text(text) => self.looked_up(&text, line, place),
            value => value,
        };
        let node = Node::of(line, value);
        if !self.may_make(node.size(), line, place) {
            return Some(Node::of(line, Value::Unknown));
        }
        Some(node)
    }

    /// Reports what is wrong with a call, and stands for its value.
    pub(super) fn wrong(&self, line: usize, place: &str, message: &str) -> Value {
        self.problems.report(line, place, message);
        Value::Unknown
    }

    /// Runs `work` unless a value of this name is being resolved already: a circle is reported.
    pub(super) fn once<T>(
        &self,
        name: &str,
        line: usize,
        place: &str,
        work: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        if self.underway.borrow().iter().any(|known| known == name) {
            self.wrong(
                line,
                place,
                &format!("`{name}` refers to itself in a circle"),
            );
            return None;
        }
        if self.underway.borrow().len() >= MAX_UNDERWAY {
            let message = format!("values refer to one another more than {MAX_UNDERWAY} deep");
            self.wrong(line, place, &message);
            return None;
        }
        self.underway.borrow_mut().push(name.to_owned());
        let result = work();
        self.underway.borrow_mut().pop();
        result
    }

    /// Whether functions may make so many bytes more: a few lines can ask for more than any memory holds,
    /// or for ever.
    fn may_make(&self, bytes: usize, line: usize, place: &str) -> bool {
        let made = self.made.get().saturating_add(bytes);
        self.made.set(made);
        let may = made <= MAX_MADE_BYTES;
        if !may {
            self.wrong(line, place, "functions grow this template too large");
        }
        may
    }

    /// Whether a function may make a text of so many bytes.
    pub(super) fn may_be(&self, bytes: usize, line: usize, place: &str) -> bool {
        let may = bytes <= MAX_TEXT_BYTES;
        if !may {
            self.wrong(line, place, "functions grow this text too large");
        }
        may
    }

    /// The resolved arguments of a function that takes a list of a fixed length.
    pub(super) fn arguments<const N: usize>(
        &self,
        function: &str,
        argument: &Node,
        line: usize,
        place: &str,
    ) -> Option<[Node; N]> {
        let Value::List(items) = &argument.value else {
            self.wrong(line, place, &format!("`{function}` takes a list of {N}"));
            return None;
        };
        let Ok(arguments) = <[Node; N]>::try_from(self.items(items, place)) else {
            self.wrong(line, place, &format!("`{function}` takes a list of {N}"));
            return None;
        };
        let known = |node: &Node| !matches!(node.value, Value::Unknown);
        arguments.iter().all(known).then_some(arguments)
    }

    fn choose(&self, argument: &Node, line: usize, place: &str) -> Option<Node> {
        let unknown = Some(Node::of(line, Value::Unknown));
        let Value::List(items) = &argument.value else {
            self.wrong(line, place, "`Fn::If` takes a condition and two values");
            return unknown;
        };
        let [condition, yes, no] = items.as_slice() else {
            self.wrong(line, place, "`Fn::If` takes a condition and two values");
            return unknown;
        };
        let Some(name) = condition.as_text() else {
            self.wrong(
                line,
                place,
                "the condition of `Fn::If` is given by its name",
            );
            return unknown;
        };
        match self.condition(name, line, place) {
            Some(true) => self.resolve(yes, place),
            Some(false) => self.resolve(no, place),
            None => unknown,
        }
    }

    fn get_att(&self, argument: &Node, line: usize, place: &str) -> Value {
        let parts = match &argument.value {
            Value::Text(text) => text.split_once('.').map(|(id, name)| (id, name.to_owned())),
            Value::List(items) => match items.as_slice() {
                [id, name] => id.as_text().zip(self.text(name, place)),
                _ => None,
            },
            _ => None,
        };
        match parts {
            Some((id, name)) => self.attribute(id, &name, line, place),
            None => self.wrong(
                line,
                place,
                "`Fn::GetAtt` takes a logical id and an attribute",
            ),
        }
    }

    fn text(&self, node: &Node, place: &str) -> Option<String> {
        self.resolve(node, place)?.as_text().map(str::to_owned)
    }

    fn join(&self, argument: &Node, line: usize, place: &str) -> Value {
        let Some([separator, items]) = self.arguments("Fn::Join", argument, line, place) else {
            return Value::Unknown;
        };
        let texts: Option<Vec<&str>> = match &items.value {
            Value::List(items) => items.iter().map(Node::as_text).collect(),
            _ => None,
        };
        match (separator.as_text(), texts) {
            (Some(separator), Some(texts)) => {
                let length = texts.iter().map(|text| text.len() + separator.len()).sum();
                if !self.may_be(length, line, place) {
                    return Value::Unknown;
                }
                Value::Text(texts.join(separator))
            }
            _ if has_unknown(&items) => Value::Unknown,
            _ => self.wrong(
                line,
                place,
                "`Fn::Join` takes a separator and a list of texts",
            ),
        }
    }

    fn select(&self, argument: &Node, line: usize, place: &str) -> Value {
        let Some([index, items]) = self.arguments("Fn::Select", argument, line, place) else {
            return Value::Unknown;
        };
        let index: Option<usize> = index.as_text().and_then(|text| text.parse().ok());
        match (index, items.value) {
            (Some(index), Value::List(items)) => match items.into_iter().nth(index) {
                Some(item) => item.value,
                None => self.wrong(
                    line,
                    place,
                    &format!("`Fn::Select` asks for item {index}, which the list does not have"),
                ),
            },
            _ => self.wrong(line, place, "`Fn::Select` takes an index and a list"),
        }
    }

    fn split(&self, argument: &Node, line: usize, place: &str) -> Value {
        let Some([separator, text]) = self.arguments("Fn::Split", argument, line, place) else {
            return Value::Unknown;
        };
        match (separator.as_text(), text.as_text()) {
            (Some(separator), Some(text)) if !separator.is_empty() => {
                let parts = text.split(separator).map(|part| Node::text(line, part));
                Value::List(parts.collect())
            }
            _ => self.wrong(line, place, "`Fn::Split` takes a separator and a text"),
        }
    }

    /// The keys of `Fn::FindInMap`, and what it gives where they name nothing.
    fn with_default<'n>(&self, argument: &'n Node) -> (Node, Option<&'n Node>) {
        if let Value::List(items) = &argument.value
            && let [keys @ .., last] = items.as_slice()
            && keys.len() == 3
            && self.has_extensions
            && let Some(default) = last.get("DefaultValue")
        {
            let keys = Node::of(argument.line, Value::List(keys.to_vec()));
            return (keys, Some(default));
        }
        (argument.clone(), None)
    }

    fn find_in_map(&self, argument: &Node, line: usize, place: &str) -> Value {
        let (keys, default) = self.with_default(argument);
        let Some([map, first, second]) = self.arguments("Fn::FindInMap", &keys, line, place) else {
            return Value::Unknown;
        };
        let found = self.mappings.and_then(|maps| {
            let rows = maps.get(map.as_text()?)?.get(first.as_text()?)?;
            rows.get(second.as_text()?)
        });
        match found {
            Some(node) => node.value.clone(),
            None if default.is_some() => default
                .and_then(|default| self.resolve(default, place))
                .map_or(Value::Null, |node| node.value),
            None => self.wrong(line, place, "`Fn::FindInMap` names no entry of Mappings"),
        }
    }
}

/// Whether a template has the functions of `AWS::LanguageExtensions`.
fn has_extensions(root: &Node) -> bool {
    let transforms = root.get("Transform").map(|node| &node.value);
    match transforms {
        Some(Value::List(names)) => names.iter().any(|name| name.as_text() == Some(EXTENSIONS)),
        Some(Value::Text(name)) => name == EXTENSIONS,
        _ => false,
    }
}

/// Whether a list holds a value that could not be resolved, which is reported already.
fn has_unknown(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => items
            .iter()
            .any(|item| matches!(item.value, Value::Unknown)),
        Value::Unknown => true,
        _ => false,
    }
}

/// Reports every function in the template that this gateway does not know, those in branches
/// that are never taken included.
pub(super) fn check_functions(root: &Node, node: &Node, place: &str, problems: &Problems) {
    match &node.value {
        Value::Call { function, argument } => {
            let name = function.as_str();
            let is_extension = EXTENSION_FUNCTIONS.contains(&name);
            if is_extension && !has_extensions(root) {
                let message = format!("`{name}` needs the transform {EXTENSIONS}");
                problems.report(node.line, place, message);
            } else if !is_extension
                && !VALUE_FUNCTIONS.contains(&name)
                && !LOGICAL_FUNCTIONS.contains(&name)
            {
                let tag = name.trim_start_matches("Fn::");
                problems.report(
                    node.line,
                    place,
                    format!(
                        "the local gateway does not know the intrinsic function `{name}` (`!{tag}`)"
                    ),
                );
            }
            check_functions(root, argument, place, problems);
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                check_functions(root, item, &format!("{place}[{index}]"), problems);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                let place = if place.is_empty() {
                    entry.name.clone()
                } else {
                    format!("{place}.{}", entry.name)
                };
                check_functions(root, &entry.node, &place, problems);
            }
        }
        Value::Null | Value::Text(_) | Value::Unknown => {}
    }
}
