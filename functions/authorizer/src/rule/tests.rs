use serde_json::{Value, json};

use super::compiled::{Rule, RuleRefusal};
use keygate_json::Object;

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}

fn check(rule: &str, claims: Value) -> Result<(), RuleRefusal> {
    let header = object(json!({"alg": "RS256", "kid": "1", "typ": "at+jwt"}));
    let rule = Rule::compile(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
    rule.check(&header, &object(claims))
}

fn claims() -> Value {
    json!({
        "iss": "https://login.example.com/", "sub": "alice", "exp": 1_795_521_600,
        "email": "alice@example.com", "email_verified": true, "level": 2.5,
        "groups": ["staff", "admins"], "realm_access": {"roles": ["reader"]}, "nothing": null,
    })
}

#[test]
fn a_rule_that_is_true_lets_the_token_through() {
    for rule in [
        "true",
        "claims.email_verified",
        "claims.sub == 'alice' && header.typ == \"at+jwt\"",
        "'admins' in claims.groups",
        "claims.groups.exists(group, group.startsWith('adm'))",
        "claims.realm_access.roles.all(role, role != 'banned')",
        "has(claims.email) && claims.email.endsWith('@example.com')",
        "!has(claims.acr) || claims.acr == 'high'",
        "claims.email.matches('^[a-z]+@example[.]com$')",
        "matches(claims.email, 'example')",
        "size(claims.groups) == 2 && claims.level > 2.0",
        "claims.exp > 1700000000",
        "claims.nothing == null",
        "type(claims.groups) == list",
        "claims.groups.filter(group, group != 'staff').size() == 1",
        "claims.groups.map(group, group + '!')[0] == 'staff!'",
        "claims['realm_access']['roles'][0] == 'reader'",
    ] {
        assert_eq!(check(rule, claims()), Ok(()), "{rule}");
    }
}

#[test]
fn a_rule_that_is_anything_else_refuses() {
    for rule in [
        "false",
        "claims.sub == 'bob'",
        "claims.groups.all(group, group == 'staff')",
        "claims.email.matches('^bob')",
    ] {
        assert_eq!(check(rule, claims()), Err(RuleRefusal::NotTrue), "{rule}");
    }
    for rule in [
        "claims.sub",
        "claims.acr == 'high'",
        "claims.sub > 1",
        "claims.sub.startsWith(1)",
        "1 / 0 == 1",
        "claims.groups[7] == 'a'",
        "claims.level + 9223372036854775807 == 1",
        "9223372036854775807 + 1 == 1",
        "claims.groups.exists(group, group.acr)",
    ] {
        let refused = check(rule, claims()).unwrap_err();
        assert_eq!(refused.code(), "rule-error", "{rule}: {refused}");
    }
}

#[test]
fn what_is_said_of_an_error_holds_no_claim() {
    let secretive = json!({"sub": "do-not-show", "map": {"a": 1}});
    for (rule, said) in [
        ("claims.acr == 'high'", "there is no acr"),
        ("claims.map[claims.sub] == 1", "there is no such key"),
        ("claims.sub + 1 == 2", ""),
        ("claims.sub.size() + claims.sub == 2", ""),
        ("claims.sub[0] == 'd'", ""),
        ("claims.map.all(key, key / 0 == 1)", ""),
    ] {
        let error = check(rule, secretive.clone()).unwrap_err().to_string();
        assert!(!error.contains("do-not-show"), "{rule}: {error}");
        assert!(error.contains(said), "{rule}: {error}");
    }
}

#[test]
fn a_rule_that_cannot_be_right_is_refused_with_its_place() {
    for (rule, line, column, said) in [
        ("", 1, 1, "EOF"),
        ("claims.sub ==", 1, 14, "EOF"),
        ("claims.sub = 'a'", 1, 12, "="),
        // A column is one of characters, which the parser's is not.
        ("'d\u{e9}j\u{e0}' = claims.sub", 1, 8, "="),
        ("claims.sub == 'a", 1, 15, ""),
        ("(claims.sub", 1, 12, ""),
        ("claims.groups.exists(1, true)", 1, 22, ""),
        ("claim.sub == 'a'", 1, 1, "no variable claim"),
        ("claims.sub == sub", 1, 15, "no variable sub"),
        (
            "claims.sub == 'sub' ||\n  roles == []",
            2,
            3,
            "no variable roles",
        ),
        ("claims.sub.startWith('a')", 1, 12, "no function startWith"),
        ("upper(claims.sub) == 'A'", 1, 1, "no function upper"),
        ("claims.groups.exists(g, h == 'a')", 1, 25, "no variable h"),
        (
            "claims.groups.exists(g, true) && g == 'a'",
            1,
            22,
            "no variable g",
        ),
        ("claims.sub.matches(claims.iss)", 1, 12, "literal"),
        ("claims.sub.matches('(')", 1, 12, ""),
        ("claims.sub.matches('(a{99}){99}')", 1, 12, ""),
        ("token{}", 1, 1, ""),
        ("1", 1, 1, "neither true nor false"),
        ("null", 1, 1, "neither true nor false"),
        ("'a' && claims.ok", 1, 1, "neither true nor false"),
        ("claims.level + 1", 1, 1, "neither true nor false"),
        ("!claims.sub.size()", 1, 1, "neither true nor false"),
        ("claims.sub.startsWith()", 1, 12, "takes 2 values"),
        ("size(1, 2) == 2", 1, 1, "takes 1 values"),
        ("matches('a')", 1, 1, "takes 2 values"),
        (
            "claims.upper == 'x' && claims.a.upper('y')",
            1,
            33,
            "no function upper",
        ),
        ("has(claims.matches) && claims.a.matches('(')", 1, 33, ""),
    ] {
        let error = Rule::compile(rule).unwrap_err();
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{rule}: {error}"
        );
        assert!(error.reason.contains(said), "{rule}: {error}");
        assert!(!error.reason.contains('\n'), "{rule}: {error}");
    }
    let long = vec!["true"; 900].join(" && ");
    assert!(Rule::compile(&long).is_err());
}

