//! A handler in another language, added with lines of the template alone.

use keygate_tests::project::Project;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_handler_in_another_language_is_added_with_lines_of_the_template needs "python", "own-gateway";
}

/// It asks the Lambda Runtime API for events, and answers each with its caller.
const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
import json, os
from urllib.request import Request, urlopen

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
while True:
    with urlopen(f"{api}/next") as event:
        invocation = event.headers["Lambda-Runtime-Aws-Request-Id"]
        caller = json.load(event)["requestContext"]["authorizer"]["principal"]
    answer = {"statusCode": 200, "body": f"{caller} by Python"}
    urlopen(Request(f"{api}/{invocation}/response", json.dumps(answer).encode())).close()
"#;

fn a_handler_in_another_language_is_added_with_lines_of_the_template(target: &Target) {
    let line = "        ROUTES: |\n";
    let listed = format!("{line}          GET /greeting books:read\n");
    let outputs = "\nOutputs:\n";
    let function = format!(
        "  GreetingFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: greeting
      Runtime: provided.al2023
      Events:
        Greet:
          Type: Api
          Properties: {{RestApiId: !Ref Api, Path: /greeting, Method: GET}}
{outputs}"
    );
    let changes = [(line, listed.as_str()), (outputs, &function)];
    let template = target.build().changed_template(&changes);
    let project = Project::new(&template).with_executable("greeting/bootstrap", BOOTSTRAP);
    let (_gateway, own) = target.own(&["--template", &project.template()]);
    let token = own.token_with(&[("client_id", "somebody"), ("scope", "books:read")]);
    for _ in 0..3 {
        let greeted = own.get("/greeting").bearer(&token).send().expect(200);
        assert_eq!(greeted.body, "somebody by Python");
    }
    let other = own.token_with(&[("scope", "keys:admin")]);
    let refused = own.get("/greeting").bearer(&other).send();
    refused.problem(403, "insufficient-scope");
}
