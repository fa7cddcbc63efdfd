//! Method ARNs: what a caller asks for, and the stage that it is in.

/// `arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodArn {
    text: String,
    /// Where the stage ends.
    stage: usize,
}

impl MethodArn {
    /// Reads an ARN; `None` when it is none. The path may be missing, as in the console's test of an
    /// authorizer.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(6, ':');
        let (arn, partition, service) = (fields.next()?, fields.next()?, fields.next()?);
        let (region, account, resource) = (fields.next()?, fields.next()?, fields.next()?);
        let mut parts = resource.splitn(4, '/');
        let (api, stage, method) = (parts.next()?, parts.next()?, parts.next()?);
        let fixed = arn == "arn" && partition.starts_with("aws") && service == "execute-api";
        let named = [partition, region, account, api, stage, method];
        if !fixed || !named.into_iter().all(is_plain) {
            return None;
        }
        Some(Self {
            stage: text.len() - resource.len() + api.len() + 1 + stage.len(),
            text: text.to_owned(),
        })
    }

    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The ARN up to its stage, without a slash at the end.
    #[must_use]
    pub fn stage(&self) -> &str {
        self.text.get(..self.stage).unwrap_or_default()
    }

    /// What is asked for: the method, and the path with its slash.
    #[must_use]
    pub fn request(&self) -> (&str, &str) {
        let request = self.text.get(self.stage + 1..).unwrap_or_default();
        match request.find('/') {
            Some(slash) => request.split_at(slash),
            None => (request, "/"),
        }
    }
}

/// Whether a part of an ARN means itself and nothing more in a policy's resource, where `*` and `?`
/// are wildcards and `${` begins a variable. `$default`, an HTTP API's stage, means itself.
fn is_plain(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'?' | b'{' | b'}');
    !part.is_empty() && part.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_partitions_and_stages_keep_their_names() {
        for stage in [
            "arn:aws-cn:execute-api:cn-north-1:123456789012:abc123/v1",
            "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:abc123/prod_2-a",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/test-invoke-stage",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/ESTestInvoke-stage",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/$default",
            "arn:aws:execute-api:us-east-1:000000000000:local/dev",
        ] {
            for path in ["GET/books/a:b/c", "GET/", "GET", "POST/{proxy+}"] {
                let arn = MethodArn::parse(&format!("{stage}/{path}")).unwrap();
                assert_eq!(arn.stage(), stage);
            }
        }
    }

    #[test]
    fn the_request_is_a_method_and_a_path() {
        let stage = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev";
        for (text, method, path) in [
            ("GET/books/a:b/c", "GET", "/books/a:b/c"),
            ("GET/", "GET", "/"),
            ("GET", "GET", "/"),
        ] {
            let arn = MethodArn::parse(&format!("{stage}/{text}")).unwrap();
            assert_eq!(arn.request(), (method, path));
        }
    }

    #[test]
    fn what_is_no_method_arn_is_refused() {
        for text in [
            "",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123//GET/books",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/*/GET/books",
            "arn:aws:execute-api:eu-west-1:123456789012:*/dev/GET/books",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/${aws:x}/GET/books",
            "arn:aws:execute-api:*:123456789012:abc123/dev/GET/books",
            "arn:aws:execute-api::123456789012:abc123/dev/GET/books",
            "arn:aws:lambda:eu-west-1:123456789012:function:a/b/c",
            "arn:*:execute-api:eu-west-1:123456789012:abc123/dev/GET/books",
        ] {
            assert_eq!(MethodArn::parse(text), None, "{text}");
        }
    }
}
