//! The built `upkeep`, which a schedule calls, on the services of a gateway and a topic of the test's own.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::faulty::{ALWAYS, Fault, Faulty, REFUSED, THROTTLED};
use crate::keys::text;
use crate::operator::run;
use crate::services::{
    KEY_TABLE, STACK, dynamodb, management, pk, set, unset, usage_key_of, usage_keys,
};
use keygate_tests::function::{Function, Outcome};
use keygate_tests::keygate::Keygate;
use keygate_tests::loopback::{self, Response};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_person_is_told_of_a_key_some_days_before_its_end_and_again_a_day_before_it needs "own-gateway";
    the_operators_list_of_expiring_keys_is_the_notices needs "own-gateway";
    a_notice_that_no_topic_takes_stands_in_the_log_and_comes_again needs "own-gateway";
    a_notice_that_is_not_noted_comes_again needs "own-gateway";
    without_a_topic_the_notice_is_a_line_of_the_log needs "own-gateway";
    no_days_are_no_notice needs "own-gateway";
    what_was_left_half_done_is_swept needs "own-gateway";
    a_sweep_that_would_take_the_table_for_the_wrong_one_fails_and_changes_nothing needs "own-gateway";
    a_part_that_fails_keeps_no_other_from_being_done needs "own-gateway";
    a_sweep_ends_with_the_time_of_its_invocation needs "own-gateway";
    two_runs_at_once_do_each_others_work_no_harm needs "own-gateway";
    a_setting_that_cannot_be_right_is_named_at_start needs "own-gateway";
    the_gateway_starts_it_when_it_is_invoked_and_says_that_no_topic_is_there needs "own-gateway";
}

const DAY: u64 = 24 * 60 * 60;
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:alarms";
const USAGE_PLANS: &str = "standard=keygate-local-standard,partner=keygate-local-partner";

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

/// A topic that keeps what is published to it, unless it is told to refuse.
#[derive(Clone, Default)]
struct Topic(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    messages: Vec<Message>,
    refuses: bool,
}

#[derive(Debug, Clone, Default)]
struct Message {
    topic: String,
    subject: String,
    text: String,
}

impl Topic {
    /// Serves it as SNS does, and gives its address.
    fn serve(&self) -> String {
        let kept = Arc::clone(&self.0);
        let address = loopback::serve(move |request| {
            let mut kept = kept.lock().unwrap();
            if kept.refuses {
                let error = "<Error><Type>Sender</Type><Code>AuthorizationError</Code>\
                             <Message>not allowed to publish</Message></Error>";
                return xml(403, &format!("<ErrorResponse>{error}</ErrorResponse>"));
            }
            kept.messages.push(Message::read(&request.body));
            xml(
                200,
                "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
                 <MessageId>m-1</MessageId></PublishResult></PublishResponse>",
            )
        });
        format!("http://{address}")
    }

    fn messages(&self) -> Vec<Message> {
        self.0.lock().unwrap().messages.clone()
    }

    fn refuse(&self, refuses: bool) {
        self.0.lock().unwrap().refuses = refuses;
    }
}

fn xml(status: u16, body: &str) -> Response {
    Response {
        headers: vec![("content-type", "text/xml".to_owned())],
        ..Response::new(status, body)
    }
}

impl Message {
    /// Of a form (AWS Query protocol).
    fn read(form: &[u8]) -> Self {
        let form = String::from_utf8(form.to_vec()).unwrap();
        let url = Url::parse(&format!("http://localhost/?{form}")).unwrap();
        let field = |wanted: &str| {
            let mut fields = url.query_pairs();
            let found = fields.find_map(|(name, value)| (name == wanted).then(|| value.into()));
            found.unwrap_or_default()
        };
        let action: String = field("Action");
        assert_eq!(action, "Publish");
        Self {
            topic: field("TopicArn"),
            subject: field("Subject"),
            text: field("Message"),
        }
    }
}

/// What the function stands on.
struct Place {
    gateway: Keygate,
    own: Target,
    api_gateway: Faulty,
    dynamodb: Faulty,
    topic: Topic,
    sns: String,
}

