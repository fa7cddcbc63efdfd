//! What CloudWatch counts and asks of the logs, `deploy/alarms.yaml` and `deploy/dashboard.yaml`, held to the
//! lines that are written.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use reqwest::Method;
use serde_json::{Value, json};

use crate::access_log::line_of;
use crate::keys::{issue, text};
use crate::services::{KEY_TABLE, dynamodb};
use crate::tokens::list;
use keygate_tests::metric_filter::MetricFilter;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    metric_filters_count_the_requests_that_their_alarms_are_about needs "access-log", "usage-plans", "own-gateway";
    saved_queries_ask_for_what_the_logs_have needs "access-log", "own-gateway";
}

const ALARMS: &str = include_str!("../../deploy/alarms.yaml");
const DASHBOARD: &str = include_str!("../../deploy/dashboard.yaml");

fn metric_filters_count_the_requests_that_their_alarms_are_about(target: &Target) {
    let (gateway, own) = target.own(&["--parameter", "QuotaLimit=2"]);
    let token = own.token_with(&[("client_id", "watcher"), ("scope", "books:read keys:admin")]);
    let key = issue(&own, &token, &["books:read"]).json();
    let by_key = format!("ApiKey {}", text(&key, "key"));
    let mut replies = vec![
        list(&own, &by_key).expect(200),
        list(&own, &by_key).expect(200),
        list(&own, &by_key).expect(429),
        list(&own, "Bearer x").expect(401),
        own.get("/books").send().expect(401),
        own.get("/nothing").send().expect(404),
        // What a caller writes is none of the line's own members.
        own.get("/books?said=403")
            .header("user-agent", "\"status\":\"401\"")
            .bearer(&token)
            .send()
            .expect(200),
    ];
    let posted = own.post("/books").bearer(&token).json(&json!({})).send();
    replies.push(posted.expect(403));
    dynamodb(
        &own,
        &gateway,
        "DeleteTable",
        &json!({"TableName": KEY_TABLE}),
    );
    let unknown = own.token_with(&[("client_id", "another"), ("scope", "books:read")]);
    replies.push(list(&own, &format!("Bearer {unknown}")).expect(503));
    for reply in &replies {
        let _ = line_of(&gateway, reply);
    }

    let mut filters = MetricFilter::all(ALARMS);
    filters.retain(|filter| filter.log_group == "!Ref AccessLogGroupName");
    let written = gateway.stdout();
    let counted: BTreeMap<&str, usize> = filters
        .iter()
        .map(|filter| {
            let lines = written.lines().filter(|line| filter.counts(line));
            (filter.metric, lines.count())
        })
        .collect();
    let expected = [
        ("'${Stack}-unauthorized'", 2),
        ("'${Stack}-forbidden'", 1),
        ("'${Stack}-quota-exceeded'", 1),
        ("'${Stack}-authorizer-failures'", 1),
    ];
    assert_eq!(counted, BTreeMap::from(expected));
}

fn saved_queries_ask_for_what_the_logs_have(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token_with(&[("client_id", "watcher"), ("scope", "books:read keys:admin")]);
    let key = issue(&own, &token, &["books:read"]).json();
    let served = list(&own, &format!("ApiKey {}", text(&key, "key"))).expect(200);
    let line = line_of(&gateway, &served);
    let path = format!("/keys/{}", text(&key, "id"));
    let revoke = own.call(Method::DELETE, &path).bearer(&token);
    revoke.send().expect(204);
    list(&own, &format!("ApiKey {}", text(&key, "key"))).expect(401);
    // API Gateway knows the token then, and the handler cannot serve it.
    own.get("/keys").bearer(&token).send().expect(200);
    let table = json!({"TableName": KEY_TABLE});
    dynamodb(&own, &gateway, "DeleteTable", &table);
    let failed = own.get("/keys").bearer(&token).send().expect(500);
    let failed = text(&line_of(&gateway, &failed), "requestId").to_owned();
    let logged = gateway.logged("\"problem\":");

    let lines = Lines {
        access: members(gateway.stdout().lines()),
        authorizer: members(of_functions(&logged, "[AuthorizerFunction] ")),
        all: members(gateway.stdout().lines().chain(of_functions(&logged, "] "))),
    };
    let queries = queries();
    assert_eq!(
        queries.len(),
        DASHBOARD.matches("::QueryDefinition").count()
    );
    for query in &queries {
        let known = lines.of(query.log_groups);
        for name in query.members() {
            assert!(known.contains(&name), "{name} is no member: {}", query.text);
        }
    }

    // What is to be put into a query is found as it is written.
    let holding = |words: &str, value: &str, log: &str| {
        let query = queries.iter().find(|query| query.text.contains(words));
        let (_, rest) = query.unwrap().text.split_once("@message like '").unwrap();
        let (pattern, _) = rest.split_once('\'').unwrap();
        let pattern = pattern.replace(words, value);
        log.lines().filter(|line| line.contains(&pattern)).count()
    };
    let access = gateway.stdout();
    let logged: Vec<&str> = of_functions(&logged, "] ").collect();
    let logged = logged.join("\n");
    assert_eq!(holding("REQUEST_ID", &failed, &access), 1);
    assert_eq!(holding("REQUEST_ID", &failed, &logged), 1, "{logged}");
    let id = text(&line, "authorizerRequestId");
    assert_eq!(holding("REQUEST_ID", id, &access), 1);
    assert_eq!(holding("REQUEST_ID", id, &logged), 1, "{logged}");
    assert_eq!(holding("CLIENT", text(&key, "id"), &access), 1);
    assert!(holding("CLIENT", "watcher", &access) > 1);
    assert_eq!(holding("CLIENT", "watch", &access), 0);
}

