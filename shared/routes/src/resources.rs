//! The tree of resources: what API Gateway makes of several paths together.

use std::collections::HashMap;

use crate::path::{ResourcePath, Segment};

/// The resources of an API, to which paths are added one by one.
#[derive(Debug, Default)]
pub struct Resources {
    /// By the path above it, the variable that is there.
    variables: HashMap<String, Segment>,
}

/// Two variables in one place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the path `{path}` has {new} where another path has {known}: below one resource API Gateway \
     makes one variable, by one name"
)]
pub struct Conflict {
    path: String,
    new: String,
    known: String,
}

impl Resources {
    /// Adds a resource.
    ///
    /// # Errors
    /// When it has a variable where another resource has a different one.
    pub fn add(&mut self, path: &ResourcePath) -> Result<(), Conflict> {
        let slashes = path.as_str().match_indices('/');
        for (segment, (slash, _)) in path.segments().iter().zip(slashes) {
            if matches!(segment, Segment::Literal(_)) {
                continue;
            }
            let above = path.as_str().get(..slash).unwrap_or_default();
            let Some(known) = self.variables.get(above) else {
                self.variables.insert(above.to_owned(), segment.clone());
                continue;
            };
            if known != segment {
                return Err(Conflict {
                    path: path.to_string(),
                    new: written(segment),
                    known: written(known),
                });
            }
        }
        Ok(())
    }
}

fn written(segment: &Segment) -> String {
    match segment {
        Segment::Literal(text) => format!("`{text}`"),
        Segment::Variable(name) => format!("`{{{name}}}`"),
        Segment::Greedy(name) => format!("`{{{name}+}}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_one_resource_there_is_one_variable() {
        let mut resources = Resources::default();
        let mut add = |text: &str| resources.add(&text.parse().unwrap());
        for path in [
            "/a/{id}",
            "/a/{id}/b/{name}",
            "/b/{other}",
            "/{proxy+}",
            "/a/c/{x}",
        ] {
            assert_eq!(add(path), Ok(()), "{path}");
        }
        for path in ["/a/{other}", "/a/{proxy+}", "/{id}", "/a/{id}/b/{id}"] {
            assert!(add(path).is_err(), "{path}");
        }
        let error = add("/a/{other}/b").unwrap_err().to_string();
        assert!(
            error.contains("`{other}`") && error.contains("`{id}`"),
            "{error}"
        );
    }
}
