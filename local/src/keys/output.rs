//! What the commands print: tables for people, JSON for programs.

use jiff::Timestamp;
use keygate_api_key::ApiKeyId;
use keygate_issuing::{Flush, Issued, Representation, Swept, WithKey};
use keygate_key_record::{KeyRecord, Status, now};
use serde::Serialize;
use serde_json::json;

use crate::cli::keys::Output;

/// Said where nobody flushed the stage.
const MAY_LAST: &str = "answers that are cached for the key may last until their time is over \
                        (AuthorizerCacheTtl): give --api and --stage to flush them";
const NO_SUCH_STAGE: &str = "there is no such API or stage to flush: answers that are cached for \
                             the key may last until their time is over (AuthorizerCacheTtl)";

/// Prints in one form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer {
    output: Output,
}

impl Printer {
    pub(super) fn new(output: Output) -> Self {
        Self { output }
    }

    /// A key with its secret, the once that it is shown: on a line of its own, to be copied.
    pub(super) fn issued(self, issued: &Issued) {
        if self.output == Output::Json {
            let record = Representation::at(now(), &issued.record);
            let key = issued.key.expose();
            return print_json(&WithKey { record, key });
        }
        print_record(&issued.record);
        println!("\nThe key, shown this once:\n\n{}", issued.key.expose());
    }

    pub(super) fn record(self, record: &KeyRecord) {
        match self.output {
            Output::Table => print_record(record),
            Output::Json => print_json(&Representation::at(now(), record)),
        }
    }

    pub(super) fn list(self, records: &[KeyRecord]) {
        if self.output == Output::Json {
            let now = now();
            let all = records.iter().map(|record| Representation::at(now, record));
            return print_json(&all.collect::<Vec<_>>());
        }
        let head = ["ID", "NAME", "OWNER", "SCOPES", "STATUS", "EXPIRES", "PLAN"];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(records.iter().map(|record| {
            [
                record.id.to_string(),
                printable(&record.name),
                printable(&record.owner),
                record.scopes.to_string(),
                status(record).to_owned(),
                record.expires_at.map_or_else(|| "-".to_owned(), time),
                record
                    .usage_plan
                    .as_deref()
                    .map_or_else(|| "-".to_owned(), printable),
            ]
        }));
        print!("{}", table(&rows));
    }

    pub(super) fn revoked(self, id: &ApiKeyId, flush: Flush) {
        if self.output == Output::Json {
            let flushed = flush == Flush::Done;
            let id = id.as_str();
            return print_json(&json!({"id": id, "status": "revoked", "flushed": flushed}));
        }
        println!("{id} is revoked.");
    }

    pub(super) fn swept(self, swept: &Swept) {
        if self.output == Output::Json {
            return print_json(swept);
        }
        println!("{:5} in order", swept.in_order);
        for (keys, what) in [
            (
                &swept.deleted,
                "deleted: usage keys whose key is gone, revoked or expired",
            ),
            (
                &swept.restored,
                "restored: usage keys that a key in use lacked",
            ),
            (
                &swept.young,
                "too young to be deleted: look again in 15 minutes",
            ),
        ] {
            println!("{:5} {what}", keys.len());
            for key in keys {
                println!("        {key}");
            }
        }
        println!("{:5} failed", swept.failed.len());
        for (key, reason) in &swept.failed {
            println!("        {key}: {reason}");
        }
    }
}

/// What has become of cached answers, if they are not gone. Beside the output, so that whoever
/// reads that by a program is told as well.
pub(super) fn cached(flush: Flush) {
    match flush {
        Flush::Done => {}
        Flush::NotAsked => eprintln!("keygate: {MAY_LAST}"),
        Flush::NoSuchStage => eprintln!("keygate: {NO_SUCH_STAGE}"),
    }
}

fn print_json(value: &impl Serialize) {
    // What is printed here has text for keys and no number that JSON lacks.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    println!("{text}");
}

fn print_record(record: &KeyRecord) {
    let mut fields = vec![
        ("ID", record.id.to_string()),
        ("NAME", printable(&record.name)),
        ("OWNER", printable(&record.owner)),
        ("SCOPES", record.scopes.to_string()),
        ("STATUS", status(record).to_owned()),
        ("CREATED", time(record.created_at)),
    ];
    let optional = [
        ("EXPIRES", record.expires_at.map(time)),
        ("PLAN", record.usage_plan.as_deref().map(printable)),
        ("USAGE KEY", record.usage_key.as_deref().map(printable)),
    ];
    fields.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    if !record.allowed_cidrs.is_empty() {
        fields.push(("NETWORKS", printable(&record.allowed_cidrs.join(" "))));
    }
    if let Some(previous) = record.former(now()) {
        fields.push(("FORMER UNTIL", time(previous.until)));
    }
    let rows: Vec<[String; 2]> = fields
        .into_iter()
        .map(|(name, value)| [name.to_owned(), value])
        .collect();
    print!("{}", table(&rows));
}

fn status(record: &KeyRecord) -> &'static str {
    if record.status == Status::Active && record.is_expired(now()) {
        return "expired";
    }
    record.status.as_str()
}

fn time(epoch_seconds: u64) -> String {
    let seconds = i64::try_from(epoch_seconds).ok();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| epoch_seconds.to_string(), |time| time.to_string())
}

/// A text that a client chose, without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

/// Rows with their columns below each other.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
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
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
