use super::*;
use proptest::prelude::*;

fn exchange(accept: Option<&str>) -> Exchange {
    let mut request = http::Request::get("/dev/books");
    if let Some(accept) = accept {
        request = request.header("accept", accept);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    Exchange::new(&parts, "192.0.2.1".to_owned(), 3000)
}

fn read(answer: &[u8]) -> Result<Response<Bytes>, MalformedResponse> {
    super::read(answer, &exchange(None), &BinaryMediaTypes::default())
}

fn values<'a>(response: &'a Response<Bytes>, name: &str) -> Vec<&'a str> {
    let values = response.headers().get_all(name).iter();
    values.map(|value| value.to_str().unwrap()).collect()
}

#[test]
fn a_whole_answer_becomes_the_response() {
    let response = read(
        br#"{"statusCode":201,"headers":{"ETag":"\"1\"","X-Number":7},
             "multiValueHeaders":{"x":["b","c"]},"body":"hi"}"#,
    )
    .unwrap();
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["etag"], "\"1\"");
    assert_eq!(response.headers()["x-number"], "7");
    assert_eq!(values(&response, "x"), ["b", "c"]);
    assert_eq!(response.body(), "hi");
}

#[test]
fn what_an_answer_leaves_out_is_filled_in() {
    for (answer, status) in [
        ("{}", 200),
        (r#"{"statusCode":null,"headers":null,"body":null}"#, 200),
        (r#"{"statusCode":"201"}"#, 201),
        (r#"{"body":"","isBase64Encoded":false}"#, 200),
    ] {
        let response = read(answer.as_bytes()).unwrap();
        assert_eq!(response.status(), status, "{answer}");
        assert_eq!(response.headers()["content-type"], "application/json");
        assert!(response.body().is_empty(), "{answer}");
    }
}

#[test]
fn the_value_of_headers_comes_behind_those_of_multi_value_headers_once() {
    for (single, expected) in [("a", &["b", "c", "a"][..]), ("b", &["b", "c"])] {
        let answer = serde_json::json!({
            "headers": {"X": single},
            "multiValueHeaders": {"x": ["b", "c"]},
        });
        let response = read(answer.to_string().as_bytes()).unwrap();
        assert_eq!(values(&response, "x"), expected);
    }
}

#[test]
fn base64_is_decoded_for_a_client_that_accepts_a_binary_type_first_and_for_nobody_else() {
    let binary = BinaryMediaTypes::new(&["image/png".to_owned()]);
    let answer = br#"{"body":"aGk=","isBase64Encoded":true}"#;
    for (accept, body) in [
        (Some("image/png"), "hi"),
        (Some("text/html, image/png"), "aGk="),
        (Some("*/*"), "aGk="),
        (None, "aGk="),
    ] {
        let response = super::read(answer, &exchange(accept), &binary).unwrap();
        assert_eq!(response.body(), body, "{accept:?}");
        let is_still = response.extensions().get::<StillBase64>().is_some();
        assert_eq!(is_still, body == "aGk=", "{accept:?}");
    }
    let plain = br#"{"body":"aGk="}"#;
    let response = super::read(plain, &exchange(Some("image/png")), &binary).unwrap();
    assert_eq!(response.body(), "aGk=");
    assert!(response.extensions().get::<StillBase64>().is_none());
    let broken = br#"{"body":"%","isBase64Encoded":true}"#;
    assert!(super::read(broken, &exchange(Some("image/png")), &binary).is_err());
}

#[test]
fn the_connection_is_the_gateways_own_matter() {
    let response = read(br#"{"headers":{"X":"x","Connection":"close"}}"#).unwrap();
    assert_eq!(values(&response, "x"), ["x"]);
    assert!(values(&response, "connection").is_empty());
}

#[test]
fn what_is_no_proxy_response_is_refused() {
    for answer in [
        "",
        "null",
        "[]",
        r#""hello""#,
        r#"{"statusCode":99}"#,
        r#"{"statusCode":199}"#,
        r#"{"statusCode":"2 00"}"#,
        r#"{"statusCode":""}"#,
        r#"{"statusCode":200.5}"#,
        r#"{"statusCode":200,"other":1}"#,
        r#"{"statusCode":200,"body":{}}"#,
        r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
        r#"{"statusCode":200,"headers":{"a":"b\r\nc: d"}}"#,
    ] {
        assert!(read(answer.as_bytes()).is_err(), "{answer}");
    }
}

proptest! {
    #[test]
    fn no_answer_of_a_function_makes_it_panic(
        status in "\\PC{0,5}", name in "\\PC{0,8}", value in "\\PC{0,8}", body in "\\PC{0,16}",
    ) {
        let answer = serde_json::json!({
            "statusCode": status,
            "headers": {name.clone(): value.clone()},
            "multiValueHeaders": {name: [value]},
            "body": body,
            "isBase64Encoded": true,
        });
        let every = BinaryMediaTypes::new(&["*/*".to_owned()]);
        if let Ok(response) = super::read(answer.to_string().as_bytes(), &exchange(None), &every) {
            prop_assert!(response.status().as_u16() >= 200);
        }
    }
}
