//! Fewer resources for a scope, where the table is too large otherwise.
//!
//! A resource stands for several routes only where no route that the scope does not open could be
//! meant. What it may open besides is what the table does not list, below a prefix or by a method of
//! which the scope opens all that is listed; so it is done no further than the table's size demands.

use crate::pattern::{Part, Pattern};
use crate::shapes::Shapes;

/// How far resources are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// `GET/a/b/*` for all that begins with as many literal parts.
    BelowPrefix(usize),
    /// `*/a/b` and `*/a/b/*` for all that begins so, whatever the method.
    AnyMethod(usize),
    /// `GET/*`.
    WholeMethod,
    /// `*`.
    Everything,
}

/// The steps in their order, the least first.
pub(crate) fn steps(shapes: &Shapes<'_>) -> impl Iterator<Item = Step> {
    let parts = shapes.all().iter().map(|shape| shape.pattern.parts().len());
    let deepest = parts.max().unwrap_or_default();
    let prefixes = (1..deepest).rev();
    let below = prefixes.clone().map(Step::BelowPrefix);
    let any_method = prefixes.map(Step::AnyMethod);
    below
        .chain(any_method)
        .chain([Step::WholeMethod, Step::Everything])
}

/// Takes out what another of the patterns includes.
pub(crate) fn reduce(patterns: &mut Vec<Pattern<'_>>) {
    let mut at = 0;
    while at < patterns.len() {
        let mut others = patterns.iter().enumerate();
        let is_included = others.any(|(other, pattern)| {
            // Of two that are the same one stays.
            let counts = other < at || (other > at && *pattern != patterns[at]);
            counts && pattern.includes(&patterns[at])
        });
        if is_included {
            patterns.remove(at);
        } else {
            at += 1;
        }
    }
}

/// Takes a step with the resources of a scope, or of any credential (`None`). Whether that changed
/// anything.
pub(crate) fn take<'t>(
    step: Step,
    scope: Option<usize>,
    patterns: &mut Vec<Pattern<'t>>,
    shapes: &Shapes<'t>,
) -> bool {
    let mut is_changed = false;
    for candidate in candidates(step, patterns) {
        let members = patterns.iter().filter(|one| candidate.includes(one));
        let is_safe = || {
            let mut taken_in = shapes.taken_in(&candidate).into_iter();
            taken_in.all(|position| shapes.all()[position].is_open_to(scope))
        };
        if members.count() > 1 && is_safe() {
            patterns.retain(|one| !candidate.includes(one));
            patterns.push(candidate);
            is_changed = true;
        }
    }
    is_changed
}

/// What could stand for several of the patterns.
fn candidates<'t>(step: Step, patterns: &[Pattern<'t>]) -> Vec<Pattern<'t>> {
    let mut candidates: Vec<Pattern<'t>> = Vec::new();
    let mut add = |candidate: Option<Pattern<'t>>| {
        if let Some(candidate) = candidate.filter(|candidate| !candidates.contains(candidate)) {
            candidates.push(candidate);
        }
    };
    for pattern in patterns {
        match step {
            Step::BelowPrefix(length) => {
                let prefix = prefix(pattern, length).map(|prefix| [&pattern.parts()[..1], prefix]);
                add(prefix.map(|prefix| below(&prefix.concat())));
            }
            Step::AnyMethod(length) => {
                let prefix = prefix(pattern, length).map(|prefix| [&[Part::Star][..], prefix]);
                let prefix = prefix.map(|prefix| prefix.concat());
                add(prefix.as_deref().map(below));
                add(prefix.map(Pattern::new));
            }
            Step::WholeMethod => add(Some(below(&pattern.parts()[..1]))),
            Step::Everything => add(Some(below(&[]))),
        }
    }
    candidates
}

/// The first literal parts of a pattern's path, where it has as many.
fn prefix<'p, 't>(pattern: &'p Pattern<'t>, length: usize) -> Option<&'p [Part<'t>]> {
    let prefix = pattern.parts().get(1..=length)?;
    let is_literal = |part: &Part<'t>| matches!(part, Part::Text(text) if !text.is_empty());
    prefix.iter().all(is_literal).then_some(prefix)
}

fn below<'t>(parts: &[Part<'t>]) -> Pattern<'t> {
    Pattern::new([parts, &[Part::Star]].concat())
}
