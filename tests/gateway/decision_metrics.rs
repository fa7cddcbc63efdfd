//! What is shown on this machine of metrics that CloudWatch would read in a function's lines.

use serde_json::Value;

use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_decision_s_line_has_its_metrics_summed_up needs "own-gateway";
    a_decision_s_line_has_its_metrics_whole_where_all_of_lambda_s_lines_are_shown needs "own-gateway";
}

/// The line of one decision at a gateway that is started so.
fn decision(target: &Target, arguments: &[&str]) -> Value {
    let (gateway, own) = target.own(arguments);
    own.get("/books").bearer("x").send();
    let log = gateway.logged("\"decision\":");
    let line = log.lines().find(|line| line.contains("\"decision\":"));
    let (_, line) = line.unwrap().split_once("] ").unwrap();
    serde_json::from_str(line).unwrap()
}

fn a_decision_s_line_has_its_metrics_summed_up(target: &Target) {
    let line = decision(target, &[]);
    assert_eq!(line["metrics"]["Decisions"], 1, "{line}");
    for of_cloud_watch in ["_aws", "Stack", "Decision", "Reason", "Decisions"] {
        assert_eq!(line.get(of_cloud_watch), None, "{line}");
    }
}

fn a_decision_s_line_has_its_metrics_whole_where_all_of_lambda_s_lines_are_shown(target: &Target) {
    let line = decision(target, &["--platform-lines", "all"]);
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "Keygate", "{line}");
    assert_eq!(line["Decisions"], 1, "{line}");
    assert_eq!(
        (&line["Decision"], &line["Reason"]),
        (&line["decision"], &line["reason"])
    );
}