impl Place {
    fn new(target: &Target) -> Self {
        let (gateway, own) = target.own(&[]);
        let before = |service: &str| Faulty::before(target.reaching(&gateway), service);
        let topic = Topic::default();
        Self {
            api_gateway: before(&gateway.ready.api_gateway),
            dynamodb: before(&gateway.ready.dynamodb),
            gateway,
            own,
            sns: topic.serve(),
            topic,
        }
    }

    /// The function with these settings besides or in place of its usual ones.
    fn function(&self, target: &Target, more: &[(&str, &str)], time: Option<Duration>) -> Function {
        let mut settings = vec![
            ("KEY_TABLE", KEY_TABLE),
            ("STACK_NAME", STACK),
            ("USAGE_PLANS", USAGE_PLANS),
            ("KEY_EXPIRY_NOTICE_DAYS", "7"),
            ("TOPIC_ARN", TOPIC),
            ("AWS_ENDPOINT_URL_API_GATEWAY", &self.api_gateway.url),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.dynamodb.url),
            ("AWS_ENDPOINT_URL_SNS", &self.sns),
        ];
        settings.extend_from_slice(more);
        let program = target.build().directory.join("upkeep");
        match time {
            Some(time) => Function::within(program, &settings, time),
            None => Function::start(program, &settings),
        }
    }

    /// A key that was issued a year ago and ends in so many seconds: its id, and the whole key.
    fn key(&self, target: &Target, name: &str, ends_in: u64) -> (String, String) {
        let create = [
            "create",
            "--name",
            name,
            "--owner",
            "team-a",
            "--scope",
            "books:read",
        ];
        let key = run(target, &self.gateway, &create);
        let id = text(&key, "id").to_owned();
        self.set(&id, "created_at", now() - 365 * DAY);
        self.set(&id, "expires_at", now() + ends_in);
        (id, text(&key, "key").to_owned())
    }

    fn set(&self, id: &str, attribute: &str, number: u64) {
        let number = json!({"N": number.to_string()});
        set(&self.own, &self.gateway, id, attribute, &number);
    }

    fn forget(&self, id: &str) {
        let delete = json!({"TableName": KEY_TABLE, "Key": pk(id)});
        dynamodb(&self.own, &self.gateway, "DeleteItem", &delete);
    }

    /// Takes a key's usage key away.
    fn lose_usage_key(&self, id: &str) {
        let usage_key = usage_key_of(&self.own, &self.gateway, id).unwrap();
        let path = format!("/apikeys/{}", usage_key.id);
        management(
            &self.own,
            &self.gateway,
            Method::DELETE,
            &path,
            &Value::Null,
        )
        .expect(202);
    }
}

fn invoke(function: &Function) -> Outcome {
    let event = include_str!("../../events/upkeep-scheduled.json");
    function.invoke(serde_json::from_str(event).unwrap())
}

/// The lines of a log that have this field.
fn lines(log: &str, field: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter(|line: &Value| line.get(field).is_some())
        .collect()
}

/// The values of a metric of the stack, in embedded metric format.
fn counted(log: &str, metric: &str) -> Vec<u64> {
    let counted = lines(log, metric).into_iter().map(|line| {
        assert_eq!(line["Stack"], STACK);
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        let directive = json!({
            "Namespace": "Keygate", "Dimensions": [["Stack"]],
            "Metrics": [{"Name": metric, "Unit": "Count"}],
        });
        assert!(directives.contains(&directive), "{line}");
        line[metric].as_u64().unwrap()
    });
    counted.collect()
}

