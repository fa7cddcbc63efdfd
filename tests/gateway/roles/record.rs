//! What each function calls, while its requests are sent to a gateway: every function's calls go through a
//! listener of its own.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use keygate_tests::function::{self as process, Outcome};
use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::loopback::{self, Request, Response};
use keygate_tests::target::Target;
use tempfile::TempDir;

use super::calls::{Call, Resources};
use super::deployed::{Deployed, Function, stack_arn};
use super::requests::{self, Variables};
use crate::faulty::{aged, passed_on};
use crate::services::signed;

/// The template, without the suites' own routes.
const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
/// With this the authorizer looks up all that it can.
const REVOCATION: &str = "OAuthRevocation=client,jti";

/// In seconds.
const DAY: u64 = 24 * 60 * 60;

/// The calls of each function, by its logical id.
pub(crate) type Calls = BTreeMap<String, Vec<Call>>;

/// Starts a gateway, sends the requests of each function, and tells what was called meanwhile.
pub(crate) fn calls(target: &Target) -> Calls {
    let deployed = Deployed::with(&[]);
    let functions = deployed.functions();
    let record = Arc::new(Record::default());
    record.state.lock().unwrap().resources.partition_keys = deployed.partition_keys();
    let programs = TempDir::new().unwrap();
    for function in &functions {
        let listener = record.listener(&function.id);
        wrap(
            function,
            &target.build().directory,
            programs.path(),
            &listener,
        );
    }
    let (gateway, own) = target.own(&[
        "--template",
        TEMPLATE,
        "--functions",
        programs.path().to_str().unwrap(),
        "--parameter",
        REVOCATION,
    ]);
    let services = Services {
        dynamodb: gateway.ready.dynamodb.clone(),
        api_gateway: gateway.ready.api_gateway.clone(),
        own: target.reaching(&gateway),
    };
    assert!(record.services.set(services).is_ok(), "it is set once");
    send_all(&functions, &gateway, &own, processes(programs.path()));
    let mut state = record.state.lock().unwrap();
    assert_eq!(state.unknown, [""; 0], "calls that are not known here");
    let calls = std::mem::take(&mut state.calls);
    drop(state);
    assert_reached(&functions, &gateway, &calls);
    calls
}

fn send_all(functions: &[Function], gateway: &Keygate, own: &Target, processes: String) {
    let in_an_hour = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    // Where a custom resource's answers go, by an address that is signed for it.
    let answers = loopback::serve(|_| Response::new(200, ""));
    let mut variables = Variables::from([
        ("token", own.token()),
        ("key", gateway.ready.api_key.clone()),
        ("lambda", gateway.ready.lambda.clone()),
        ("dynamodb", gateway.ready.dynamodb.clone()),
        ("dynamodb_signature", signed("dynamodb")),
        ("api_gateway", gateway.ready.api_gateway.clone()),
        ("api_gateway_signature", signed("apigateway")),
        ("stack", stack_arn()),
        ("process", processes),
        ("answers", format!("http://{answers}")),
        ("in_an_hour", in_an_hour.as_second().to_string()),
    ]);
    for function in functions {
        requests::send(own, &function.binary, &mut variables);
    }
}

/// A function that has called nothing was nevertheless there to be called: Lambda's report of an invocation
/// names it.
fn assert_reached(functions: &[Function], gateway: &Keygate, calls: &Calls) {
    for function in functions.iter().filter(|one| !calls.contains_key(&one.id)) {
        let report = format!("[{}] REPORT RequestId: ", function.id);
        let reported = wait_for(|| gateway.stderr().contains(&report).then_some(()));
        assert!(reported.is_some(), "no request reached {}", function.id);
    }
}

/// Runs the function that a request's path names, as the gateway runs none that CloudFormation alone calls.
fn processes(programs: &Path) -> String {
    let programs = programs.to_owned();
    let address = loopback::serve(move |request| {
        let program = programs.join(request.path.trim_start_matches('/'));
        let event = serde_json::from_slice(&request.body).unwrap();
        match process::Function::start(program, &[]).invoke(event) {
            Outcome::Response(answer) => Response::new(200, answer.to_string()),
            Outcome::Error(error) => Response::new(500, error.to_string()),
        }
    });
    format!("http://{address}")
}

