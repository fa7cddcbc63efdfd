//! YAML as templates use it.

use crate::yaml::{MAX_DEPTH, Node, Value, parse};

fn call(node: &Node) -> (&str, &Node) {
    match &node.value {
        Value::Call { function, argument } => (function, argument),
        other => panic!("not a call: {other:?}"),
    }
}

#[test]
fn short_tags_and_long_forms_are_the_same_call() {
    for text in ["a: !Sub x-${Y}", "a: {Fn::Sub: 'x-${Y}'}"] {
        let root = parse(text).unwrap();
        let (function, argument) = call(root.get("a").unwrap());
        assert_eq!(function, "Fn::Sub");
        assert_eq!(argument.as_text(), Some("x-${Y}"));
    }
    let root = parse("a: !Ref X\nb: !If [C, !Ref Y, {Ref: Z}]\nc: !Condition D").unwrap();
    assert_eq!(call(root.get("a").unwrap()).0, "Ref");
    assert_eq!(call(root.get("b").unwrap()).0, "Fn::If");
    assert_eq!(call(root.get("c").unwrap()).0, "Condition");
}

#[test]
fn a_tag_on_a_block_scalar_is_kept_and_lines_count_from_one() {
    let root = parse("x: 1\ny: !Sub |\n  one\n  two\nz: last\n").unwrap();
    let (function, argument) = call(root.get("y").unwrap());
    assert_eq!(
        (function, argument.as_text()),
        ("Fn::Sub", Some("one\ntwo\n"))
    );
    assert_eq!(root.entries()[0].line, 1);
    assert_eq!(root.entries()[2].line, 5);
    assert_eq!(root.get("z").unwrap().line, 5);
}

#[test]
fn a_key_given_twice_is_an_error_with_its_line() {
    let error = parse("a: 1\nb: 2\na: 3\n").unwrap_err().to_string();
    assert_eq!(error, "line 3, column 1: the key `a` is here twice");
}

#[test]
fn text_that_is_no_yaml_is_an_error_with_its_line() {
    let error = parse("a: [1, 2\nb: 3\n").unwrap_err().to_string();
    assert!(error.starts_with("line "), "{error}");
    assert!(parse("").is_err());
    assert!(
        parse("a: 1\n---\nb: 2\n")
            .unwrap_err()
            .to_string()
            .contains("second document")
    );
    assert!(
        parse("a: {Fn::Sub: x, b: 1}")
            .unwrap_err()
            .to_string()
            .contains("only key")
    );
    assert!(parse("? [a]\n: b").is_err());
    assert!(
        parse("a: yes")
            .unwrap_err()
            .to_string()
            .contains("quote it")
    );
}

#[test]
fn nesting_without_end_and_growing_aliases_are_refused() {
    assert!(parse(&"[".repeat(5000)).is_err());
    let deep = "- ".repeat(MAX_DEPTH + 2) + "x";
    let error = parse(&deep).unwrap_err().to_string();
    assert!(error.contains("nested"), "{error}");
    let half = MAX_DEPTH / 2;
    let (open, close) = ("[".repeat(half), "]".repeat(half));
    let deep_by_alias = format!("a: &a {open}x{close}\nb: &b {open}*a{close}\n");
    let error = parse(&deep_by_alias).unwrap_err().to_string();
    assert!(
        error.starts_with("line 2, ") && error.contains("nested"),
        "{error}"
    );
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        let items = [before.as_str(); 10].join(", ");
        let line = format!("a{level}: &a{level} [{items}]\n");
        bomb.push_str(&line);
    }
    assert!(parse(&bomb).unwrap_err().to_string().contains("too large"));
    let shared = parse("a: &x {k: v}\nb: *x").unwrap();
    assert_eq!(
        shared.get("b").unwrap().get("k").unwrap().as_text(),
        Some("v")
    );
}

#[test]
fn nulls_and_booleans_are_what_they_mean_and_quoted_ones_are_text() {
    let root = parse("a:\nb: 'null'\nc: True\nd: 'yes'").unwrap();
    assert!(matches!(root.get("a").unwrap().value, Value::Null));
    assert_eq!(root.get("b").unwrap().as_text(), Some("null"));
    assert_eq!(root.get("c").unwrap().as_text(), Some("true"));
    assert_eq!(root.get("d").unwrap().as_text(), Some("yes"));
}

#[test]
fn a_key_that_sam_reads_as_a_boolean_is_refused_unless_it_is_quoted() {
    let error = parse("Variables:\n  ON: 1").unwrap_err().to_string();
    assert!(
        error.starts_with("line 2, column 3: some readers take `ON`"),
        "{error}"
    );
    assert!(parse("Variables:\n  'ON': 1").is_ok());
}
