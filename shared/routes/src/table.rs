//! The table itself: its text, and what it says about a request.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use http::Method;
use keygate_principal::scope::Scope;

use crate::access::Access;
use crate::method::{METHODS, RouteMethod, UnknownMethod};
use crate::path::{MalformedPath, ResourcePath, Segment};
use crate::resources::Resources;

/// The most routes that a table has. API Gateway makes 300 resources of an API, with up to seven
/// methods each, before somebody asks for more.
pub const MAX_ROUTES: usize = 2_400;

/// One line of the table: a method on a resource, and what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: RouteMethod,
    /// The resource.
    pub path: ResourcePath,
    /// What a caller must show.
    pub access: Access,
    /// The line of the table, from 1.
    pub line: usize,
}

/// Every route that is open to somebody, in the order of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTable {
    routes: Vec<Route>,
    /// The positions of routes, those first that API Gateway prefers.
    by_specificity: Vec<usize>,
}

/// Where a table is wrong, and why: one line to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct MalformedTable {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl Route {
    /// Whether this is where API Gateway sends what no other route serves: `ANY` on `/` or on
    /// `/{proxy+}`, without a credential. No path has a method by it.
    #[must_use]
    pub fn is_fallback(&self) -> bool {
        let ([] | [Segment::Greedy(_)]) = self.path.segments() else {
            return false;
        };
        self.method == RouteMethod::Any && self.access == Access::Public
    }
}

impl RouteTable {
    /// The routes, in the order of the table.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route that API Gateway takes for a request: of those that have the method, or `ANY`, the
    /// one whose resource is the most specific. `path` is below the stage and not percent-decoded.
    #[must_use]
    pub fn resolve(&self, method: &Method, path: &str) -> Option<&Route> {
        let fits = |route: &&Route| route.method.takes(method) && route.path.matches(path);
        self.by_preference().find(fits)
    }

    /// The route of a method on a resource as API Gateway names it: `/books/{id}`.
    #[must_use]
    pub fn of_resource(&self, method: &Method, resource_path: &str) -> Option<&Route> {
        let fits =
            |route: &&Route| route.method.takes(method) && route.path.as_str() == resource_path;
        self.by_preference().find(fits)
    }

    /// The methods that a path really has, `OPTIONS` left out: preflight is nobody's own. None when
    /// no route has the path.
    #[must_use]
    pub fn methods_of(&self, path: &str) -> Vec<Method> {
        let on_path = self
            .by_preference()
            .filter(|route| route.path.matches(path));
        let on_path: Vec<&Route> = on_path.collect();
        let has = |method: &Method| {
            let route = on_path.iter().find(|route| route.method.takes(method));
            *method != Method::OPTIONS && route.is_some_and(|route| !route.is_fallback())
        };
        METHODS
            .iter()
            .filter(|method| has(method))
            .cloned()
            .collect()
    }

    /// Every scope that opens something.
    #[must_use]
    pub fn scopes(&self) -> BTreeSet<&Scope> {
        let of_routes = self.routes.iter().map(|route| route.access.scopes());
        of_routes.flatten().collect()
    }

    /// The routes, those first that API Gateway prefers: a literal part before a variable, that
    /// before one that takes the whole rest, and a method of its own before `ANY`.
    pub fn by_preference(&self) -> impl Iterator<Item = &Route> {
        let positions = self.by_specificity.iter();
        positions.filter_map(|position| self.routes.get(*position))
    }
}

impl FromStr for RouteTable {
    type Err = MalformedTable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut routes = Vec::new();
        let mut resources = Resources::default();
        let mut seen: HashMap<&str, Vec<RouteMethod>> = HashMap::new();
        for (line, text) in (1..).zip(text.lines()) {
            let malformed = |reason: String| MalformedTable { line, reason };
            let Some((path, route)) = route(line, text).map_err(malformed)? else {
                continue;
            };
            let reason = resources.add(&route.path).err();
            if let Some(conflict) = reason {
                return Err(malformed(conflict.to_string()));
            }
            let methods: &mut Vec<RouteMethod> = seen.entry(path).or_default();
            if methods.contains(&route.method) {
                let twice = format!("{} {} is in the table twice", route.method, route.path);
                return Err(malformed(twice));
            }
            methods.push(route.method.clone());
            if routes.len() == MAX_ROUTES {
                return Err(malformed(format!(
                    "a table has at most {MAX_ROUTES} routes"
                )));
            }
            routes.push(route);
        }
        if routes.is_empty() {
            let reason = "the table has no route, and so nothing is open".to_owned();
            return Err(MalformedTable { line: 1, reason });
        }
        let mut by_specificity: Vec<usize> = (0..routes.len()).collect();
        by_specificity.sort_by_cached_key(|position| {
            let route = &routes[*position];
            (route.path.specificity(), route.method == RouteMethod::Any)
        });
        Ok(Self {
            routes,
            by_specificity,
        })
    }
}

/// One line: nothing, or `METHOD PATH SCOPE...`, and perhaps a comment. Its path comes back as it
/// stands there too.
fn route(line: usize, text: &str) -> Result<Option<(&str, Route)>, String> {
    let words: Vec<&str> = text
        .split_whitespace()
        .take_while(|word| !word.starts_with('#'))
        .collect();
    let [method, path, access @ ..] = words.as_slice() else {
        return match words.as_slice() {
            [] => Ok(None),
            _ => Err("a line is METHOD PATH SCOPE..., such as GET /books books:read".to_owned()),
        };
    };
    let route = Route {
        method: method
            .parse()
            .map_err(|error: UnknownMethod| shortened(&error))?,
        path: path
            .parse()
            .map_err(|error: MalformedPath| shortened(&error))?,
        access: read_access(access)?,
        line,
    };
    Ok(Some((path, route)))
}

fn read_access(words: &[&str]) -> Result<Access, String> {
    match words {
        [] => Err(
            "no scope opens it: write one, or * for any accepted credential, or - for none"
                .to_owned(),
        ),
        ["-"] => Ok(Access::Public),
        ["*"] => Ok(Access::AnyCredential),
        words if words.contains(&"-") || words.contains(&"*") => {
            Err("* and - stand alone: no scope can be named beside them".to_owned())
        }
        words => {
            let mut scopes: Vec<Scope> = Vec::with_capacity(words.len());
            for word in words {
                let scope = word.parse::<Scope>();
                let scope = scope.map_err(|error| shortened(&format!("`{word}`: {error}")))?;
                if scopes.contains(&scope) {
                    return Err(format!("the scope {scope} is named twice"));
                }
                scopes.push(scope);
            }
            Ok(Access::AnyOf(scopes))
        }
    }
}

/// A reason that quotes the table, at a length that a log line carries.
fn shortened(reason: &impl ToString) -> String {
    const MAX_CHARACTERS: usize = 300;
    keygate_visible::shortened(&reason.to_string(), MAX_CHARACTERS).into_owned()
}

#[cfg(test)]
mod tests;
