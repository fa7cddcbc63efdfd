//! What others recorded of API Gateway's answers: what a function's answer means, and what the gateway says itself.

use keygate_tests::raw::ask;
use keygate_tests::target::Target;
use serde_json::json;

use crate::recorded::{HOST, answered, with_echo};

keygate_tests::tests! { for Target:
    an_answer_may_leave_out_what_api_gateway_fills_in needs "python", "own-gateway";
    what_the_gateway_says_itself_has_api_gateways_words needs "python", "own-gateway";
    the_responses_for_all_reach_every_type_that_is_not_customised needs "python", "own-gateway";
}

fn an_answer_may_leave_out_what_api_gateway_fills_in(target: &Target) {
    with_echo(target, "", |url| {
        for (answer, status, body) in [
            (json!({}), 200, ""),
            (json!({"body": "hi"}), 200, "hi"),
            (json!({"statusCode": "201", "body": "hi"}), 201, "hi"),
        ] {
            let answer = answered(url, &[], &answer);
            assert_eq!((answer.status, answer.body.as_str()), (status, body));
            assert_eq!(answer.header("content-type"), "application/json");
        }
        let both = json!({"headers": {"X-A": "last"}, "multiValueHeaders": {"x-a": ["1", "2"]}});
        assert_eq!(answered(url, &[], &both).header("x-a"), "1, 2, last");
        for broken in [
            json!([]),
            json!("hi"),
            json!({"statusCode": "x"}),
            json!({"other": 1}),
        ] {
            let answer = answered(url, &[], &broken);
            assert_eq!(answer.status, 502, "{broken}");
            assert_eq!(answer.json(), json!({"message": "Internal server error"}));
            let kind = answer.header("x-amzn-errortype");
            assert_eq!(kind, "InternalServerErrorException");
        }
    });
}

fn what_the_gateway_says_itself_has_api_gateways_words(target: &Target) {
    with_echo(target, "", |url| {
        for (request_line, status, message, exception) in [
            (
                "GET /stage/nothing",
                403,
                "Missing Authentication Token",
                "MissingAuthenticationTokenException",
            ),
            (
                "GET /stage/files/%zz",
                400,
                "Bad Request",
                "BadRequestException",
            ),
        ] {
            let answer = ask(url, request_line, &[HOST], "");
            assert_eq!(answer.status, status, "{answer:#?}");
            assert_eq!(answer.json(), json!({"message": message}));
            assert_eq!(answer.header("x-amzn-errortype"), exception);
            assert!(!answer.header("x-amz-apigw-id").is_empty());
            assert_eq!(answer.header("x-amzn-trace-id"), "");
        }
    });
}

fn the_responses_for_all_reach_every_type_that_is_not_customised(target: &Target) {
    let responses = "      GatewayResponses:
        DEFAULT_4XX:
          StatusCode: 418
          ResponseParameters: {Headers: {X-Mark: \"'four'\"}}
          ResponseTemplates: {text/plain: 'four $context.error.messageString'}
        DEFAULT_5XX: {StatusCode: 599, ResponseParameters: {Headers: {X-Mark: \"'five'\"}}}
        BAD_REQUEST_PARAMETERS: {StatusCode: 422}";
    with_echo(target, responses, |url| {
        let answer = ask(url, "GET /stage/nothing", &[HOST], "");
        assert_eq!(
            (answer.status, answer.header("x-mark").as_str()),
            (418, "four")
        );
        assert_eq!(answer.body, "four \"Missing Authentication Token\"");
        assert_eq!(answer.header("content-type"), "text/plain");
        let answer = answered(url, &[], &json!([]));
        assert_eq!(
            (answer.status, answer.header("x-mark").as_str()),
            (599, "five")
        );
        let answer = ask(url, "GET /stage/files/%zz", &[HOST], "");
        assert_eq!((answer.status, answer.header("x-mark").as_str()), (422, ""));
        assert_eq!(answer.json(), json!({"message": "Bad Request"}));
    });
}
