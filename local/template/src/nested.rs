//! Nested stacks, `AWS::CloudFormation::Stack`: what watches an API may stand in one, and nothing that is
//! served. Each is read to see that, as a route in one would be missing here without a word.

use std::fs;
use std::path::Path;

use super::ignored;
use super::no_meaning;
use super::problems::Problems;
use super::yaml::{self, Entry, Node};

/// The size of a template at CloudFormation ("CloudFormation quotas").
const MOST_BYTES: u64 = 1024 * 1024;

pub(super) const STACK: &str = "AWS::CloudFormation::Stack";

/// Reports a nested stack that cannot be read, or has what changes an answer. `folder` is that of the
/// template, which its address is relative to.
pub(super) fn check(stack: &Entry, folder: &Path, problems: &Problems) {
    let properties = stack.node.get("Properties");
    let url = properties.and_then(|properties| properties.get("TemplateURL"));
    let read = match url.and_then(Node::as_text) {
        Some(url) => served_of(&folder.join(url)),
        None => Err("TemplateURL names no file".to_owned()),
    };
    let why = match read {
        Ok(served) if served.is_empty() => return,
        Ok(served) => format!("has {}", served.join(", ")),
        Err(error) => format!("cannot be read: {error}"),
    };
    let message = format!(
        "the local gateway passes over nested stacks that serve nothing, and this one {why}"
    );
    problems.report(stack.line, &stack.name, message);
}

/// What of a nested stack's resources means something here.
fn served_of(path: &Path) -> Result<Vec<String>, String> {
    let of_path = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = fs::metadata(path).map_err(|error| of_path(&error))?;
    if !file.is_file() || file.len() > MOST_BYTES {
        return Err(of_path(&"it is no file of at most a megabyte"));
    }
    let text = fs::read_to_string(path).map_err(|error| of_path(&error))?;
    let root = yaml::parse(&text).map_err(|error| of_path(&error))?;
    let resources = root.get("Resources").map_or(&[][..], Node::entries);
    let served = resources.iter().filter(|resource| {
        let kind = kind_of(&resource.node);
        let is_known = ignored::is_resource(kind) || no_meaning::properties_of(kind).is_some();
        !is_known || kind == STACK
    });
    Ok(served
        .map(|resource| format!("{} ({})", resource.name, kind_of(&resource.node)))
        .collect())
}

fn kind_of(resource: &Node) -> &str {
    let kind = resource.get("Type").and_then(Node::as_text);
    kind.unwrap_or_default()
}
