//! The Lambda function `keys`.

use std::process::ExitCode;

use keygate_proxy::Cors;
use keys::{Keys, KeysSettings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    keygate_proxy::start(
        env!("CARGO_PKG_NAME"),
        Cors::OfResponse,
        async |settings| Ok(Keys::open(KeysSettings::read(settings)?, settings).await),
        async |request, keys| keys.answer(&request).await,
    )
    .await
}
