//! Tables that no policy can say: where what must be denied takes in all of what must be open.

use keygate_routes::Route;

use crate::interplay::Interplay;
use crate::shapes::{Shape, Shapes};
use crate::unfit::UnfitTable;

/// Looks for three routes: one whose pattern takes in requests of a second, which is then denied by
/// its own pattern, and that takes in all requests of a third. Where a caller can have the first and
/// the third open and the second closed, no policy is right.
///
/// # Errors
/// When there are such routes.
pub(crate) fn check(shapes: &Shapes<'_>, interplay: &[Interplay<'_>]) -> Result<(), UnfitTable> {
    for (shape, interplay) in shapes.all().iter().zip(interplay) {
        for closed in &interplay.preferred {
            check_denied(shapes, &shapes.all()[*closed], &[shape])?;
        }
        for closer in &interplay.closers {
            for closed in &closer.beyond {
                let closed = &shapes.all()[*closed];
                match &closer.pattern {
                    None => check_denied(shapes, closed, &[shape])?,
                    // Denied by its own pattern only where another route there is open.
                    Some(_) => {
                        for open in closer.on_it.iter().map(|open| &shapes.all()[*open]) {
                            check_denied(shapes, closed, &[shape, open])?;
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

fn check_denied(
    shapes: &Shapes<'_>,
    closed: &Shape<'_>,
    open: &[&Shape<'_>],
) -> Result<(), UnfitTable> {
    if !open.iter().all(|open| open.opens_without(closed)) {
        return Ok(());
    }
    let taken_in = shapes.taken_in(&closed.pattern).into_iter();
    let mut taken_in = taken_in.map(|position| &shapes.all()[position]);
    let is_denied = |other: &&Shape<'_>| {
        other.route != closed.route
            && other.opens_without(closed)
            && closed.pattern.covers(&other.requests)
    };
    match taken_in.find(is_denied) {
        None => Ok(()),
        Some(denied) => Err(UnfitTable::Inseparable {
            open: named(denied.route),
            closed: named(closed.route),
            line: closed.route.line,
        }),
    }
}

fn named(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}
