//! The calls as the AWS SDK makes them, and reads what comes back.

mod recorded;

use std::path::Path;
use std::sync::Arc;

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::config::http::HttpResponse;
use aws_sdk_apigateway::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_apigateway::error::{ProvideErrorMetadata, SdkError};
use jiff::Timestamp;
use keygate_connection::Room;
use keygate_gateway::trips::Trips;
use keygate_gateway::{Gateway, Usage, day};
use keygate_model::deployment::REGION;
use keygate_outbound::Outbound;
use keygate_template as template;
use keygate_template::offered;
use tokio::net::TcpListener;

use keygate_gateway::Watcher;

const VALUE: &str = "a-value-of-20-characters";

async fn start() -> (Client, String) {
    start_with(&[]).await
}

async fn start_with(parameters: &[(String, String)]) -> (Client, String) {
    let (client, url, _) = serving(parameters).await;
    (client, url)
}

/// The same with what meters requests.
async fn serving(parameters: &[(String, String)]) -> (Client, String, Arc<Usage>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    client_of(&path, parameters).await
}

/// The same for a template.
async fn client_of(path: &Path, parameters: &[(String, String)]) -> (Client, String, Arc<Usage>) {
    let parameters = offered::parameters(parameters, None, "http://127.0.0.1:3001");
    let application = template::load(path, &parameters).unwrap();
    let control = Gateway::new(&application, 0).unwrap().control();
    let usage = Arc::clone(&control.usage);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let trips = Arc::new(Trips::new(Watcher::none()));
    tokio::spawn(super::serve(
        listener,
        Room::of_process(),
        control.into(),
        trips,
    ));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(&url)
        .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
        .http_client(keygate_aws::http_client(
            &Outbound::new(&keygate_settings::Settings::default()).unwrap(),
        ));
    (Client::from_conf(config.build()), url, usage)
}

/// The code of the error that a call is answered with.
fn code<T, E>(answer: Result<T, SdkError<E, HttpResponse>>) -> String
where
    E: ProvideErrorMetadata,
{
    let Err(error) = answer else {
        panic!("it is not refused")
    };
    error.code().unwrap().to_owned()
}

async fn create(client: &Client, name: &str) -> String {
    let value = format!("{VALUE}-{name}");
    let create = client.create_api_key().name(name).value(value);
    create.enabled(true).send().await.unwrap().id.unwrap()
}

#[tokio::test]
async fn a_usage_key_is_made_listed_put_on_a_plan_and_deleted() {
    let (client, _) = start().await;
    let id = create(&client, "one").await;
    let read = client.get_api_key().api_key(&id);
    let read = read.include_value(true).send().await.unwrap();
    assert_eq!(read.value(), Some("a-value-of-20-characters-one"));
    assert!(read.enabled && read.created_date.unwrap().secs() > 1_700_000_000);
    let read = client.get_api_key().api_key(&id).send().await.unwrap();
    assert_eq!((read.name(), read.value()), (Some("one"), None));

    let arn = |id: &str| format!("arn:aws:apigateway:{REGION}::/apikeys/{id}");
    let tag = |id: &str| {
        let tag = client.tag_resource().resource_arn(arn(id));
        tag.tags("keygate:stack", "keygate-dev").send()
    };
    tag(&id).await.unwrap();
    assert_eq!(code(tag("nope").await), "NotFoundException");
    let read = client.get_api_key().api_key(&id).send().await.unwrap();
    assert_eq!(read.tags().unwrap()["keygate:stack"], "keygate-dev");

    let plan = "partnerusageplan";
    let put = || {
        let put = client.create_usage_plan_key().usage_plan_id(plan);
        put.key_id(&id).key_type("API_KEY").send()
    };
    assert_eq!(put().await.unwrap().id(), Some(id.as_str()));
    assert_eq!(code(put().await), "ConflictException");
    let members = client.get_usage_plan_keys().usage_plan_id(plan);
    let members = members.send().await.unwrap();
    assert_eq!(members.items()[0].id(), Some(id.as_str()));
    let plans = client.get_usage_plans().key_id(&id).send().await.unwrap();
    assert_eq!(plans.items().len(), 1);
    assert_eq!(plans.items()[0].id(), Some(plan));

    let delete = || client.delete_api_key().api_key(&id).send();
    delete().await.unwrap();
    assert_eq!(code(delete().await), "NotFoundException");
    let members = client.get_usage_plan_keys().usage_plan_id(plan);
    assert!(members.send().await.unwrap().items().is_empty());
}

