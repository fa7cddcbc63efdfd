//! YAML text to a tree that keeps tags and line numbers.
//!
//! Composed here from the events of `saphyr-parser`: the loader of `saphyr` 0.3.4 keeps tags and
//! spans, but it neither bounds nesting nor counts the aliases within keys (374 bytes became a
//! million nodes). It also loses which key is a duplicate, and passes an alias for a key, or within
//! its own anchor, in silence.

use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};

/// Deeper than any template; a bound so that a hostile file cannot exhaust the stack.
pub(super) const MAX_DEPTH: usize = 64;
/// How many bytes the aliases of a file may add, against files that grow when read.
const MAX_ALIASED_BYTES: usize = 8 * 1024 * 1024;
/// What a value takes besides its text.
pub(super) const NODE_BYTES: usize = 64;

/// A value and the line it starts on, from 1.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
    /// Whether it is text without quotes, and so may be meant as a number or a boolean.
    pub(super) is_plain: bool,
}

/// A YAML value. CloudFormation takes numbers and booleans as text wherever text is asked for,
/// so they stay as they are written until a property says what it is.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// An intrinsic function by its long name (`Fn::Sub`, `Ref`), from either spelling.
    Call {
        function: String,
        argument: Box<Node>,
    },
    /// What could not be resolved. The reason is reported already, so nobody reports it again.
    Unknown,
}

/// One entry of a mapping, in the order of the file.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    /// The line of the key.
    pub(super) line: usize,
    pub(super) node: Node,
}

impl Node {
    /// A value that stands for what was on this line.
    pub(super) fn of(line: usize, value: Value) -> Self {
        Self {
            line,
            value,
            is_plain: false,
        }
    }

    /// A text that stands for what was on this line.
    pub(super) fn text(line: usize, text: impl Into<String>) -> Self {
        Self::of(line, Value::Text(text.into()))
    }

    /// A mapping that stands for what was on this line.
    pub(super) fn map(line: usize, entries: Vec<(&str, Node)>) -> Self {
        let entries = entries.into_iter().map(|(name, node)| Entry {
            name: name.to_owned(),
            line,
            node,
        });
        Self::of(line, Value::Map(entries.collect()))
    }

    /// `!Ref NAME`.
    pub(super) fn reference(line: usize, name: &str) -> Self {
        let function = "Ref".to_owned();
        let argument = Box::new(Self::text(line, name));
        Self::of(line, Value::Call { function, argument })
    }

    /// The value of an entry, when this is a mapping that has it.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|entry| entry.name == name)
            .map(|entry| &entry.node)
    }

    /// The entries of a mapping, none for anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text, when it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// How deep values are nested in this one.
    fn height(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Node::height).max().unwrap_or(0),
            Value::Map(entries) => {
                let nodes = entries.iter().map(|entry| entry.node.height());
                1 + nodes.max().unwrap_or(0)
            }
            Value::Call { argument, .. } => 1 + argument.height(),
            Value::Null | Value::Text(_) | Value::Unknown => 0,
        }
    }

    /// How many bytes it takes, about.
    pub(super) fn size(&self) -> usize {
        let sizes = |entries: &[Entry]| -> usize {
            let sizes = entries.iter();
            sizes
                .map(|entry| entry.name.len() + entry.node.size())
                .sum()
        };
        NODE_BYTES
            + match &self.value {
                Value::List(items) => items.iter().map(Node::size).sum(),
                Value::Map(entries) => sizes(entries),
                Value::Call { argument, .. } => argument.size(),
                Value::Text(text) => text.len(),
                Value::Null | Value::Unknown => 0,
            }
    }
}

/// What the file says that YAML, or this reader of it, does not allow.
#[derive(Debug, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct SyntaxError {
    line: usize,
    column: usize,
    message: String,
}

impl SyntaxError {
    fn new(at: Marker, message: impl Into<String>) -> Self {
        Self {
            line: at.line(),
            column: at.col() + 1,
            message: message.into(),
        }
    }
}

impl From<ScanError> for SyntaxError {
    fn from(error: ScanError) -> Self {
        Self::new(*error.marker(), error.info())
    }
}

/// Reads a file that holds one YAML document.
///
/// # Errors
/// Text that is not YAML, more or less than one document, a key that a mapping has twice, a key
/// that is no text, and an `Fn::` key that does not stand alone.
pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    // A byte order mark is no part of the document (YAML 1.2.2, section 5.2).
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder {
        parser: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        aliased: 0,
    };
    let mut document = None;
    loop {
        let (event, at) = builder.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart(_) if document.is_some() => {
                return Err(SyntaxError::new(at, "a second document begins here"));
            }
            Event::DocumentStart(_) => {
                let (event, at) = builder.next()?;
                document = Some(builder.node(event, at, 0)?);
            }
            _ => return Err(SyntaxError::new(at, "a document was expected here")),
        }
    }
    document.ok_or(SyntaxError {
        line: 1,
        column: 1,
        message: "the file is empty".to_owned(),
    })
}

struct Builder<'text> {
    parser: Parser<'text, StrInput<'text>>,
    anchors: BTreeMap<usize, Node>,
    aliased: usize,
}

