//! From a rule's text to what is evaluated, or to where the text is wrong.
//!
//! CEL would find a misspelled name only when it meets it, at a token; here it is an error at start.

use std::sync::Arc;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::parser::PrattParser;
use cel::parser::pratt_parser::{Lexer, TokenKind};
use cel::{Context, Env, ExecutionError, ParseErrors};
use regex_lite::RegexBuilder;

use super::compiled::{Patterns, Rule, VARIABLES, context};
use super::turns;

/// The longest rule in bytes. An environment variable of Lambda holds less than 4 KiB, all together.
const MAX_LENGTH: usize = 4096;
/// The most parts that a rule may have: names, literals, operators and calls, macros expanded.
/// Evaluation goes as deep as they nest.
const MAX_PARTS: usize = 1000;
/// How deep its calls, lists and macros may nest, for which the parser needs a stack.
const MAX_NESTING: u16 = 32;
/// The longest pattern of `matches`, and the largest that it may compile to, both in bytes.
const MAX_PATTERN: usize = 256;
const MAX_PATTERN_SIZE: usize = 64 * 1024;

/// How many values the standard functions take, the one before the dot included.
const ARGUMENTS: [(&str, usize); 12] = [
    ("contains", 2),
    ("startsWith", 2),
    ("endsWith", 2),
    ("matches", 2),
    ("size", 1),
    ("string", 1),
    ("bytes", 1),
    ("int", 1),
    ("uint", 1),
    ("double", 1),
    ("bool", 1),
    ("type", 1),
];
/// Operators and functions that give something else than true or false.
const NEVER_TRUE: [&str; 13] = [
    operators::ADD,
    operators::SUBSTRACT,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::NEGATE,
    "size",
    "string",
    "bytes",
    "int",
    "uint",
    "double",
    "type",
];

/// A rule that cannot be right, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub(crate) struct MalformedRule {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    pub(crate) reason: String,
}

impl Rule {
    /// Compiles a rule.
    pub(crate) fn compile(source: &str) -> Result<Self, MalformedRule> {
        compile(source)
    }
}

fn compile(source: &str) -> Result<Rule, MalformedRule> {
    if source.len() > MAX_LENGTH {
        let reason = format!("a rule is at most {MAX_LENGTH} bytes long");
        return Err(malformed_at(source, source.len(), reason));
    }
    let parser = PrattParser::new()
        .max_expression_node_count(MAX_PARTS)
        .max_recursion_depth(MAX_NESTING);
    let expression = parser
        .parse(source)
        .map_err(|errors| first(source, &errors))?;
    let environment = Arc::new(Env::stdlib());
    let mut names = Names {
        source,
        known: known(&environment),
        scope: VARIABLES.to_vec(),
        patterns: Patterns::new(),
    };
    names.check(&expression)?;
    names.check_truth(&expression)?;
    turns::check(&expression)
        .map_err(|(element, endless)| names.at_variable(element, endless.to_string()))?;
    Ok(Rule {
        source: source.to_owned(),
        patterns: Arc::new(names.patterns),
        environment,
        expression,
    })
}

/// The standard names, to look up whether there is one.
fn known(environment: &Arc<Env>) -> Context<'static, 'static> {
    context(environment, &Arc::new(Patterns::new()))
}

/// The first of the parser's errors; those that follow come of it. The parser counts columns in bytes.
fn first(source: &str, errors: &ParseErrors) -> MalformedRule {
    let error = errors.errors.first();
    let (line, column) = error.map_or((1, 1), |error| error.pos);
    let from_1 = |number: isize| usize::try_from(number).unwrap_or(1).max(1);
    let (line, column) = (from_1(line), from_1(column));
    let text = source.split('\n').nth(line - 1).unwrap_or_default();
    let before = text.char_indices().take_while(|(at, _)| at + 1 < column);
    let reason = error.map_or("it cannot be read", |error| error.msg.as_str());
    MalformedRule {
        line,
        column: before.count() + 1,
        reason: reason.trim_start_matches("Syntax error: ").to_owned(),
    }
}

fn malformed_at(source: &str, offset: usize, reason: String) -> MalformedRule {
    let before = source.get(..offset).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    MalformedRule {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        reason,
    }
}

/// Holds every name of a rule against what there is.
struct Names<'s, 'e> {
    source: &'s str,
    known: Context<'static, 'static>,
    /// The variables, and those of the macros around the part that is looked at.
    scope: Vec<&'e str>,
    patterns: Patterns,
}