#[tokio::test]
async fn lists_have_pages_and_begin_as_asked_for() {
    let (client, _) = start().await;
    let mut made = Vec::new();
    for name in ["table.a", "table.b", "table.c", "table-b.d"] {
        made.push(create(&client, name).await);
    }
    let mut listed = Vec::new();
    let mut position = None;
    loop {
        let page = client.get_api_keys().name_query("table.").limit(2);
        let page = page.set_position(position).send().await.unwrap();
        assert!(page.items().len() <= 2);
        listed.extend(page.items().iter().map(|key| key.id().unwrap().to_owned()));
        position = page.position;
        if position.is_none() {
            break;
        }
    }
    made.pop();
    made.sort();
    assert_eq!(listed, made);
    let first = client.get_usage_plans().limit(1).send().await.unwrap();
    let second = client
        .get_usage_plans()
        .limit(2)
        .set_position(first.position);
    let second = second.send().await.unwrap();
    assert_eq!(second.position, None);
    let plan = &second.items()[0];
    assert_eq!(plan.name(), Some("keygate-local-standard"));
    assert_eq!(plan.quota().unwrap().limit, 100_000);
    assert_eq!(plan.throttle().unwrap().burst_limit, 100);
    let stage = &plan.api_stages()[0];
    assert_eq!(
        (stage.api_id(), stage.stage()),
        (Some("local"), Some("dev"))
    );
}

#[tokio::test]
async fn usage_is_answered_by_day_as_the_sdk_reads_it() {
    let (client, _, usage) = serving(&[]).await;
    let plan = "partnerusageplan";
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        let id = create(&client, name).await;
        let put = client.create_usage_plan_key().usage_plan_id(plan);
        let put = put.key_id(&id).key_type("API_KEY").send();
        put.await.unwrap();
        ids.push(id);
    }
    let now = Timestamp::now();
    let today = day(now);
    let yesterday = today.yesterday().unwrap().to_string();
    for _ in 0..3 {
        usage
            .admit(Some(&format!("{VALUE}-one")), "/books/GET", now)
            .unwrap();
    }
    let get = |plan: &str, from: &str, to: &str| {
        let get = client.get_usage().usage_plan_id(plan);
        get.start_date(from).end_date(to)
    };
    let today = today.to_string();
    let own = get(plan, &yesterday, &today).key_id(&ids[0]).send();
    let own = own.await.unwrap();
    assert_eq!(own.usage_plan_id(), Some(plan));
    assert_eq!(own.start_date(), Some(yesterday.as_str()));
    assert_eq!(own.end_date(), Some(today.as_str()));
    let pairs = [vec![0, 1_000_000], vec![3, 999_997]];
    assert_eq!(own.items().unwrap()[&ids[0]], pairs);
    assert_eq!(own.items().unwrap().len(), 1);

    let mut pages = get(plan, &today, &today).limit(2).into_paginator().send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap().items.unwrap();
        assert!(page.len() <= 2);
        seen.extend(page.into_keys());
    }
    seen.sort();
    ids.sort();
    assert_eq!(seen, ids);
    // Nobody knows what is left where there is no quota.
    let none = get("unregisteredusageplan", &today, &today).send();
    let none = none.await.unwrap();
    assert!(none.items().unwrap().values().all(|days| days == &[[0]]));

    for (plan, from, to, kind) in [
        ("nope", &*today, &*today, "NotFoundException"),
        (plan, &*today, &*yesterday, "BadRequestException"),
        (plan, "yesterday", &*today, "BadRequestException"),
        (plan, "2026-01-01", &*today, "BadRequestException"),
    ] {
        assert_eq!(code(get(plan, from, to).send().await), kind, "{from}");
    }
    let unknown = get(plan, &today, &today).key_id("nope").send();
    assert_eq!(code(unknown.await), "NotFoundException");
}

