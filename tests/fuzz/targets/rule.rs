//! A rule, and behind a line `---` the claims that are held to it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (rule, claims) = text.split_once("\n---\n").unwrap_or((text, "{}"));
    authorizer::properties::rule(rule, claims.as_bytes());
});