/// Puts a program beside the others that starts a function with this address for AWS's services.
fn wrap(function: &Function, built: &Path, programs: &Path, listener: &str) {
    let program = programs.join(&function.binary);
    let executable = built.join(&function.binary);
    let variables = ["", "_DYNAMODB", "_API_GATEWAY", "_LAMBDA", "_SNS"];
    let variables = variables.map(|service| format!("AWS_ENDPOINT_URL{service}={listener} "));
    let script = format!(
        "#!/bin/sh\n{}exec '{}'\n",
        variables.concat(),
        executable.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
}

#[derive(Default)]
struct Record {
    /// Of the gateway, once it is there.
    services: OnceLock<Services>,
    state: Mutex<State>,
}

struct Services {
    dynamodb: String,
    api_gateway: String,
    own: Target,
}

#[derive(Default)]
struct State {
    calls: Calls,
    unknown: Vec<String>,
    resources: Resources,
}

impl Record {
    /// The address that a function is to call.
    fn listener(self: &Arc<Self>, function: &str) -> String {
        let (record, function) = (Arc::clone(self), function.to_owned());
        let address = loopback::serve(move |request| record.answer(&function, &request));
        format!("http://{address}")
    }

    fn answer(&self, function: &str, request: &Request) -> Response {
        let Some(service) = signed_for(request) else {
            // The connection that is opened at the start: unsigned, so no right is asked for.
            let is_opening = request.method == "GET" && request.path == "/";
            if !is_opening {
                let said = format!("{function}: {} {}, unsigned", request.method, request.path);
                self.state.lock().unwrap().unknown.push(said);
            }
            return Response::new(200, "{}");
        };
        let services = self.services.wait();
        let mut state = self.state.lock().unwrap();
        match state.resources.call(&service, request) {
            Ok(call) => {
                let absent = absent(&call.operation);
                let calls = state.calls.entry(function.to_owned());
                calls.or_default().push(call);
                if let Some(answer) = absent {
                    return answer;
                }
            }
            Err(unknown) => state.unknown.push(format!("{function}: {unknown}")),
        }
        drop(state);
        let address = match &*service {
            "dynamodb" => &services.dynamodb,
            _ => &services.api_gateway,
        };
        let url = format!("{address}{}", request.path);
        let reply = passed_on(&services.own, &url, request);
        let mut state = self.state.lock().unwrap();
        state.resources.learn(&request.path, &reply.body);
        let mut body = reply.body.clone();
        if request.method == "GET" && request.path.starts_with("/apikeys") {
            // What is young is left alone by a sweep.
            body = aged(&body, DAY);
        }
        let response = Response::new(reply.status, body);
        match reply.header("x-amzn-errortype") {
            Some(kind) => response.with("x-amzn-errortype", kind),
            None => response,
        }
    }
}

/// What a service that is not on this machine answers to a call that it carries out.
fn absent(operation: &str) -> Option<Response> {
    let result = match operation {
        "sns.Publish" => "<MessageId>1</MessageId>",
        "cloudformation.DescribeStacks" => {
            "<Stacks><member><StackStatus>UPDATE_IN_PROGRESS</StackStatus></member></Stacks>"
        }
        _ => return None,
    };
    let (_, name) = operation.split_once('.')?;
    let body = format!("<{name}Response><{name}Result>{result}</{name}Result></{name}Response>");
    Some(Response::new(200, body))
}

/// The service that a request is signed for.
fn signed_for(request: &Request) -> Option<String> {
    let mut headers = request.headers.iter();
    let (_, signature) = headers.find(|(name, _)| name == "authorization")?;
    let (_, scope) = signature.split_once("Credential=")?;
    scope.split('/').nth(3).map(str::to_owned)
}
