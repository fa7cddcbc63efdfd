//! Outputs that nobody reads: a gateway goes on and ends all the same, and a command whose output is
//! closed has nothing to complain of.

use crate::processes::{executable, functions_of, signal};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    outputs_that_nobody_reads_hold_up_neither_requests_nor_the_end needs "own-gateway";
    a_command_whose_output_is_closed_ends_in_silence needs "own-gateway";
}

/// More than a pipe of 64 KiB takes of each output, whose lines have over 200 bytes.
const REQUESTS: usize = 1200;

fn outputs_that_nobody_reads_hold_up_neither_requests_nor_the_end(target: &Target) {
    // Each request has a line of the access log, and asks the authorizer, which logs its decision.
    let uncached = [
        "--parameter",
        "AuthorizerCacheTtl=0",
        "--parameter",
        "UnregisteredRateLimit=5000",
        "--parameter",
        "UnregisteredBurstLimit=5000",
    ];
    let gateway = target.build().start_unread(&uncached);
    let own = target.reaching(&gateway);
    let token = own.token();
    for _ in 0..REQUESTS {
        own.get("/books").bearer(&token).send().expect(200);
    }
    let functions = functions_of(&gateway);
    assert!(!functions.is_empty());
    signal("TERM", &[gateway.pid()]);
    assert!(gateway.ended().success());
    for (pid, path) in functions {
        assert_ne!(executable(pid), Some(path), "process {pid} is left");
    }
}

fn a_command_whose_output_is_closed_ends_in_silence(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let build = target.build();
    let template = build.template.to_str().unwrap();
    let port = |address: &str| address.rsplit(':').next().unwrap().to_owned();
    let (issuer, dynamodb) = (port(&gateway.ready.issuer), port(&gateway.ready.dynamodb));
    let token = own.token();
    for (arguments, input) in [
        (&["routes", "--template", template][..], ""),
        (&["routes", "--template", template, "--output", "json"], ""),
        (&["routes", "--template", template, "--check"], ""),
        (&["keys", "list", "--dynamodb-port", &dynamodb], ""),
        (
            &[
                "keys",
                "list",
                "--dynamodb-port",
                &dynamodb,
                "--output",
                "json",
            ],
            "",
        ),
        (
            &[
                "explain",
                "--template",
                template,
                "--issuer-port",
                &issuer,
                "--dynamodb-port",
                &dynamodb,
            ],
            &token,
        ),
        (&["event"], ""),
        (&["--help"], ""),
    ] {
        let output = build.into_closed_output(arguments, input);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert_eq!(said, "", "{arguments:?}");
    }
}
