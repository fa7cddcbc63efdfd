//! The requests that are compared.

/// One request to one of the two APIs.
#[derive(Debug)]
pub(crate) struct Request {
    /// What it is about, in a few words; no other has this name.
    pub(crate) name: &'static str,
    /// The template that describes the API.
    pub(crate) api: &'static str,
    /// The method, and the path behind the stage as it is sent.
    pub(crate) line: String,
    /// Each a line.
    pub(crate) headers: Vec<&'static str>,
    /// The body; without one no `Content-Length` is sent.
    pub(crate) body: Vec<u8>,
}

impl Request {
    fn new(name: &'static str, line: &str) -> Self {
        Self {
            name,
            api: "template",
            line: line.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    fn with(mut self, header: &'static str) -> Self {
        self.headers.push(header);
        self
    }

    fn body(self, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { body, ..self.with(kind) }
    }

    fn described(self) -> Self {
        Self { api: "described", ..self }
    }

    /// As it stands on the wire, with a prefix before the path.
    pub(crate) fn sent(&self, prefix: &str) -> Vec<u8> {
        let (method, path) = self.line.split_once(' ').unwrap();
        let mut lines = vec![format!("{method} {prefix}{path} HTTP/1.1")];
        lines.extend(self.headers.iter().map(ToString::to_string));
        if !self.headers.iter().any(|line| line.starts_with("Host:")) {
            lines.push("Host: localhost".to_owned());
        }
        if !self.body.is_empty() {
            lines.push(format!("Content-Length: {}", self.body.len()));
        }
        lines.push("Connection: close\r\n\r\n".to_owned());
        let mut sent = lines.join("\r\n").into_bytes();
        sent.extend_from_slice(&self.body);
        sent
    }
}

const JSON: &str = "Content-Type: application/json";

/// All of them.
pub(crate) fn requests() -> Vec<Request> {
    let all = [
        paths(),
        queries(),
        headers(),
        methods(),
        bodies(),
        answers(),
        statuses(),
        tokens(),
        request_authorizers(),
        usage_keys(),
        checks(),
        preflights(),
        described(),
    ];
    all.into_iter().flatten().collect()
}

fn paths() -> Vec<Request> {
    [
        ("the root", "GET /"),
        ("the root without a slash", "GET "),
        ("a path", "GET /plain"),
        ("a slash at the end", "GET /plain/"),
        ("two slashes at the end", "GET /plain//"),
        ("two slashes before the path", "GET //plain"),
        ("a path in other letters", "GET /Plain"),
        ("a variable", "GET /books/7"),
        ("a literal beside a variable", "GET /books/new"),
        ("two variables", "GET /books/7/pages/12"),
        ("an encoded slash in a variable", "GET /books/a%2Fb"),
        ("an encoded space in a variable", "GET /books/a%20b"),
        ("a plus in a variable", "GET /books/a+b"),
        ("an encoded letter in a literal", "GET /pl%61in"),
        ("encoded UTF-8 in a variable", "GET /books/caf%C3%A9"),
        ("bytes of no UTF-8 in a variable", "GET /books/%FF"),
        ("an incomplete escape", "GET /books/%zz"),
        ("reserved letters in a variable", "GET /books/a:b@c,d;e=f"),
        ("an empty variable", "GET /books//pages/1"),
        ("a dot segment", "GET /books/../plain"),
        ("a long variable", "GET /books/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("a greedy variable", "GET /files/a/b/c"),
        ("a greedy variable with a slash at its end", "GET /files/a/"),
        ("two slashes in a greedy variable", "GET /files/a//b"),
        ("an encoded slash in a greedy variable", "GET /files/a%2Fb/c"),
        ("a greedy variable of nothing", "GET /files/"),
        ("the parent of a greedy variable", "GET /files"),
        ("a literal beside a greedy variable", "GET /files/index"),
        ("another method of a literal beside a greedy variable", "DELETE /files/index"),
        ("below a literal beside a greedy variable", "GET /files/index/more"),
        ("an unknown path", "GET /nothing"),
        ("a path that only has children", "GET /books"),
        ("a path below one that has no children", "GET /plain/more"),
    ]
    .map(|(name, line)| Request::new(name, line))
    .into()
}

fn queries() -> Vec<Request> {
    [
        ("a query", "GET /plain?a=1&b=2"),
        ("a name twice in a query", "GET /plain?a=1&a=2&b=3"),
        ("an empty value in a query", "GET /plain?a=&b"),
        ("an empty query", "GET /plain?"),
        ("a plus in a query", "GET /plain?a=b+c&d+e=f"),
        ("escapes in a query", "GET /plain?a=b%20c%26d%3De&caf%C3%A9=%E2%82%AC"),
        ("an escaped plus in a query", "GET /plain?a=b%2Bc"),
        ("an incomplete escape in a query", "GET /plain?a=%zz&b=%"),
        ("an equals sign in a value of a query", "GET /plain?a=b=c"),
        ("brackets in a query", "GET /plain?a[]=1&a[b]=2"),
        ("empty parts of a query", "GET /plain?&&a=1&"),
        ("a value without a name in a query", "GET /plain?=1"),
        ("a second question mark in a query", "GET /plain?a=1?b=2"),
        ("a semicolon in a query", "GET /plain?a=1;b=2"),
    ]
    .map(|(name, line)| Request::new(name, line))
    .into()
}

fn headers() -> Vec<Request> {
    let plain = |name| Request::new(name, "GET /plain");
    vec![
        plain("headers in several spellings").with("x-LOWER-upper: 1").with("ACCEPT: text/html"),
        plain("a header twice").with("X-Many: 1").with("X-Many: 2"),
        plain("a header twice in two spellings").with("X-Many: 1").with("x-many: 2"),
        plain("a list in a header").with("X-Many: 1, 2"),
        plain("an empty header").with("X-Empty:"),
        plain("spaces around a header's value").with("X-Spaces:   a  b   "),
        plain("UTF-8 in a header").with("X-Name: café"),
        plain("a cookie").with("Cookie: a=1; b=2"),
        plain("headers of the connection").with("TE: trailers").with("Max-Forwards: 3").with("Upgrade: a"),
        plain("headers of a server").with("Server: a").with("WWW-Authenticate: a").with("Proxy-Authenticate: a"),
        plain("a checksum of the body").with("Content-MD5: a"),
        plain("a user agent").with("User-Agent: compare/1"),
        plain("a forwarded request").with("X-Forwarded-For: 198.51.100.1").with("X-Forwarded-Proto: gopher").with("X-Forwarded-Port: 1"),
        plain("the header Forwarded").with("Forwarded: for=198.51.100.1").with("Via: 1.1 a"),
        plain("a trace").with("X-Amzn-Trace-Id: Root=1-3152b799-8954dae64eda91bc9a23a7e8"),
        plain("a whole trace").with("X-Amzn-Trace-Id: Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"),
        plain("a method in a header").with("X-HTTP-Method-Override: POST"),
        plain("a range").with("Range: bytes=0-1"),
        plain("a condition").with("If-None-Match: *"),
        plain("an origin").with("Origin: https://app.example"),
        plain("basic credentials where none are asked for").with("Authorization: Basic YTpi"),
        plain("an encoding of answers").with("Accept-Encoding: gzip"),
        plain("a content type without a body").with(JSON),
    ]
}

fn methods() -> Vec<Request> {
    [
        ("a method of its own", "POST /plain"),
        ("PUT", "PUT /plain"),
        ("PATCH", "PATCH /plain"),
        ("HEAD", "HEAD /plain"),
        ("a method that the path has not", "DELETE /plain"),
        ("HEAD of a path that has GET alone", "HEAD /books/7"),
        ("any method", "GET /any"),
        ("DELETE of any method", "DELETE /any"),
        ("HEAD of any method", "HEAD /any"),
        ("a method beside any", "POST /any"),
        ("an unknown method", "BREW /any"),
        ("an unknown method where there is none", "BREW /plain"),
        ("a method in small letters", "get /plain"),
    ]
    .map(|(name, line)| Request::new(name, line))
    .into()
}

fn bodies() -> Vec<Request> {
    let post = |name| Request::new(name, "POST /plain");
    vec![
        post("JSON").body(JSON, r#"{"a": [1, "é"]}"#),
        post("a form").body("Content-Type: application/x-www-form-urlencoded", "a=1&b=2"),
        post("text").body("Content-Type: text/plain; charset=utf-8", "a text, café"),
        post("a body without a type").body("X-Other: 1", "a text"),
        post("parts").body("Content-Type: multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n"),
        post("bytes of a binary type").body("Content-Type: image/png", [0x89, b'P', b'N', b'G', 0, 0xff]),
        post("a binary type in capitals").body("Content-Type: IMAGE/PNG", "a"),
        post("a binary type with a parameter").body("Content-Type: application/octet-stream; a=b", "a"),
        post("bytes of no binary type").body("Content-Type: text/plain", [b'a', 0xff, 0xfe, b'b']),
        post("text of a binary type").body("Content-Type: application/octet-stream", "a text"),
        post("a binary type without a body").with("Content-Type: image/png"),
        Request::new("a body of a GET", "GET /plain").body("Content-Type: text/plain", "a"),
        Request::new("a body of a DELETE", "DELETE /any").body("Content-Type: text/plain", "a"),
        post("a body of a megabyte").body("Content-Type: text/plain", vec![b'a'; 1 << 20]),
        post("a body that is too large").body("Content-Type: text/plain", vec![b'a'; 11 << 20]),
        post("a length of nothing").with("Content-Length: 0"),
        Request { body: b"5\r\nab\"cd\r\n0\r\n\r\n".to_vec(), ..post("a body in chunks") },
    ]
}

fn answers() -> Vec<Request> {
    let told = |name, answer: &'static str| Request::new(name, "POST /answer").body(JSON, answer);
    let png = |name, accept, answer: &'static str| told(name, answer).with(accept);
    let encoded = r#"{"statusCode": 200, "headers": {"Content-Type": "image/png"}, "body": "aGk=", "isBase64Encoded": true}"#;
    vec![
        told("an empty answer", "{}"),
        told("an answer without a status", r#"{"body": "a"}"#),
        told("an answer without a body", r#"{"statusCode": 204}"#),
        told("an answer whose body is null", r#"{"statusCode": 200, "body": null}"#),
        told("a status in text", r#"{"statusCode": "201", "body": "a"}"#),
        told("a status that is no number", r#"{"statusCode": "a", "body": "a"}"#),
        told("a status with a fraction", r#"{"statusCode": 200.5, "body": "a"}"#),
        told("a status of null", r#"{"statusCode": null, "body": "a"}"#),
        told("an answer that is a list", "[1]"),
        told("an answer that is a text", r#""a""#),
        told("an answer that is a number", "7"),
        told("an answer that is null", "null"),
        told("an answer that is no JSON", r#""what is no JSON""#),
        told("an exception", r#"{"raise": "a secret"}"#),
        told("an answer with an unknown member", r#"{"statusCode": 200, "body": "a", "other": 1}"#),
        told("cookies in an answer", r#"{"statusCode": 200, "body": "a", "cookies": ["a=1"]}"#),
        told("a body that is an object", r#"{"statusCode": 200, "body": {"a": 1}}"#),
        told("a body that is a number", r#"{"statusCode": 200, "body": 7}"#),
        told("headers of an answer", r#"{"statusCode": 200, "headers": {"X-A": "1", "x-b": "2", "content-type": "text/plain"}, "body": "a"}"#),
        told("a header that is a number", r#"{"statusCode": 200, "headers": {"X-A": 1}, "body": "a"}"#),
        told("a header that is a truth value", r#"{"statusCode": 200, "headers": {"X-A": true}, "body": "a"}"#),
        told("a header that is null", r#"{"statusCode": 200, "headers": {"X-A": null}, "body": "a"}"#),
        told("a header that is a list", r#"{"statusCode": 200, "headers": {"X-A": ["1"]}, "body": "a"}"#),
        told("headers that are null", r#"{"statusCode": 200, "headers": null, "multiValueHeaders": null, "body": "a"}"#),
        told("several values of a header", r#"{"statusCode": 200, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "X-A": ["1"]}, "body": "a"}"#),
        told("a header in both forms", r#"{"statusCode": 200, "headers": {"X-A": "last"}, "multiValueHeaders": {"x-a": ["1", "2"]}, "body": "a"}"#),
        told("a value of a header in both forms", r#"{"statusCode": 200, "headers": {"X-A": "1"}, "multiValueHeaders": {"X-A": ["1", "2"]}, "body": "a"}"#),
        told("a content type in several values", r#"{"statusCode": 200, "multiValueHeaders": {"content-type": ["text/plain"]}, "body": "a"}"#),
        told("a line break in a header", r#"{"statusCode": 200, "headers": {"X-A": "1\r\nX-B: 2"}, "body": "a"}"#),
        told("headers of the connection in an answer", r#"{"statusCode": 200, "headers": {"Connection": "close", "Transfer-Encoding": "chunked", "Upgrade": "a"}, "body": "a"}"#),
        told("headers that API Gateway renames in an answer", r#"{"statusCode": 200, "headers": {"Date": "a", "Server": "a", "WWW-Authenticate": "Basic", "Authorization": "a", "User-Agent": "a"}, "body": "a"}"#),
        told("a length in an answer", r#"{"statusCode": 200, "headers": {"Content-Length": "1"}, "body": "abc"}"#),
        told("UTF-8 in an answer", r#"{"statusCode": 200, "body": "café €"}"#),
        png("a binary answer that is asked for", "Accept: image/png", encoded),
        png("a binary answer that is asked for first", "Accept: image/png, text/html", encoded),
        png("a binary answer that is asked for second", "Accept: text/html, image/png", encoded),
        png("a binary answer that is asked for with a parameter", "Accept: image/png;q=0.9", encoded),
        png("a binary answer to whatever type", "Accept: */*", encoded),
        png("a binary answer to a family of types", "Accept: image/*", encoded),
        png("a binary answer to nothing asked", "X-Other: 1", encoded),
        png("a binary answer that is no base64", "Accept: image/png", r#"{"statusCode": 200, "body": "no base64!", "isBase64Encoded": true}"#),
        png("base64 in text", "X-Other: 1", r#"{"statusCode": 200, "body": "aGk=", "isBase64Encoded": "true"}"#),
        told("an answer of five megabytes", r#"{"repeat": 5000000}"#),
        told("an answer that is too large", r#"{"repeat": 6400000}"#),
    ]
}

fn statuses() -> Vec<Request> {
    [
        ("status 100", "100"),
        ("status 101", "101"),
        ("status 199", "199"),
        ("status 200", "200"),
        ("status 204", "204"),
        ("status 206", "206"),
        ("status 299", "299"),
        ("status 301", "301"),
        ("status 304", "304"),
        ("status 400", "400"),
        ("status 401", "401"),
        ("status 404", "404"),
        ("status 418", "418"),
        ("status 499", "499"),
        ("status 500", "500"),
        ("status 503", "503"),
        ("status 599", "599"),
        ("status 600", "600"),
        ("status 999", "999"),
        ("status 0", "0"),
        ("status -1", "-1"),
        ("status 1000", "1000"),
    ]
    .map(|(name, status)| {
        Request::new(name, "POST /answer").body(JSON, format!(r#"{{"statusCode": {status}, "body": "a"}}"#))
    })
    .into()
}

fn tokens() -> Vec<Request> {
    let get = |name, line| Request::new(name, "GET /guarded/1").with(line);
    vec![
        Request::new("no token", "GET /guarded/1"),
        get("an empty token", "Authorization:"),
        get("a token that opens the method", "Authorization: allow"),
        get("a token in a header of another spelling", "AUTHORIZATION: allow"),
        get("a token with spaces around it", "Authorization:   allow  "),
        get("a token that closes the method", "Authorization: deny"),
        get("a token for another path", "Authorization: elsewhere"),
        get("a token for everything of the stage", "Authorization: everything"),
        get("a token for every stage", "Authorization: every-stage"),
        get("a token for everything", "Authorization: everywhere"),
        get("a token for one letter", "Authorization: one-letter"),
        Request::new("a token for one letter, and two are asked for", "GET /guarded/12").with("Authorization: one-letter"),
        get("a token with both effects", "Authorization: both"),
        Request::new("another method with both effects", "POST /guarded/1").with("Authorization: both"),
        get("a token for another method", "Authorization: posts"),
        Request::new("a token for a method", "POST /guarded/1").with("Authorization: posts"),
        get("a policy by NotAction", "Authorization: not-action"),
        get("a policy for another action", "Authorization: other-action"),
        get("a policy of one statement without a list", "Authorization: one-statement"),
        get("a context of each type", "Authorization: context"),
        get("a context with null", "Authorization: null-context"),
        get("a context with an object", "Authorization: nested-context"),
        get("a context with a list", "Authorization: list-context"),
        get("a usage key where none is asked for", "Authorization: usage-key"),
        get("an authorizer that raises Unauthorized", "Authorization: Unauthorized"),
        get("an authorizer that raises something else", "Authorization: unheard-of"),
        get("an authorizer's answer without a principal", "Authorization: no-principal"),
        get("an authorizer's answer without a policy", "Authorization: no-policy"),
        get("an authorizer's empty answer", "Authorization: nothing"),
        get("an authorizer's answer that is a text", "Authorization: text"),
        get("an authorizer's answer that is null", "Authorization: null"),
        get("two tokens", "Authorization: deny").with("Authorization: allow"),
        Request::new("a token and an encoded variable", "GET /guarded/a%20b%2Fc").with("Authorization: allow"),
        Request::new("a token and a slash at the end", "GET /guarded/1/").with("Authorization: allow"),
        Request::new("a token and a query", "GET /guarded/1?a=1").with("Authorization: allow"),
        Request::new("a token that is remembered", "GET /cached/1").with("X-Token: everything"),
        Request::new("the same token once more", "GET /cached/2").with("X-Token: everything"),
        Request::new("a token of one method that is remembered", "GET /cached/1").with("X-Token: allow"),
        Request::new("the same token elsewhere", "GET /cached/2").with("X-Token: allow"),
        Request::new("a token that closes and is remembered", "GET /cached/1").with("X-Token: deny"),
        Request::new("the same closing token", "GET /cached/1").with("X-Token: deny"),
        Request::new("Unauthorized of a token is not remembered", "GET /cached/1").with("X-Token: Unauthorized"),
        Request::new("a token that is not of its form", "GET /cached/1").with("X-Token: 0123"),
        Request::new("a token of which a part is of its form", "GET /cached/1").with("X-Token: allow0"),
        Request::new("no token of its own header", "GET /cached/1").with("Authorization: allow"),
    ]
}

fn request_authorizers() -> Vec<Request> {
    let asked = |name, line: &str| Request::new(name, line);
    vec![
        asked("all that identifies a request", "GET /asked/1?who=me&a=1&a=2").with("X-Decision: context").with("X-Many: 1").with("X-Many: 2"),
        asked("the same once more", "GET /asked/1?who=me&a=3").with("X-Decision: context"),
        asked("a header that identifies is missing", "GET /asked/1?who=me"),
        asked("a query that identifies is missing", "GET /asked/1").with("X-Decision: allow"),
        asked("a query that identifies is empty", "GET /asked/1?who=").with("X-Decision: allow"),
        asked("a request that is refused", "GET /asked/1?who=me").with("X-Decision: deny"),
        asked("a request of whom nothing is asked", "POST /unasked/1"),
        asked("a request with a body to an authorizer", "POST /unasked/1?a=b%20c").body(JSON, r#"{"a": 1}"#).with("X-Decision: everything"),
        asked("an authorizer of requests that raises Unauthorized", "POST /unasked/1").with("X-Decision: Unauthorized"),
        asked("an authorizer of requests that fails", "POST /unasked/1").with("X-Decision: unheard-of"),
    ]
}

fn usage_keys() -> Vec<Request> {
    let keyed = |name| Request::new(name, "GET /keyed");
    vec![
        keyed("no usage key"),
        keyed("a usage key").with("X-Api-Key: compare-usage-key-0001"),
        keyed("a usage key in another spelling").with("x-API-key: compare-usage-key-0001"),
        keyed("a usage key that is disabled").with("X-Api-Key: compare-usage-key-0002"),
        keyed("a usage key without a plan").with("X-Api-Key: compare-usage-key-0003"),
        keyed("an unknown usage key").with("X-Api-Key: compare-usage-key-0000"),
        keyed("an empty usage key").with("X-Api-Key:"),
        Request::new("a usage key where none is needed", "GET /plain").with("X-Api-Key: compare-usage-key-0001"),
    ]
}

fn checks() -> Vec<Request> {
    let order = |name, line: &str, body: &'static str| Request::new(name, line).body(JSON, body);
    let shop = |name, body| order(name, "POST /checked?shop=1", body).with("X-Shop: 1");
    vec![
        shop("a body of the model", r#"{"book": "a", "count": 2}"#),
        shop("a body that lacks what the model requires", r#"{"count": 2}"#),
        shop("a body whose member is of another type", r#"{"book": 7}"#),
        shop("a body whose number is too small", r#"{"book": "a", "count": 0}"#),
        shop("a body that is no JSON", "{"),
        shop("a body that is a list", "[]"),
        Request::new("no body where a model is", "POST /checked?shop=1").with("X-Shop: 1").with(JSON),
        Request::new("a body of another type than the model", "POST /checked?shop=1").with("X-Shop: 1").body("Content-Type: text/plain", "a"),
        Request::new("a body of the model without a type", "POST /checked?shop=1").with("X-Shop: 1").body("X-Other: 1", r#"{"count": 2}"#),
        order("a required parameter is missing", "POST /checked", r#"{"book": "a"}"#).with("X-Shop: 1"),
        order("a required header is missing", "POST /checked?shop=1", r#"{"book": "a"}"#),
        order("both required ones are missing", "POST /checked", r#"{"book": "a"}"#),
        order("a required parameter is empty", "POST /checked?shop=", r#"{"book": "a"}"#).with("X-Shop: 1"),
        order("a parameter is missing and the body is none", "POST /checked", "{").with("X-Shop: 1"),
    ]
}

fn preflights() -> Vec<Request> {
    vec![
        Request::new("a preflight", "OPTIONS /plain").with("Origin: https://app.example").with("Access-Control-Request-Method: POST"),
        Request::new("a preflight of another origin", "OPTIONS /plain").with("Origin: https://other.example").with("Access-Control-Request-Method: POST"),
        Request::new("OPTIONS without an origin", "OPTIONS /plain"),
        Request::new("a preflight with a type", "OPTIONS /plain").with(JSON),
        Request::new("a preflight of a path that is guarded", "OPTIONS /guarded/1").with("Origin: https://app.example"),
        Request::new("a preflight of a path of any method", "OPTIONS /any").with("Origin: https://app.example"),
        Request::new("a preflight of an unknown path", "OPTIONS /nothing").with("Origin: https://app.example"),
    ]
}

fn described() -> Vec<Request> {
    [
        Request::new("a described path", "GET /described/7"),
        Request::new("another method of a described path", "DELETE /described/7"),
        Request::new("a described path without a token", "POST /described/7").with("X-Asked: why"),
        Request::new("a described path with a token", "POST /described/7").with("Authorization: allow"),
        Request::new("a described path with a token that is refused", "POST /described/7").with("Authorization: deny"),
        Request::new("a described path whose authorizer fails", "POST /described/7").with("Authorization: unheard-of"),
        Request::new("a gateway response of an unknown path", "GET /nothing"),
        Request::new("a gateway response of an exception", "POST /answer").body(JSON, r#"{"raise": "a secret"}"#),
        Request::new("a mock", "GET /health"),
        Request::new("a body without a binary type", "DELETE /described/7").body("Content-Type: image/png", "a"),
        Request::new("a binary answer without a binary type", "POST /answer").with("Accept: image/png").body(JSON, r#"{"statusCode": 200, "body": "aGk=", "isBase64Encoded": true}"#),
    ]
    .map(Request::described)
    .into()
}
