//! The differences that there may be, and no others: `differences.txt`, section by section the rows of
//! `docs/fidelity.md`.

use crate::difference::Difference;

const LIST: &str = include_str!("differences.txt");
const PAGE: &str = include_str!("../../docs/fidelity.md");
/// Behind what the page's table begins.
const TABLE: &str = "| beside ministack |";

/// A line of the list. `*` stands for any text, and in an aspect for any one name.
#[derive(Debug)]
struct Line {
    number: usize,
    text: &'static str,
    parts: [&'static str; 4],
}

impl Line {
    fn covers(&self, difference: &Difference) -> bool {
        let [request, aspect, here, there] = self.parts;
        let is_any = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        let names = aspect.split('/').zip(difference.aspect.split('/'));
        is_any(request, &difference.request)
            && aspect.split('/').count() == difference.aspect.split('/').count()
            && names
                .into_iter()
                .all(|(pattern, name)| is_any(pattern, name))
            && is_any(here, &difference.here)
            && is_any(there, &difference.there)
    }
}

/// The lines, without those of headings and those that say something of the list.
fn lines() -> Vec<Line> {
    let lines = LIST.lines().enumerate();
    let lines = lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#'));
    lines
        .map(|(place, text)| {
            let parts: Vec<_> = text.split(" | ").collect();
            let parts = parts.try_into();
            let number = place + 1;
            Line {
                number,
                text,
                parts: parts.unwrap_or_else(|_| panic!("line {number} has not four parts: {text}")),
            }
        })
        .collect()
}

/// What is wrong with the list, about these differences: those that are not on it, and its lines for which
/// there is none.
pub(crate) fn held_against(found: &[Difference]) -> Vec<String> {
    let lines = lines();
    let is_listed = |one: &&Difference| lines.iter().any(|line| line.covers(one));
    let unlisted = found.iter().filter(|one| !is_listed(one));
    let gone = lines
        .iter()
        .filter(|line| !found.iter().any(|one| line.covers(one)));
    unlisted
        .map(|one| format!("not listed: {one}"))
        .chain(gone.map(|line| format!("line {} is true no more: {}", line.number, line.text)))
        .collect()
}

/// The list's headings.
pub(crate) fn headings() -> Vec<&'static str> {
    LIST.lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect()
}

/// The first column of the page's table.
pub(crate) fn rows() -> Vec<&'static str> {
    let table = PAGE.lines().skip_while(|line| !line.starts_with(TABLE));
    let table = table.take_while(|line| line.starts_with('|')).skip(2);
    table
        .map(|row| row.split('|').nth(1).unwrap().trim())
        .collect()
}
