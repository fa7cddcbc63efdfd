//! What the commands print: tables for people, JSON for programs.

use std::fmt::Write as _;
use std::io;

use jiff::Timestamp;
use keygate_api_key::ApiKeyId;
use keygate_console::{print, warn};
use keygate_issuing::{Flush, Issued, LastUse, LastUsed, Representation, Swept, Usage, WithKey};
use keygate_key_record::{KeyRecord, Status, now};
use keygate_visible::line;
use serde::Serialize;
use serde_json::json;

use crate::cli::keys::Output;

/// Said where nobody flushed the stage.
const MAY_LAST: &str = "cached answers may last until their time is over \
                        (AuthorizerCacheTtl): give --api and --stage to flush them";
const NO_SUCH_STAGE: &str = "there is no such API or stage to flush: cached answers may last until \
                              their time is over (AuthorizerCacheTtl)";

/// Prints in one form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer {
    pub(super) output: Output,
}

impl Printer {
    pub(super) fn new(output: Output) -> Self {
        Self { output }
    }

    /// A key with its secret, the once that it is shown: on a line of its own, to be copied.
    pub(super) fn issued(self, issued: &Issued) -> io::Result<()> {
        if self.output == Output::Json {
            let record = Representation::at(now(), &issued.record);
            let key = issued.key.expose();
            return print_json(&WithKey { record, key });
        }
        let key = issued.key.expose();
        let record = table(&fields(&issued.record));
        print(&format!("{record}\nThe key, shown this once:\n\n{key}\n"))
    }

    pub(super) fn record(self, record: &KeyRecord) -> io::Result<()> {
        match self.output {
            Output::Table => print(&table(&fields(record))),
            Output::Json => print_json(&Representation::at(now(), record)),
        }
    }

    pub(super) fn list(self, records: &[KeyRecord], last_used: &LastUsed) -> io::Result<()> {
        if self.output == Output::Json {
            let now = now();
            let all = records.iter().map(|record| last_used.list(now, record));
            return print_json(&all.collect::<Vec<_>>());
        }
        let head = [
            "ID",
            "NAME",
            "OWNER",
            "SCOPES",
            "STATUS",
            "EXPIRES",
            "PLAN",
            "LAST USED",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(records.iter().map(|record| {
            [
                record.id.to_string(),
                record.name.clone(),
                record.owner.clone(),
                record.scopes.to_string(),
                status(record).to_owned(),
                record.expires_at.map_or_else(|| "-".to_owned(), time),
                record.usage_plan.clone().unwrap_or_else(|| "-".to_owned()),
                match last_used.of(now(), record) {
                    LastUse::On(day) => day.to_string(),
                    LastUse::NotSince => "-".to_owned(),
                    LastUse::Unknown => "?".to_owned(),
                },
            ]
        }));
        print(&table(&rows))
    }

    pub(super) fn usage(self, usage: &Usage) -> io::Result<()> {
        if self.output == Output::Json {
            return print_json(usage);
        }
        let mut rows = vec![["DAY".to_owned(), "REQUESTS".to_owned()]];
        let days = usage.days().iter();
        rows.extend(days.map(|day| [day.date.to_string(), day.requests.to_string()]));
        rows.push(["all".to_owned(), usage.requests().to_string()]);
        let left = usage
            .remaining()
            .map_or_else(|| "not known".to_owned(), |remaining| remaining.to_string());
        rows.push(["left".to_owned(), left]);
        print(&table(&rows))
    }

    pub(super) fn revoked(self, id: &ApiKeyId, flush: Flush) -> io::Result<()> {
        if self.output == Output::Json {
            let flushed = flush == Flush::Done;
            let id = id.as_str();
            return print_json(&json!({"id": id, "status": "revoked", "flushed": flushed}));
        }
        print(&format!("{id} is revoked.\n"))
    }

    pub(super) fn swept(self, swept: &Swept) -> io::Result<()> {
        if self.output == Output::Json {
            return print_json(swept);
        }
        // Writing to a String cannot fail.
        let mut text = String::new();
        if swept.dry_run {
            text.push_str("Nothing was changed; this is what would be.\n");
        }
        let _ = writeln!(text, "{:5} in order", swept.in_order);
        for (keys, what) in [
            (
                &swept.deleted,
                "deleted: usage keys whose key or client is gone, revoked or expired",
            ),
            (
                &swept.restored,
                "restored: usage keys that a key or client in use lacked",
            ),
            (
                &swept.young,
                "too young to be deleted, or kept for two hours after a change of the plan",
            ),
        ] {
            let _ = writeln!(text, "{:5} {what}", keys.len());
            for key in keys {
                let _ = writeln!(text, "        {}", line(key));
            }
        }
        let _ = writeln!(text, "{:5} failed", swept.failed.len());
        for (key, reason) in &swept.failed {
            let _ = writeln!(text, "        {}: {}", line(key), line(reason));
        }
        print(&text)
    }
}

/// What has become of cached answers, if they are not gone. Beside the output, so that whoever
/// reads that by a program is told as well.
pub(super) fn cached(flush: Flush) {
    match flush {
        Flush::Done => {}
        Flush::NotAsked => warn(&format!("keygate: {MAY_LAST}")),
        Flush::NoSuchStage => warn(&format!("keygate: {NO_SUCH_STAGE}")),
    }
}

pub(super) fn print_json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    print(&format!("{}\n", keygate_visible::json(&text)))
}

/// A record, a field a row.
fn fields(record: &KeyRecord) -> Vec<[String; 2]> {
    let mut fields = vec![
        ("ID", record.id.to_string()),
        ("NAME", record.name.clone()),
        ("OWNER", record.owner.clone()),
        ("SCOPES", record.scopes.to_string()),
        ("STATUS", status(record).to_owned()),
        ("CREATED", time(record.created_at)),
    ];
    let optional = [
        ("EXPIRES", record.expires_at.map(time)),
        ("PLAN", record.usage_plan.clone()),
        ("USAGE KEY", record.usage_key.clone()),
    ];
    fields.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    if !record.allowed_cidrs.is_empty() {
        fields.push(("NETWORKS", record.allowed_cidrs.join(" ")));
    }
    for (name, value) in record.metadata.iter() {
        fields.push(("METADATA", format!("{name}={value}")));
    }
    if let Some(previous) = record.former(now()) {
        fields.push(("FORMER UNTIL", time(previous.until)));
    }
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| [name.to_owned(), value])
        .collect()
}

fn status(record: &KeyRecord) -> &'static str {
    if record.status == Status::Active && record.is_expired(now()) {
        return "expired";
    }
    record.status.as_str()
}

pub(super) fn time(epoch_seconds: u64) -> String {
    let seconds = i64::try_from(epoch_seconds).ok();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| epoch_seconds.to_string(), |time| time.to_string())
}

/// Rows with their columns below each other, and nothing invisible in their cells, which clients
/// chose.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let cells = |row: &[String; N]| row.each_ref().map(|cell| line(cell).into_owned());
    let rows: Vec<[String; N]> = rows.iter().map(cells).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths);
        let padded: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["ID", "NAME"], ["a", "é"], ["long", "-"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "ID    NAME\na     é\nlong  -\n");
    }

    #[test]
    fn a_name_steers_no_terminal_and_shows_what_it_hides() {
        let rows = [["a\u{1b}[2J\n", "b"], ["nimda\u{202e}", "c"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "a\\u{1b}[2J\\u{a}  b\nnimda\\u{202e}    c\n");
    }
}
