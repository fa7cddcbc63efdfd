//! The most that evaluating a rule may cost, known before it is evaluated: CEL has no loops but its
//! macros, so the parts of a rule, how deep each stands inside macros, and the size of the token
//! bound it.

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use serde_json::Value;

use keygate_json::Object;

/// The most steps. One takes up to a fifth of a microsecond here, so that the worst rule with the
/// worst token takes 50 ms.
const MAX_STEPS: u64 = 250_000;
/// How many bytes of the token one step copies, compares or searches.
const BYTES_A_STEP: usize = 64;
/// The steps of a pattern for each of its bytes, counted repetitions written out.
const PATTERN_BYTE: u64 = 5;
/// The most steps of a pattern: what it may compile to is bounded.
const MAX_PATTERN: u64 = 5000;

/// Operators that work on true and false alone.
const OF_TRUTH: [&str; 5] = [
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::CONDITIONAL,
    operators::NOT_STRICTLY_FALSE,
];

/// What a rule can cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CostBound {
    /// The parts outside macros, inside one, inside two that nest, and so on.
    parts: Vec<Parts>,
    /// The longest list or map that the rule itself writes down.
    literal_length: usize,
    /// How often the rule adds, which may double a list or a text each time.
    additions: u32,
    /// How many `map`s make other elements than parts of those they go over: their results may hold
    /// the whole token once for each element.
    makers: u32,
}

/// How many parts stand at one depth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Parts {
    /// Names, literals and what works on true and false: a step each.
    plain: u64,
    /// Operators and functions that may have to look at all of the token.
    weighty: u64,
}

impl CostBound {
    /// The bound of a compiled rule.
    pub(super) fn of(expression: &IdedExpr) -> Self {
        let mut bound = Self::default();
        bound.add(expression, 0);
        bound
    }

    /// Whether the rule may be evaluated for a token.
    pub(super) fn allows(&self, header: &Object, claims: &Object) -> bool {
        let mut size = Size::default();
        size.add_object(header);
        size.add_object(claims);
        let doubled = 1_usize.checked_shl(self.additions).unwrap_or(usize::MAX);
        let length = size.length.max(self.literal_length).saturating_mul(doubled);
        let bytes = size.bytes.saturating_mul(doubled);
        let bytes = bytes.saturating_mul(length.max(1).saturating_pow(self.makers));
        let (length, weight) = (length as u64, 1 + (bytes / BYTES_A_STEP) as u64);
        let mut steps: u64 = 0;
        let mut turns: u64 = 1;
        for parts in &self.parts {
            let once = parts.weighty.saturating_mul(weight);
            let once = once.saturating_add(parts.plain);
            steps = steps.saturating_add(once.saturating_mul(turns));
            turns = turns.saturating_mul(length);
        }
        steps <= MAX_STEPS
    }

    fn at(&mut self, depth: usize) -> &mut Parts {
        if self.parts.len() <= depth {
            self.parts.resize(depth + 1, Parts::default());
        }
        &mut self.parts[depth]
    }

    fn add(&mut self, part: &IdedExpr, depth: usize) {
        self.at(depth).plain += 1;
        match &part.expr {
            Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
            Expr::Select(select) => self.add(&select.operand, depth),
            Expr::List(list) => {
                self.literal_length = self.literal_length.max(list.elements.len());
                list.elements.iter().for_each(|part| self.add(part, depth));
            }
            Expr::Map(map) => {
                self.literal_length = self.literal_length.max(map.entries.len());
                for entry in &map.entries {
                    self.add_entry(&entry.expr, depth);
                }
            }
            Expr::Struct(message) => {
                for entry in &message.entries {
                    self.add_entry(&entry.expr, depth);
                }
            }
            Expr::Call(call) => {
                if call.func_name == operators::ADD {
                    self.additions = self.additions.saturating_add(1);
                }
                self.at(depth).weighty += match call.func_name.as_str() {
                    "matches" => pattern_steps(call.args.last()),
                    name if OF_TRUTH.contains(&name) => 0,
                    _ => 1,
                };
                let target = call.target.as_deref();
                let parts = target.into_iter().chain(&call.args);
                parts.for_each(|part| self.add(part, depth));
            }
            Expr::Comprehension(macro_) => {
                if let Expr::List(_) = &macro_.accu_init.expr {
                    self.makers += u32::from(!keeps(&macro_.loop_step, &macro_.iter_var));
                }
                self.add(&macro_.iter_range, depth);
                self.add(&macro_.accu_init, depth);
                self.add(&macro_.result, depth);
                self.add(&macro_.loop_cond, depth + 1);
                self.add_step(&macro_.loop_step, &macro_.accu_var, depth + 1);
            }
        }
    }

    /// The step of `map`, `filter` and `exists_one` adds to what has come together so far, which is
    /// no addition of the rule's own and makes nothing longer than the range.
    fn add_step(&mut self, step: &IdedExpr, so_far: &str, depth: usize) {
        match &step.expr {
            Expr::Call(call)
                if call.func_name == operators::ADD
                    && call.args.first().is_some_and(
                        |first| matches!(&first.expr, Expr::Ident(name) if name == so_far),
                    ) =>
            {
                self.at(depth).plain += 1;
                call.args.iter().for_each(|part| self.add(part, depth));
            }
            Expr::Call(call) if call.func_name == operators::CONDITIONAL => {
                self.at(depth).plain += 1;
                for part in &call.args {
                    self.add_step(part, so_far, depth);
                }
            }
            _ => self.add(step, depth),
        }
    }

    fn add_entry(&mut self, entry: &EntryExpr, depth: usize) {
        match entry {
            EntryExpr::MapEntry(entry) => {
                self.add(&entry.key, depth);
                self.add(&entry.value, depth);
            }
            EntryExpr::StructField(field) => self.add(&field.value, depth),
        }
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
                if added.elements.iter().all(|part| is_part(part, element)))
        }
        _ => false,
    }
}

fn is_part(part: &IdedExpr, element: &str) -> bool {
    match &part.expr {
        Expr::Ident(name) => name == element,
        Expr::Select(select) => is_part(&select.operand, element),
        _ => false,
    }
}

/// A pattern is tried in each of its states at each byte.
fn pattern_steps(pattern: Option<&IdedExpr>) -> u64 {
    let Some(Expr::Literal(LiteralValue::String(pattern))) = pattern.map(|pattern| &pattern.expr)
    else {
        return MAX_PATTERN;
    };
    let pattern = pattern.inner();
    // Repetitions may nest, and then multiply.
    let written_out = pattern.split('{').skip(1).map(|counts| {
        let counts = counts.split('}').next().unwrap_or_default();
        let counts = counts.split(',').filter_map(|count| count.parse().ok());
        counts.max().unwrap_or(1_u64).max(1)
    });
    let bytes = written_out.fold(pattern.len() as u64, u64::saturating_mul);
    bytes.saturating_mul(PATTERN_BYTE).min(MAX_PATTERN)
}

/// How large a token is.
#[derive(Debug, Default)]
struct Size {
    /// The longest list or map.
    length: usize,
    /// The bytes of all names and values.
    bytes: usize,
}

impl Size {
    fn add(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => self.bytes += 8,
            Value::String(text) => self.bytes += 8 + text.len(),
            Value::Array(values) => {
                self.length = self.length.max(values.len());
                for value in values {
                    self.add(value);
                }
            }
            Value::Object(object) => self.add_object(object),
        }
    }

    fn add_object(&mut self, object: &Object) {
        self.length = self.length.max(object.len());
        for (name, value) in object {
            self.bytes += name.len();
            self.add(value);
        }
    }
}
