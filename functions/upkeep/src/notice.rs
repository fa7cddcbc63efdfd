//! What a person reads of keys that are about to expire. It holds no secret: nothing but what `keygate keys
//! list` shows.

use std::fmt::Write as _;

use jiff::Timestamp;
use keygate_issuing::Expiring;
use keygate_visible::{line, shortened};

/// How many keys a notice names. A message of SNS has 256 KiB at most ("Publish", SNS API reference), and a
/// person reads fewer.
const MOST: usize = 100;
/// How many characters of a name or an owner are shown, who have chosen them.
const SHOWN: usize = 80;
/// How many characters a subject has, at most: fewer than 100 ("Publish", SNS API reference).
const SUBJECT: usize = 96;

/// A message to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// Where the keys are, as `keygate keys` is told it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'a str,
    pub(crate) stack: Option<&'a str>,
}

impl Notice {
    /// The notice of keys that are due, the soonest first, of so many that expire within the days.
    pub(crate) fn of(due: &[&Expiring], expiring: usize, days: u64, place: Place<'_>) -> Self {
        let count = counted(due.len(), "API key expires", "API keys expire");
        let of_stack = place.stack.map_or_else(
            || format!("of the table {}", place.table),
            |stack| format!("of the stack {stack}"),
        );
        let subject = format!("Keygate: {count} soon, {of_stack}");
        let within = counted(days, "day", "days");
        let mut text = format!(
            "{count} {of_stack}, each at its time in UTC. From then on it is refused, with 401.\n\n"
        );
        for key in due.iter().take(MOST) {
            text.push_str(&entry(key));
        }
        if let Some(more) = due.len().checked_sub(MOST).filter(|more| *more > 0) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "and {more} more.");
        }
        let list = command("list", place);
        let _ = write!(
            text,
            "\nWithin {within} {}, those of earlier notices among them:\n\n    \
             {list} --expiring-within {days}\n\n\
             The list says when each was used last. One that nobody needs may end by itself. For one \
             that is needed, issue another (POST /keys, or keygate keys create), hand it out, and have \
             the former end, or revoke it. An expiry is for good: keygate keys rotate gives a key a new \
             secret, and leaves its expiry as it is. docs/keys.md and docs/runbook.md say more.\n",
            counted(expiring, "key expires", "keys expire"),
        );
        Self {
            subject: shortened(&line(&subject), SUBJECT).into_owned(),
            text,
        }
    }
}

fn entry(key: &Expiring) -> String {
    let record = &key.record;
    let shown = |text: &str| shortened(&line(text), SHOWN).into_owned();
    let plan = record.usage_plan.as_deref().unwrap_or("-");
    format!(
        "- {} {}, \"{}\" of {}, plan {}\n",
        record.expires_at.map_or_else(|| "-".to_owned(), time),
        record.id,
        shown(&record.name),
        shown(&record.owner),
        shown(plan),
    )
}

fn command(name: &str, place: Place<'_>) -> String {
    let mut command = format!("keygate keys {name} --table {}", place.table);
    if let Some(stack) = place.stack {
        let _ = write!(command, " --stack {stack}");
    }
    command
}

fn counted(count: impl TryInto<u64>, one: &str, several: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    }
}

