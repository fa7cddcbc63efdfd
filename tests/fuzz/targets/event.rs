//! An event of the function. `$TOKEN` in it stands for a good token, so that the answer is reached.
#![no_main]

use authorizer::AnswerError;
use keygate_fuzz::house::{self, TOKEN};
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(event) = serde_json::from_str::<Value>(&text.replace("$TOKEN", &TOKEN)) else {
        return;
    };
    let answer = match house::answer(&event) {
        Ok(answer) => answer,
        Err(AnswerError::Event(error)) => {
            let said = error.to_string();
            assert!(said.starts_with("not an authorizer event: ") && !said.contains(&*TOKEN));
            return;
        }
        Err(AnswerError::Unauthorized) => return,
        Err(AnswerError::Unavailable) => {
            // The stage's name leaves no room for the policy.
            assert!(
                text.len() > 200,
                "nothing is looked up, so nothing can fail"
            );
            return;
        }
    };
    // Nothing but the house's token is accepted.
    assert!(text.contains("$TOKEN") || event.to_string().contains(&*TOKEN));
    let is_http_api = event["version"] == "2.0";
    let arn = if is_http_api {
        &event["routeArn"]
    } else {
        &event["methodArn"]
    };
    let arn = arn.as_str().expect("an accepted event has a method ARN");
    assert!(arn.starts_with("arn:aws"), "{arn}");
    // The method ARN is API Gateway's word, and stands in the policy.
    assert!(arn.contains(&*TOKEN) || !answer.to_string().contains(&*TOKEN));
    let resource = arn.splitn(6, ':').nth(5).expect("six fields");
    let stage = resource.splitn(3, '/').take(2).map(str::len).sum::<usize>() + 1;
    let stage = &arn[..arn.len() - resource.len() + stage];
    assert!(!stage.contains(['*', '?']), "{stage}");
    house::check(&answer, stage);
});
