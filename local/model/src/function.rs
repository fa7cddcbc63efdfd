//! A Lambda function of a template.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A Lambda function.
#[derive(Debug, Clone)]
pub struct Function {
    /// The logical id.
    pub id: String,
    /// The name, which is the logical id where the template does not say.
    pub name: String,
    /// How its package is made.
    pub build: Build,
    /// What runs the package.
    pub runtime: Runtime,
    /// The part of the package that is called; an executable of its own may do without.
    pub handler: Option<String>,
    /// Where its code is, as the template has it.
    pub code: PathBuf,
    /// The environment that the template gives it.
    pub environment: BTreeMap<String, String>,
    /// The lines of the template where its variables stand.
    pub environment_lines: BTreeMap<String, usize>,
    /// Where the content of its layers is, the last first: in Lambda, `/opt`.
    pub layers: Vec<PathBuf>,
    /// An invocation that takes longer is killed.
    pub timeout: Duration,
    /// Configured memory in MiB, told to the function but not enforced here.
    pub memory_mib: u32,
    /// Another name of its one version, where the template says (`AutoPublishAlias`).
    pub alias: Option<String>,
    /// How many invocations may be under way at once, where the template says
    /// (`ReservedConcurrentExecutions`).
    pub reserved_concurrency: Option<u32>,
}

impl Function {
    /// One of this logical id with nothing that is its own.
    #[must_use]
    pub fn plain(id: &str, runtime: Runtime) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            build: Build::None,
            runtime,
            handler: None,
            code: PathBuf::new(),
            environment: BTreeMap::new(),
            environment_lines: BTreeMap::new(),
            layers: Vec::new(),
            timeout: Duration::from_secs(3),
            memory_mib: 128,
            alias: None,
            reserved_concurrency: None,
        }
    }
}

/// How a function's package, which in Lambda is `/var/task`, is made of its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Build {
    /// The code is the package.
    None,
    /// The binary of this name, which cargo builds, is the executable; the code is the package.
    Cargo(String),
    /// The target `build-ID` of the code's Makefile fills the package.
    Make,
}

/// What runs a function's package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runtime {
    /// An executable, in whatever language: `provided` and its successors.
    Provided,
    /// Python of a version such as `3.14`.
    Python(String),
    /// Node.js of a major version such as `24`.
    Node(String),
}

impl Runtime {
    /// Whether Lambda brings it, so that the package is no program by itself.
    #[must_use]
    pub fn is_managed(&self) -> bool {
        *self != Self::Provided
    }
}

/// The template's own name for it, such as `python3.14`.
impl fmt::Display for Runtime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provided => formatter.write_str("provided"),
            Self::Python(version) => write!(formatter, "python{version}"),
            Self::Node(version) => write!(formatter, "nodejs{version}.x"),
        }
    }
}

impl FromStr for Runtime {
    type Err = UnknownRuntime;

    fn from_str(text: &str) -> Result<Self, UnknownRuntime> {
        let is_number = |text: &str| {
            !text.is_empty() && text.len() < 4 && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if text == "provided" || text.starts_with("provided.") {
            return Ok(Self::Provided);
        }
        let python = text.strip_prefix("python");
        let minor = python.and_then(|version| version.strip_prefix("3."));
        if let (Some(version), Some(minor)) = (python, minor)
            && is_number(minor)
        {
            return Ok(Self::Python(version.to_owned()));
        }
        let node = text.strip_prefix("nodejs");
        match node.and_then(|version| version.strip_suffix(".x")) {
            Some(major) if is_number(major) => Ok(Self::Node(major.to_owned())),
            _ => Err(UnknownRuntime),
        }
    }
}

/// A runtime that this gateway does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownRuntime;
