//! The gateway by itself: requests come in at its door, functions are closures, and a client of its state
//! sees and changes what is served.
#![allow(clippy::unwrap_used, reason = "what breaks here is a test that fails")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use keygate_connection::Room;
use keygate_gateway::trip::Trip;
use keygate_gateway::trips::{Found, Trips};
use keygate_gateway::{
    Control, Controls, Door, Gateway, InvokeError, Invoker, ListedRoutes, Told, Watcher,
};
use keygate_template::Parameters;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Auth:
        DefaultAuthorizer: Credential
        Authorizers: {Credential: {FunctionArn: !GetAtt Authorizer.Arn}}
  Authorizer:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: who, CodeUri: code, Handler: a, Runtime: provided.al2023}
  Books:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: a
      Runtime: provided.al2023
      Events: {List: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /books, Method: GET}}}
";

const ALLOWED: &str = r#"{"principalId": "me", "policyDocument": {"Statement": [
    {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}]}}"#;

const BOOKS: &str = r#"{"statusCode": 200, "body": "all books"}"#;

type Calls = Arc<Mutex<Vec<String>>>;

/// A gateway that is served, and what was seen of it.
struct Served {
    address: SocketAddr,
    controls: Controls,
    trips: Arc<Trips>,
    /// The functions that were called.
    calls: Calls,
    /// The requests that a watcher was told of.
    told: Arc<Mutex<Vec<Trip>>>,
}

/// Serves the template; `handler` is its function `Books`.
async fn serve(handler: impl Fn() -> Result<Bytes, InvokeError> + Send + Sync + 'static) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    std::fs::write(&path, TEMPLATE).unwrap();
    let application = keygate_template::load(&path, &Parameters::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = Gateway::new(&application, address.port()).unwrap();
    let controls = Controls::from(gateway.control());
    let told: Arc<Mutex<Vec<Trip>>> = Arc::default();
    let hear = Arc::clone(&told);
    let watcher = Watcher::to(move |trip| hear.lock().unwrap().push(trip.clone()));
    let trips = Arc::new(Trips::new(watcher));
    let calls = Calls::default();
    let called = Arc::clone(&calls);
    let invoker = Invoker::by(move |invocation| {
        called.lock().unwrap().push(invocation.function.clone());
        let answer = match invocation.function.as_str() {
            "Authorizer" => Ok(Bytes::from(ALLOWED)),
            _ => handler(),
        };
        async move { answer }
    });
    let trips_told = Told {
        access_log: None,
        trips: Arc::clone(&trips),
    };
    let door = Door::new(gateway, ListedRoutes::default(), &invoker, trips_told);
    tokio::spawn(async move {
        door.serve(listener, &Room::of_process(), std::future::pending())
            .await;
    });
    Served {
        address,
        controls,
        trips,
        calls,
        told,
    }
}

impl Served {
    /// The answer to `GET /dev/books`, as it comes.
    async fn get(&self) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request =
            "GET /dev/books HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn control(&self) -> Control {
        self.controls.current()
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap()
}

#[tokio::test]
async fn a_request_calls_functions_by_their_logical_ids_and_is_kept_and_told_once() {
    let gateway = serve(|| Ok(Bytes::from(BOOKS))).await;
    let answer = gateway.get().await;
    assert_eq!(status(&answer), "200", "{answer}");
    assert!(answer.ends_with("all books"), "{answer}");
    assert_eq!(gateway.calls(), ["Authorizer", "Books"]);
    let told = gateway.told.lock().unwrap().clone();
    let [trip] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(
        (trip.status, trip.principal(), trip.route.as_deref()),
        (200, Some("me"), Some("/books"))
    );
    let kept = gateway.trips.find(&trip.request_id);
    assert_eq!(kept, Found::One(Box::new(trip.clone())));
}

#[tokio::test]
async fn a_client_of_the_state_has_the_authorizer_asked_again() {
    let gateway = serve(|| Ok(Bytes::from(BOOKS))).await;
    let control = gateway.control();
    let names: Vec<&str> = control.authorizers().map(|(name, _)| name).collect();
    assert_eq!((control.stage.as_str(), names), ("dev", vec!["Credential"]));
    gateway.get().await;
    gateway.get().await;
    assert_eq!(gateway.calls(), ["Authorizer", "Books", "Books"]);
    gateway.control().flush_authorizers();
    gateway.get().await;
    assert_eq!(gateway.calls(), ["Authorizer", "Books"]);
}

#[tokio::test]
async fn why_a_function_does_not_answer_decides_what_the_client_gets() {
    for (kind, expected) in [
        ("too large", "413"),
        ("throttled", "500"),
        ("failed", "502"),
        ("error", "502"),
    ] {
        let gateway = serve(move || {
            let text = kind.to_owned();
            Err(match kind {
                "too large" => InvokeError::EventTooLarge(text),
                "throttled" => InvokeError::Throttled(text),
                "failed" => InvokeError::Failed(text),
                _ => InvokeError::Function {
                    error_type: "Error".to_owned(),
                    message: text,
                },
            })
        })
        .await;
        let answer = gateway.get().await;
        assert_eq!(status(&answer), expected, "{kind}: {answer}");
        let told = gateway.told.lock().unwrap();
        let reason = told[0].reason.as_deref().unwrap();
        assert!(reason.ends_with(kind), "{reason}");
    }
}
