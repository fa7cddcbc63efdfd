//! What a gateway withstands: clients that send no HTTP, too much, too little or too many requests,
//! functions and templates without measure, and a disk that is full. Whoever else there is, is served
//! meanwhile.

pub(crate) mod connections;
pub(crate) mod full_disk;
pub(crate) mod functions;
pub(crate) mod malformed;
pub(crate) mod slow;
pub(crate) mod templates;

use std::fs;

use keygate_tests::keygate::Keygate;

/// The most memory that a process has had so far, in MiB; 0 where the system does not tell.
fn most_memory(gateway: &Keygate) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.pid()));
    let status = status.unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let most = most.and_then(|most| most.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    most.unwrap_or_default() / 1024
}
