//! The form that sends a request to the gateway, with a credential that is chosen.

use std::time::Duration;

use keygate_api_key::ApiKey;
use keygate_outbound::Outbound;
use maud::{Markup, html};
use reqwest::{Client, Method, Url};
use serde::Deserialize;

use super::layout::seen;
use super::stage::Stage;
use keygate_gateway::Control;

/// The longest that an answer is waited for: API Gateway gives up after 29 s.
const PATIENCE: Duration = Duration::from_secs(35);
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
/// How many usage keys can be chosen from.
const MAX_KEYS: usize = 100;

/// What the form is filled with.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Filled {
    method: String,
    path: String,
}

impl Default for Filled {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            path: "/".to_owned(),
        }
    }
}

/// What was filled in.
#[derive(Debug, Default)]
pub(super) struct Sent {
    method: String,
    path: String,
    content_type: String,
    body: String,
    credential: String,
    client: String,
    scopes: Vec<String>,
    is_expired: bool,
    usage_key: String,
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotSent {
    /// A field holds what cannot be sent.
    #[error("{0}")]
    Field(&'static str),
    /// The issuer gave no token.
    #[error("the development issuer gave no token: {0}")]
    Token(String),
    /// The gateway did not answer.
    #[error("the gateway did not answer: {0}")]
    Gateway(String),
}

/// What sends requests: to this machine alone, wherever a field or an answer points.
#[derive(Debug)]
pub(super) struct Sender {
    client: Client,
    issuer: String,
}

impl Sent {
    /// The fields of a form.
    pub(super) fn of(fields: Vec<(String, String)>) -> Self {
        let mut sent = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "method" => sent.method = value,
                "path" => sent.path = value,
                "content_type" => sent.content_type = value,
                "body" => sent.body = value,
                "credential" => sent.credential = value,
                "client" => sent.client = value,
                "scope" => sent.scopes.push(value),
                "expired" => sent.is_expired = true,
                "usage_key" => sent.usage_key = value,
                _ => {}
            }
        }
        sent
    }

    /// What the form is filled with once more.
    pub(super) fn filled(&self) -> Filled {
        Filled {
            method: self.method.clone(),
            path: self.path.clone(),
        }
    }

    /// The address below the stage. A path cannot lead to another host.
    fn address(&self, stage: &Stage) -> Result<Url, NotSent> {
        const WRONG: NotSent = NotSent::Field("The path begins with a slash, and has no blanks.");
        if !self.path.starts_with('/') || self.path.contains(char::is_whitespace) {
            return Err(WRONG);
        }
        let base = Url::parse(&stage.url).map_err(|_| WRONG)?;
        let address = Url::parse(&format!("{}{}", stage.url, self.path)).map_err(|_| WRONG)?;
        if address.origin() != base.origin() {
            return Err(WRONG);
        }
        Ok(address)
    }
}

impl Sender {
    pub(super) fn new(outbound: &Outbound, issuer: String) -> Option<Self> {
        let url = Url::parse(&issuer).ok()?;
        let client = outbound.client(&url).ok()?.clone();
        Some(Self { client, issuer })
    }

    /// Sends the request, and gives its id.
    pub(super) async fn send(
        &self,
        sent: &Sent,
        stage: &Stage,
        control: &Control,
    ) -> Result<String, NotSent> {
        let method = sent.method.parse::<Method>();
        let method = method.map_err(|_| NotSent::Field("That is no method."))?;
        let address = sent.address(stage)?;
        let mut request = self.client.request(method, address).timeout(PATIENCE);
        if let Some(authorization) = self.authorization(sent, stage).await? {
            request = request.header("authorization", authorization);
        }
        let usage_key = control.usage.key(&sent.usage_key);
        if let Some(key) = usage_key.filter(|_| stage.takes_usage_keys) {
            request = request.header("x-api-key", key.key.value);
        }
        if !sent.body.is_empty() {
            request = request.body(sent.body.clone());
            if !sent.content_type.is_empty() {
                request = request.header("content-type", &sent.content_type);
            }
        }
        let unanswered = |error: reqwest::Error| NotSent::Gateway(error.without_url().to_string());
        let answer = request.send().await.map_err(unanswered)?;
        let id = answer.headers().get("x-amzn-requestid");
        let id = id.and_then(|id| id.to_str().ok()).map(ToOwned::to_owned);
        id.ok_or_else(|| NotSent::Gateway("its answer has no request id".to_owned()))
    }

    async fn authorization(&self, sent: &Sent, stage: &Stage) -> Result<Option<String>, NotSent> {
        match sent.credential.as_str() {
            "none" => Ok(None),
            "key" => {
                let key = stage.api_key.as_ref().map(ApiKey::expose);
                let key = key.ok_or(NotSent::Field("There is no seeded API key."))?;
                Ok(Some(format!("ApiKey {key}")))
            }
            "token" => self.token(sent).await.map(Some),
            "nonsense" => Ok(Some("Bearer nonsense".to_owned())),
            _ => Err(NotSent::Field("Choose a credential.")),
        }
    }

