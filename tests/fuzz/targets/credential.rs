//! The headers of a request, one a line: a line that begins with `X-Api-Key: ` is a value of that
//! header, and every other one a value of `Authorization`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (mut authorization, mut api_key) = (Vec::new(), Vec::new());
    for line in text.split('\n') {
        match line.strip_prefix("X-Api-Key: ") {
            Some(value) => api_key.push(value),
            None => authorization.push(line),
        }
    }
    authorizer::properties::credential(&authorization, &api_key);
});
