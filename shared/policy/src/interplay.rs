//! What the pattern of an open route takes in besides the route's own requests, and how a policy
//! denies it.
//!
//! There are two ways. A request can be on another route that API Gateway prefers: `GET /books/new`
//! is not on `GET /books/{id}`, and yet `GET/books/*` takes it in. And a star takes slashes, so that
//! a request that is not on the route at all is taken in: `GET /books/7/audit`, whether or not a route
//! of the table has it.
//!
//! A route that is preferred is denied by its own pattern. What lies beyond the route is denied by a
//! closer, the route's own pattern with a star doubled (`GET/books/*/*`), as long as no route that is
//! open to the caller lies there, and else by the patterns of those there that are closed.

use crate::pattern::{Part, Pattern};
use crate::shapes::Shapes;

/// What to look at where a route is open.
#[derive(Debug)]
pub(crate) struct Interplay<'t> {
    /// The routes that API Gateway prefers for a request that could be on either.
    pub(crate) preferred: Vec<usize>,
    /// What shuts off the requests beyond the route.
    pub(crate) closers: Vec<Closer<'t>>,
}

/// A pattern of requests that are not on a route, although the route's own pattern takes them in: for
/// one that ends with a variable also those on the resource above with a slash at the end.
#[derive(Debug)]
pub(crate) struct Closer<'t> {
    /// The pattern; `None` where it takes in requests that are open whenever the route is.
    pub(crate) pattern: Option<Pattern<'t>>,
    /// The routes that it denies: it is of use while all of them are closed.
    pub(crate) on_it: Vec<usize>,
    /// The routes to deny where it is of no use: those that it takes in, if only in part or with a
    /// slash at the end, and that can be closed.
    pub(crate) beyond: Vec<usize>,
}

/// The interplay of a route with all others.
pub(crate) fn of<'t>(position: usize, shapes: &Shapes<'t>) -> Interplay<'t> {
    let shape = &shapes.all()[position];
    let may_be_closed = |other: &usize| shape.opens_without(&shapes.all()[*other]);
    let taken_in = shapes.taken_in(&shape.pattern).into_iter();
    let preferred = taken_in
        .filter(|other| *other < position && shape.meets(&shapes.all()[*other]))
        .filter(may_be_closed);
    let doubled = doubled(&shape.pattern).into_iter().map(|pattern| {
        let beyond = shapes.taken_in(&pattern);
        // A slash at the end is not worth leaving open what no route has.
        let on_it = beyond.iter().copied();
        let on_it = on_it.filter(|other| shapes.all()[*other].is_met_by(&pattern));
        (on_it.collect(), beyond, pattern)
    });
    let above = shape.pattern.without_last().map(|pattern| {
        let on_it = shapes.with_slash(&pattern);
        (on_it.clone(), on_it, pattern)
    });
    let closers = doubled
        .chain(above)
        .filter_map(|(mut on_it, mut beyond, pattern)| {
            // Where a greedy variable follows, a longer run can be the route's own.
            let always_open = |other: &usize| *other == position || !may_be_closed(other);
            let is_usable = !on_it.iter().any(always_open);
            on_it.retain(may_be_closed);
            beyond.retain(|other| *other != position && may_be_closed(other));
            let is_needed = is_usable || !beyond.is_empty();
            is_needed.then_some(Closer {
                pattern: is_usable.then_some(pattern),
                on_it,
                beyond,
            })
        });
    Interplay {
        preferred: preferred.collect(),
        closers: closers.collect(),
    }
}

/// The pattern with each star doubled.
fn doubled<'t>(pattern: &Pattern<'t>) -> Vec<Pattern<'t>> {
    let stars = pattern.parts().iter().enumerate();
    let stars = stars.filter(|(_, part)| **part == Part::Star);
    let mut all: Vec<Pattern<'t>> = Vec::new();
    for (star, _) in stars {
        let doubled = pattern.doubled(star);
        if !all.contains(&doubled) {
            all.push(doubled);
        }
    }
    all
}

/// The patterns that deny a route: its own, and the same with a slash at the end.
pub(crate) fn denials<'t>(pattern: &Pattern<'t>) -> impl Iterator<Item = Pattern<'t>> {
    std::iter::once(pattern.clone()).chain(pattern.with_slash())
}
