//! What a process writes to one of its outputs, read line by line and whatever it is: a function whose
//! output nobody takes stands still.

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::IgnoredAny;
use tokio::net::unix::pipe::Receiver;

use super::log::Log;

/// A longer line is shown in parts: CloudWatch Logs' own limit of an event, in bytes.
const MAX_LINE: usize = 256 * 1024;
/// How much is read at once.
const CHUNK: usize = 16 * 1024;
/// How much a pipe holds, on Linux and unless it is told otherwise.
const PIPE: usize = 64 * 1024;

/// One output of a process.
#[derive(Debug)]
pub(super) struct Output {
    pipe: Receiver,
    /// The beginning of a line whose end is not there yet. Whoever reads the pipe holds the lock, so that
    /// what was read is said before somebody else finds the pipe empty.
    beginning: Mutex<Vec<u8>>,
    log: Arc<Log>,
}

/// What there was to read.
enum Found {
    Some(usize),
    Nothing,
    End,
}

impl Output {
    /// Has the log tell what comes out of this pipe from now on.
    pub(super) fn follow(pipe: OwnedFd, log: &Arc<Log>) -> io::Result<Arc<Self>> {
        let output = Arc::new(Self {
            pipe: Receiver::from_owned_fd(pipe)?,
            beginning: Mutex::default(),
            log: Arc::clone(log),
        });
        let reading = Arc::clone(&output);
        tokio::spawn(async move {
            while reading.pipe.readable().await.is_ok() {
                let found = reading.read(|chunk| reading.pipe.try_read(chunk));
                if matches!(found, Found::End) {
                    return;
                }
                // A pipe that is never empty would keep the thread from everything else.
                tokio::task::yield_now().await;
            }
        });
        Ok(output)
    }

    /// Tells what the process has written so far. What it goes on to write meanwhile is left.
    pub(super) fn catch_up(&self) {
        let mut left = PIPE;
        // By the system alone: the runtime may not have noticed yet that there is something.
        let now = |chunk: &mut [u8]| Ok(rustix::io::read(&self.pipe, chunk)?);
        while let Found::Some(length) = self.read(now)
            && length < left
        {
            left -= length;
        }
    }

    /// Tells what an ended process has written, a line without an end included.
    pub(super) fn finish(&self) {
        self.catch_up();
        let mut beginning = self.beginning();
        self.say_rest(&mut beginning);
    }

    fn read(&self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> Found {
        let mut beginning = self.beginning();
        let mut chunk = [0; CHUNK];
        match read(&mut chunk) {
            Ok(length @ 1..) => {
                self.take(&mut beginning, chunk.get(..length).unwrap_or_default());
                Found::Some(length)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Found::Nothing,
            _ => {
                self.say_rest(&mut beginning);
                Found::End
            }
        }
    }

    /// Tells the lines that are whole now.
    fn take(&self, beginning: &mut Vec<u8>, read: &[u8]) {
        for part in read.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_LINE - beginning.len();
            let (fits, rest) = part.split_at(part.len().min(room));
            beginning.extend_from_slice(fits);
            if beginning.len() >= MAX_LINE || beginning.ends_with(b"\n") {
                self.say_rest(beginning);
            }
            beginning.extend_from_slice(rest);
            if rest.ends_with(b"\n") {
                self.say_rest(beginning);
            }
        }
    }

    fn say_rest(&self, beginning: &mut Vec<u8>) {
        if beginning.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(beginning);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        self.log
            .function_line(&shown(text.strip_suffix('\r').unwrap_or(text)));
        beginning.clear();
    }

    fn beginning(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        // No code panics while it holds the lock.
        self.beginning
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line without anything invisible, which means the same where it is JSON.
fn shown(line: &str) -> Cow<'_, str> {
    let is_json = || line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok();
    match keygate_visible::lines(line) {
        Cow::Owned(_) if is_json() => keygate_visible::json(line),
        shown => shown,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{PipeWriter, Write as _, pipe};

    use super::*;
    use crate::log::PlatformLines;
    use crate::outlet::Outlet;

    #[test]
    fn what_is_invisible_in_a_functions_line_is_shown_and_json_stays_json() {
        for (line, expected) in [
            ("a\tb\u{1b}[31mc\u{202e}", "a\tb\\u{1b}[31mc\\u{202e}"),
            ("{\"a\":\"b\u{202e}\"}", r#"{"a":"b\u202e"}"#),
            ("{\"a\":\u{202e}", r#"{"a":\u{202e}"#),
            (r#"{"a":"\u202e"}"#, r#"{"a":"\u202e"}"#),
        ] {
            assert_eq!(shown(line), expected);
        }
    }

    fn followed() -> (PipeWriter, Arc<Output>, Arc<Log>) {
        let (reader, writer) = pipe().unwrap();
        let log = Arc::new(Log::new("Fn", &Outlet::unread(), PlatformLines::Failures));
        let output = Output::follow(reader.into(), &log).unwrap();
        (writer, output, log)
    }

    #[tokio::test]
    async fn what_is_written_before_the_catching_up_is_told_after_it() {
        let (mut writer, output, log) = followed();
        for number in 0..200 {
            log.begin("a");
            writeln!(writer, "line {number}\r").unwrap();
            write!(writer, "begun {number}, ").unwrap();
            output.catch_up();
            let tail = String::from_utf8(log.tail_so_far()).unwrap();
            assert!(tail.ends_with(&format!("line {number}\n")), "{tail}");
            writeln!(writer).unwrap();
        }
        log.begin("a");
        write!(writer, "without an end").unwrap();
        drop(writer);
        output.finish();
        assert!(log.tail_so_far().ends_with(b"without an end\n"));
    }

    #[tokio::test]
    async fn a_line_over_the_limit_is_told_in_parts_and_nothing_of_it_is_lost() {
        let (mut writer, output, log) = followed();
        let writing = std::thread::spawn(move || {
            let line = "x".repeat(MAX_LINE + 10) + "\nnext\n";
            writer.write_all(line.as_bytes()).unwrap();
        });
        while !writing.is_finished() {
            output.catch_up();
            std::thread::yield_now();
        }
        writing.join().unwrap();
        output.finish();
        assert!(log.tail_so_far().ends_with(b"x\nxxxxxxxxxx\nnext\n"));
    }
}