    async fn token(&self, sent: &Sent) -> Result<String, NotSent> {
        let client = Some(sent.client.trim()).filter(|client| !client.is_empty());
        let lifetime = if sent.is_expired { "-3600" } else { "300" };
        let scope = sent.scopes.join(" ");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client.unwrap_or("page")),
            ("scope", &scope),
            ("lifetime", lifetime),
        ];
        let failed = |error: reqwest::Error| NotSent::Token(error.without_url().to_string());
        let request = self.client.post(format!("{}/token", self.issuer));
        let answer = request.form(&form).timeout(PATIENCE).send();
        let answer: serde_json::Value =
            answer.await.map_err(failed)?.json().await.map_err(failed)?;
        let said = |name: &str| answer[name].as_str().map(ToOwned::to_owned);
        let token = said("access_token");
        let token = token.map(|token| format!("Bearer {token}"));
        token.ok_or_else(|| NotSent::Token(said("error_description").unwrap_or_default()))
    }
}

/// The form; `wrong` is why what was filled in before was not sent.
pub(super) fn view(
    filled: &Filled,
    wrong: Option<&NotSent>,
    stage: &Stage,
    control: &Control,
) -> Markup {
    html! {
        section aria-labelledby="send-title" {
            div.heading { h1 id="send-title" { "Send a request" } }
            p.lead { "It goes to " code { (seen(&stage.url)) } " and nowhere else, and its trip is shown." }
            @if let Some(wrong) = wrong { p.reason.bad role="alert" { (seen(&wrong.to_string())) } }
            form.send method="post" action="send" {
                fieldset {
                    legend { "Request" }
                    div.line {
                        label {
                            span { "Method" }
                            select name="method" {
                                @for method in METHODS {
                                    option selected[filled.method == method] { (method) }
                                }
                            }
                        }
                        label.wide {
                            span { "Path below the stage, with a query if need be" }
                            input type="text" name="path" value=(filled.path) required pattern="/\\S*"
                                list="paths" autocomplete="off" spellcheck="false";
                        }
                    }
                    datalist id="paths" { @for route in &stage.routes { option value=(route.path) {} } }
                    label {
                        span { "Body, if any" }
                        textarea name="body" rows="5" spellcheck="false" {}
                    }
                    label {
                        span { "The body's type" }
                        input type="text" name="content_type" value="application/json" autocomplete="off";
                    }
                    @if stage.takes_usage_keys { (usage_keys(control)) }
                }
                (credentials(stage))
                p { button.primary type="submit" { "Send" } }
            }
        }
    }
}

fn usage_keys(control: &Control) -> Markup {
    let keys = control.usage.keys(None, MAX_KEYS, |_| true);
    html! {
        label {
            span { "Usage key, in the header x-api-key" }
            select name="usage_key" {
                option value="" { "None" }
                @for listed in &keys { option value=(listed.key.id) { (seen(&listed.key.name)) " (" (listed.key.id) ")" } }
            }
        }
    }
}

fn credentials(stage: &Stage) -> Markup {
    let has_key = stage.api_key.is_some();
    html! {
        fieldset {
            legend { "Credential" }
            @if has_key {
                (choice("key", "The seeded API key", "All scopes of the route table.", true, &html! {}))
            }
            (choice("token", "A token of the development issuer", "Good for five minutes.", !has_key, &html! {
                div.line {
                    label { span { "Client" } input type="text" name="client" value="page" autocomplete="off"; }
                    label.check { input type="checkbox" name="expired" value="yes"; span { "Expired an hour ago" } }
                }
                @if !stage.scopes.is_empty() {
                    fieldset.scopes {
                        legend { "Its scopes" }
                        @for scope in &stage.scopes {
                            label.check { input type="checkbox" name="scope" value=(scope) checked; span { (seen(scope)) } }
                        }
                    }
                }
            }))
            (choice("nonsense", "Nonsense", "A bearer token that is none.", false, &html! {}))
            (choice("none", "None", "As anybody calls it.", false, &html! {}))
        }
    }
}

fn choice(value: &str, name: &str, note: &str, is_chosen: bool, more: &Markup) -> Markup {
    html! {
        div.choice {
            label.check {
                input type="radio" name="credential" value=(value) checked[is_chosen];
                span { (name) " " span.note { (note) } }
            }
            (more)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_to_another_host() {
        let stage = Stage {
            url: "http://127.0.0.1:3000/dev".to_owned(),
            ..Stage::default()
        };
        let address = |path: &str| {
            let path = path.to_owned();
            Sent {
                path,
                ..Sent::default()
            }
            .address(&stage)
        };
        assert_eq!(
            address("/books?a=b").unwrap().as_str(),
            "http://127.0.0.1:3000/dev/books?a=b"
        );
        for path in [
            "//evil.example/",
            "/\\evil.example",
            "/@evil.example",
            "/../../@evil.example:1",
            "/:80@evil.example",
        ] {
            let address = address(path).unwrap();
            assert_eq!(address.host_str(), Some("127.0.0.1"), "{path}");
            assert_eq!(address.port(), Some(3000), "{path}");
        }
        for path in [
            "",
            "books",
            "@evil.example",
            ".evil.example/",
            "http://evil.example/",
            "/a b",
        ] {
            assert!(address(path).is_err(), "{path}");
        }
    }
}