#[tokio::test]
async fn what_api_gateway_checks_is_checked() {
    let (client, _) = start().await;
    let id = create(&client, "one").await;
    let same = client.create_api_key().value(format!("{VALUE}-one"));
    assert_eq!(code(same.send().await), "ConflictException");
    for value in ["x".repeat(19), "x".repeat(129)] {
        let create = client.create_api_key().value(value);
        assert_eq!(code(create.send().await), "BadRequestException");
    }
    for (plan, key) in [("nope", id.as_str()), ("standardusageplan", "nope")] {
        let put = client.create_usage_plan_key().usage_plan_id(plan);
        let put = put.key_id(key).key_type("API_KEY").send().await;
        assert_eq!(code(put), "NotFoundException");
        let take = client.delete_usage_plan_key().usage_plan_id(plan);
        assert_eq!(code(take.key_id(key).send().await), "NotFoundException");
    }
    let plan = client.get_usage_plan().usage_plan_id("nope");
    assert_eq!(code(plan.send().await), "NotFoundException");
    for (api, stage) in [("nope", "dev"), ("local", "nope")] {
        let flush = client.flush_stage_authorizers_cache();
        let flush = flush.rest_api_id(api).stage_name(stage).send().await;
        assert_eq!(code(flush), "NotFoundException");
    }
    let flush = client.flush_stage_authorizers_cache();
    flush
        .rest_api_id("local")
        .stage_name("dev")
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_not_supported_is_named() {
    let (client, _) = start().await;
    let message = client.get_rest_apis().send().await.unwrap_err();
    assert!(message.message().unwrap().contains("GET /restapis"));
    let update = client
        .update_usage_plan()
        .usage_plan_id("standardusageplan");
    let message = update.send().await.unwrap_err();
    let words = "PATCH /usageplans/standardusageplan";
    assert!(message.message().unwrap().contains(words));
    let filter = client.get_api_keys().customer_id("x").send().await;
    assert!(
        filter
            .unwrap_err()
            .message()
            .unwrap()
            .contains("customerId")
    );
    let distinct = client.create_api_key().generate_distinct_id(true);
    let message = distinct.send().await.unwrap_err();
    assert!(message.message().unwrap().contains("generateDistinctId"));
}

#[tokio::test]
async fn a_page_in_a_browser_is_refused_whatever_it_sends() {
    let (_, url) = start().await;
    let url = reqwest::Url::parse(&format!("{url}/apikeys")).unwrap();
    let outbound = Outbound::new(&keygate_settings::Settings::default()).unwrap();
    let http = outbound.client(&url).unwrap();
    let signed = ("authorization", "AWS4-HMAC-SHA256 Credential=any");
    let status = async |headers: &[(&str, &str)]| {
        let mut request = http.get(url.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(&[]).await, 403);
    assert_eq!(status(&[signed]).await, 200);
    assert_eq!(status(&[signed, ("host", "localhost:1")]).await, 200);
    assert_eq!(status(&[signed, ("host", "evil.example")]).await, 403);
    assert_eq!(
        status(&[signed, ("origin", "http://evil.example")]).await,
        403
    );
}

#[tokio::test]
async fn authorizers_are_listed_with_their_events_and_what_answers_are_kept_by() {
    for (kind, sources) in [
        ("TOKEN", "method.request.header.Authorization"),
        (
            "REQUEST",
            "method.request.header.Authorization, context.identity.sourceIp",
        ),
    ] {
        let parameter = ("AuthorizerEvents".to_owned(), kind.to_owned());
        let (client, _) = start_with(&[parameter]).await;
        let listed = client.get_authorizers().rest_api_id("local").limit(500);
        let listed = listed.send().await.unwrap();
        let [authorizer] = listed.items() else {
            panic!("{listed:?}")
        };
        assert_eq!(authorizer.r#type().unwrap().as_str(), kind);
        assert_eq!(authorizer.identity_source(), Some(sources));
        assert_eq!(authorizer.authorizer_result_ttl_in_seconds(), Some(60));
        let other = client.get_authorizers().rest_api_id("other").send().await;
        assert_eq!(code(other), "NotFoundException");
    }
}
