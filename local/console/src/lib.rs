//! Standard output and standard error. A gateway that serves says its [`Lines`] without waiting for
//! whoever reads them: a pipe that nobody reads fills up, and must hold up neither a request nor a
//! signal. A command that prints and ends waits for its reader, as programs do: [`print()`].

pub mod excerpt;
mod outputs;
mod queue;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

pub use self::outputs::Console;
use self::queue::{Entry, Queue, State};

/// How long the last lines may take. On a busy machine their threads may wait long for their turn; only
/// an output that nobody reads takes all of it.
const SETTLE: Duration = Duration::from_secs(2);
/// Under load the next lines are gathered for so long: to wake a thread for each takes longer than all else
/// that is done for it.
const GATHERING: Duration = Duration::from_millis(5);
/// So many writes with less than that between them are load.
const MANY_WRITES: u32 = 32;
/// With so many bytes at once there is no time for that.
const MANY_BYTES: usize = 64 * 1024;
/// Between two tries at a pipe that its other end has made one that does not wait, and at a disk that is
/// full.
const PAUSE: Duration = Duration::from_millis(10);
const PAUSE_FULL: Duration = Duration::from_millis(200);

/// Where lines are said. Each output is written by a thread of its own, which may wait for ever.
#[derive(Debug, Clone)]
pub struct Lines {
    queue: Arc<Queue>,
    /// Whether a person looks on.
    is_terminal: bool,
    /// Whether each line is to be an object of JSON.
    is_json: bool,
}

impl Lines {
    fn to_output(output: impl AsFd + IsTerminal, name: &str) -> Self {
        let is_terminal = output.is_terminal();
        let own = own(output);
        let lines = own.map_or_else(|_| Self::closed(), |output| Self::to(output, name));
        Self {
            is_terminal,
            ..lines
        }
    }

    /// Starts to write to an output, which has this name where something is said of it.
    pub fn to(mut output: impl Write + Send + 'static, name: &str) -> Self {
        let lines = Self::new();
        let queue = Arc::clone(&lines.queue);
        let output_name = name.to_owned();
        let name = "console".to_owned();
        let writer = thread::Builder::new().name(name).spawn(move || {
            let (mut writes, mut was_full) = (0_u32, false);
            while !queue.locked().is_closed {
                let asked = Instant::now();
                let text = text(queue.take(), was_full);
                let is_idle = asked.elapsed() >= GATHERING;
                writes = if is_idle { 0 } else { writes.saturating_add(1) };
                was_full = false;
                let outcome = write_all(&mut output, text.as_bytes(), |error| {
                    if !was_full {
                        let output = &output_name;
                        tracing::warn!(output, %error, "lines wait until there is room for them");
                    }
                    was_full = true;
                });
                queue.written(outcome);
                if writes >= MANY_WRITES && text.len() < MANY_BYTES {
                    thread::sleep(GATHERING);
                }
            }
        });
        match writer {
            Ok(_) => lines,
            Err(_) => Self::closed(),
        }
    }

    fn new() -> Self {
        Self {
            queue: Arc::default(),
            is_terminal: false,
            is_json: false,
        }
    }

    /// An output without another end.
    #[must_use]
    pub fn closed() -> Self {
        let lines = Self::new();
        lines.queue.locked().is_closed = true;
        lines
    }

    /// Whether a person looks on.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Whether what is said here may be coloured (<https://no-color.org>).
    #[must_use]
    pub fn has_colour(&self) -> bool {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        self.is_terminal && !refused
    }

    /// Whether each line is to be an object of JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    /// Says a line, or counts it as dropped where too much is waiting. Never waits.
    pub fn say(&self, line: &str) {
        if self.is_json {
            let line = serde_json::json!({"message": line}).to_string();
            self.add(Entry::Line(line));
        } else {
            self.add(Entry::Line(line.to_owned()));
        }
    }

    /// Says a line that is an object of JSON already.
    pub fn say_json(&self, line: &str) {
        self.add(Entry::Line(line.to_owned()));
    }

    /// Says text as it is: one that ends its line itself, or goes back to the line's start.
    pub fn say_part(&self, text: &str) {
        if self.is_json {
            text.lines().for_each(|line| self.say(line));
        } else {
            self.add(Entry::Part(text.to_owned()));
        }
    }

    fn add(&self, entry: Entry) {
        let mut state = self.queue.locked();
        if state.is_closed {
            return;
        }
        // Only then the writer waits.
        let is_first = state.waiting.is_empty();
        state.add(entry);
        drop(state);
        if is_first {
            self.queue.changed.notify_all();
        }
    }

    /// Waits a moment until what was said is written.
    pub fn settle(&self) {
        self.settle_until(Instant::now() + SETTLE);
    }

    /// Whether lines are not written.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        let state = self.queue.locked();
        !state.is_closed && (state.is_writing || !state.waiting.is_empty())
    }

    fn settle_until(&self, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        let is_busy =
            |state: &mut State| !state.is_closed && (state.is_writing || !state.waiting.is_empty());
        let state = self.queue.locked();
        // Whether it is done or not, there is no longer to wait.
        let _ = self.queue.changed.wait_timeout_while(state, left, is_busy);
    }
}

/// One line at each write, as the log has it.
impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        if self.is_json {
            self.say_json(&keygate_visible::json(text));
        } else {
            self.say(&keygate_visible::line(text));
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The entries as they are written; `was_full` is why lines were dropped, where it was not for their reader.
fn text(entries: VecDeque<Entry>, was_full: bool) -> String {
    let mut text = String::new();
    for entry in entries {
        // Writing to a String cannot fail.
        let _ = match entry {
            Entry::Line(line) => writeln!(text, "{line}"),
            Entry::Part(part) => write!(text, "{part}"),
            Entry::Dropped(lines) if was_full => {
                writeln!(text, "keygate: {lines} lines dropped: the disk was full")
            }
            Entry::Dropped(1) => writeln!(text, "keygate: 1 line dropped: nobody read it"),
            Entry::Dropped(lines) => {
                writeln!(text, "keygate: {lines} lines dropped: nobody read them")
            }
        };
    }
    text
}

/// Prints on standard output. An output whose other end is closed, as that of `keygate ... | head` is,
/// wants no more, and that is no error.
pub fn print(text: &str) -> io::Result<()> {
    let printed =
        own(io::stdout()).and_then(|mut output| write_whole(&mut output, &mut text.as_bytes()));
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Says a line on standard error, beside what a command prints.
pub fn warn(line: &str) {
    let line = format!("{line}\n");
    // There is nowhere else to say that it cannot be said.
    let _ = own(io::stderr()).and_then(|mut output| write_whole(&mut output, &mut line.as_bytes()));
}

/// An output itself, without the buffer and the lock of the standard library, which is flushed at the
/// process's end and would wait then.
fn own(output: impl AsFd) -> io::Result<File> {
    Ok(File::from(output.as_fd().try_clone_to_owned()?))
}

/// Writes all bytes, and waits while the disk is full: a line that is written in part is completed, and none
/// is lost.
fn write_all(
    output: &mut impl Write,
    mut bytes: &[u8],
    mut is_full: impl FnMut(&io::Error),
) -> io::Result<()> {
    loop {
        match write_whole(output, &mut bytes) {
            Err(error) if is_no_room(&error) => {
                is_full(&error);
                thread::sleep(PAUSE_FULL);
            }
            written => return written,
        }
    }
}

fn is_no_room(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// Writes bytes, and leaves those that could not be.
fn write_whole(output: &mut impl Write, bytes: &mut &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => *bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
