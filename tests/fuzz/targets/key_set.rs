//! A document at the address of an issuer's keys.
#![no_main]

libfuzzer_sys::fuzz_target!(|document: &[u8]| authorizer::properties::key_set(document));
