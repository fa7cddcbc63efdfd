//! `REPORT`, Lambda's line at the end of an invocation ("Log request information", AWS Lambda guide).

use std::fmt;
use std::fs;
use std::time::Duration;

/// What an invocation took.
#[derive(Debug)]
pub(super) struct Report<'i> {
    pub(super) request_id: &'i str,
    pub(super) duration: Duration,
    /// How long the process took to start, where this is its first invocation.
    pub(super) init: Option<Duration>,
    /// What the function is given.
    pub(super) memory_mib: u32,
    /// The most that its process has used, where this machine tells.
    pub(super) used_mib: Option<u64>,
    pub(super) status: Status,
}

/// How an invocation, or the start of a process, has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    Success,
    /// The function answered an error of its own.
    FunctionError,
    /// The process is of no more use, for an error of this type.
    Error(String),
    Timeout,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What starts a process is billed too, and every millisecond that has begun.
        let billed = self.duration + self.init.unwrap_or_default();
        let billed = billed.as_nanos().div_ceil(1_000_000);
        write!(
            formatter,
            "REPORT RequestId: {}\tDuration: {}\tBilled Duration: {billed} ms\tMemory Size: {} MB",
            self.request_id,
            Milliseconds(self.duration),
            self.memory_mib
        )?;
        if let Some(used) = self.used_mib {
            write!(formatter, "\tMax Memory Used: {used} MB")?;
        }
        if let Some(init) = self.init {
            write!(formatter, "\tInit Duration: {}", Milliseconds(init))?;
        }
        self.status.fmt(formatter)
    }
}

/// As it stands at the end of a report. An error that the function answers is none to Lambda.
impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success | Self::FunctionError => Ok(()),
            Self::Error(kind) => write!(formatter, "\tStatus: error\tError Type: {kind}"),
            Self::Timeout => formatter.write_str("\tStatus: timeout"),
        }
    }
}

/// A duration as reports have it.
pub(super) struct Milliseconds(pub(super) Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.2} ms", self.0.as_secs_f64() * 1000.0)
    }
}

/// The most memory that a process and those below it have used, in MiB; `None` where the system does not
/// tell, as without `/proc`.
pub(super) fn most_memory_used(process: u32) -> Option<u64> {
    let kib = peak_kib(process)?;
    Some(kib.div_ceil(1024))
}

fn peak_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let own = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix(" kB")?
        .parse::<u64>()
        .ok()?;
    let children = format!("/proc/{process}/task/{process}/children");
    // A kernel need not have this file.
    let children = fs::read_to_string(children).unwrap_or_default();
    let children = children.split_ascii_whitespace();
    let below = children.filter_map(|child| peak_kib(child.parse().ok()?));
    Some(own + below.sum::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report<'static> {
        Report {
            request_id: "an-id",
            duration: Duration::from_micros(1_840),
            init: None,
            memory_mib: 128,
            used_mib: Some(30),
            status: Status::Success,
        }
    }

    #[test]
    fn a_report_has_lambdas_form() {
        assert_eq!(
            report().to_string(),
            "REPORT RequestId: an-id\tDuration: 1.84 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t\
             Max Memory Used: 30 MB"
        );
        let first = Report {
            init: Some(Duration::from_micros(75_390)),
            status: Status::FunctionError,
            ..report()
        };
        assert_eq!(
            first.to_string(),
            "REPORT RequestId: an-id\tDuration: 1.84 ms\tBilled Duration: 78 ms\tMemory Size: 128 MB\t\
             Max Memory Used: 30 MB\tInit Duration: 75.39 ms"
        );
        let failed = Report {
            duration: Duration::from_secs(3),
            used_mib: None,
            status: Status::Timeout,
            ..report()
        };
        assert_eq!(
            failed.to_string(),
            "REPORT RequestId: an-id\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\t\
             Status: timeout"
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_memory_of_a_process_is_told() {
        let used = most_memory_used(std::process::id()).unwrap();
        assert!((1..100_000).contains(&used), "{used}");
        assert_eq!(most_memory_used(u32::MAX), None);
    }
}
