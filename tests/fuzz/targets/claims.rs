//! Claims that the trusted issuer has signed. Those that are accepted are for us and for now, and are
//! what the answer says.
#![no_main]

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use authorizer::AnswerError;
use keygate_fuzz::house::{self, AUDIENCE, HEADER, ISSUER, LEEWAY, STAGE};
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|claims: &[u8]| {
    let token = house::signed(HEADER, claims);
    let Ok(answer) = house::authorize(&token) else {
        return;
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    house::check(&answer, STAGE);
    let claims: Value = serde_json::from_slice(claims).expect("claims are JSON");
    assert_eq!(claims["iss"], ISSUER);
    assert!(
        claims["aud"] == AUDIENCE
            || claims["aud"].as_array().is_some_and(|all| {
                all.iter().any(|one| one == AUDIENCE) && all.iter().all(Value::is_string)
            })
    );
    // A second for the time that it took.
    let date = |name: &str| claims[name].as_f64();
    let now = now.as_secs_f64();
    assert!(date("exp").expect("exp is a number") + LEEWAY > now - 1.0);
    for name in ["nbf", "iat"]
        .into_iter()
        .filter(|name| claims.get(name).is_some())
    {
        assert!(date(name).expect("a date is a number") <= now + LEEWAY);
    }
    // Bound to a key, it is no bearer token.
    assert!(claims["cnf"].is_null());

    let context = &answer["context"];
    assert_eq!(context["issuer"], ISSUER);
    assert_eq!(context["credential"], "jwt");
    assert_eq!(context["principal"], claims["sub"]);
    let mut written = BTreeSet::new();
    ["scope", "scp"]
        .iter()
        .for_each(|name| words(&claims[name], &mut written));
    let scopes = context["scopes"].as_str().expect("scopes").split(' ');
    for scope in scopes.filter(|scope| !scope.is_empty()) {
        assert!(written.contains(scope), "{scope} is in no claim");
    }

    let first = token.rfind('.').expect("three parts") + 1;
    let other = if token[first..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    let forged = format!("{}{other}{}", &token[..first], &token[first + 1..]);
    assert_eq!(
        house::authorize(&forged).err(),
        Some(AnswerError::Unauthorized)
    );
});

/// The words of a claim: of a text, of a list of texts, and the names of an object.
fn words<'v>(value: &'v Value, into: &mut BTreeSet<&'v str>) {
    match value {
        Value::String(text) => into.extend(text.split(' ')),
        Value::Array(values) => values.iter().for_each(|value| words(value, into)),
        Value::Object(members) => into.extend(members.keys().map(String::as_str)),
        _ => {}
    }
}
