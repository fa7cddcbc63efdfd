use proptest::prelude::*;

use super::*;

/// The names of each request that is in these pieces, sorted.
fn names(pieces: &[&[u8]]) -> Vec<Vec<String>> {
    let mut reader = Reader::default();
    for piece in pieces {
        reader.take(piece);
    }
    let read = reader.read.into_iter().map(|spelling| {
        let mut names: Vec<String> = spelling.0.into_values().collect();
        names.sort();
        names
    });
    read.collect()
}

#[test]
fn names_are_as_they_were_sent() {
    let request = b"GET / HTTP/1.1\r\nHOST: a\r\nIdempotency-Key: 1\r\nx-lower: 2\r\n\r\n";
    assert_eq!(names(&[request]), [["HOST", "Idempotency-Key", "x-lower"]]);
}

#[test]
fn the_first_spelling_of_a_name_stands_for_all() {
    let mut reader = Reader::default();
    reader.take(b"GET / HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\n\r\n");
    let name = HeaderName::from_static("x-a");
    assert_eq!(reader.read[0].of(&name), "X-A");
    let unknown = HeaderName::from_static("x-b");
    assert_eq!(reader.read[0].of(&unknown), "x-b");
}

/// Requests in all the forms that a body has, each with a body that looks like a request.
const CONVERSATION: &[u8] = b"GET /1 HTTP/1.1\r\nHost: a\r\nOne: 1\r\n\r\n\
    POST /2 HTTP/1.1\r\nTwo: 1\r\nCONTENT-length: 28\r\n\r\nGET / HTTP/1.1\r\nNever: 1\r\n\r\n\
    POST /3 HTTP/1.1\r\nThree: 1\r\nTransfer-ENCODING: Chunked\r\n\r\n\
    1c;ext=\"a\"\r\nGET / HTTP/1.1\r\nNever: 1\r\n\r\n\r\n\
    0003\r\na\r\n\r\n0\r\nTrailer-Field: 1\r\n\r\n\
    \r\n\nPUT /4 HTTP/1.1\nFour: 1\nContent-Length:0\n\n\
    GET /5 HTTP/1.1\r\nFive: 1\r\n\r\n";

fn conversation() -> Vec<Vec<String>> {
    let named = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    vec![
        named(&["Host", "One"]),
        named(&["CONTENT-length", "Two"]),
        named(&["Three", "Transfer-ENCODING"]),
        named(&["Content-Length", "Four"]),
        named(&["Five"]),
    ]
}

#[test]
fn requests_that_follow_on_one_another_are_told_apart_whatever_their_bodies_hold() {
    assert_eq!(names(&[CONVERSATION]), conversation());
    let bytes: Vec<&[u8]> = CONVERSATION.chunks(1).collect();
    assert_eq!(names(&bytes), conversation());
}

#[test]
fn names_that_are_not_those_of_the_request_leave_all_that_follow_in_lower_case() {
    let spellings = Spellings::default();
    spellings
        .reader()
        .take(b"GET / HTTP/1.1\r\nA: 1\r\n\r\nGET / HTTP/1.1\r\nB: 1\r\n\r\n");
    let mut headers = HeaderMap::new();
    headers.insert("b", http::HeaderValue::from_static("1"));
    for _ in 0..2 {
        let spelling = spellings.next(&headers);
        assert_eq!(spelling.of(&HeaderName::from_static("b")), "b");
    }
}

#[test]
fn what_is_no_http_ends_the_reading() {
    for broken in [
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    ] {
        let mut reader = Reader::default();
        reader.take(broken.as_bytes());
        reader.take(b"GET / HTTP/1.1\r\nA: 1\r\n\r\n");
        assert_eq!(reader.place, Place::Lost, "{broken}");
        assert!(reader.read.is_empty(), "{broken}");
    }
}

#[test]
fn a_line_without_an_end_takes_no_more_memory_than_a_head_may_have() {
    let mut reader = Reader::default();
    for _ in 0..1000 {
        reader.take(&[b'a'; 1000]);
    }
    assert!(reader.line.len() <= MAX_LINE);
}

proptest! {
    #[test]
    fn however_a_conversation_is_cut_into_pieces_it_reads_the_same(
        mut cuts in prop::collection::vec(0..CONVERSATION.len(), 0..12),
    ) {
        cuts.push(CONVERSATION.len());
        cuts.sort_unstable();
        let mut from = 0;
        let mut pieces = Vec::new();
        for cut in cuts {
            pieces.push(&CONVERSATION[from..cut]);
            from = cut;
        }
        prop_assert_eq!(names(&pieces), conversation());
    }

    #[test]
    fn no_bytes_make_it_panic_or_give_a_name_that_is_none(
        bytes in prop::collection::vec(
            prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b'0'), Just(b'f'), any::<u8>()],
            0..400,
        ),
    ) {
        for prefix in ["", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"] {
            let mut reader = Reader::default();
            reader.take(prefix.as_bytes());
            reader.take(&bytes);
            for spelling in &reader.read {
                for (name, sent) in &spelling.0 {
                    prop_assert!(sent.eq_ignore_ascii_case(name.as_str()));
                }
            }
        }
    }
}
