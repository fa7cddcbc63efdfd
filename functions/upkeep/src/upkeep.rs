//! One run: a person is told of keys that are about to expire, then usage keys are swept. A part that fails
//! keeps no other from being done. Both are safe to run twice at once, and again after a failure: what one run
//! has done, another finds in order, and what could not be noted of a notice is told again by the next.

use std::time::{Duration, SystemTime};

use keygate_issuing::{
    Expiring, Issuing, NoticeDays, StoreError, Sweep, SweepError, Swept, UsagePlans, Within,
};
use keygate_key_record::now;
use keygate_metrics::{Count, Metrics};
use tokio::time::{Instant, error::Elapsed, timeout_at};
use tracing::Level;
use tracing::field::display;

use crate::notice::{Notice, Place};
use crate::outcome::{Counts, Done, Undone};
use crate::topic::{NotPublished, Topic};

/// What is left of an invocation's time for its last lines and its answer.
const RESERVE: Duration = Duration::from_secs(2);

/// How many holders of usage keys the log names, of those that a sweep did one thing to.
const NAMED: usize = 100;

/// What a run works on.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pub(crate) issuing: Issuing,
    pub(crate) days: NoticeDays,
    /// Where a person reads notices; without it, that is the log.
    pub(crate) topic: Option<Topic>,
    pub(crate) stack: Option<String>,
    pub(crate) metrics: Metrics,
}

/// Why a person was not told, or will be told again.
#[derive(Debug, thiserror::Error)]
enum NoticeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the notice could not be published, and stands in the log alone: {0}")]
    NotPublished(#[from] NotPublished),
    #[error("a person was told of {0} keys without a note of it in the table, and will be again")]
    NotNoted(usize),
    #[error("it took too long")]
    TimedOut(#[from] Elapsed),
}

/// Why usage keys are not all in order.
#[derive(Debug, thiserror::Error)]
enum SweepFailure {
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error("{0} of the differences could not be put in order")]
    Incomplete(usize),
}

/// What became of the notice.
#[derive(Debug, Default)]
struct Told {
    /// Keys that expire within the days, where that is known.
    expiring: Option<usize>,
    noticed: usize,
    failure: Option<NoticeError>,
}

impl Upkeep {
    /// Does what is to be done, in the time until `deadline`, when the invocation ends.
    pub(crate) async fn run(&self, deadline: SystemTime) -> Result<Done, Undone> {
        let left = deadline.duration_since(SystemTime::now());
        let left = left.unwrap_or_default().saturating_sub(RESERVE);
        let begin = Instant::now();
        // The notice is little, and may not be kept waiting by a sweep that is much.
        let told = self.tell(begin + left / 2).await;
        let swept = self.sweep(begin + left).await;

        let mut failures = Vec::new();
        if let Some(error) = &told.failure {
            tracing::error!(%error, "the notice of keys about to expire failed");
            failures.push(format!("the notice of keys about to expire: {error}"));
        }
        if let Err(error) = &swept {
            tracing::error!(%error, "the sweep of usage keys failed");
            failures.push(format!("the sweep of usage keys: {error}"));
        }
        self.count(told.expiring.unwrap_or_default(), failures.len());
        match swept {
            Ok(swept) if failures.is_empty() => Ok(Done {
                expiring: told.expiring,
                noticed: told.noticed,
                swept,
            }),
            _ => Err(Undone(failures)),
        }
    }

    /// Writes that a run is over, with what CloudWatch counts of it.
    fn count(&self, expiring: usize, failures: usize) {
        let of_stack = |name, value| Count {
            dimensions: &[],
            name,
            value: u64::try_from(value).unwrap_or(u64::MAX),
        };
        let counts = [
            of_stack("KeysExpiring", expiring),
            of_stack("UpkeepFailures", failures),
        ];
        let metrics = self.metrics.beside(Level::INFO, &counts).map(display);
        tracing::info!(failures, metrics, "upkeep is over");
    }

    /// Tells a person of the keys of which it is time to.
    async fn tell(&self, deadline: Instant) -> Told {
        let mut told = Told::default();
        if let Some(days) = self.days.first() {
            told.failure = self.tell_within(days, deadline, &mut told).await.err();
        }
        told
    }

