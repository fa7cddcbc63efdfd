//! The calls that a function can make at all: the linker keeps an operation of AWS's SDK only where some code
//! of the executable comes to it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use keygate_tests::symbols;
use regex::Regex;

/// What every executable with the SDK links and none calls: of the SDK's sources of credentials the
/// environment comes first, and Lambda sets it.
const NEVER_CALLED: [&str; 2] = ["sts.AssumeRole", "sts.AssumeRoleWithWebIdentity"];

/// The operations of an executable that it may call, such as `dynamodb.GetItem`.
pub(crate) fn operations(executable: &Path) -> BTreeSet<String> {
    let mut found = linked(executable);
    if !found.is_empty() {
        for name in NEVER_CALLED {
            assert!(
                found.remove(name),
                "{} does not link {name}",
                executable.display()
            );
        }
    }
    found
}

fn linked(executable: &Path) -> BTreeSet<String> {
    static OPERATION: OnceLock<Regex> = OnceLock::new();
    // A path of length-prefixed names, as both manglings of rustc have it.
    let pattern =
        r"aws_sdk_([a-z0-9]+?)9operation\d+[a-z0-9_]+?\d*([A-Z][A-Za-z0-9]*?)11orchestrate";
    let operation = OPERATION.get_or_init(|| Regex::new(pattern).unwrap());
    let names = symbols::of(executable);
    // Of a hundred thousand names few are an operation's.
    let names = names.iter().filter(|name| name.contains("orchestrate"));
    let found = names.filter_map(|name| {
        let found = operation.captures(name)?;
        Some(format!("{}.{}", &found[1], &found[2]))
    });
    found.collect()
}
