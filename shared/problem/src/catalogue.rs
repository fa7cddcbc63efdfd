//! The problem types, each with what its page says.

use super::ProblemType;

/// Every type, by status.
pub static CATALOGUE: [&ProblemType; 20] = [
    &BAD_REQUEST,
    &UNAUTHORIZED,
    &FORBIDDEN,
    &INSUFFICIENT_SCOPE,
    &NOT_FOUND,
    &METHOD_NOT_ALLOWED,
    &NOT_ACCEPTABLE,
    &CONFLICT,
    &PRECONDITION_FAILED,
    &PAYLOAD_TOO_LARGE,
    &UNSUPPORTED_MEDIA_TYPE,
    &INVALID_BODY,
    &IDEMPOTENCY_KEY_REUSED,
    &TOO_MANY_REQUESTS,
    &QUOTA_EXCEEDED,
    &REQUEST_HEADER_TOO_LARGE,
    &INTERNAL_ERROR,
    &BAD_GATEWAY,
    &SERVICE_UNAVAILABLE,
    &GATEWAY_TIMEOUT,
];

/// `bad-request`, 400.
pub static BAD_REQUEST: ProblemType = ProblemType {
    slug: "bad-request",
    status: 400,
    title: "Bad request",
    meaning: "A part of the request is not in the form that the API reads.",
    causes: &[
        "a body that is not JSON",
        "a query parameter outside its range, such as `limit`",
        "a cursor that was changed, or comes from another list",
        "a path with broken percent-encoding",
    ],
    remedy: "Correct the part that `detail` names and send the request again. The same request again gets the same answer.",
};

/// `unauthorized`, 401.
pub static UNAUTHORIZED: ProblemType = ProblemType {
    slug: "unauthorized",
    status: 401,
    title: "Unauthorized",
    meaning: "The gateway could not establish who is calling. It never says which check failed, so as not to help a guesser.",
    causes: &[
        "no `Authorization` header, or one that is neither `Bearer` nor `ApiKey`",
        "a token that is malformed, expired, not yet valid, or meant for another audience",
        "a token from an issuer that is not trusted here",
        "an API key that is mistyped, unknown, expired or revoked",
    ],
    remedy: "Request a new token, or check the API key, and send it as `Authorization: Bearer <token or key>` or `Authorization: ApiKey <key>`. If it is refused again, give the operator the request id in `instance`: the log has the reason.",
};

/// `forbidden`, 403.
pub static FORBIDDEN: ProblemType = ProblemType {
    slug: "forbidden",
    status: 403,
    title: "Forbidden",
    meaning: "The request was refused before any route was asked.",
    causes: &[
        "a credential whose client is on no usage plan of this API",
        "a stage that does not exist",
        "an `Authorization` header in the form of an AWS signature",
        "a request that a firewall in front of the API filters",
    ],
    remedy: "Check the address. If it is right, ask the operator whether your client is on a usage plan.",
};

/// `insufficient-scope`, 403.
pub static INSUFFICIENT_SCOPE: ProblemType = ProblemType {
    slug: "insufficient-scope",
    status: 403,
    title: "Insufficient scope",
    meaning: "The caller is known, and the scopes of the credential do not include the one that this route needs.",
    causes: &[
        "a token that was requested without the scope",
        "an API key that was issued with fewer scopes",
        "a request to issue a key with scopes that the caller does not hold",
    ],
    remedy: "Request a token, or an API key, with the scope that the route needs. Where the body has `scopes`, they are those that the credential holds; where it has `resource_metadata`, that address names those that open the route.",
};

/// `not-found`, 404.
pub static NOT_FOUND: ProblemType = ProblemType {
    slug: "not-found",
    status: 404,
    title: "Not found",
    meaning: "The address names nothing that the caller can see.",
    causes: &[
        "a mistyped path, or one with a slash too many at its end",
        "a resource that was deleted",
        "a resource that belongs to somebody else",
    ],
    remedy: "Check the path and the id.",
};

/// `method-not-allowed`, 405.
pub static METHOD_NOT_ALLOWED: ProblemType = ProblemType {
    slug: "method-not-allowed",
    status: 405,
    title: "Method not allowed",
    meaning: "The path exists, and does not take the method of the request.",
    causes: &["a wrong method, such as `POST` where the resource takes `PUT`"],
    remedy: "Use one of the methods in the `Allow` header, which the body has as `allow`.",
};

/// `not-acceptable`, 406.
pub static NOT_ACCEPTABLE: ProblemType = ProblemType {
    slug: "not-acceptable",
    status: 406,
    title: "Not acceptable",
    meaning: "The resource is there, in no form that the request accepts.",
    causes: &["an `Accept` header that names neither `text/html` nor `application/json`"],
    remedy: "Accept `text/html` or `application/json`.",
};

/// `conflict`, 409.
pub static CONFLICT: ProblemType = ProblemType {
    slug: "conflict",
    status: 409,
    title: "Conflict",
    meaning: "The request does not fit the state that the resource is in now.",
    causes: &[
        "two requests with one `Idempotency-Key` at the same time",
        "an API key that two requests change at the same time",
        "an API key that is to be rotated, and is revoked or expired",
    ],
    remedy: "Read the resource again. If `Retry-After` is there, wait for its seconds and send the same request again.",
};