/// The members that lines have, by the log.
struct Lines {
    access: BTreeSet<String>,
    authorizer: BTreeSet<String>,
    all: BTreeSet<String>,
}

impl Lines {
    fn of(&self, log_groups: &str) -> &BTreeSet<String> {
        match log_groups {
            "[!Ref AccessLogGroupName]" => &self.access,
            "[!Ref AuthorizerLogGroupName]" => &self.authorizer,
            "!Split [',', !Ref LogGroupNames]" => &self.all,
            others => panic!("no log is known of {others}"),
        }
    }
}

/// What functions have logged, without what keygate puts before each line.
fn of_functions<'l>(logged: &'l str, before: &'l str) -> impl Iterator<Item = &'l str> {
    logged.lines().filter_map(move |line| {
        let (_, line) = line.split_once(before)?;
        line.starts_with('{').then_some(line)
    })
}

fn members<'l>(lines: impl Iterator<Item = &'l str>) -> BTreeSet<String> {
    let objects = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let names = objects.filter_map(|object| {
        let members = object.as_object()?.keys();
        Some(members.cloned().collect::<Vec<_>>())
    });
    names.flatten().collect()
}

/// A query of CloudWatch Logs Insights.
struct Query {
    log_groups: &'static str,
    text: String,
}

/// The words of the language, and its functions.
const WORDS: &str =
    "as and asc by count desc fields filter in latest like limit min or pct sort stats";

impl Query {
    /// The members of lines that it names: not what is quoted, what it names itself, nor what the service
    /// adds.
    fn members(&self) -> BTreeSet<String> {
        let literal = Regex::new("'[^']*'|/[^/]*/").unwrap();
        let text = literal.replace_all(&self.text, " ");
        let alias = Regex::new(r"\bas (\w+)").unwrap();
        let own: BTreeSet<&str> = alias
            .captures_iter(&text)
            .map(|found| found.get(1).unwrap().as_str())
            .collect();
        let word = Regex::new(r"@?[A-Za-z_][\w.]*").unwrap();
        let names = word.find_iter(&text).map(|found| found.as_str());
        names
            .filter(|name| !WORDS.split(' ').any(|word| word == *name))
            .filter(|name| !own.contains(name) && !name.starts_with('@'))
            .map(str::to_owned)
            .collect()
    }
}

/// The saved queries, whose texts are blocks of lines, or the alias of one.
fn queries() -> Vec<Query> {
    let mut found = Vec::new();
    let mut log_groups = "";
    let mut lines = DASHBOARD.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(groups) = line.strip_prefix("LogGroupNames: ") {
            log_groups = groups;
        } else if let Some(name) = line.strip_prefix("QueryString: *") {
            let text = block(DASHBOARD, &format!(": &{name} >-\n"));
            found.push(Query { log_groups, text });
        } else if line == "QueryString: >-" {
            let rest = lines.clone().map(|line| format!("{line}\n"));
            let rest: String = rest.collect();
            let text = block(&format!("{line}\n{rest}"), ": >-\n");
            found.push(Query { log_groups, text });
        }
    }
    found
}

/// The block of lines behind a mark, as YAML folds it.
fn block(text: &str, mark: &str) -> String {
    let (_, rest) = text.split_once(mark).unwrap();
    let depth = |line: &str| line.len() - line.trim_start().len();
    let indentation = depth(rest.lines().next().unwrap());
    let lines = rest.lines().take_while(|line| depth(line) >= indentation);
    let lines: Vec<&str> = lines.map(str::trim).collect();
    lines.join(" ")
}
