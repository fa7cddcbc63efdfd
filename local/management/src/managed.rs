//! The stage that a call of the API is about.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use keygate_gateway::{Control, Controls};

/// The stage that is served when a call comes: a change of the template makes another.
pub(super) struct Managed(pub(super) Control);

impl FromRequestParts<Controls> for Managed {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, controls: &Controls) -> Result<Self, Infallible> {
        Ok(Self(controls.current()))
    }
}