/// `precondition-failed`, 412.
pub static PRECONDITION_FAILED: ProblemType = ProblemType {
    slug: "precondition-failed",
    status: 412,
    title: "Precondition failed",
    meaning: "The version of the resource is not one that `If-Match`, or `If-None-Match`, allows. Nothing was changed.",
    causes: &[
        "somebody else changed the resource after it was read",
        "an `ETag` that was not copied whole, quotation marks included",
    ],
    remedy: "Read the resource again, apply the change to what it is now, and send its new `ETag`.",
};

/// `payload-too-large`, 413.
pub static PAYLOAD_TOO_LARGE: ProblemType = ProblemType {
    slug: "payload-too-large",
    status: 413,
    title: "Payload too large",
    meaning: "The body is larger than the route accepts.",
    causes: &[
        "a body over 256 KiB",
        "a request over API Gateway's own limit, 10 MB",
    ],
    remedy: "Send less, or in several requests.",
};

/// `unsupported-media-type`, 415.
pub static UNSUPPORTED_MEDIA_TYPE: ProblemType = ProblemType {
    slug: "unsupported-media-type",
    status: 415,
    title: "Unsupported media type",
    meaning: "The `Content-Type` header does not say that the body is JSON.",
    causes: &[
        "a missing `Content-Type` header",
        "a form or a text where JSON is expected",
    ],
    remedy: "Send JSON with `Content-Type: application/json`.",
};

/// `invalid-body`, 422.
pub static INVALID_BODY: ProblemType = ProblemType {
    slug: "invalid-body",
    status: 422,
    title: "Invalid body",
    meaning: "The body is JSON, and its fields are not those that the route takes.",
    causes: &[
        "a required field that is missing",
        "a field of the wrong type or outside its bounds",
        "a field that the route does not know",
    ],
    remedy: "Correct the fields that `errors` names, all at once: it lists every one that is wrong.",
};

/// `idempotency-key-reused`, 422.
pub static IDEMPOTENCY_KEY_REUSED: ProblemType = ProblemType {
    slug: "idempotency-key-reused",
    status: 422,
    title: "Idempotency key reused",
    meaning: "The `Idempotency-Key` was sent before, with another body. Nothing was created.",
    causes: &["one key for two different requests"],
    remedy: "Make a new key for each new request, and send the same key only to repeat the same one.",
};

/// `request-header-too-large`, 431.
pub static REQUEST_HEADER_TOO_LARGE: ProblemType = ProblemType {
    slug: "request-header-too-large",
    status: 431,
    title: "Request header too large",
    meaning: "The request line and the headers together exceed 10,240 bytes.",
    causes: &["a token with very many claims", "a large cookie"],
    remedy: "Request a token with fewer claims, or send fewer headers.",
};

/// `too-many-requests`, 429.
pub static TOO_MANY_REQUESTS: ProblemType = ProblemType {
    slug: "too-many-requests",
    status: 429,
    title: "Too many requests",
    meaning: "Requests come faster than the usage plan of the caller, or the route, allows.",
    causes: &[
        "more requests at once than the plan's burst",
        "more requests a second than the plan's rate",
    ],
    remedy: "Wait for the seconds in `Retry-After`, then send more slowly.",
};

/// `quota-exceeded`, 429.
pub static QUOTA_EXCEEDED: ProblemType = ProblemType {
    slug: "quota-exceeded",
    status: 429,
    title: "Quota exceeded",
    meaning: "The caller has made all the requests that the usage plan allows in its period.",
    causes: &["more requests in the period than the plan's quota"],
    remedy: "Wait for the next period, or ask for a larger plan.",
};

/// `internal-error`, 500.
pub static INTERNAL_ERROR: ProblemType = ProblemType {
    slug: "internal-error",
    status: 500,
    title: "Internal error",
    meaning: "The request was accepted and could not be completed.",
    causes: &["a fault in the API"],
    remedy: "Try again later. If it lasts, report the request id in `instance` to the operator.",
};

/// `bad-gateway`, 502.
pub static BAD_GATEWAY: ProblemType = ProblemType {
    slug: "bad-gateway",
    status: 502,
    title: "Bad gateway",
    meaning: "The gateway passed the request on and got no answer that it could use.",
    causes: &["a function that failed while it worked on the request"],
    remedy: "Try again; if the request changes something, look first whether it did. If it lasts, report the request id in `instance` to the operator.",
};

/// `service-unavailable`, 503.
pub static SERVICE_UNAVAILABLE: ProblemType = ProblemType {
    slug: "service-unavailable",
    status: 503,
    title: "Service unavailable",
    meaning: "The request could not be checked or served now. That says nothing about the credential or the request.",
    causes: &[
        "a token issuer or a database that does not answer, or throttles",
        "an API key that could not be given to, or taken from, the gateway's usage plans; `detail` says what was done",
    ],
    remedy: "Wait for the seconds in `Retry-After` and send the request again.",
};

/// `gateway-timeout`, 504.
pub static GATEWAY_TIMEOUT: ProblemType = ProblemType {
    slug: "gateway-timeout",
    status: 504,
    title: "Gateway timeout",
    meaning: "The gateway passed the request on and got no answer in time.",
    causes: &["a function that ran into its time limit"],
    remedy: "A request that changes something may have taken effect: look before you send it again. Where a route takes them, `Idempotency-Key` and `If-Match` make a repetition safe.",
};
