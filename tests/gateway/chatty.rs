//! Functions that write more than anybody reads.

use std::fs;
use std::thread;

use keygate_tests::target::Target;
use reqwest::Method;
use serde_json::json;

use crate::invoke::{call, invoke, log_tail, served, worker};

keygate_tests::tests! { for Target:
    a_function_that_writes_without_end_runs_into_its_timeout_and_holds_up_nobody needs "python", "own-gateway";
    empty_lines_take_no_memory_without_end needs "python", "own-gateway";
}

const OTHER: &str = "  Other:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Runtime: provided.al2023
      Timeout: 60
      Events:
        Get: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: /other, Method: GET}}
";

fn a_function_that_writes_without_end_runs_into_its_timeout_and_holds_up_nobody(target: &Target) {
    let project = worker("      Timeout: 4\n");
    let template = fs::read_to_string(project.template()).unwrap() + OTHER;
    let project = project.with("template.yaml", &template);
    let (gateway, own) = served(target, &project, &[]);
    thread::scope(|scope| {
        let flood = || {
            let flooding = json!({"print": "it begins", "flood": "x\n"});
            let call = call(&gateway, &own, "Greeting").header("x-amz-log-type", "Tail");
            call.json(&flooding).send()
        };
        // As many as there may be threads to read them.
        let floods: Vec<_> = (0..4).map(|_| scope.spawn(flood)).collect();
        let _ = gateway.logged("it begins");
        let mut meanwhile = 0;
        while !floods.iter().all(thread::ScopedJoinHandle::is_finished) {
            own.get("/other").send().expect(200);
            let keys = format!("{}/jwks.json", gateway.ready.issuer);
            own.absolute(Method::GET, &keys).send().expect(200);
            meanwhile += 1;
        }
        assert!(meanwhile > 0, "nobody is answered meanwhile");
        for flood in floods {
            let tail = log_tail(&flood.join().unwrap().expect(200));
            assert!(tail.contains("Status: timeout"), "{tail}");
        }
    });
}

fn empty_lines_take_no_memory_without_end(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    invoke(&gateway, &own, &json!({})).expect(200);
    let before = gateway.most_memory();
    let thousands = 1500;
    let path = format!("/greeting?thousands={thousands}");
    own.get(&path).send().expect(200);
    let taken = gateway.most_memory() - before;
    // Kept line by line they would take over 100 bytes each.
    assert!(taken < thousands * 30, "it takes {taken} KiB");
}
