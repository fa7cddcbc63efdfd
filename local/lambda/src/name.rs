//! How a caller names a function: by its name, a part of its ARN, or the whole of it, each with or without
//! a qualifier ("Invoke", Lambda API reference, `FunctionName`); and by its logical id.

use keygate_functions::Functions;
use keygate_model::Function;
use keygate_model::deployment::{ACCOUNT_ID, LATEST, REGION, function_arn};

use super::answer::ApiError;

/// The logical id of a function that is here.
pub(super) fn find(
    functions: &Functions,
    name: &str,
    qualifier: Option<&str>,
) -> Result<String, ApiError> {
    let (function, own) = parts(name).ok_or_else(|| ApiError::unknown(&arn(name, qualifier)))?;
    let is_contradiction = matches!((own, qualifier), (Some(one), Some(other)) if one != other);
    if is_contradiction {
        let message = "the function's name and Qualifier disagree";
        return Err(ApiError::invalid_parameter(message.to_owned()));
    }
    let qualifier = own.or(qualifier);
    let found = functions.named(function);
    let has = |function: &Function| {
        qualifier.is_none_or(|other| other == LATEST || function.alias.as_deref() == Some(other))
    };
    let found = found.filter(|program| has(&program.function));
    let found = found.map(|program| program.function.id.clone());
    found.ok_or_else(|| ApiError::unknown(&arn(function, qualifier)))
}

fn arn(function: &str, qualifier: Option<&str>) -> String {
    let arn = function_arn(function);
    match qualifier {
        Some(qualifier) => format!("{arn}:{qualifier}"),
        None => arn,
    }
}

/// The name itself and its qualifier; `None` for another account or region than this machine's.
fn parts(name: &str) -> Option<(&str, Option<&str>)> {
    let parts: Vec<&str> = name.split(':').collect();
    match parts.as_slice() {
        [name] => Some((name, None)),
        [name, qualifier] => Some((name, Some(qualifier))),
        ["arn", "aws", "lambda", REGION, own @ ..] | own => of_account(own),
    }
}

fn of_account<'n>(parts: &[&'n str]) -> Option<(&'n str, Option<&'n str>)> {
    match parts {
        [ACCOUNT_ID, "function", name] => Some((name, None)),
        [ACCOUNT_ID, "function", name, qualifier] => Some((name, Some(qualifier))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_in_whole_or_in_part() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:Fn";
        for (name, expected) in [
            ("Fn", Some(("Fn", None))),
            ("Fn:$LATEST", Some(("Fn", Some("$LATEST")))),
            ("123456789012:function:Fn", Some(("Fn", None))),
            ("123456789012:function:Fn:live", Some(("Fn", Some("live")))),
            (arn, Some(("Fn", None))),
            (&format!("{arn}:$LATEST"), Some(("Fn", Some("$LATEST")))),
            (&format!("{arn}:a:b"), None),
            ("arn:aws:lambda:eu-west-1:123456789012:function:Fn", None),
            ("210987654321:function:Fn", None),
            ("arn:aws:lambda:us-east-1:Fn", None),
        ] {
            assert_eq!(parts(name), expected, "{name}");
        }
    }
}
