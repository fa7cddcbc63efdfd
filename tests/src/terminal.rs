//! A terminal that nobody sits at: a pseudoterminal, of which what is shown goes to a file.

use std::fs::File;
use std::io;
use std::process::Stdio;
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Standard output and standard error of a program on a terminal. What they show goes to `shown`.
#[track_caller]
pub fn outputs(mut shown: File) -> [Stdio; 2] {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = File::options()
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let outputs = [theirs.try_clone().unwrap().into(), theirs.into()];
    // It ends with an error when the program's end is closed.
    thread::spawn(move || io::copy(&mut File::from(ours), &mut shown));
    outputs
}