#[test]
fn a_rule_that_nests_deeply_is_refused_or_evaluated() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("!", ""),
        ("-", ""),
        ("{1:", "}"),
        ("size(", ")"),
    ] {
        for depth in [20, 80, 120, 500, 1000, 2000] {
            let rule = format!("{}true{}", open.repeat(depth), close.repeat(depth));
            if let Ok(rule) = Rule::compile(&rule) {
                let _ = rule.check(&Object::new(), &Object::new());
            }
        }
    }
    let path = format!("claims{} == 1", ".a".repeat(900));
    let path = Rule::compile(&path).unwrap();
    assert!(path.check(&Object::new(), &Object::new()).is_err());
}

/// The largest rule that is compiled does not go deeper than a stack can.
#[test]
fn a_long_rule_is_evaluated() {
    let long = vec!["true"; 400].join(" && ");
    assert_eq!(check(&long, json!({})), Ok(()));
    let sum = vec!["1"; 30].join(" + ");
    assert_eq!(check(&format!("{sum} == 30"), json!({})), Ok(()));
}

#[test]
fn macros_that_nest_freely_are_refused_at_start() {
    let nested = "goes over a part of the element";
    let written = "over 1000 turns";
    let grown = "what an addition";
    for (rule, element, said) in [
        ("claims.a.all(x, claims.a.all(y, x == y))", "y", nested),
        ("claims.a.all(x, x.all(y, x.all(z, y == z)))", "z", nested),
        (
            "claims.a.all(x, [x].all(y, claims.a.all(z, y == z)))",
            "z",
            nested,
        ),
        (
            "claims.a.all(x, size(claims.b.filter(y, y == x)) == 1)",
            "y",
            nested,
        ),
        (
            "claims.a.all(x, [1, 2].all(l, x.all(y, l.all(z, y == z))))",
            "z",
            nested,
        ),
        (
            "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, \
             [1,2,3,4,5,6,7,8,9,10].all(c, a + b + c > 3)))",
            "c",
            written,
        ),
        (
            "[claims.a].all(a, [[a, a]].all(b, [[b, b]].all(c, [[c, c]].all(d, \
             [[d, d]].all(e, [[e, e]].all(f, f == f))))))",
            "f",
            written,
        ),
        ("claims.a.map(x, claims).exists(y, y == claims)", "y", grown),
        (
            "[claims.a].map(x, x + x).map(x, x + x).size() == 1",
            "x",
            grown,
        ),
        ("(claims.a + claims.a).all(x, x == 1)", "x", grown),
        ("[claims.a + claims.a].all(x, x.all(y, y == 1))", "x", grown),
    ] {
        let error = Rule::compile(rule).map(|_| rule).unwrap_err();
        assert!(error.reason.contains(said), "{rule}: {error}");
        let place = rule.find(&format!("({element},")).map(|before| before + 2);
        assert_eq!(Some(error.column), place, "{rule}: {error}");
    }
}

#[test]
fn macros_inside_others_go_over_parts_of_elements_and_written_lists() {
    let claims = json!({
        "orgs": [{"id": 1, "roles": ["reader"]}, {"id": 2, "roles": ["writer", "admin"]}],
        "groups": ["adm-1", "staff"],
    });
    for rule in [
        "claims.orgs.exists(o, o.roles.exists(r, r == 'admin'))",
        "claims.orgs.exists(o, o['roles'].filter(r, r != 'x').exists(r, r == 'admin'))",
        "claims.groups.exists(g, ['adm', 'ops'].exists(prefix, g.startsWith(prefix)))",
        "['adm', 'ops'].exists(prefix, claims.groups.exists(g, g.startsWith(prefix)))",
        "claims.orgs.exists(o, ['reader', 'admin'].exists(l, o.roles.exists(r, r == l)))",
        "claims.orgs.filter(o, o.id > 1).map(o, o.roles).exists(r, r.size() == 2)",
        "claims.groups.all(g, g in claims.groups)",
    ] {
        assert_eq!(check(rule, claims.clone()), Ok(()), "{rule}");
    }
}

#[test]
fn many_groups_are_no_reason_to_refuse_a_token() {
    let mut groups: Vec<String> = (0..200).map(|n| format!("group-{n:024}")).collect();
    let rule = "claims.groups.exists(g, g.matches('^adm.*$'))";
    assert_eq!(
        check(rule, json!({"groups": groups})),
        Err(RuleRefusal::NotTrue)
    );
    groups.push("administrators".to_owned());
    assert_eq!(check(rule, json!({"groups": groups})), Ok(()));
}

#[test]
fn the_rules_on_the_authorizer_s_page_compile() {
    let page = include_str!("../../../../docs/authorizer.md");
    let (_, section) = page.split_once("## Rules of your own").unwrap();
    let mut blocks = section.split("```");
    let rules: Vec<&str> = blocks.nth(1).unwrap().trim().lines().collect();
    assert_eq!(rules.len(), 4);
    for rule in rules {
        Rule::compile(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
    }
}
