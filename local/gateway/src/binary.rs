//! Binary media types: which bodies are base64 between the gateway and a function ("Working with binary
//! media types for REST APIs", API Gateway guide).

use super::content_type::media_type;

/// The API's `BinaryMediaTypes`.
#[derive(Debug, Clone, Default)]
pub(super) struct BinaryMediaTypes(Vec<String>);

/// The entry for bodies of every type.
const EVERY: &str = "*/*";

impl BinaryMediaTypes {
    pub(super) fn new(types: &[String]) -> Self {
        Self(types.to_vec())
    }

    /// Whether a function is given a request's body in base64.
    pub(super) fn has_content_type(&self, content_type: Option<&str>) -> bool {
        self.has(content_type.map(media_type))
    }

    /// Whether a body that a function answers in base64 goes out decoded: the first type that the
    /// request accepts says, and no range of types stands for one.
    pub(super) fn has_accepted(&self, accept: Option<&str>) -> bool {
        let first = accept.and_then(|accept| accept.split(',').next());
        self.has(first.map(media_type))
    }

    fn has(&self, media_type: Option<&str>) -> bool {
        let mut types = self.0.iter();
        types.any(|own| own == EVERY || media_type.is_some_and(|it| own.eq_ignore_ascii_case(it)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(types: &[&str]) -> BinaryMediaTypes {
        BinaryMediaTypes(types.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn only_the_first_type_that_is_accepted_counts_and_only_by_its_own_name() {
        let image = types(&["image/png"]);
        for accept in ["image/png", "image/png;q=0.5, */*", "IMAGE/png,text/html"] {
            assert!(image.has_accepted(Some(accept)), "{accept}");
        }
        for accept in ["", "*/*", "image/*", "text/html, image/png", "image/png+x"] {
            assert!(!image.has_accepted(Some(accept)), "{accept}");
        }
        assert!(!image.has_accepted(None));
        assert!(!types(&["image/*"]).has_accepted(Some("image/png")));
        assert!(!types(&[]).has_accepted(Some("image/png")));
    }

    #[test]
    fn every_type_is_binary_where_the_api_says_so() {
        let every = types(&["*/*"]);
        for text in [None, Some("text/html"), Some("*/*")] {
            assert!(every.has_accepted(text) && every.has_content_type(text));
        }
    }

    #[test]
    fn the_type_of_a_body_counts_without_its_parameters() {
        let types = types(&["application/octet-stream"]);
        assert!(types.has_content_type(Some("application/octet-stream; a=b")));
        assert!(!types.has_content_type(Some("application/json")));
        assert!(!types.has_content_type(None));
    }
}
