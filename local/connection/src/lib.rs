//! Connections of HTTP/1.1 that no client can hold, starve or crash. A client is a stranger: what it sends
//! may be no HTTP, be larger than anybody needs, come a byte a minute or stop in the middle, and it may never
//! read its answer.
//!
//! [`serve`] accepts connections and has hyper read them, each behind a [`Guard`] that passes on whole and
//! well-formed heads only (RFC 9112). In the place of any other head the guard hands on a request of its
//! own, the connection's last. The service knows it by [`Malformed::of`] and answers in its own form, in its
//! turn: behind the answers to what came before on the same connection.
//!
//! A head has [`HEAD_TIMEOUT`], a body [`BODY_TIMEOUT`], an answer that is not read [`ANSWER_TIMEOUT`], and
//! a connection without a request [`IDLE_TIMEOUT`]. Where there are more connections than the process may
//! have files, the oldest are asked to end after the request that they are at ([`Room`]).

mod body;
mod guard;
mod head;
mod malformed;
mod room;
mod router;
mod serve;

pub use self::guard::{ANSWER_TIMEOUT, BODY_TIMEOUT, Guard, HEAD_TIMEOUT};
pub use self::head::{MAX_HEAD_BYTES, MAX_HEADERS};
pub use self::malformed::Malformed;
pub use self::room::Room;
pub use self::router::serve_router;
pub use self::serve::{DRAIN_TIMEOUT, IDLE_TIMEOUT, serve};
