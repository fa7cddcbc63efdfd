//! The routes that need a credential, as policies see them: one for each method, since a star in place
//! of the method would take in any path behind it.

use std::collections::HashMap;

use keygate_principal::scope::Scope;
use keygate_routes::{Access, METHODS, Route, RouteMethod, RouteTable};

use crate::pattern::{Part, Pattern, Token, meet, requests};

/// One method of a route.
#[derive(Debug)]
pub(crate) struct Shape<'t> {
    pub(crate) route: &'t Route,
    pub(crate) pattern: Pattern<'t>,
    pub(crate) requests: Vec<Token<'t>>,
    /// The same requests with a slash at the end.
    behind_slash: Vec<Token<'t>>,
    /// The scopes that open it, by number; `None` where any credential does.
    openers: Option<Vec<usize>>,
}

/// All of them, in the order in which API Gateway prefers them: a position names a route.
#[derive(Debug)]
pub(crate) struct Shapes<'t> {
    routes: Vec<Shape<'t>>,
    scopes: Vec<&'t Scope>,
    /// By the number of a scope, what it opens.
    by_scope: Vec<Vec<usize>>,
    /// What any credential opens.
    by_any: Vec<usize>,
    /// By their method and first part, where that is a literal.
    by_first_part: HashMap<(&'t str, &'t str), Vec<usize>>,
    /// The others.
    by_variable: Vec<usize>,
}

impl Shape<'_> {
    /// Whether a scope opens it; `None` is a credential without any.
    pub(crate) fn is_open_to(&self, scope: Option<usize>) -> bool {
        match (&self.openers, scope) {
            (None, _) => true,
            (Some(openers), Some(scope)) => openers.contains(&scope),
            (Some(_), None) => false,
        }
    }

    /// Whether a caller to whom `other` is closed can have this one open.
    pub(crate) fn opens_without(&self, other: &Self) -> bool {
        match (&self.openers, &other.openers) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(own), Some(others)) => own.iter().any(|scope| !others.contains(scope)),
        }
    }

    /// Whether a request can be on both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        meet(&self.requests, &other.requests)
    }

    /// Whether a pattern with these tokens takes in a request of the route, one with a slash at the
    /// end included.
    fn is_taken_in(&self, pattern: &[Token<'_>]) -> bool {
        meet(pattern, &self.requests) || meet(pattern, &self.behind_slash)
    }

    /// The same for requests without a slash at the end.
    pub(crate) fn is_met_by(&self, pattern: &Pattern<'_>) -> bool {
        meet(&pattern.tokens(), &self.requests)
    }
}

impl<'t> Shapes<'t> {
    pub(crate) fn of(table: &'t RouteTable) -> Self {
        let scopes: Vec<&Scope> = table.scopes().into_iter().collect();
        let numbers: HashMap<&Scope, usize> = scopes.iter().copied().zip(0..).collect();
        let mut all = Self {
            routes: Vec::new(),
            by_scope: vec![Vec::new(); scopes.len()],
            by_any: Vec::new(),
            scopes,
            by_first_part: HashMap::new(),
            by_variable: Vec::new(),
        };
        for route in table.by_preference() {
            let openers = match &route.access {
                Access::Public => continue,
                Access::AnyCredential => None,
                Access::AnyOf(scopes) => {
                    let openers = scopes.iter().filter_map(|scope| numbers.get(scope));
                    Some(openers.copied().collect())
                }
            };
            match &route.method {
                RouteMethod::One(method) => all.add(route, method.as_str(), openers),
                RouteMethod::Any => {
                    for method in &METHODS {
                        // What has a route of its own is not the route's.
                        let served = table.of_resource(method, route.path.as_str());
                        if served == Some(route) {
                            all.add(route, method.as_str(), openers.clone());
                        }
                    }
                }
            }
        }
        all
    }

    fn add(&mut self, route: &'t Route, method: &'t str, openers: Option<Vec<usize>>) {
        let position = self.routes.len();
        let pattern = Pattern::of(method, &route.path);
        match pattern.parts().get(1) {
            Some(Part::Text(first)) => {
                let alike = self.by_first_part.entry((method, first)).or_default();
                alike.push(position);
            }
            _ => self.by_variable.push(position),
        }
        match &openers {
            None => self.by_any.push(position),
            Some(openers) => openers
                .iter()
                .for_each(|scope| self.by_scope[*scope].push(position)),
        }
        let requests = requests(method, &route.path);
        let behind_slash = [requests.as_slice(), &[Token::Is("")]].concat();
        self.routes.push(Shape {
            route,
            pattern,
            requests,
            behind_slash,
            openers,
        });
    }

    pub(crate) fn all(&self) -> &[Shape<'t>] {
        &self.routes
    }

    /// The routes that a scope opens by itself; `None` is any credential, which opens its own to the
    /// holder of a scope too.
    pub(crate) fn opened_by(&self, scope: Option<usize>) -> &[usize] {
        scope.map_or(&self.by_any, |scope| &self.by_scope[scope])
    }

    /// Every scope, by its number.
    pub(crate) fn scopes(&self) -> &[&'t Scope] {
        &self.scopes
    }

    /// The routes that the requests of a pattern with a slash at its end are on, its stars one part
    /// each; those that API Gateway prefers first, down to one that serves them all.
    pub(crate) fn with_slash(&self, pattern: &Pattern<'_>) -> Vec<usize> {
        let requests = pattern.shortest();
        let mut on = Vec::new();
        for position in self.taken_in(pattern) {
            let Some(shape) = self.routes.get(position) else {
                continue;
            };
            let is_root = shape.route.path.segments().is_empty();
            let own = if is_root {
                &shape.requests
            } else {
                &shape.behind_slash
            };
            if meet(&requests, own) {
                on.push(position);
                if shape.pattern.is_same_but_for_slash(pattern) {
                    break;
                }
            }
        }
        on
    }

    /// The routes that a pattern takes in, if only a part of their requests, those
    /// that API Gateway prefers first.
    pub(crate) fn taken_in(&self, pattern: &Pattern<'_>) -> Vec<usize> {
        let tokens = pattern.tokens();
        let taken_in = |position: &usize| {
            let shape = self.routes.get(*position);
            shape.is_some_and(|shape| shape.is_taken_in(&tokens))
        };
        // Nothing but a star, or a variable of the other, takes another first part.
        if let [Part::Text(method), Part::Text(first), ..] = pattern.parts()
            && !first.is_empty()
        {
            let alike = self.by_first_part.get(&(*method, *first)).into_iter();
            let alike = alike.flatten();
            let candidates = alike.chain(&self.by_variable).copied();
            let mut found: Vec<usize> = candidates.filter(taken_in).collect();
            found.sort_unstable();
            return found;
        }
        (0..self.routes.len()).filter(taken_in).collect()
    }
}