fn time(epoch_seconds: u64) -> String {
    let seconds = i64::try_from(epoch_seconds).ok();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| epoch_seconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use keygate_api_key::ApiKey;
    use keygate_key_record::{KeyRecord, Metadata, Status};

    use super::*;

    /// 2027-01-15T08:00:00Z.
    const THEN: u64 = 1_800_000_000;
    const PLACE: Place<'_> = Place {
        table: "keygate-dev-KeyTable-1",
        stack: Some("keygate-dev"),
    };

    fn key(owner: &str, name: &str) -> (Expiring, ApiKey) {
        let key = ApiKey::generate().unwrap();
        let record = KeyRecord {
            id: key.id().clone(),
            secret: key.secret_hash(),
            previous: None,
            owner: owner.to_owned(),
            name: name.to_owned(),
            scopes: "books:read".parse().unwrap(),
            status: Status::Active,
            created_at: 1_000,
            expires_at: Some(THEN),
            usage_key: Some("keygate-usage-000000000000".to_owned()),
            usage_key_id: None,
            usage_plan: Some("partner".to_owned()),
            allowed_cidrs: Vec::new(),
            metadata: Metadata::default(),
        };
        (record.into(), key)
    }

    #[test]
    fn a_notice_says_which_keys_end_when_whose_they_are_and_what_to_do() {
        let (one, _) = key("team-a", "nightly import");
        let notice = Notice::of(&[&one], 3, 14, PLACE);
        let subject = "Keygate: 1 API key expires soon, of the stack keygate-dev";
        assert_eq!(notice.subject, subject);
        let entry = format!(
            "- 2027-01-15T08:00:00Z {}, \"nightly import\" of team-a, plan partner\n",
            one.record.id
        );
        for words in [
            "1 API key expires of the stack keygate-dev",
            &entry,
            "Within 14 days 3 keys expire",
            "keygate keys list --table keygate-dev-KeyTable-1 --stack keygate-dev --expiring-within 14\n",
            "issue another",
        ] {
            assert!(notice.text.contains(words), "{words}: {}", notice.text);
        }
    }

    #[test]
    fn a_notice_holds_no_part_of_a_secret() {
        let (one, secret) = key("team-a", "nightly import");
        let notice = Notice::of(&[&one], 1, 7, PLACE);
        let written = format!("{} {}", notice.subject, notice.text);
        let whole = secret.expose();
        let behind_the_id = whole.rsplit('_').next().unwrap();
        for hidden in [behind_the_id, &one.record.secret.to_hex(), "keygate-usage-"] {
            assert!(!written.contains(hidden), "{written}");
        }
    }

    #[test]
    fn a_notice_of_many_keys_names_the_first_and_counts_the_others() {
        let keys: Vec<Expiring> = (0..MOST + 12).map(|_| key("me", "one").0).collect();
        let due: Vec<&Expiring> = keys.iter().collect();
        let notice = Notice::of(&due[..MOST], MOST, 7, PLACE);
        assert!(!notice.text.contains("\nand "), "{}", notice.text);
        let notice = Notice::of(&due, keys.len(), 7, PLACE);
        assert_eq!(notice.text.matches("\n- ").count(), MOST);
        assert!(notice.text.contains("\nand 12 more.\n"), "{}", notice.text);
        assert!(notice.text.contains(keys[MOST - 1].record.id.as_str()));
        assert!(!notice.text.contains(keys[MOST].record.id.as_str()));
    }

    #[test]
    fn no_name_or_owner_makes_a_notice_longer_than_sns_takes_or_hides_anything_in_it() {
        let (name, owner) = ("\u{1f511}".repeat(128), "\u{202e}\n".repeat(256));
        let keys: Vec<Expiring> = (0..=MOST).map(|_| key(&owner, &name).0).collect();
        let due: Vec<&Expiring> = keys.iter().collect();
        let stack = "k".repeat(128);
        let table = "t".repeat(255);
        let place = Place {
            table: &table,
            stack: Some(&stack),
        };
        let notice = Notice::of(&due, usize::MAX, u64::MAX, place);
        assert!(notice.text.len() < 256 * 1024, "{}", notice.text.len());
        assert!(!notice.text.contains('\u{202e}'));
        assert!(notice.subject.chars().count() < 100, "{}", notice.subject);
        assert!(notice.subject.ends_with("..."), "{}", notice.subject);
    }

    #[test]
    fn a_table_without_a_stack_is_named_by_itself() {
        let (one, _) = key("me", "one");
        let place = Place {
            stack: None,
            ..PLACE
        };
        let notice = Notice::of(&[&one], 1, 1, place);
        let subject = "Keygate: 1 API key expires soon, of the table keygate-dev-KeyTable-1";
        assert_eq!(notice.subject, subject);
        assert!(
            notice.text.contains("Within 1 day 1 key expires"),
            "{}",
            notice.text
        );
        assert!(!notice.text.contains("--stack"), "{}", notice.text);
    }
}
