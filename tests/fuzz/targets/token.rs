//! A text that is sent as a token; `$` at its end stands for the signature that fits. What is accepted
//! is what the issuer has signed, to the letter.
#![no_main]

use keygate_fuzz::house;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let signed = text
        .strip_suffix(".$")
        .map(|input| format!("{input}.{}", house::signature(input)));
    let text = signed.as_deref().unwrap_or(text);
    authorizer::properties::token(text);
    if house::authorize(text).is_ok() {
        let (signing_input, signature) = text.rsplit_once('.').expect("three parts");
        assert_eq!(signature, house::signature(signing_input));
    }
});