    async fn tell_within(
        &self,
        days: u64,
        deadline: Instant,
        told: &mut Told,
    ) -> Result<(), NoticeError> {
        let now = now();
        let store = &self.issuing.store;
        let found = timeout_at(deadline, store.expiring(Within::days(days, now)));
        let (expiring, malformed) = found.await??;
        for error in malformed {
            tracing::error!(%error, "left out of the notice");
        }
        told.expiring = Some(expiring.len());
        let due = expiring.iter().filter(|key| self.days.are_due(key, now));
        let due: Vec<&Expiring> = due.collect();
        tracing::info!(
            days,
            expiring = expiring.len(),
            due = due.len(),
            "keys about to expire were looked for"
        );
        if due.is_empty() {
            return Ok(());
        }
        let place = Place {
            table: store.table(),
            stack: self.stack.as_deref(),
        };
        let notice = Notice::of(&due, expiring.len(), days, place);
        self.publish(&notice, deadline).await?;
        told.noticed = due.len();
        self.note(&due, now, deadline).await
    }

    async fn publish(&self, notice: &Notice, deadline: Instant) -> Result<(), NoticeError> {
        let text = notice.text.as_str();
        let Some(topic) = &self.topic else {
            tracing::warn!(notice = text, "TOPIC_ARN is not set: this is the notice");
            return Ok(());
        };
        let published = timeout_at(deadline, topic.publish(notice)).await;
        let outcome = published.map_err(NoticeError::from);
        let outcome = outcome.and_then(|published| Ok(published?));
        match &outcome {
            Ok(()) => tracing::info!(subject = notice.subject, "a notice was published"),
            Err(error) => tracing::error!(notice = text, %error, "a notice was not published"),
        }
        outcome
    }

    /// Notes in the table that a person was told of the keys. They were told before, so that a failure has
    /// them told twice and not never.
    async fn note(
        &self,
        due: &[&Expiring],
        now: u64,
        deadline: Instant,
    ) -> Result<(), NoticeError> {
        let mut left = 0;
        for (noted, key) in due.iter().enumerate() {
            let note = timeout_at(deadline, self.issuing.store.note_notice(key, now));
            match note.await {
                // It may be gone meanwhile.
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, "a notice was not noted");
                    left += 1;
                }
                Err(_) => return Err(NoticeError::NotNoted(left + due.len() - noted)),
            }
        }
        if left > 0 {
            return Err(NoticeError::NotNoted(left));
        }
        Ok(())
    }

    /// Finishes what issuing and revoking left half done; as careful as the operator's without `--force`.
    async fn sweep(&self, deadline: Instant) -> Result<Option<Counts>, SweepFailure> {
        if self.issuing.plans().is_none_or(UsagePlans::is_empty) {
            return Ok(None);
        }
        let sweep = Sweep {
            deadline: Some(deadline),
            ..Sweep::default()
        };
        let swept = self.issuing.sweep(&sweep).await?;
        let counts = Counts::from(&swept);
        log(&swept, counts);
        if !swept.is_complete() {
            return Err(SweepFailure::Incomplete(swept.failed.len()));
        }
        Ok(Some(counts))
    }
}

/// One line of what a sweep did, and one each of the first that it could not do.
fn log(swept: &Swept, counts: Counts) {
    let Counts {
        in_order,
        deleted,
        restored,
        young,
    } = counts;
    tracing::info!(
        in_order,
        deleted,
        restored,
        young,
        failed = swept.failed.len(),
        deleted_of = listed(&swept.deleted),
        restored_of = listed(&swept.restored),
        "usage keys were swept"
    );
    for (holder, reason) in swept.failed.iter().take(NAMED) {
        tracing::error!(holder, reason, "a usage key is not in order");
    }
}

/// The first of a list that has any.
fn listed(holders: &[String]) -> Option<String> {
    let first: Vec<&str> = holders.iter().take(NAMED).map(String::as_str).collect();
    (!first.is_empty()).then(|| first.join(" "))
}
