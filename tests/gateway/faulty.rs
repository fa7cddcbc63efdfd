//! A service of a gateway behind a listener that passes calls on, and fails where it is told to.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keygate_tests::call::Reply;
use keygate_tests::loopback::{self, Request, Response};
use reqwest::Method;
use serde_json::{Value, json};

use keygate_tests::target::Target;

/// How a call fails.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// It is not carried out, and the answer is this error.
    Error(u16, &'static str),
    /// It is carried out, and the answer says 503.
    Lost,
    /// It is not answered in time.
    Hangs,
    /// It is answered with an empty page, after which there is always another.
    Endless,
}

pub(crate) const UNAVAILABLE: Fault = Fault::Error(503, "ServiceUnavailableException");
pub(crate) const THROTTLED: Fault = Fault::Error(429, "TooManyRequestsException");
pub(crate) const REFUSED: Fault = Fault::Error(403, "AccessDeniedException");
pub(crate) const NOT_FOUND: Fault = Fault::Error(404, "NotFoundException");
/// Another change is under way.
pub(crate) const CONFLICT: Fault = Fault::Error(409, "ConflictException");
pub(crate) const ALWAYS: usize = usize::MAX;

/// The listener.
pub(crate) struct Faulty {
    /// Where it answers.
    pub(crate) url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Operations that fail, and how often they still do.
    faults: Mutex<Vec<(String, Fault, usize)>>,
    calls: Mutex<Vec<String>>,
    pages: AtomicUsize,
    behind: AtomicU64,
    scanned: AtomicU64,
}

impl Faulty {
    /// A listener before the service at this address.
    pub(crate) fn before(own: Target, service: &str) -> Self {
        let state = Arc::new(State::default());
        let (answering, service) = (Arc::clone(&state), service.to_owned());
        let address = loopback::serve(move |request| answering.answer(&own, &service, &request));
        Self {
            url: format!("http://{address}"),
            state,
        }
    }

    /// Has the next calls of this operation fail.
    pub(crate) fn fail(&self, operation: &str, fault: Fault, times: usize) {
        let mut faults = self.state.faults.lock().unwrap();
        faults.push((operation.to_owned(), fault, times));
    }

    /// The operations that fail, for a message.
    pub(crate) fn faults(&self) -> Vec<(String, Fault, usize)> {
        self.state.faults.lock().unwrap().clone()
    }

    /// Ends every failure.
    pub(crate) fn recover(&self) {
        self.state.faults.lock().unwrap().clear();
    }

    /// Has whatever the service lists be made so many seconds earlier than it says.
    pub(crate) fn age(&self, seconds: u64) {
        self.state.behind.store(seconds, Ordering::SeqCst);
    }

    /// The operations called so far, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state.calls.lock().unwrap().clone()
    }

    /// How many items a DynamoDB has read for its lists so far.
    pub(crate) fn scanned(&self) -> u64 {
        self.state.scanned.load(Ordering::SeqCst)
    }

    /// How often an operation was called so far.
    pub(crate) fn count(&self, operation: &str) -> usize {
        let calls = self.calls();
        calls.iter().filter(|call| *call == operation).count()
    }
}

impl State {
    fn answer(&self, own: &Target, service: &str, request: &Request) -> Response {
        let operation = operation(request);
        let fault = self.fault(&operation);
        self.calls.lock().unwrap().push(operation);
        match fault {
            None => self.pass_on(own, service, request),
            Some(Fault::Error(status, kind)) => error(status, kind),
            Some(Fault::Lost) => {
                self.pass_on(own, service, request);
                error(503, "ServiceUnavailableException")
            }
            Some(Fault::Hangs) => {
                std::thread::sleep(Duration::from_secs(20));
                error(503, "ServiceUnavailableException")
            }
            Some(Fault::Endless) => {
                let next = self.pages.fetch_add(1, Ordering::SeqCst).to_string();
                Response::new(200, json!({"item": [], "position": next}).to_string())
            }
        }
    }

    /// How the next call of an operation fails.
    fn fault(&self, operation: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let mut left = faults
            .iter_mut()
            .filter(|(name, _, times)| name == operation && *times > 0);
        let (_, fault, times) = left.next()?;
        *times -= 1;
        Some(*fault)
    }

    fn pass_on(&self, own: &Target, service: &str, request: &Request) -> Response {
        // Two entries a page, so that lists have several.
        let path = request.path.replace("limit=500", "limit=2");
        let reply = passed_on(own, &format!("{service}{path}"), request);
        let answer: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        let scanned = answer["ScannedCount"].as_u64().unwrap_or_default();
        self.scanned.fetch_add(scanned, Ordering::SeqCst);
        let body = match self.behind.load(Ordering::SeqCst) {
            0 => reply.body.clone(),
            seconds => aged(&reply.body, seconds),
        };
        let response = Response::new(reply.status, body);
        match reply.header("x-amzn-errortype") {
            Some(kind) => response.with("x-amzn-errortype", kind),
            None => response,
        }
    }
}

/// The answer of an address to a request that an AWS SDK has sent.
pub(crate) fn passed_on(own: &Target, url: &str, request: &Request) -> Reply {
    let method = Method::from_bytes(request.method.as_bytes()).unwrap();
    let mut call = own.absolute(method, url);
    for (name, value) in &request.headers {
        if name.starts_with("x-amz-") || matches!(&**name, "authorization" | "content-type") {
            call = call.header(name, value);
        }
    }
    call.body(request.body.clone()).send()
}

/// A page of a list in which everything was made so many seconds earlier.
pub(crate) fn aged(page: &str, seconds: u64) -> String {
    let Ok(mut page) = serde_json::from_str::<Value>(page) else {
        return page.to_owned();
    };
    for entry in page["item"].as_array_mut().into_iter().flatten() {
        if let Some(created) = entry["createdDate"].as_u64() {
            entry["createdDate"] = json!(created - seconds);
        }
    }
    page.to_string()
}

/// What a call does, as AWS names it.
pub(crate) fn operation(request: &Request) -> String {
    let mut headers = request.headers.iter();
    let target = headers.find(|(name, _)| name == "x-amz-target");
    if let Some((_, action)) = target.and_then(|(_, target)| target.split_once('.')) {
        return action.to_owned();
    }
    let path = request.path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let name = match (&*request.method, &parts[..]) {
        ("GET", ["usageplans"]) => "GetUsagePlans",
        ("GET", ["usageplans", _, "keys"]) => "GetUsagePlanKeys",
        ("GET", ["usageplans", _, "usage"]) => "GetUsage",
        ("POST", ["usageplans", _, "keys"]) => "CreateUsagePlanKey",
        ("GET", ["apikeys"]) => "GetApiKeys",
        ("POST", ["apikeys"]) => "CreateApiKey",
        ("DELETE", ["apikeys", _]) => "DeleteApiKey",
        ("PUT", ["tags", _]) => "TagResource",
        ("DELETE", ["restapis", .., "authorizers"]) => "FlushStageAuthorizersCache",
        // The connection that is opened at the start.
        (method, _) => return format!("{method} {path}"),
    };
    name.to_owned()
}

fn error(status: u16, kind: &'static str) -> Response {
    let body = json!({"message": "as told", "__type": kind}).to_string();
    Response::new(status, body).with("x-amzn-errortype", kind)
}