impl<'text> Builder<'text> {
    fn next(&mut self) -> Result<(Event<'text>, Marker), SyntaxError> {
        match self.parser.next_event() {
            Some(event) => {
                let (event, span) = event?;
                Ok((event, span.start))
            }
            None => Err(SyntaxError {
                line: 1,
                column: 1,
                message: "the text ends within a value".to_owned(),
            }),
        }
    }

    fn node(&mut self, event: Event<'text>, at: Marker, depth: usize) -> Result<Node, SyntaxError> {
        check_depth(depth, at)?;
        let is_plain = matches!(&event, Event::Scalar(_, ScalarStyle::Plain, _, None));
        let (value, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let core = tag.as_deref().filter(|tag| tag.is_yaml_core_schema());
                (scalar(&text, style, core, at)?, anchor, tag)
            }
            Event::SequenceStart(anchor, tag) => (self.list(depth)?, anchor, tag),
            Event::MappingStart(anchor, tag) => (self.map(at, depth)?, anchor, tag),
            Event::Alias(anchor) => return self.alias(anchor, at, depth),
            _ => return Err(SyntaxError::new(at, "a value was expected here")),
        };
        let node = tagged(
            Node {
                line: at.line(),
                value,
                is_plain,
            },
            tag.as_deref(),
        );
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, start: Marker, depth: usize) -> Result<Value, SyntaxError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = BTreeSet::new();
        loop {
            let (event, at) = self.next()?;
            let name = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, style, ..) => {
                    // A key such as `on` is a boolean to SAM, as a value would be.
                    scalar(&text, style, None, at)?;
                    text.into_owned()
                }
                _ => return Err(SyntaxError::new(at, "a key must be plain text")),
            };
            if name == "<<" {
                return Err(SyntaxError::new(
                    at,
                    "merge keys (`<<`) are not supported: write the entries out",
                ));
            }
            if !seen.insert(name.clone()) {
                return Err(SyntaxError::new(
                    at,
                    format!("the key `{name}` is here twice"),
                ));
            }
            let (event, value_at) = self.next()?;
            let node = self.node(event, value_at, depth + 1)?;
            entries.push(Entry {
                name,
                line: at.line(),
                node,
            });
        }
        long_form(entries, start)
    }

    fn alias(&mut self, anchor: usize, at: Marker, depth: usize) -> Result<Node, SyntaxError> {
        let node = self
            .anchors
            .get(&anchor)
            .ok_or_else(|| SyntaxError::new(at, "this alias stands within its own anchor"))?;
        check_depth(depth + node.height(), at)?;
        self.aliased += node.size();
        if self.aliased > MAX_ALIASED_BYTES {
            return Err(SyntaxError::new(
                at,
                "the aliases of this file grow it too large",
            ));
        }
        Ok(node.clone())
    }
}

fn check_depth(depth: usize, at: Marker) -> Result<(), SyntaxError> {
    if depth > MAX_DEPTH {
        let message = format!("values are nested more than {MAX_DEPTH} deep");
        return Err(SyntaxError::new(at, message));
    }
    Ok(())
}

/// A mapping of one `Fn::` key or `Ref` is a call: the long form of a short tag.
fn long_form(mut entries: Vec<Entry>, start: Marker) -> Result<Value, SyntaxError> {
    if let Some(entry) = entries.iter().find(|entry| entry.name.starts_with("Fn::"))
        && entries.len() > 1
    {
        return Err(SyntaxError::new(
            start,
            format!("`{}` must be the only key of its mapping", entry.name),
        ));
    }
    match entries.pop() {
        Some(only)
            if entries.is_empty() && (only.name == "Ref" || only.name.starts_with("Fn::")) =>
        {
            Ok(Value::Call {
                function: only.name,
                argument: Box::new(only.node),
            })
        }
        Some(last) => {
            entries.push(last);
            Ok(Value::Map(entries))
        }
        None => Ok(Value::Map(entries)),
    }
}

/// A short tag is a call: `!Sub text` is `Fn::Sub: text`.
fn tagged(node: Node, tag: Option<&Tag>) -> Node {
    let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema() && !tag.suffix.is_empty()) else {
        return node;
    };
    let function = match tag.suffix.as_str() {
        name @ ("Ref" | "Condition") => name.to_owned(),
        name => format!("Fn::{name}"),
    };
    let line = node.line;
    let argument = Box::new(node);
    Node::of(line, Value::Call { function, argument })
}

/// Plain text that means more than its letters (YAML 1.1, which CloudFormation and SAM read).
fn scalar(
    text: &str,
    style: ScalarStyle,
    core_tag: Option<&Tag>,
    at: Marker,
) -> Result<Value, SyntaxError> {
    if style != ScalarStyle::Plain || core_tag.is_some_and(|tag| tag.suffix == "str") {
        return Ok(Value::Text(text.to_owned()));
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Ok(Value::Null),
        "True" | "TRUE" => Ok(Value::Text("true".to_owned())),
        "False" | "FALSE" => Ok(Value::Text("false".to_owned())),
        _ if ["yes", "no", "on", "off"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word)) =>
        {
            Err(SyntaxError::new(
                at,
                format!(
                    "some readers take `{text}` as a boolean: quote it, or write true or false"
                ),
            ))
        }
        _ => Ok(Value::Text(text.to_owned())),
    }
}
