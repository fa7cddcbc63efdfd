//! What CloudFormation sends the provider of a custom resource (CloudFormation user guide, "Custom
//! resource request objects").

use serde_json::Value;
use url::{Host, Url};

/// One request. What is missing of it is for whoever needs it to refuse, so that CloudFormation is
/// answered as long as it says where.
#[derive(Debug)]
pub(crate) struct Request(Value);

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The resource is new.
    Create,
    /// Its properties have changed.
    Update,
    /// It goes.
    Delete,
}

/// An event that no answer can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRequest {
    #[error("this is no request of CloudFormation: it names no ResponseURL")]
    NoResponseUrl,
    #[error("the ResponseURL is no address with https")]
    UnusableResponseUrl,
}

impl Request {
    pub(crate) fn new(event: Value) -> Self {
        Self(event)
    }

    /// Where the answer goes: a presigned address of S3, which is a credential.
    pub(crate) fn response_url(&self) -> Result<Url, NoRequest> {
        let text = self.text("ResponseURL").ok_or(NoRequest::NoResponseUrl)?;
        let url = Url::parse(text).map_err(|_| NoRequest::UnusableResponseUrl)?;
        // An emulator answers on this machine.
        if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) {
            Ok(url)
        } else {
            Err(NoRequest::UnusableResponseUrl)
        }
    }

    /// What is to be done, where it is one of the three things.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self.text("RequestType")? {
            "Create" => Some(Kind::Create),
            "Update" => Some(Kind::Update),
            "Delete" => Some(Kind::Delete),
            _ => None,
        }
    }

    /// A member that is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The properties that the template gives the resource.
    pub(crate) fn properties(&self) -> &Value {
        &self.0["ResourceProperties"]
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn url(text: &str) -> Result<Url, NoRequest> {
        Request::new(json!({"ResponseURL": text})).response_url()
    }

    #[test]
    fn an_answer_goes_to_https_or_to_an_emulator_on_this_machine() {
        for text in [
            "https://cloudformation-custom-resource-response.s3.amazonaws.com/arn?X-Amz=a",
            "http://127.0.0.1:4566/_ministack/cfn-response/a",
            "http://[::1]:4566/a",
            "http://localhost:4566/a",
        ] {
            assert!(url(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "s3.amazonaws.com/a",
            "http://169.254.169.254/latest",
            "http://127.0.0.1.example.com/",
            "file:///etc/passwd",
        ] {
            assert_eq!(url(text), Err(NoRequest::UnusableResponseUrl), "{text}");
        }
    }

    #[test]
    fn what_is_no_request_has_no_answer() {
        for event in [
            json!(null),
            json!([]),
            json!("ResponseURL"),
            json!({"ResponseURL": 7}),
        ] {
            let request = Request::new(event);
            assert_eq!(request.response_url(), Err(NoRequest::NoResponseUrl));
            assert_eq!(request.kind(), None);
        }
    }
}
