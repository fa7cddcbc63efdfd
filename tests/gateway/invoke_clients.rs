//! Programs that invoke functions by Lambda's API: an AWS SDK and cargo-lambda.

use std::process::Command;

use keygate_tests::target::Target;
use keygate_tests::venv;

use crate::invoke::{served, worker};

keygate_tests::tests! { for Target:
    boto3_invokes_the_functions needs "python-client", "python", "own-gateway";
    cargo_lambda_invokes_the_functions needs "python-client", "python", "own-gateway";
}

/// Calls Lambda as programs do, and says what came back.
const IN_PYTHON: &str = r#"
import base64, json, sys, boto3
from botocore.exceptions import ClientError

client = boto3.client("lambda", endpoint_url=sys.argv[1], region_name="us-east-1",
                      aws_access_key_id="a", aws_secret_access_key="b")
said = client.invoke(FunctionName="Greeting", Payload=b'{"print": "by boto3"}', LogType="Tail")
print(said["StatusCode"], said["ExecutedVersion"], "FunctionError" in said)
print(json.loads(json.load(said["Payload"])["body"])["event"]["print"])
print("by boto3" in base64.b64decode(said["LogResult"]).decode())
said = client.invoke(FunctionName="Greeting", Payload=b'{"error": "no"}')
print(said["StatusCode"], said["FunctionError"], json.load(said["Payload"])["errorMessage"])
print(client.invoke(FunctionName="Greeting", InvocationType="Event", Payload=b"{}")["StatusCode"])
print(client.invoke(FunctionName="Greeting", InvocationType="DryRun")["StatusCode"])
for name, event in (("Other", b"{}"), ("Greeting", b"{"), ("Greeting", b'"' + b"x" * 6291456 + b'"')):
    try:
        client.invoke(FunctionName=name, Payload=event)
    except ClientError as error:
        print(error.response["Error"]["Code"], error.response["Error"]["Message"][:24])
"#;

fn boto3_invokes_the_functions(target: &Target) {
    let project = worker("").with("call.py", IN_PYTHON);
    let (gateway, _own) = served(target, &project, &[]);
    let mut python = Command::new(venv::programs("ministack").join("python"));
    python
        .arg(project.folder().join("call.py"))
        .arg(&gateway.ready.lambda);
    let output = python.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = "200 $LATEST False
by boto3
True
200 Unhandled no
202
204
ResourceNotFoundException Function not found: arn:
InvalidRequestContentException Could not parse request 
RequestTooLargeException Request must be smaller 
";
    assert_eq!(said, expected, "{output:?}");
}

fn cargo_lambda_invokes_the_functions(target: &Target) {
    let project = worker("");
    let (gateway, _own) = served(target, &project, &[]);
    let (_, port) = gateway.ready.lambda.rsplit_once(':').unwrap();
    let words = format!("cargo lambda invoke -A 127.0.0.1 -P {port}");
    assert!(gateway.stdout().contains(&words), "{}", gateway.stdout());
    let invoke = |event: &str| {
        let mut cargo = Command::new(venv::programs("build").join("cargo-lambda"));
        cargo.args([
            "lambda",
            "invoke",
            "-A",
            "127.0.0.1",
            "-P",
            port,
            "Greeting",
        ]);
        cargo.args(["--data-ascii", event]).output().unwrap()
    };
    let output = invoke(r#"{"print": "by cargo"}"#);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("by cargo"), "{said}");
    // To cargo-lambda too it is an answer, as it comes from AWS.
    let output = invoke(r#"{"error": "not today"}"#);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains(r#""errorMessage": "not today""#),
        "{output:?}"
    );
}
