//! Pages from elsewhere that reach what listens here: by a name of their own that they have made to stand for
//! loopback (DNS rebinding), or by requests that a browser sends for anybody.

use keygate_tests::raw;
use keygate_tests::target::Target;
use serde_json::json;

use crate::invoke::{invoke, served, worker};

keygate_tests::tests! { for Target:
    the_issuer_gives_no_token_to_a_page_from_elsewhere needs "own-gateway";
    no_page_is_given_a_functions_event needs "python", "own-gateway";
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

fn the_issuer_gives_no_token_to_a_page_from_elsewhere(target: &Target) {
    let (gateway, _) = target.own(&[]);
    let issuer = &gateway.ready.issuer;
    let here = format!("Host: {}", issuer.strip_prefix("http://").unwrap());
    let body = "grant_type=client_credentials&client_id=a&client_secret=b";
    let token = |headers: &[&str]| raw::ask(issuer, "POST /token", headers, body).status;
    let rebound = [
        "Host: evil.example:3001",
        "Origin: http://evil.example:3001",
        FORM,
    ];
    assert_eq!(token(&rebound), 403);
    assert_eq!(token(&["Host: evil.example:3001", FORM]), 403);
    assert_eq!(token(&[&here, "Origin: https://evil.example", FORM]), 403);
    assert_eq!(token(&[&here, "Origin: null", FORM]), 403);
    assert_eq!(token(&[&here, FORM]), 200);
    assert_eq!(
        token(&[
            "Host: localhost:1",
            "Origin: http://shop.localhost:5173",
            FORM
        ]),
        200
    );

    let asked = "GET /authorize?response_type=code&client_id=a&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F\
                 &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let authorize = |headers: &[&str]| raw::ask(issuer, asked, headers, "").status;
    let elsewhere = "Sec-Fetch-Site: cross-site";
    let navigates = "Sec-Fetch-Mode: navigate";
    for hidden in [
        &[&here, elsewhere, "Sec-Fetch-Mode: no-cors"][..],
        &[&here, elsewhere, navigates, "Sec-Fetch-Dest: iframe"],
    ] {
        assert_eq!(authorize(hidden), 403, "{hidden:?}");
    }
    for followed in [
        &[&here, elsewhere, navigates, "Sec-Fetch-Dest: document"][..],
        // As a program in JavaScript does.
        &[&here, "Sec-Fetch-Mode: cors"],
    ] {
        let status = authorize(followed);
        assert!((302..=303).contains(&status), "{status}");
    }
}

fn no_page_is_given_a_functions_event(target: &Target) {
    let init =
        "      Environment: {Variables: {INIT: 'print(base, file=sys.stderr, flush=True)'}}\n";
    let project = worker(init);
    let (gateway, own) = served(target, &project, &[]);
    let logged = gateway.logged("/2018-06-01/runtime");
    let mut words = logged.split_whitespace();
    let api = words
        .find(|word| word.ends_with("/2018-06-01/runtime"))
        .unwrap();
    let here = format!("Host: {}", api.split('/').nth(2).unwrap());
    for headers in [
        &["Host: evil.example"][..],
        &[&here, "Origin: http://evil.example"],
        // An image.
        &[
            &here,
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Mode: no-cors",
        ],
    ] {
        let next = "GET /2018-06-01/runtime/invocation/next";
        let refused = raw::ask(api, next, headers, "");
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    invoke(&gateway, &own, &json!({})).expect(200);
}
