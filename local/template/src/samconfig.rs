//! `samconfig.toml`, or in YAML, beside the template: the parameters of an environment, as `sam deploy` takes them (SAM CLI
//! configuration file).

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use keygate_model::Configured;
use toml::{Table, Value};

use super::yaml::{self, Node, SyntaxError};

/// The file's names, the first that is there.
pub const FILES: [&str; 3] = ["samconfig.toml", "samconfig.yaml", "samconfig.yml"];
/// The environment that is meant where none is named.
const DEFAULT: &str = "default";
/// The commands whose parameters are taken, the first that has some. `global` is all commands'.
const COMMANDS: [&str; 3] = ["local_start_api", "deploy", "global"];

/// Why the file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is no TOML.
    #[error("{}: {error}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: Box<toml::de::Error>,
    },
    /// It is no YAML.
    #[error("{}: {error}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: SyntaxError,
    },
    /// It has not the environment that was asked for.
    #[error("--config-env {name}: {} has no such environment; it has {known}", path.display())]
    NoEnvironment {
        /// What was asked for.
        name: String,
        /// The file.
        path: PathBuf,
        /// Those that it has.
        known: String,
    },
    /// The parameters are not written as SAM takes them.
    #[error(
        "{place}: parameter_overrides must be NAME=VALUE as text or a list, or a mapping; `{item}` is not"
    )]
    Override {
        /// Where it stands.
        place: String,
        /// What cannot be read.
        item: String,
    },
}

/// Reads the file beside a template, where there is one; `environment` is `None` where nobody named one.
pub(super) fn read(template: &Path, environment: Option<&str>) -> Result<Configured, ConfigError> {
    for file in FILES {
        let path = template.with_file_name(file);
        match std::fs::read_to_string(&path) {
            Ok(text) => return of_text(&text, &path, environment),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(ConfigError::Read { path, error }),
        }
    }
    match environment {
        None => Ok(Configured::default()),
        Some(_) => Err(ConfigError::Read {
            path: template.with_file_name(FILES[0]),
            error: ErrorKind::NotFound.into(),
        }),
    }
}

fn table(text: &str, path: &Path) -> Result<Table, ConfigError> {
    if path.extension().is_none_or(|form| form == "toml") {
        return text.parse().map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            error: Box::new(error),
        });
    }
    let node = yaml::parse(text).map_err(|error| ConfigError::Yaml {
        path: path.to_owned(),
        error,
    })?;
    match of_yaml(&node) {
        Value::Table(table) => Ok(table),
        _ => Ok(Table::new()),
    }
}

/// What YAML says in the words of TOML. A tag is nothing that SAM knows, so it is a text which is refused.
fn of_yaml(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Text(text) if node.is_plain => {
            let flag = text.to_ascii_lowercase().parse();
            flag.map_or_else(|_| Value::String(text.clone()), Value::Boolean)
        }
        yaml::Value::Text(text) => Value::String(text.clone()),
        yaml::Value::List(items) => Value::Array(items.iter().map(of_yaml).collect()),
        yaml::Value::Map(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|entry| (entry.name.clone(), of_yaml(&entry.node)));
            Value::Table(entries.collect())
        }
        yaml::Value::Call { function, .. } => Value::String(function.clone()),
        yaml::Value::Null | yaml::Value::Unknown => Value::String(String::new()),
    }
}

fn of_text(text: &str, path: &Path, environment: Option<&str>) -> Result<Configured, ConfigError> {
    let table = table(text, path)?;
    let name = environment.unwrap_or(DEFAULT);
    let Some(commands) = table.get(name).and_then(Value::as_table) else {
        if environment.is_none() {
            return Ok(Configured::default());
        }
        let known = table.iter().filter(|(_, value)| value.is_table());
        let known: Vec<&str> = known.map(|(name, _)| name.as_str()).collect();
        return Err(ConfigError::NoEnvironment {
            name: name.to_owned(),
            path: path.to_owned(),
            known: known.join(", "),
        });
    };
    let found = COMMANDS.iter().find_map(|command| {
        let parameters = commands.get(*command)?.get("parameters")?;
        Some((command, parameters.get("parameter_overrides")?))
    });
    let Some((command, overrides)) = found else {
        return Ok(Configured::default());
    };
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let place = format!("{file} [{name}.{command}.parameters]");
    match values(overrides) {
        Ok(values) => Ok(Configured {
            place,
            values,
            unknown: Vec::new(),
        }),
        Err(item) => Err(ConfigError::Override { place, item }),
    }
}

/// The parameters of a text, a list or a mapping; what cannot be read is the error.
fn values(overrides: &Value) -> Result<BTreeMap<String, String>, String> {
    match overrides {
        Value::String(text) => words(text).iter().map(|word| pair(word)).collect(),
        Value::Array(items) => {
            let mut values = BTreeMap::new();
            for item in items {
                match item {
                    Value::String(text) => values.extend([pair(text)?]),
                    other => values.extend(self::values(other)?),
                }
            }
            Ok(values)
        }
        Value::Table(table) => table
            .iter()
            .map(|(name, value)| match value {
                _ if name == "$include" => Err(name.clone()),
                Value::Array(items) => {
                    let items: Result<Vec<String>, String> = items.iter().map(scalar).collect();
                    Ok((name.clone(), items?.join(",")))
                }
                value => Ok((name.clone(), scalar(value)?)),
            })
            .collect(),
        other => Err(other.type_str().to_owned()),
    }
}

