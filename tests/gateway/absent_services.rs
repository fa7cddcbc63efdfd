//! Calls of handlers to AWS services that are not on this machine: they go no further, and say so.

use keygate_tests::project::Project;
use keygate_tests::target::Target;

use crate::handlers::BOOTSTRAP;
use crate::runtimes::foreign;

keygate_tests::tests! { for Target:
    a_call_to_a_service_that_is_not_here_is_refused_by_name needs "python", "own-gateway";
}

/// Calls services as their SDKs do, and answers with what they said.
const CALLS: &str = r#"
def said(method, path, service, headers, body):
    from urllib.error import HTTPError
    signature = f"AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/{service}/aws4_request, Signature=5ecret"
    signed = {**headers, "Authorization": signature} if service else headers
    url = os.environ["AWS_ENDPOINT_URL"] + path
    try:
        return urlopen(Request(url, body, signed, method=method)).read().decode()
    except HTTPError as error:
        return f"{error.code} {error.headers['x-amzn-errortype']} {error.read().decode()}"

def calls():
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    target = lambda name: {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": name}
    return [
        said("POST", "/", "sqs", target("AmazonSQS.SendMessage"), b'{"MessageBody":"0rder"}'),
        said("POST", "/", "sqs", target("AmazonSQS.SendMessage"), b'{"MessageBody":"0rder"}'),
        said("POST", "/", "sns", form, b"Action=Publish&Version=2010-03-31&Message=0rder"),
        said("PUT", "/bucket/key", "s3", {}, b"&Action=0rder" * 1000000),
        said("POST", "/", "", target("AWSCognitoIdentityProviderService.InitiateAuth"), b"{}"),
        os.environ["QUEUE"].removeprefix(os.environ["AWS_ENDPOINT_URL"]),
        os.environ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"],
    ]
"#;

fn a_call_to_a_service_that_is_not_here_is_refused_by_name(target: &Target) {
    let properties = "    Properties:
      CodeUri: src
      Runtime: provided.al2
      Environment: {Variables: {QUEUE: !Ref Orders}}";
    let program = BOOTSTRAP
        .replace("\napi = ", &format!("{CALLS}\napi = "))
        .replace("        caller =", "        json.load(event); caller =")
        .replace(
            "json.load(event)[\"requestContext\"][\"authorizer\"][\"principal\"]",
            "json.dumps(calls())",
        )
        .replace("f\"{caller} by Python\"", "caller");
    let template = foreign(properties) + "  Orders: {Type: AWS::SQS::Queue}\n";
    let project = Project::new(&template).with_executable("src/bootstrap", &program);
    let (gateway, own) = target.own(&["--template", &project.template()]);
    let words = "is not there on this machine: the local gateway refuses";
    let xml = |service: &str, operation: &str| {
        format!(
            "<Error><Code>NotImplemented</Code><Message>the service {service} {words} {operation}</Message></Error>"
        )
    };
    let json = |service: &str, operation: &str| {
        let message = format!("the service {service} {words} {operation}");
        format!("501 NotImplemented {{\"message\":\"{message}\"}}")
    };
    let queued = json("sqs", "SendMessage");
    let published = xml("sns", "Publish");
    let answers = own.get("/greeting").send().expect(200).json();
    let expected = [
        queued.clone(),
        queued,
        format!("501 None <ErrorResponse>{published}</ErrorResponse>"),
        format!("501 None {}", xml("s3", "PUT /bucket/key")),
        json("AWSCognitoIdentityProviderService", "InitiateAuth"),
        "/123456789012/keygate-local-Orders".to_owned(),
        "false".to_owned(),
    ];
    assert_eq!(answers, serde_json::json!(expected));

    for (service, operation) in [("sqs", "SendMessage"), ("sns", "Publish"), ("s3", "PUT")] {
        let said = format!("service=\"{service}\" operation=\"{operation}");
        let log = gateway.logged(&said);
        assert_eq!(log.matches(&said).count(), 1, "{said}: {log}");
    }
    let log = gateway.stderr();
    assert!(!log.contains("5ecret") && !log.contains("0rder"), "{log}");
}
