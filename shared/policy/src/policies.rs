//! The policies of all callers, from the route table.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use keygate_principal::scope::{Scope, Scopes};

use crate::arn::MethodArn;
use crate::policy::{Policy, PolicyTooLarge};

/// What each scope opens, made once. A caller's policy is put together from it.
#[derive(Debug)]
pub struct Policies {
    pub(crate) scopes: HashMap<Scope, Opened>,
    pub(crate) any_credential: Opened,
    pub(crate) guards: Vec<Guard>,
    pub(crate) patterns: Vec<Arc<str>>,
    pub(crate) longest: usize,
}

/// What a scope opens: routes and patterns, by their number.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub(crate) routes: Vec<usize>,
    pub(crate) allowed: Vec<usize>,
}

/// What is to be denied where a route is open or closed: patterns and routes, by their number.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// The route's line of the table.
    pub(crate) line: usize,
    /// What denies the route itself.
    pub(crate) denials: Vec<usize>,
    /// The routes that API Gateway prefers where both could be meant.
    pub(crate) preferred: Vec<usize>,
    /// What lies beyond the route.
    pub(crate) closers: Vec<Beyond>,
}

/// What a pattern takes in that is not on its route.
#[derive(Debug)]
pub(crate) struct Beyond {
    /// The pattern that denies it all, where that is ever of use.
    pub(crate) closer: Option<usize>,
    /// The routes that must all be closed for the closer to be of use.
    pub(crate) on_it: Vec<usize>,
    /// The routes to deny, where they are closed, in place of it.
    pub(crate) routes: Vec<usize>,
}

impl Policies {
    /// How long the longest policy can be, in bytes: that of no caller is longer.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The policy of a caller who holds these scopes, for the stage of the request.
    ///
    /// Routes that need no credential are not in it, because they have no authorizer.
    ///
    /// # Errors
    /// When the stage's name is so long that the policy is too.
    pub fn policy(&self, arn: &MethodArn, scopes: &Scopes) -> Result<Policy, PolicyTooLarge> {
        let mut open = vec![false; self.guards.len()];
        let mut allowed = vec![false; self.patterns.len()];
        let held = scopes.iter().filter_map(|scope| self.scopes.get(scope));
        for opened in held.chain([&self.any_credential]) {
            opened.routes.iter().for_each(|route| open[*route] = true);
            opened
                .allowed
                .iter()
                .for_each(|pattern| allowed[*pattern] = true);
        }
        let mut denied = vec![false; self.patterns.len()];
        for route in numbers(&open) {
            self.deny(route, &open, &mut denied);
        }
        let patterns = |chosen: &[bool]| {
            let chosen: Vec<_> = numbers(chosen)
                .map(|number| Arc::clone(&self.patterns[number]))
                .collect();
            chosen.into_iter()
        };
        let open_routes: HashSet<usize> = numbers(&open)
            .map(|route| self.guards[route].line)
            .collect();
        Policy::new(
            arn,
            open_routes.len(),
            patterns(&allowed),
            patterns(&denied),
        )
    }

    /// Marks what denies those of the routes that are closed.
    fn deny_closed(&self, routes: &[usize], open: &[bool], denied: &mut [bool]) {
        for closed in routes.iter().filter(|other| !open[**other]) {
            let denials = self.guards[*closed].denials.iter();
            denials.for_each(|pattern| denied[*pattern] = true);
        }
    }

    /// Marks what must be denied because a route is open.
    fn deny(&self, route: usize, open: &[bool], denied: &mut [bool]) {
        let guard = &self.guards[route];
        self.deny_closed(&guard.preferred, open, denied);
        for beyond in &guard.closers {
            let is_of_use = !beyond.on_it.iter().any(|other| open[*other]);
            match beyond.closer {
                Some(closer) if is_of_use => denied[closer] = true,
                _ => self.deny_closed(&beyond.routes, open, denied),
            }
        }
    }
}

fn numbers(chosen: &[bool]) -> impl Iterator<Item = usize> {
    let chosen = chosen.iter().enumerate();
    chosen.filter_map(|(number, chosen)| chosen.then_some(number))
}