/// A value as SAM, which is written in Python, writes it.
fn scalar(value: &Value) -> Result<String, String> {
    Ok(match value {
        Value::String(text) => unquoted(text.trim()),
        Value::Boolean(true) => "True".to_owned(),
        Value::Boolean(false) => "False".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        other => return Err(other.type_str().to_owned()),
    })
}

/// `NAME=VALUE`, or SAM's older `ParameterKey=NAME,ParameterValue=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let older = text
        .strip_prefix("ParameterKey=")
        .and_then(|rest| rest.split_once(",ParameterValue="));
    let (name, value) = older
        .or_else(|| text.split_once('='))
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| text.to_owned())?;
    Ok((name.to_owned(), unquoted(value)))
}

/// A value without the quotation marks around it.
fn unquoted(value: &str) -> String {
    let inner = ['"', '\''].into_iter().find_map(|quote| {
        let rest = value.strip_prefix(quote)?;
        rest.strip_suffix(quote)
    });
    inner.unwrap_or(value).replace("\\\"", "\"")
}

/// The words of a text; blanks between quotation marks are within a word.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut is_escaped = false;
    for letter in text.chars() {
        match quote {
            None if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            None if (letter == '"' || letter == '\'') && !is_escaped => quote = Some(letter),
            Some(open) if open == letter && !is_escaped => quote = None,
            _ => {}
        }
        is_escaped = letter == '\\' && !is_escaped;
        word.push(letter);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: Option<&str>) -> Result<Configured, String> {
        let read = of_text(text, Path::new(FILES[0]), environment);
        read.map_err(|error| error.to_string())
    }

    fn of(overrides: &str) -> Vec<(String, String)> {
        let text = format!("[default.deploy.parameters]\nparameter_overrides = {overrides}");
        read(&text, None).unwrap().values.into_iter().collect()
    }

    #[test]
    fn parameters_are_a_list_or_a_text_in_either_spelling() {
        let expected = [("A", "1"), ("B", "two words"), ("C", "a=b")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for overrides in [
            r#"["A=1", "B=two words", "C=a=b"]"#,
            r#"'A=1 B="two words"   C=a=b'"#,
            r#""ParameterKey=A,ParameterValue=1 ParameterKey=B,ParameterValue='two words' C=\"a=b\"""#,
        ] {
            assert_eq!(of(overrides), expected, "{overrides}");
        }
        assert_eq!(of("'A= '"), [("A".to_owned(), String::new())]);
    }

    #[test]
    fn a_mapping_and_yaml_say_the_same_as_sam_reads_them() {
        let expected = [("A", "1"), ("B", "x,y"), ("C", "True"), ("D", "two words")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mapping = "{A = 1, B = ['x', 'y'], C = true, D = 'two words'}";
        assert_eq!(of(mapping), expected);
        assert_eq!(of(&format!("['A=2', {mapping}]")), expected);
        let yaml = "version: 0.1
default:
  deploy:
    parameters:
      parameter_overrides:
        A: 1
        B: [x, y]
        C: true
        D: two words
";
        for text in [yaml.to_owned(), yaml.replace("\n        ", "\n        - ")] {
            let path = Path::new("project/samconfig.yaml");
            let read = of_text(&text, path, None).unwrap();
            assert_eq!(read.place, "samconfig.yaml [default.deploy.parameters]");
            assert_eq!(read.values.into_iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn the_environment_and_the_nearest_command_decide() {
        let text = "version = 0.1
[default.global.parameters]
parameter_overrides = 'A=global'
[dev.deploy.parameters]
parameter_overrides = 'A=deploy'
[dev.local_start_api.parameters]
parameter_overrides = 'A=local'
[prod.deploy.parameters]
stack_name = 'x'";
        for (environment, place, value) in [
            (
                None,
                "samconfig.toml [default.global.parameters]",
                Some("global"),
            ),
            (
                Some("dev"),
                "samconfig.toml [dev.local_start_api.parameters]",
                Some("local"),
            ),
            (Some("prod"), "", None),
        ] {
            let configured = read(text, environment).unwrap();
            assert_eq!(configured.place, place);
            assert_eq!(configured.values.get("A").map(String::as_str), value);
        }
        assert_eq!(
            read(text, Some("test")).unwrap_err(),
            "--config-env test: samconfig.toml has no such environment; it has default, dev, prod"
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, expected) in [
            ("[", "samconfig.toml: TOML parse error at line 1"),
            (
                "[default.deploy.parameters]\nparameter_overrides = ['A']",
                "`A` is not",
            ),
            (
                "[default.deploy.parameters]\nparameter_overrides = [7]",
                "`integer` is not",
            ),
            (
                "[default.deploy.parameters]\nparameter_overrides = {'$include' = 'x.toml'}",
                "`$include` is not",
            ),
            (
                "[default.deploy.parameters]\nparameter_overrides = '=x'",
                "`=x` is not",
            ),
        ] {
            let error = read(text, None).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(read("version = 0.1", None), Ok(Configured::default()));
    }
}
