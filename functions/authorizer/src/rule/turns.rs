//! How often the parts of a rule may be evaluated. CEL has no loops but its macros, which go over
//! what the token holds; where they nest freely, a token could make them go on for minutes. So at
//! start it is seen to that they go over each value of a token once for each part that the rule
//! writes down, at most.

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, operators};

/// The most turns of macros over lists of the rule's own inside each other: the parts of one list,
/// times those of the next.
const MAX_WRITTEN: usize = 1000;

/// A macro that may go on for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Endless {
    #[error(
        "a macro inside another goes over a part of the element that the other one is at, or over \
         a list that the rule writes down"
    )]
    Nested,
    #[error("macros over lists that the rule writes down take over {MAX_WRITTEN} turns")]
    Written,
    #[error("a macro cannot go over what an addition, or a map to anything new, has made")]
    Grown,
}

/// Where a part of the rule stands.
#[derive(Debug, Clone, Default)]
struct Inside<'e> {
    /// What an inner macro may go over: the element of the innermost macro over something of the
    /// token, and those of macros over written lists in it.
    elements: Vec<&'e str>,
    /// The turns of the macros over written lists around the part.
    written: usize,
    /// Whether a macro around the part goes over something of the token.
    over_token: bool,
}

/// Finds the first macro that may go on for too long, by its variable's name.
pub(super) fn check(rule: &IdedExpr) -> Result<(), (&str, Endless)> {
    let outside = Inside {
        written: 1,
        ..Inside::default()
    };
    check_part(rule, &outside)
}

fn check_part<'e>(part: &'e IdedExpr, inside: &Inside<'e>) -> Result<(), (&'e str, Endless)> {
    if let Expr::Comprehension(macro_) = &part.expr {
        return check_macro(macro_, inside);
    }
    let mut parts = parts_of(&part.expr).into_iter();
    parts.try_for_each(|part| check_part(part, inside))
}

fn check_macro<'e>(
    macro_: &'e ComprehensionExpr,
    inside: &Inside<'e>,
) -> Result<(), (&'e str, Endless)> {
    let element = macro_.iter_var.as_str();
    let range = &macro_.iter_range;
    check_part(range, inside)?;
    if grows(range) {
        return Err((element, Endless::Grown));
    }
    let mut inner = inside.clone();
    if let Expr::List(_) | Expr::Map(_) = range.expr {
        inner.written = inner.written.saturating_mul(count(range));
        if inner.written > MAX_WRITTEN {
            return Err((element, Endless::Written));
        }
    } else {
        if inside.over_token && !is_part(range, &inside.elements) {
            return Err((element, Endless::Nested));
        }
        inner.over_token = true;
        inner.elements.clear();
    }
    inner.elements.push(element);
    let steps = [&macro_.loop_cond, &macro_.loop_step, &macro_.result];
    steps.iter().try_for_each(|step| check_part(step, &inner))
}

/// Whether a value may hold more than the token and the rule do.
fn grows(part: &IdedExpr) -> bool {
    match &part.expr {
        Expr::Call(call) if call.func_name == operators::ADD => true,
        Expr::Comprehension(macro_) => {
            let collects = matches!(macro_.accu_init.expr, Expr::List(_));
            collects && !keeps(&macro_.loop_step, &macro_.iter_var) || grows(&macro_.iter_range)
        }
        other => parts_of(other).into_iter().any(grows),
    }
}

/// Whether the step of `map` or `filter` only keeps elements of its range, or parts of them:
/// `so_far + [element]`, or that under a guard, and `so_far` itself otherwise.
fn keeps(step: &IdedExpr, element: &str) -> bool {
    match &step.expr {
        Expr::Ident(_) => true,
        Expr::Call(call) if call.func_name == operators::CONDITIONAL => {
            call.args.iter().skip(1).all(|part| keeps(part, element))
        }
        Expr::Call(call) if call.func_name == operators::ADD => {
            matches!(call.args.last().map(|added| &added.expr), Some(Expr::List(added))
                if added.elements.iter().all(|part| is_part(part, &[element])))
        }
        _ => false,
    }
}

/// Whether a value is one of these elements, or a part of one.
fn is_part(part: &IdedExpr, elements: &[&str]) -> bool {
    match &part.expr {
        Expr::Ident(name) => elements.contains(&name.as_str()),
        Expr::Select(select) => is_part(&select.operand, elements),
        Expr::Call(call) if call.func_name == operators::INDEX => {
            call.args.first().is_some_and(|of| is_part(of, elements))
        }
        Expr::Comprehension(macro_) => {
            keeps(&macro_.loop_step, &macro_.iter_var) && is_part(&macro_.iter_range, elements)
        }
        _ => false,
    }
}

/// How many parts an expression has, itself included.
fn count(part: &IdedExpr) -> usize {
    1 + parts_of(&part.expr).into_iter().map(count).sum::<usize>()
}

/// The parts right below one.
fn parts_of(expression: &Expr) -> Vec<&IdedExpr> {
    fn of_entry(entry: &EntryExpr) -> Vec<&IdedExpr> {
        match entry {
            EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
            EntryExpr::StructField(field) => vec![&field.value],
        }
    }
    match expression {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Vec::new(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map
            .entries
            .iter()
            .flat_map(|entry| of_entry(&entry.expr))
            .collect(),
        Expr::Struct(message) => message
            .entries
            .iter()
            .flat_map(|entry| of_entry(&entry.expr))
            .collect(),
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Comprehension(macro_) => vec![
            &macro_.iter_range,
            &macro_.accu_init,
            &macro_.loop_cond,
            &macro_.loop_step,
            &macro_.result,
        ],
    }
}
