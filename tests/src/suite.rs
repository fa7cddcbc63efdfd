//! What a test is, and which tests a target cannot be asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use libtest_mimic::{Arguments, Conclusion, Trial};

/// The tests that start gateways of their own run where the suite starts keygate itself.
pub const OWN_GATEWAY: &str = "own-gateway";

/// How many tests run at once for each core. Most of them wait: for an answer to expire, for a process to end.
const TESTS_PER_CORE: usize = 3;

/// All capabilities. One that is misspelt, in a test or in `GATEWAY_SKIP`, would skip nothing or too
/// much, and nobody would see it.
const CAPABILITIES: [&str; 18] = [
    OWN_GATEWAY,
    "access-log",
    "any-method",
    "authorizer-flush",
    "chromium",
    "crash",
    "encoded-slash",
    "gateway-responses",
    "node",
    "node-client",
    "python",
    "python-client",
    "request-id",
    "restart",
    "second-address",
    "small-disk",
    "symbols",
    "usage-plans",
];

/// One test of a target `T`: a sentence, what the target must be capable of, and the check, which
/// panics.
#[derive(Debug)]
pub struct Test<T: 'static> {
    /// The function's path.
    pub name: &'static str,
    /// Capabilities; the test is skipped where one of them is lacking.
    pub needs: &'static [&'static str],
    /// The check.
    pub run: fn(&T),
}

/// Lists functions as tests named like them: `tests! { for Target: a_test; another needs "x"; }`.
#[macro_export]
macro_rules! tests {
    (for $target:ty: $($name:ident $(needs $($capability:literal),+)?;)*) => {
        /// The tests of this topic.
        pub(crate) const TESTS: &[$crate::suite::Test<$target>] = &[$(
            $crate::suite::Test {
                name: concat!(module_path!(), "::", stringify!($name)),
                needs: &[$($($capability),+)?],
                run: $name,
            }
        ),*];
    };
}

/// What the target lacks, and why: `GATEWAY_SKIP` as `capability=reason;capability=reason`.
#[derive(Debug, Default, Clone)]
pub struct Lacks(BTreeMap<String, String>);

impl Lacks {
    /// Reads the list; a capability without a reason has none given.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let entries = text
            .split(';')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        Self(
            entries
                .map(|entry| entry.split_once('=').unwrap_or((entry, "no reason given")))
                .map(|(name, reason)| (name.trim().to_owned(), reason.trim().to_owned()))
                .collect(),
        )
    }

    /// The capability is lacking too.
    pub fn add(&mut self, capability: &str, reason: &str) {
        self.0.insert(capability.to_owned(), reason.to_owned());
    }

    /// Why the capability is lacking; `None` when it is there.
    #[must_use]
    pub fn reason(&self, capability: &str) -> Option<&str> {
        self.0.get(capability).map(String::as_str)
    }

    /// Why a test is to be skipped, if it is.
    fn reason_to_skip<T>(&self, test: &Test<T>) -> Option<&str> {
        test.needs.iter().find_map(|capability| {
            assert_known(capability, test.name);
            self.reason(capability)
        })
    }
}

#[track_caller]
fn assert_known(capability: &str, named_by: &str) {
    assert!(
        CAPABILITIES.contains(&capability),
        "{named_by} names {capability}; there are {CAPABILITIES:?}"
    );
}

/// Runs the tests of all topics, after naming those that are skipped; [`TESTS_PER_CORE`] at once, unless the
/// arguments say how many.
pub fn run<T: Send + Sync + 'static>(
    arguments: &Arguments,
    topics: &[&[Test<T>]],
    target: &Arc<T>,
    lacks: &Lacks,
) -> Conclusion {
    for capability in lacks.0.keys() {
        assert_known(capability, "GATEWAY_SKIP");
    }
    let mut skipped = 0;
    let mut trials = Vec::new();
    for test in topics.iter().copied().flatten() {
        let name = test
            .name
            .split_once("::")
            .map_or(test.name, |(_, name)| name);
        let lacking = lacks.reason_to_skip(test);
        if let Some(reason) = lacking {
            println!("skipped {name}: {reason}");
            skipped += 1;
        }
        let (run, target) = (test.run, Arc::clone(target));
        let trial = Trial::test(name, move || {
            run(&target);
            Ok(())
        });
        trials.push(trial.with_ignored_flag(lacking.is_some()));
    }
    let count = trials.len();
    let mut chosen = arguments.clone();
    chosen.test_threads = arguments.test_threads.or_else(|| {
        let cores = thread::available_parallelism().ok()?;
        Some(cores.get() * TESTS_PER_CORE)
    });
    let conclusion = libtest_mimic::run(&chosen, trials);
    println!("{skipped} of {count} tests skipped");
    conclusion
}
