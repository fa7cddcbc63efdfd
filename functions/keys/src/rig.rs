//! What tests stand on: requests as API Gateway passes them on.

use keygate_proxy::{AllowedOrigins, ProxyRequest, ProxySettings};
use keygate_tests::event::Event;
use lambda_http::request::LambdaRequest;

/// An event as the handler gets it.
pub(crate) fn request(event: &Event) -> ProxyRequest {
    let settings = ProxySettings {
        allowed_origins: AllowedOrigins::Any,
        public_url: Some("https://api.example.com/dev".to_owned()),
        routes: None,
    };
    let event = serde_json::from_str(&event.wire()).unwrap();
    ProxyRequest::new(LambdaRequest::ApiGatewayV1(event).into(), &settings)
}