impl<'e> Names<'_, 'e> {
    fn check(&mut self, part: &'e IdedExpr) -> Result<(), MalformedRule> {
        match &part.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.check_variable(name, part),
            Expr::Select(select) => self.check(&select.operand),
            Expr::List(list) => list.elements.iter().try_for_each(|part| self.check(part)),
            Expr::Call(call) => self.check_call(call),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.check(&entry.key)?;
                    self.check(&entry.value)
                }
                EntryExpr::StructField(field) => self.check(&field.value),
            }),
            Expr::Struct(message) => Err(self.at(
                &message.type_name,
                format!("there is no message type {}", message.type_name),
            )),
            Expr::Comprehension(macro_) => {
                self.check(&macro_.iter_range)?;
                self.check(&macro_.accu_init)?;
                let outer = self.scope.len();
                self.scope.push(&macro_.iter_var);
                self.scope.push(&macro_.accu_var);
                self.scope.extend(macro_.iter_var2.as_deref());
                for inner in [&macro_.loop_cond, &macro_.loop_step, &macro_.result] {
                    self.check(inner)?;
                }
                self.scope.truncate(outer);
                Ok(())
            }
        }
    }

    fn check_variable(&self, name: &str, part: &IdedExpr) -> Result<(), MalformedRule> {
        // The names of types are values too, as in `type(claims.aud) == list`.
        if self.scope.contains(&name) || self.known.resolve(part).is_ok() {
            return Ok(());
        }
        let there_are = VARIABLES.join(" and ");
        let reason = format!("there is no variable {name}; there are {there_are}");
        Err(self.at_variable(name, reason))
    }

    fn check_call(&mut self, call: &'e CallExpr) -> Result<(), MalformedRule> {
        let name = call.func_name.as_str();
        // Operators have names that no rule can write.
        if name.starts_with(|first: char| first.is_ascii_alphabetic()) && !self.is_function(call) {
            return Err(self.at_call(name, format!("there is no function {name}")));
        }
        let given = call.args.len() + usize::from(call.target.is_some());
        if let Some((_, taken)) = ARGUMENTS.iter().find(|(known, _)| *known == name)
            && given != *taken
        {
            let reason = format!("{name} takes {taken} values, the one before its dot included");
            return Err(self.at_call(name, reason));
        }
        if name == "matches" {
            self.add_pattern(call)?;
        }
        let target = call.target.as_deref();
        target
            .into_iter()
            .chain(&call.args)
            .try_for_each(|part| self.check(part))
    }

    /// Refuses what is never true or false: an expression that cannot be a rule, whatever the token.
    fn check_truth(&self, part: &IdedExpr) -> Result<(), MalformedRule> {
        let never = match &part.expr {
            Expr::Literal(literal) => !matches!(literal, LiteralValue::Boolean(_)),
            Expr::List(_) | Expr::Map(_) => true,
            Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
                (
                    operators::LOGICAL_AND
                    | operators::LOGICAL_OR
                    | operators::LOGICAL_NOT
                    | operators::CONDITIONAL,
                    parts,
                ) => return parts.iter().try_for_each(|part| self.check_truth(part)),
                (name, _) => NEVER_TRUE.contains(&name),
            },
            _ => false,
        };
        if never {
            let reason =
                "a part of the rule is neither true nor false, whatever the token".to_owned();
            return Err(malformed_at(self.source, 0, reason));
        }
        Ok(())
    }

    /// Whether there is such a function, called on a value or not: with arguments of no type it
    /// fails either way, but not as an unknown one.
    fn is_function(&self, call: &CallExpr) -> bool {
        let null = |part: &IdedExpr| IdedExpr {
            id: part.id,
            expr: Expr::Literal(LiteralValue::Null),
        };
        let call = CallExpr {
            func_name: call.func_name.clone(),
            target: call.target.as_deref().map(|target| Box::new(null(target))),
            args: call.args.iter().map(null).collect(),
        };
        let tried = self.known.resolve(&IdedExpr {
            id: 0,
            expr: Expr::Call(call),
        });
        !matches!(tried, Err(ExecutionError::UndeclaredReference(_)))
    }

    fn add_pattern(&mut self, call: &CallExpr) -> Result<(), MalformedRule> {
        let Some(Expr::Literal(LiteralValue::String(pattern))) =
            call.args.last().map(|pattern| &pattern.expr)
        else {
            let reason = "the pattern of matches must be a literal".to_owned();
            return Err(self.at_call("matches", reason));
        };
        let text = pattern.inner();
        if text.len() > MAX_PATTERN {
            let reason = format!("a pattern is at most {MAX_PATTERN} bytes long");
            return Err(self.at_call("matches", reason));
        }
        let regex = RegexBuilder::new(text)
            .size_limit(MAX_PATTERN_SIZE)
            .build()
            .map_err(|error| self.at_call("matches", error.to_string()))?;
        self.patterns.insert(text.to_owned(), regex);
        Ok(())
    }

    /// An error about a name, at the first place where the rule has it.
    fn at(&self, name: &str, reason: String) -> MalformedRule {
        self.at_first(name, |_, _| true, reason)
    }

    /// The same for a variable, which is no member of something else.
    fn at_variable(&self, name: &str, reason: String) -> MalformedRule {
        self.at_first(name, |before, _| before != TokenKind::TokDot, reason)
    }

    /// The same for a function, which is called.
    fn at_call(&self, name: &str, reason: String) -> MalformedRule {
        let is_called = |_, after: &str| after.trim_start().starts_with('(');
        self.at_first(name, is_called, reason)
    }

    fn at_first(
        &self,
        name: &str,
        may_stand: impl Fn(TokenKind, &str) -> bool,
        reason: String,
    ) -> MalformedRule {
        let mut lexer = Lexer::new(self.source);
        let mut before = TokenKind::TokEnd;
        loop {
            let token = lexer.lex();
            if matches!(token.kind, TokenKind::TokEnd | TokenKind::TokError) {
                return malformed_at(self.source, 0, reason);
            }
            let after = self.source.get(token.end..).unwrap_or_default();
            if self.source.get(token.start..token.end) == Some(name) && may_stand(before, after) {
                return malformed_at(self.source, token.start, reason);
            }
            if token.kind != TokenKind::TokWhitespace {
                before = token.kind;
            }
        }
    }
}
