//! What must be read (y), what must be refused (n), and what RFC 8259 leaves to the reader (i), with
//! what this one does: a text for each turn of the grammar. Where a value is meant, it stands as the
//! one member of an object, because nothing but an object is read.

use serde_json::{Value, json};

use crate::{JsonError, object};

const DEPTH: usize = 16;

fn read(text: &[u8]) -> Result<Value, JsonError> {
    object(text, DEPTH).map(Value::Object)
}

/// The value, where it is the member of an object.
fn member(value: impl AsRef<[u8]>) -> Result<Value, JsonError> {
    let text = [b"{\"a\":", value.as_ref(), b"}"].concat();
    read(&text).map(|object| object["a"].clone())
}

#[track_caller]
fn is_no_json(value: impl AsRef<[u8]>) {
    let value = value.as_ref();
    let read = member(value);
    let shown = String::from_utf8_lossy(value);
    assert!(
        matches!(read, Err(JsonError::NotJson { .. })),
        "{shown:?} is read as {read:?}"
    );
}

#[test]
fn y_literals_and_white_space() {
    for (text, expected) in [
        ("null", json!(null)),
        ("true", json!(true)),
        ("false", json!(false)),
        (" \t\r\n1\n\r\t ", json!(1)),
        ("[ ]", json!([])),
        ("{ }", json!({})),
        ("[ 1 ,\n2 ]", json!([1, 2])),
        ("{ \"b\" : [ ] , \"c\" : { } }", json!({"b": [], "c": {}})),
        ("[[], {}, [[]]]", json!([[], {}, [[]]])),
    ] {
        assert_eq!(member(text), Ok(expected), "{text:?}");
    }
    for text in ["{}", " {}", "{}\n", "\t{\r}\n "] {
        assert_eq!(read(text.as_bytes()), Ok(json!({})), "{text:?}");
    }
}

#[test]
fn y_numbers() {
    for (text, expected) in [
        ("0", json!(0)),
        ("-1", json!(-1)),
        ("10", json!(10)),
        ("0.5", json!(0.5)),
        ("1.50", json!(1.5)),
        ("1e3", json!(1000.0)),
        ("1E3", json!(1000.0)),
        ("1e+3", json!(1000.0)),
        ("1.5e-3", json!(0.0015)),
        ("0e0", json!(0.0)),
        ("1e-0007", json!(1e-7)),
        ("18446744073709551615", json!(u64::MAX)),
        ("-9223372036854775808", json!(i64::MIN)),
    ] {
        assert_eq!(member(text), Ok(expected), "{text:?}");
    }
}