fn a_person_is_told_of_a_key_some_days_before_its_end_and_again_a_day_before_it(target: &Target) {
    let place = Place::new(target);
    let (soon, secret) = place.key(target, "nightly import", 6 * DAY);
    let (later, _) = place.key(target, "another", 8 * DAY);
    let function = place.function(target, &[], None);
    let done = invoke(&function).response();
    assert_eq!(
        (&done["expiring"], &done["noticed"]),
        (&json!(1), &json!(1))
    );
    let [message] = place.topic.messages().try_into().unwrap();
    assert_eq!(message.topic, TOPIC);
    let subject = "Keygate: 1 API key expires soon, of the stack keygate-local";
    assert_eq!(message.subject, subject);
    for words in [
        &*soon,
        "\"nightly import\" of team-a, plan standard",
        "--expiring-within 7",
    ] {
        assert!(message.text.contains(words), "{words}: {}", message.text);
    }
    let hidden = secret.rsplit('_').next().unwrap();
    for absent in [&*later, hidden] {
        assert!(!message.text.contains(absent), "{}", message.text);
    }
    // The next days.
    let done = invoke(&function).response();
    assert_eq!(
        (&done["expiring"], &done["noticed"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(place.topic.messages().len(), 1);
    // On the last one, after the notice of days ago.
    place.set(&soon, "expires_at", now() + DAY - 60);
    place.set(&soon, "expiry_noticed_at", now() - 5 * DAY);
    let done = invoke(&function).response();
    assert_eq!(done["noticed"], 1);
    assert!(place.topic.messages()[1].text.contains(&*soon));
    assert_eq!(invoke(&function).response()["noticed"], 0);
    // The record is what it was otherwise: the key works.
    let shown = run(target, &place.gateway, &["show", &soon]);
    assert_eq!(
        (&shown["status"], &shown["name"]),
        (&json!("active"), &json!("nightly import"))
    );

    let log = function.log();
    assert_eq!(counted(&log, "KeysExpiring"), [1; 4]);
    assert_eq!(counted(&log, "UpkeepFailures"), [0; 0]);
}

fn the_operators_list_of_expiring_keys_is_the_notices(target: &Target) {
    let place = Place::new(target);
    let (later, _) = place.key(target, "later", 6 * DAY);
    let (sooner, _) = place.key(target, "sooner", 2 * DAY);
    let (beyond, _) = place.key(target, "beyond", 8 * DAY);
    let (revoked, _) = place.key(target, "revoked", 2 * DAY);
    run(target, &place.gateway, &["revoke", &revoked]);
    let ids = |arguments: &[&str]| -> Vec<String> {
        let listed = run(target, &place.gateway, arguments);
        let listed = listed.as_array().unwrap().iter();
        listed.map(|key| text(key, "id").to_owned()).collect()
    };
    let within = ["list", "--expiring-within", "7"];
    assert_eq!(ids(&within), [&*sooner, &*later]);
    assert_eq!(
        ids(&[&within[..], &["--owner", "team-a"]].concat()),
        [&*sooner, &*later]
    );
    assert_eq!(
        ids(&[&within[..], &["--owner", "nobody"]].concat()),
        [""; 0]
    );
    assert_eq!(
        ids(&["list", "--expiring-within", "8"]),
        [&*sooner, &*later, &*beyond]
    );
    let function = place.function(target, &[], None);
    assert_eq!(invoke(&function).response()["expiring"], 2);
    let told = &place.topic.messages()[0].text;
    assert!(told.find(&*sooner) < told.find(&*later), "{told}");
    assert!(
        !told.contains(&*beyond) && !told.contains(&*revoked),
        "{told}"
    );
}

fn a_notice_that_no_topic_takes_stands_in_the_log_and_comes_again(target: &Target) {
    let place = Place::new(target);
    let (id, _) = place.key(target, "nightly import", 2 * DAY);
    let function = place.function(target, &[], None);
    place.topic.refuse(true);
    let error = invoke(&function).error_message();
    assert!(error.contains("AuthorizationError"), "{error}");
    place.topic.refuse(false);
    assert_eq!(invoke(&function).response()["noticed"], 1);
    assert!(place.topic.messages()[0].text.contains(&*id));
    let log = function.log();
    let [kept] = lines(&log, "notice").try_into().unwrap();
    assert_eq!(kept["level"], "ERROR");
    assert!(text(&kept, "notice").contains(&*id), "{kept}");
    assert_eq!(counted(&log, "UpkeepFailures"), [1]);
}

fn a_notice_that_is_not_noted_comes_again(target: &Target) {
    let place = Place::new(target);
    place.key(target, "nightly import", 2 * DAY);
    let function = place.function(target, &[], None);
    place.dynamodb.fail("UpdateItem", REFUSED, 1);
    let error = invoke(&function).error_message();
    assert!(error.contains("told of 1 keys without a note"), "{error}");
    assert_eq!(invoke(&function).response()["noticed"], 1);
    assert_eq!(place.topic.messages().len(), 2);
}

fn without_a_topic_the_notice_is_a_line_of_the_log(target: &Target) {
    let place = Place::new(target);
    let (id, _) = place.key(target, "nightly import", 2 * DAY);
    let function = place.function(target, &[("TOPIC_ARN", "")], None);
    assert_eq!(invoke(&function).response()["noticed"], 1);
    assert_eq!(invoke(&function).response()["noticed"], 0);
    let log = function.log();
    let [notice] = lines(&log, "notice").try_into().unwrap();
    assert_eq!(notice["level"], "WARN");
    assert!(text(&notice, "notice").contains(&*id), "{notice}");
    assert!(text(&notice, "message").contains("TOPIC_ARN"), "{notice}");
    assert!(place.topic.messages().is_empty());
}

fn no_days_are_no_notice(target: &Target) {
    let place = Place::new(target);
    place.key(target, "nightly import", DAY / 2);
    for days in ["0", ""] {
        let function = place.function(target, &[("KEY_EXPIRY_NOTICE_DAYS", days)], None);
        let done = invoke(&function).response();
        assert_eq!(
            (&done["expiring"], &done["noticed"]),
            (&Value::Null, &json!(0))
        );
        assert_eq!(done["swept"]["in_order"], 1);
        let log = function.log();
        assert_eq!(counted(&log, "KeysExpiring"), [0; 0]);
    }
    assert!(place.topic.messages().is_empty());
    // And without plans, nor a stack, there is nothing to sweep or to count.
    let bare = [("USAGE_PLANS", ""), ("STACK_NAME", "")];
    let function = place.function(target, &bare, None);
    let calls = place.api_gateway.calls();
    let done = invoke(&function).response();
    assert_eq!(
        (&done["noticed"], &done["swept"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(place.api_gateway.calls(), calls);
    assert!(
        place.topic.messages()[0]
            .subject
            .ends_with("of the table keygate-local-KeyTable")
    );
    assert_eq!(lines(&function.log(), "_aws"), [] as [Value; 0]);
}

fn what_was_left_half_done_is_swept(target: &Target) {
    let place = Place::new(target);
    let (kept, _) = place.key(target, "kept", 100 * DAY);
    let (lacking, _) = place.key(target, "lacking", 100 * DAY);
    let (gone, _) = place.key(target, "gone", 100 * DAY);
    place.forget(&gone);
    place.lose_usage_key(&lacking);
    let function = place.function(target, &[], None);
    // Nobody waits for it, so it waits for its turn where API Gateway throttles.
    place.api_gateway.fail("CreateApiKey", THROTTLED, 3);
    let swept = |young, deleted, restored, in_order| json!({"young": young, "deleted": deleted, "restored": restored, "in_order": in_order});
    assert_eq!(invoke(&function).response()["swept"], swept(1, 0, 1, 1));
    place.api_gateway.age(15 * 60);
    assert_eq!(invoke(&function).response()["swept"], swept(0, 1, 0, 2));
    assert_eq!(invoke(&function).response()["swept"], swept(0, 0, 0, 2));
    for (id, has_one) in [(&kept, true), (&lacking, true), (&gone, false)] {
        assert_eq!(
            usage_key_of(&place.own, &place.gateway, id).is_some(),
            has_one
        );
    }
    let log = lines(&function.log(), "in_order");
    assert_eq!(log[0]["restored_of"], json!(lacking));
    assert_eq!(log[1]["deleted_of"], json!(gone));
}

fn a_sweep_that_would_take_the_table_for_the_wrong_one_fails_and_changes_nothing(target: &Target) {
    let place = Place::new(target);
    let ids = ["a", "b"].map(|name| place.key(target, name, 100 * DAY).0);
    for id in &ids {
        place.forget(id);
    }
    place.api_gateway.age(15 * 60);
    let before = usage_keys(&place.own, &place.gateway, STACK).len();
    let function = place.function(target, &[], None);
    let error = invoke(&function).error_message();
    assert!(error.contains("is it this stack's table"), "{error}");
    assert_eq!(usage_keys(&place.own, &place.gateway, STACK).len(), before);
}

fn a_part_that_fails_keeps_no_other_from_being_done(target: &Target) {
    let place = Place::new(target);
    let (soon, _) = place.key(target, "soon", 2 * DAY);
    place.lose_usage_key(&soon);
    let function = place.function(target, &[], None);
    // The notice fails, and the sweep is done.
    place.topic.refuse(true);
    let error = invoke(&function).error_message();
    assert!(
        error.contains("the notice") && !error.contains("the sweep"),
        "{error}"
    );
    assert!(usage_key_of(&place.own, &place.gateway, &soon).is_some());
    // The sweep fails, and a person is told.
    place.topic.refuse(false);
    place.api_gateway.fail("GetApiKeys", REFUSED, ALWAYS);
    let error = invoke(&function).error_message();
    assert!(
        error.contains("the sweep") && !error.contains("the notice"),
        "{error}"
    );
    assert!(error.contains("AccessDeniedException"), "{error}");
    assert_eq!(place.topic.messages().len(), 1);
    // Both fail.
    place.dynamodb.fail("Scan", REFUSED, ALWAYS);
    let error = invoke(&function).error_message();
    assert!(
        error.contains("the notice") && error.contains("the sweep"),
        "{error}"
    );
    place.api_gateway.recover();
    place.dynamodb.recover();
    // One holder that cannot be helped is named, and fails the run after the others are done.
    let (broken, _) = place.key(target, "broken", 100 * DAY);
    unset(&place.own, &place.gateway, &broken, "secret_sha256");
    place.lose_usage_key(&soon);
    let error = invoke(&function).error_message();
    assert!(error.contains("1 of the differences"), "{error}");
    assert!(usage_key_of(&place.own, &place.gateway, &soon).is_some());
    let log = function.log();
    assert_eq!(counted(&log, "UpkeepFailures"), [1, 1, 2, 1]);
    assert!(
        lines(&log, "holder")[0]["holder"]
            .to_string()
            .contains(&*broken),
        "{log}"
    );
}

fn a_sweep_ends_with_the_time_of_its_invocation(target: &Target) {
    let place = Place::new(target);
    let lacking: Vec<String> = (0..6)
        .map(|number| place.key(target, &number.to_string(), 100 * DAY).0)
        .collect();
    for id in &lacking {
        place.lose_usage_key(id);
    }
    // So much is kept back for the answer.
    let function = place.function(target, &[], Some(Duration::from_secs(2)));
    let error = invoke(&function).error_message();
    assert_eq!(error.matches("it took too long").count(), 2, "{error}");
    // With time for some, which wait in vain.
    let function = place.function(target, &[], Some(Duration::from_secs(9)));
    place.api_gateway.fail("CreateApiKey", Fault::Hangs, ALWAYS);
    let error = invoke(&function).error_message();
    assert!(error.contains("6 of the differences"), "{error}");
    let failed = lines(&function.log(), "holder");
    assert_eq!(failed.len(), 6);
    assert_eq!(failed[5]["reason"], "it took too long");
    place.api_gateway.recover();
    let function = place.function(target, &[], None);
    assert_eq!(invoke(&function).response()["swept"]["restored"], 6);
}

fn two_runs_at_once_do_each_others_work_no_harm(target: &Target) {
    let place = Place::new(target);
    let ids: Vec<String> = (0..8)
        .map(|number| place.key(target, &number.to_string(), 2 * DAY).0)
        .collect();
    let (gone, lacking) = ids.split_at(4);
    for id in gone {
        place.forget(id);
    }
    for id in &lacking[..2] {
        place.lose_usage_key(id);
    }
    place.api_gateway.age(15 * 60);
    let functions = [(); 2].map(|()| place.function(target, &[], None));
    // What one finds done by the other may be its failure, and is nobody's loss.
    let running = functions.map(|function| {
        std::thread::spawn(move || {
            invoke(&function);
        })
    });
    for one in running {
        one.join().unwrap();
    }
    let done = invoke(&place.function(target, &[], None)).response();
    let swept = json!({"in_order": 4, "deleted": 0, "restored": 0, "young": 0});
    assert_eq!(done["swept"], swept);
    assert_eq!(done["noticed"], 0);
    let told = place.topic.messages();
    assert!((1..=2).contains(&told.len()), "{told:?}");
    for id in lacking {
        assert!(usage_key_of(&place.own, &place.gateway, id).is_some());
        assert!(told[0].text.contains(&**id), "{told:?}");
    }
}

fn a_setting_that_cannot_be_right_is_named_at_start(target: &Target) {
    let program = target.build().directory.join("upkeep");
    for (name, value, words) in [
        ("KEY_TABLE", "", "KEY_TABLE is not set"),
        ("STACK_NAME", "", "STACK_NAME is not set"),
        ("USAGE_PLANS", "standard", "USAGE_PLANS is malformed"),
        (
            "KEY_EXPIRY_NOTICE_DAYS",
            "soon",
            "KEY_EXPIRY_NOTICE_DAYS is malformed",
        ),
        ("TOPIC_ARN", "AlarmTopic", "TOPIC_ARN is malformed"),
    ] {
        let mut settings = vec![
            ("KEY_TABLE", KEY_TABLE),
            ("STACK_NAME", STACK),
            ("USAGE_PLANS", USAGE_PLANS),
        ];
        settings.push((name, value));
        let mut command = keygate_tests::function::command(&program, &settings);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        let said: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(said["setting"], name);
        let message = text(&said, "message");
        assert!(message.starts_with(&format!("upkeep: {words}")), "{said}");
    }
}

fn the_gateway_starts_it_when_it_is_invoked_and_says_that_no_topic_is_there(target: &Target) {
    let (gateway, own) = target.own(&["--platform-lines", "all"]);
    let started = || {
        gateway
            .stderr()
            .lines()
            .any(|line| line.contains("UpkeepFunction") && line.contains("INIT_START"))
    };
    let _ = gateway.logged("INIT_START");
    assert!(!started(), "{}", gateway.stderr());
    let call = || {
        let path = "2015-03-31/functions/UpkeepFunction/invocations";
        let call = own.absolute(Method::POST, &format!("{}/{path}", gateway.ready.lambda));
        call.body("{}").send().expect(200)
    };
    let reply = call();
    assert_eq!(reply.header("x-amz-function-error"), None, "{reply:#?}");
    let done = reply.json();
    assert_eq!(done["swept"]["deleted"], 0);
    assert!(started(), "{}", gateway.stderr());

    let create = [
        "create",
        "--name",
        "soon",
        "--owner",
        "me",
        "--scope",
        "books:read",
    ];
    let id = text(&run(target, &gateway, &create), "id").to_owned();
    for (name, time) in [
        ("created_at", now() - 365 * DAY),
        ("expires_at", now() + 2 * DAY),
    ] {
        set(&own, &gateway, &id, name, &json!({"N": time.to_string()}));
    }
    let reply = call();
    assert_eq!(reply.must_header("x-amz-function-error"), "Unhandled");
    let error = reply.json();
    let words = "the service sns is not there on this machine";
    assert!(text(&error, "errorMessage").contains(words), "{error}");
    // The notice is nevertheless to be read.
    let line = gateway.logged("a notice was not published");
    assert!(line.contains(&*id), "{line}");
}
