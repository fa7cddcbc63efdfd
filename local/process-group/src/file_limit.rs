//! How many files a process may have open. Most systems give 1,024 at first, for the sake of programs that
//! call `select`, and far more to whoever asks. A gateway has a file for each connection.

use std::sync::OnceLock;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};

/// What the system gave at first.
static FIRST: OnceLock<Rlimit> = OnceLock::new();

/// Has this process take as many files as the system lets it.
pub fn raise() {
    let first = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: first.maximum,
        ..first
    };
    // Where it cannot be raised, what there is must do.
    if setrlimit(Resource::Nofile, raised).is_ok() {
        let _ = FIRST.set(first);
    }
}

/// Gives a process that this one has started what the system gave at first: a function has 1,024 on Lambda
/// too, and a program that calls `select`, or closes whatever it may have open, is to go on as it does
/// elsewhere.
pub(crate) fn restore(process: Pid) {
    #[cfg(target_os = "linux")]
    if let Some(first) = FIRST.get() {
        // It may have ended already.
        let _ = rustix::process::prlimit(Some(process), Resource::Nofile, *first);
    }
    // Elsewhere nobody can set another process's limits.
    #[cfg(not(target_os = "linux"))]
    let _ = process;
}