#[test]
fn y_strings() {
    for (text, expected) in [
        (r#""""#, ""),
        (r#""a/b\/c""#, "a/b/c"),
        (r#""\"\\\b\f\n\r\t""#, "\"\\\u{8}\u{c}\n\r\t"),
        (r#""\u0041\u00e9\u00E9""#, "A\u{e9}\u{e9}"),
        (r#""\u0000""#, "\u{0}"),
        (r#""\ud83d\udd11""#, "\u{1f511}"),
        (r#""\uD83D\uDD11""#, "\u{1f511}"),
        ("\"\u{1f511}\u{e9}\"", "\u{1f511}\u{e9}"),
        ("\"\u{7f}\u{80}\u{2028}\"", "\u{7f}\u{80}\u{2028}"),
        ("\"\u{feff}\"", "\u{feff}"),
        ("\"\u{ffff}\u{10ffff}\"", "\u{ffff}\u{10ffff}"),
        (r#""{}[],:""#, "{}[],:"),
    ] {
        assert_eq!(member(text), Ok(json!(expected)), "{text:?}");
    }
}

#[test]
fn y_names_are_any_strings_and_differ_by_any_character() {
    let text = br#"{"":1," ":2,"a":3,"A":4,"\u0061\u0301":5,"\u00e1":6,"__proto__":7,"\u0000":8}"#;
    assert_eq!(read(text).unwrap().as_object().unwrap().len(), 8);
}

#[test]
fn n_literals() {
    for text in [
        "",
        "nul",
        "nulll",
        "Null",
        "TRUE",
        "tru",
        "True",
        "undefined",
        "none",
        "a",
        "'a'",
        "`a`",
        "*",
        "<!-- -->",
        "/**/",
        "/* */ 1",
        "1 // one\n",
        "# 1\n",
        "(1)",
        "\u{a0}1",
        "\u{b}1",
        "\u{c}1",
        "\u{2028}1",
        "\u{feff}1",
        "1\u{0}",
        "1\\n",
    ] {
        is_no_json(text);
    }
}

#[test]
fn n_numbers() {
    for text in [
        "-",
        "+1",
        "--1",
        "- 1",
        "01",
        "-01",
        "00",
        "1.",
        ".1",
        "-.1",
        "1.e1",
        "1e",
        "1e+",
        "1E-",
        "1e1.5",
        "1.2.3",
        "0x10",
        "1_000",
        "1,000",
        "1 000",
        "1f",
        "NaN",
        "-NaN",
        "Infinity",
        "-Infinity",
        "inf",
        "\u{ff11}",
        "1\u{0661}",
    ] {
        is_no_json(text);
    }
}

#[test]
fn n_strings() {
    for text in [
        r#"""#,
        r#""a"#,
        r#""\""#,
        r#""\a""#,
        r#""\x41""#,
        r#""\0""#,
        r#""\'""#,
        r#""\u""#,
        r#""\u004""#,
        r#""\u004g""#,
        r#""\U0041""#,
        r#""\u{41}""#,
        r#""\u+041""#,
        r#""\
""#,
        r#""a" "b""#,
        r#""a"b"#,
        "\"\n\"",
        "\"\r\"",
        "\"\t\"",
        "\"\u{0}\"",
        "\"\u{1f}\"",
        "\u{201c}a\u{201d}",
    ] {
        is_no_json(text);
    }
}

#[test]
fn n_bytes_that_are_no_utf_8() {
    for text in [
        // Alone, cut short, overlong, a surrogate, beyond the last character.
        &b"\"\x80\""[..],
        b"\"\xff\"",
        b"\"\xc3\"",
        b"\"\xe2\x82\"",
        b"\"\xf0\x9f\x94\"",
        b"\"\xc0\x80\"",
        b"\"\xc0\xaf\"",
        b"\"\xe0\x80\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xed\xa0\xbd\xed\xb4\x91\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\"\xf8\x88\x80\x80\x80\"",
        b"1\xff",
        b"\xff1",
    ] {
        is_no_json(text);
    }
    // UTF-16 and UTF-32, and a byte order mark.
    for text in [
        &b"\xff\xfe{\x00}\x00"[..],
        b"\xfe\xff\x00{\x00}",
        b"{\x00}\x00",
        b"\x00{\x00}",
        b"{\x00\x00\x00}\x00\x00\x00",
        b"\xef\xbb\xbf{}",
        b"\xef\xbb{}",
        b"{}\xef\xbb\xbf",
    ] {
        assert!(
            matches!(read(text), Err(JsonError::NotJson { .. })),
            "{text:?}"
        );
    }
}

#[test]
fn n_arrays() {
    for text in [
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[,]",
        "[1,,2]",
        "[1 2]",
        "[1;2]",
        "[1:2]",
        "[1}",
        "[1]]",
        "[\"a\":1]",
        "[a]",
        "[...]",
    ] {
        is_no_json(text);
    }
}

#[test]
fn n_objects() {
    for text in [
        "{",
        "}",
        "{\"b\"",
        "{\"b\":",
        "{\"b\":1",
        "{\"b\":1,",
        "{\"b\":1,}",
        "{,\"b\":1}",
        "{\"b\":1,,\"c\":2}",
        "{\"b\":1 \"c\":2}",
        "{\"b\":1;\"c\":2}",
        "{\"b\",1}",
        "{\"b\"=1}",
        "{\"b\"}",
        "{\"b\":}",
        "{:1}",
        "{b:1}",
        "{'b':1}",
        "{1:1}",
        "{null:1}",
        "{[]:1}",
        "{\"b\"::1}",
        "{\"b\" 1}",
        "{\"b\":1]",
        "{\"b\":1}}",
    ] {
        is_no_json(text);
    }
}

#[test]
fn n_what_is_no_object_and_what_stands_around_one() {
    for text in ["null", "true", "0", "\"\"", "[]", "[{}]", " 1.5 ", "\"{}\""] {
        assert_eq!(read(text.as_bytes()), Err(JsonError::NotObject), "{text:?}");
    }
    for text in [
        "",
        " ",
        "{}{}",
        "{} {}",
        "{},{}",
        "{};",
        "{}]",
        "{}\u{0}",
        "\u{0}{}",
        "{}//",
        "x{}",
        "{}x",
        "({})",
        "callback({})",
        ")]}'\n{}",
        "\u{1e}{}\n",
        "{}\n{}",
    ] {
        let read = read(text.as_bytes());
        assert!(
            matches!(read, Err(JsonError::NotJson { .. })),
            "{text:?}: {read:?}"
        );
    }
}

#[test]
fn i_a_name_that_appears_twice_is_refused_wherever_and_however() {
    for text in [
        r#"{"b":1,"b":1}"#,
        r#"{"b":1,"c":2,"b":3}"#,
        r#"{"":1,"":2}"#,
        r#"{"b":1,"\u0062":2}"#,
        r#"{"\u00e9":1,"é":2}"#,
        r#"{"\ud83d\udd11":1,"🔑":2}"#,
        r#"{"\/":1,"/":2}"#,
        r#"[[{"b":null,"b":null}]]"#,
        r#"{"c":{"b":1,"b":2},"d":1}"#,
    ] {
        assert_eq!(member(text), Err(JsonError::DuplicateMember), "{text}");
    }
    assert!(member(r#"[{"b":1},{"b":2,"c":{"b":3}}]"#).is_ok());
}

#[test]
fn i_numbers_beyond_what_a_double_holds_are_refused_and_finer_ones_rounded() {
    for text in ["1e400", "-1e400", "1e999999999999", "123e99999"] {
        is_no_json(text);
    }
    is_no_json(format!("1{}", "0".repeat(400)));
    for (text, expected) in [
        ("1e-400", 0.0),
        ("18446744073709551616", 18_446_744_073_709_551_616.0),
        ("-9223372036854775809", -9_223_372_036_854_775_808.0),
        ("0.1000000000000000055511151231257827", 0.1),
        ("1.7976931348623157e308", f64::MAX),
    ] {
        assert_eq!(member(text), Ok(json!(expected)), "{text}");
    }
    let zero = member("-0").unwrap().as_f64().unwrap();
    assert!(zero == 0.0 && zero.is_sign_negative());
}

#[test]
fn i_a_surrogate_that_stands_alone_is_refused() {
    for text in [
        r#""\ud800""#,
        r#""\udfff""#,
        r#""\udd11\ud83d""#,
        r#""\ud83d\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ud83d\u0041""#,
        r#"{"\ud800":1}"#,
    ] {
        is_no_json(text);
    }
}

#[test]
fn i_nesting_is_read_to_the_depth_that_is_asked_for() {
    let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let objects = |depth: usize| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
    assert!(member(arrays(DEPTH - 1)).is_ok());
    assert!(member(objects(DEPTH - 1)).is_ok());
    for text in [
        arrays(DEPTH),
        objects(DEPTH),
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
    ] {
        assert_eq!(member(text), Err(JsonError::TooDeep(DEPTH)));
    }
}
