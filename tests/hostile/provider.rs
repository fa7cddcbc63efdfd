//! The authorizer and a certified OpenID provider, npm's `oidc-provider`: by its address alone, with
//! tokens by client credentials, while it rotates its keys.

#![allow(clippy::unwrap_used, reason = "what breaks here is a test that fails")]

use std::process::ExitCode;
use std::sync::Arc;

use keygate_tests::authorizer::Authorizer;
use keygate_tests::build::Build;
use keygate_tests::issuer::AUDIENCE;
use keygate_tests::node::{self, Conversation, Packages};
use keygate_tests::suite::{self, Lacks};
use keygate_tests::target::client;
use serde_json::Value;
use tokio::runtime::Runtime;

keygate_tests::tests! { for Runtime:
    its_tokens_are_accepted_by_its_address_alone_and_while_it_rotates_its_keys needs "node";
    its_tokens_for_others_are_refused needs "node";
}

const CLIENT: &str = "reports";

fn main() -> ExitCode {
    let mut lacks = Lacks::default();
    if let Some(reason) = node::lacking() {
        lacks.add("node", reason);
    }
    let runtime = Arc::new(Runtime::new().unwrap());
    let arguments = libtest_mimic::Arguments::from_args();
    suite::run(&arguments, &[TESTS], &runtime, &lacks).exit_code()
}

/// The running provider.
struct Provider<'r> {
    program: Conversation,
    /// Its address.
    issuer: String,
    secret: String,
    runtime: &'r Runtime,
}

impl<'r> Provider<'r> {
    /// One whose tokens are for `audience`.
    fn start(audience: &str, runtime: &'r Runtime) -> Self {
        let secret = uuid::Uuid::new_v4().to_string();
        let program = include_str!("../clients/provider.mjs");
        let arguments = [CLIENT, secret.as_str(), audience];
        let mut program = Packages::of_clients().start(program, &arguments);
        Self {
            issuer: program.hear(),
            program,
            secret,
            runtime,
        }
    }

    /// Publishes a new key beside the one before, and signs with it from now on.
    fn rotate(&mut self) -> String {
        self.program.say("rotate");
        self.program.hear()
    }

    /// The header with a token by client credentials.
    fn header(&self, audience: &str) -> String {
        let request = client()
            .post(format!("{}/token", self.issuer))
            .basic_auth(CLIENT, Some(&self.secret))
            .form(&[
                ("grant_type", "client_credentials"),
                ("scope", "books:read"),
                ("resource", audience),
            ]);
        let answer = async { request.send().await?.json::<Value>().await };
        let answer = self.runtime.block_on(answer).unwrap();
        format!("Bearer {}", answer["access_token"].as_str().unwrap())
    }

    fn authorizer(&self) -> Authorizer {
        let settings = [
            ("OAUTH_ISSUER", self.issuer.as_str()),
            ("OAUTH_AUDIENCE", AUDIENCE),
        ];
        let binary = Build::find().directory.join("authorizer");
        Authorizer::start(binary.to_str().unwrap(), &settings)
    }
}

fn its_tokens_are_accepted_by_its_address_alone_and_while_it_rotates_its_keys(runtime: &Runtime) {
    let mut provider = Provider::start(AUDIENCE, runtime);
    let authorizer = provider.authorizer();
    let before = provider.header(AUDIENCE);
    let answer = authorizer.authorize(&before).response();
    assert_eq!(answer["context"]["principal"], CLIENT);
    assert_eq!(answer["context"]["client_id"], CLIENT);
    assert_eq!(answer["context"]["scopes"], "books:read");

    let kid = provider.rotate();
    let after = provider.header(AUDIENCE);
    let header = after.trim_start_matches("Bearer ");
    let header = jsonwebtoken::decode_header(header).unwrap();
    assert_eq!(header.kid, Some(kid));
    for token in [&after, &before] {
        authorizer.authorize(token).response();
    }
    assert_eq!(authorizer.reasons(), ["granted"; 3]);
}

fn its_tokens_for_others_are_refused(runtime: &Runtime) {
    let other = "https://other.example.com";
    let provider = Provider::start(other, runtime);
    let stranger = Provider::start(AUDIENCE, runtime);
    let authorizer = provider.authorizer();
    for header in [provider.header(other), stranger.header(AUDIENCE)] {
        let refused = authorizer.authorize(&header).error_message();
        assert_eq!(refused, "Unauthorized");
    }
    assert_eq!(
        authorizer.reasons(),
        ["audience-mismatch", "issuer-untrusted"]
    );
}
