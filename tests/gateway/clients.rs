//! Clients that know an address and nothing else: `tests/clients`, on packages of npm that know nothing of
//! Keygate.

use reqwest::Method;
use serde_json::{Value, json};

use keygate_tests::keygate::{Keygate, free_port};
use keygate_tests::node::Packages;
use keygate_tests::project::Project;
use keygate_tests::target::Target;

use crate::metadata::METADATA;

keygate_tests::tests! { for Target:
    an_oauth_client_goes_from_the_bare_401_to_the_answer needs "node", "gateway-responses";
    an_mcp_client_finds_the_issuer_by_itself needs "node", "own-gateway";
    an_mcp_client_that_may_too_little_asks_for_more needs "node", "own-gateway";
    an_mcp_client_asks_for_a_token_for_the_resource needs "node", "own-gateway";
    an_mcp_server_has_no_stream_and_no_session needs "own-gateway";
}

const OAUTH: &str = include_str!("../clients/oauth.mjs");
const MCP: &str = include_str!("../clients/mcp.mjs");
/// How to put the MCP server of `tests/mcp` behind the gateway.
const PAGE: &str = include_str!("../../docs/mcp.md");

fn an_oauth_client_goes_from_the_bare_401_to_the_answer(target: &Target) {
    let seen = Packages::of_clients().json(OAUTH, &[&target.url, "/books"]);
    let metadata = format!("{}{METADATA}", target.url);
    let challenge = json!({"status": 401, "scheme": "bearer", "resource_metadata": metadata});
    assert_eq!(seen["challenge"], challenge);
    assert_eq!(seen["status"], 200, "{seen}");
    let denial = json!({
        "status": 403, "scheme": "bearer", "error": "insufficient_scope", "resource_metadata": metadata,
    });
    assert_eq!(seen["denial"], denial);
    let scopes = json!(["books:read", "books:write"]);
    assert_eq!(seen["path"]["scopes_supported"], scopes);
    assert_eq!(seen["status_then"], 200, "{seen}");
}

/// A gateway with the MCP server behind it, put there as `docs/mcp.md` says.
fn with_mcp_server(target: &Target, arguments: &[&str]) -> (Keygate, Target) {
    let (line, outputs) = ("        ROUTES: |\n", "\nOutputs:\n");
    let mut blocks = PAGE.split("```yaml\n").skip(1);
    let mut block = || blocks.next().unwrap().split_once("```").unwrap().0;
    let listed = format!("{line}{}", block());
    let function = format!("\n{}{outputs}", block());
    let changes = [(line, listed.as_str()), (outputs, &function)];
    let template = target.build().changed_template(&changes);
    let project = Project::new(&template);
    let template = project.template();
    target.own(&[&["--template", template.as_str()], arguments].concat())
}

/// The tool `whoami` was found and called, and the client was known by its own name.
#[track_caller]
fn knows_the_client(met: &Value) {
    assert_eq!(met["server"], "whoami", "{met}");
    assert_eq!(met["tools"], json!(["whoami"]));
    assert_eq!(met["answer"], met["client_id"]);
    assert!(met["client_id"].is_string());
}

fn an_mcp_client_finds_the_issuer_by_itself(target: &Target) {
    let (_gateway, own) = with_mcp_server(target, &[]);
    let address = format!("{}/mcp", own.url);
    for grant in ["client_credentials", "authorization_code"] {
        let met = Packages::of_clients().json(MCP, &[&address, grant, "whoami"]);
        knows_the_client(&met);
    }
}

fn an_mcp_client_that_may_too_little_asks_for_more(target: &Target) {
    let (_gateway, own) = with_mcp_server(target, &[]);
    let address = format!("{}/mcp", own.url);
    let token = own.token_with(&[("scope", "books:read")]);
    let refused = own.post("/mcp").bearer(&token).json(&json!({})).send();
    refused.gateway_problem(403, "insufficient-scope");
    let met = Packages::of_clients().json(MCP, &[&address, "client_credentials", "whoami", &token]);
    knows_the_client(&met);
}

fn an_mcp_client_asks_for_a_token_for_the_resource(target: &Target) {
    let port = free_port().to_string();
    let audience = format!("OAuthAudience=http://127.0.0.1:{port}/dev");
    let arguments = ["--port", port.as_str(), "--parameter", audience.as_str()];
    let (_gateway, own) = with_mcp_server(target, &arguments);
    // The development issuer's tokens are for no resource that they were not asked for.
    let token = own.token();
    let reply = own.post("/mcp").bearer(&token).json(&json!({})).send();
    reply.gateway_problem(401, "unauthorized");
    let address = format!("{}/mcp", own.url);
    for grant in ["client_credentials", "authorization_code"] {
        knows_the_client(&Packages::of_clients().json(MCP, &[&address, grant, "whoami"]));
    }
}

fn an_mcp_server_has_no_stream_and_no_session(target: &Target) {
    let (_gateway, own) = with_mcp_server(target, &[]);
    let token = own.token();
    for method in [Method::GET, Method::DELETE] {
        let reply = own.call(method, "/mcp").bearer(&token).send();
        reply.problem(405, "method-not-allowed");
    }
    // What is no message is an answer of the protocol.
    let reply = own.post("/mcp").bearer(&token).body("no JSON").send();
    assert_eq!(reply.expect(400).json()["error"]["code"], -32700);
}
