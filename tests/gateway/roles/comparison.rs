//! What roles grant, held against what functions call, both ways.

use super::deployed::{Deployed, Function};
use super::policy::{Statement, matches};
use super::record::Calls;
use super::right::Right;

/// Each call that is not granted, and each grant that no call uses, in a sentence.
pub(crate) fn findings(deployed: &Deployed, calls: &Calls) -> Vec<String> {
    let functions = deployed.functions();
    let findings = functions.iter().flat_map(|function| {
        let called = calls.get(&function.id).into_iter().flatten();
        let rights = called.flat_map(|call| &call.rights);
        let rights: Vec<&Right> = rights.chain(&function.of_lambda).collect();
        let mut found = not_granted(function, &rights);
        for statement in &function.statements {
            found.extend(not_used(statement, &rights));
        }
        let found = found.into_iter();
        found.map(|finding| format!("{}: {finding}", function.id))
    });
    let mut findings: Vec<String> = findings.collect();
    findings.sort();
    findings.dedup();
    findings
}

fn not_granted(function: &Function, rights: &[&Right]) -> Vec<String> {
    let is_granted = |right: &&&Right| {
        let mut statements = function.statements.iter();
        statements.any(|statement| statement.allows(right))
    };
    let missing = rights.iter().filter(|right| !is_granted(right));
    missing
        .map(|right| format!("{right} is called and not granted"))
        .collect()
}

fn not_used(statement: &Statement, rights: &[&Right]) -> Vec<String> {
    let allowed = || rights.iter().filter(|right| statement.allows(right));
    let mut found = Vec::new();
    for action in &statement.actions {
        if action.contains(['*', '?']) {
            found.push(format!("{action} is more than one action"));
        }
        for resource in &statement.resources {
            let is_used = allowed()
                .any(|right| matches(action, &right.action) && matches(resource, &right.resource));
            if !is_used {
                found.push(format!("{action} on {resource} is granted and not called"));
            }
        }
    }
    for condition in &statement.conditions {
        for value in &condition.values {
            let is_met = allowed().any(|right| {
                let mut actual = right.context.get(&condition.key).into_iter().flatten();
                actual.any(|actual| condition.is_like(value, actual))
            });
            if !is_met {
                let actions = statement.actions.join(", ");
                found.push(format!(
                    "{actions} with {value} ({}) is granted and not called",
                    condition.key
                ));
            }
        }
    }
    found
}
