//! What CloudFormation is to the function: requests, the place of the answers, and the stack's status.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use keygate_tests::function::{Function, Outcome, ROUTES};
use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::loopback::{self, Request, Response};
use keygate_tests::signer::Signer;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_settings-check");
pub(crate) const STACK: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/keygate/5b2f9c10-0000-11f0-8000-0a58a9feac02";
/// What is behind the question mark signs the address.
const PATH: &str = "/answers/1?X-Amz-Signature=SIGNATURE";

/// The function, with an issuer and a place for its answers.
pub(crate) struct Cloud {
    pub(crate) issuer: Issuer,
    function: Function,
    response_url: String,
    answers: Receiver<Request>,
}

impl Cloud {
    /// A place that takes each answer.
    pub(crate) fn start() -> Self {
        Self::answering(vec![], &[])
    }

    /// A place that answers with these statuses first, and a function with these settings.
    pub(crate) fn answering(statuses: Vec<u16>, settings: &[(&str, &str)]) -> Self {
        let statuses = Mutex::new(statuses.into_iter());
        let (sender, answers) = channel();
        let address = loopback::serve(move |request| {
            let _ = sender.send(request);
            Response::new(statuses.lock().unwrap().next().unwrap_or(200), "")
        });
        Self {
            issuer: Issuer::start(&[&Signer::p256("1")]),
            function: Function::start(BINARY, settings),
            response_url: format!("http://{address}{PATH}"),
            answers,
        }
    }

    /// The properties of a deployment whose settings are good.
    pub(crate) fn properties(&self) -> Value {
        json!({
            "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:settings-check",
            "ServiceTimeout": "60",
            "Code": "arn:aws:lambda:eu-west-1:123456789012:function:settings-check:1",
            "CheckIssuers": "true",
            "EveryFunction": {"LOG_LEVEL": "INFO", "ROUTES": ROUTES},
            "Functions": {
                "authorizer": {"OAUTH_ISSUER": self.issuer.url, "OAUTH_AUDIENCE": AUDIENCE,
                               "OAUTH_RULE": "", "KEY_TABLE": "keys", "KEY_CACHE_TTL_SECONDS": "0"},
                "keys": {"OAUTH_ISSUER": self.issuer.url, "KEY_TABLE": "keys", "STACK_NAME": "keygate",
                         "USAGE_PLANS": "standard=keygate-standard"},
                "preflight": {"CORS_ALLOWED_ORIGINS": "https://app.example.com"},
                "error-mapper": {"OAUTH_ISSUER": self.issuer.url},
            },
            "Handlers": {"books": {"CORS_ALLOWED_ORIGINS": "https://app.example.com"}},
        })
    }

    /// A request about these properties.
    pub(crate) fn request(&self, kind: &str, properties: &Value) -> Value {
        json!({
            "RequestType": kind, "RequestId": "request", "StackId": STACK, "LogicalResourceId": "Settings",
            "ResponseURL": self.response_url, "ResourceType": "Custom::KeygateSettings",
            "ResourceProperties": properties,
        })
    }

    /// Sends an event, and gives back what CloudFormation was answered last.
    pub(crate) fn answer(&self, event: Value) -> Value {
        match self.invoke(event) {
            Outcome::Response(_) => {}
            Outcome::Error(error) => panic!("{error}"),
        }
        let answer = self.sent().pop().unwrap();
        assert_eq!(
            (answer.method.as_str(), answer.path.as_str()),
            ("PUT", PATH)
        );
        let types = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "content-type");
        assert_eq!(
            Vec::from_iter(types),
            [&("content-type".to_owned(), String::new())]
        );
        assert!(answer.body.len() <= 4096, "{}", answer.body.len());
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// What the answer to a Create with these properties says: its reason, or nothing where it is a
    /// success.
    pub(crate) fn reason(&self, properties: &Value) -> Option<String> {
        reason(&self.answer(self.request("Create", properties)))
    }

    pub(crate) fn invoke(&self, event: Value) -> Outcome {
        self.function.invoke(event)
    }

    /// Each answer that was sent so far: they are sent before an invocation is over.
    pub(crate) fn sent(&self) -> Vec<Request> {
        self.answers.try_iter().collect()
    }

    /// Ends the function and gives back what it logged.
    pub(crate) fn log(self) -> String {
        self.function.log()
    }
}

/// The reason of an answer that is FAILED, or nothing where it is SUCCESS.
pub(crate) fn reason(answer: &Value) -> Option<String> {
    let reason = answer
        .get("Reason")
        .map(|reason| reason.as_str().unwrap().to_owned());
    let status = if reason.is_some() {
        "FAILED"
    } else {
        "SUCCESS"
    };
    assert_eq!(answer["Status"], status, "{answer}");
    reason
}

/// CloudFormation's API, which says this of a stack to whoever asks.
pub(crate) fn stack_with(status: u16, document: &'static str) -> (String, Receiver<Request>) {
    let (sender, asked) = channel();
    let address = loopback::serve(move |request| {
        let _ = sender.send(request);
        Response::new(status, document)
    });
    (format!("http://{address}"), asked)
}

/// What was asked for within a moment.
pub(crate) fn next(asked: &Receiver<Request>) -> Option<Request> {
    asked.recv_timeout(Duration::ZERO).ok()
}
