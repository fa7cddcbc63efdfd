//! Tokens, honest and mangled, to us and to two verifiers that others have written: `jose` of npm and
//! `joserfc` of the Python Package Index. A token that we alone accept is a bug of ours.

mod mangled;
mod others;
mod specimen;

use std::io::Write as _;

use keygate_tests::authorizer::{Authorizer, Outcome};

use super::house::HOUSE;
use crate::cases::binary;
use others::Other;
use specimen::Specimen;

/// How many tokens are mangled.
const COUNT: usize = 2_000;

/// Whether we accept the token; what its scopes open is another question.
fn is_accepted(authorizer: &Authorizer, token: &str) -> bool {
    match authorizer.authorize(&format!("Bearer {token}")) {
        Outcome::Response(_) => true,
        Outcome::Error(error) => {
            assert_eq!(error["errorMessage"], "Unauthorized", "{token}");
            false
        }
    }
}

#[test]
fn no_token_is_accepted_that_two_other_verifiers_refuse() {
    let others = match others::all() {
        Ok(others) => others,
        Err(reason) => {
            // Past the harness, which shows what a test prints only where it fails.
            let said = writeln!(std::io::stderr(), "skipped {}: {reason}", module_path!());
            return said.unwrap();
        }
    };
    let house = &*HOUSE;
    let honest = specimen::honest(house);
    let mangled = mangled::mangled(house, &honest, COUNT);
    let tokens: Vec<&Specimen> = honest.iter().chain(&mangled).collect();
    let authorizer = Authorizer::start(binary(), &house.settings());
    let accepted: Vec<bool> = tokens
        .iter()
        .map(|one| is_accepted(&authorizer, &one.token))
        .collect();
    // Spaces around it are the header's (RFC 9110 sections 5.5 and 11.4), which the others are not given.
    let texts = tokens.iter().map(|one| one.token.trim_matches(' '));
    let texts: Vec<&str> = texts.collect();
    let refusals = others.map(|other: Other| other.refusals(house, &texts));

    // What nothing is wrong with is accepted, and what is accepted is not so by us alone.
    for (token, accepted) in honest.iter().zip(&accepted) {
        assert!(accepted, "{}: {}", token.what, token.token);
    }
    let mut alone = Vec::new();
    for (position, token) in tokens.iter().enumerate().filter(|(at, _)| accepted[*at]) {
        if let [Some(one), Some(other)] = [&refusals[0][position], &refusals[1][position]] {
            let Specimen { what, token } = token;
            alone.push(format!(
                "{what}\n  {token}\n  jose: {one}\n  joserfc: {other}"
            ));
        }
    }
    let keys: Vec<_> = house.signers().iter().map(|key| key.jwk()).collect();
    assert!(alone.is_empty(), "{}\n{keys:?}", alone.join("\n"));

    // The comparison says something: each accepts what is honest and refuses most of what is mangled,
    // and we accept some of that, as some of it is honest still.
    for refusals in &refusals {
        let refused = |range: std::ops::Range<usize>| refusals[range].iter().flatten().count();
        assert!(refused(0..honest.len()) < honest.len() / 4, "{refusals:?}");
        assert!(refused(honest.len()..tokens.len()) > COUNT / 2);
    }
    let still = accepted[honest.len()..].iter().filter(|one| **one).count();
    assert!(still > COUNT / 50, "{still} of {COUNT}");
}
