//! Registration of a client by itself (RFC 7591). Nothing is kept, as any `client_id` will do.

use keygate_key_record::now;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::authorization::loopback;

/// Why there is no registration: an error of RFC 7591 section 3.2.2, and its description.
pub(super) type Refused = (&'static str, &'static str);

/// What the client is registered as: what it sent, with an id. It needs no secret.
pub(super) fn register(metadata: Value) -> Result<Value, Refused> {
    let Value::Object(mut client) = metadata else {
        return Err(("invalid_client_metadata", "send a JSON object"));
    };
    if !has_usable_redirect_uris(&client) {
        let description = "redirect_uris are http on a loopback address here, without a fragment";
        return Err(("invalid_redirect_uri", description));
    }
    client.insert("client_id".to_owned(), json!(Uuid::new_v4()));
    client.insert("client_id_issued_at".to_owned(), json!(now()));
    client.insert("token_endpoint_auth_method".to_owned(), json!("none"));
    Ok(Value::Object(client))
}

/// A client of the client credentials grant alone has none.
fn has_usable_redirect_uris(client: &Map<String, Value>) -> bool {
    let usable = |uri: &Value| uri.as_str().and_then(loopback).is_some();
    match client.get("redirect_uris") {
        None => true,
        Some(Value::Array(uris)) => uris.iter().all(usable),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_registered_as_what_it_says_with_an_id_and_no_secret() {
        let client = register(json!({
            "redirect_uris": ["http://localhost:7000/callback"],
            "client_name": "a client",
            "token_endpoint_auth_method": "client_secret_post",
        }));
        let client = client.unwrap();
        assert_eq!(client["client_name"], "a client");
        assert_eq!(client["token_endpoint_auth_method"], "none");
        assert!(client["client_id"].is_string());
        assert_eq!(client.get("client_secret"), None);
    }

    #[test]
    fn what_is_no_client_here_is_refused() {
        for metadata in [
            json!([]),
            json!({"redirect_uris": "http://localhost:7000/callback"}),
            json!({"redirect_uris": ["https://app.example.com/callback"]}),
            json!({"redirect_uris": [7]}),
        ] {
            assert!(register(metadata.clone()).is_err(), "{metadata}");
        }
    }
}
