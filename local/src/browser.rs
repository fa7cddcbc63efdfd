//! What comes from a page in a browser. Pages of any site may reach a listener on loopback, and none of
//! them may use what is for programs on this machine.

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};

/// Whether a request may come from a page: one in a browser says where it is from, or comes by a name of
/// its own that it has made to stand for loopback (DNS rebinding).
pub(crate) fn may_be_a_page(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let is_loopback = host.is_some_and(|host| match host.host() {
        "localhost" => true,
        name => name
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
    });
    !is_loopback || headers.contains_key(header::ORIGIN)
}
