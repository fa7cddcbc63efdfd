use std::io::{BufRead as _, BufReader, PipeReader, pipe};
use std::sync::Mutex;

use super::*;

/// Says so many lines of a kilobyte, each with its number.
fn say(lines: &Lines, count: usize) {
    for number in 0..count {
        lines.say(&format!("{number:1024}"));
    }
}

/// Reads up to the line that is this one.
fn read_to(reader: PipeReader, last: &str) -> Vec<String> {
    let lines = BufReader::new(reader).lines().map(Result::unwrap);
    let mut read = Vec::new();
    for line in lines {
        let is_last = line == last;
        read.push(line);
        if is_last {
            break;
        }
    }
    read
}

#[test]
fn what_nobody_reads_is_dropped_and_counted_where_it_is_missing() {
    let (reader, writer) = pipe().unwrap();
    let lines = Lines::to(writer, "pipe");
    // Far more than the pipe and the queue take.
    say(&lines, 8 * 1024);
    let reading = thread::spawn(|| read_to(reader, "the last"));
    lines.settle_until(Instant::now() + Duration::from_mins(1));
    lines.say("the last");
    let (mut next, mut dropped) = (0, 0);
    for line in reading.join().unwrap() {
        if let Some(rest) = line.strip_prefix("keygate: ") {
            let (count, words) = rest.split_once(' ').unwrap();
            assert_eq!(words, "lines dropped: nobody read them");
            let count: usize = count.parse().unwrap();
            (next, dropped) = (next + count, dropped + count);
        } else if line != "the last" {
            assert_eq!(line.trim_start(), next.to_string());
            next += 1;
        }
    }
    assert_eq!(next, 8 * 1024);
    assert!(dropped > 1024, "{dropped}");
}

#[test]
fn an_output_that_is_read_loses_nothing() {
    let (reader, writer) = pipe().unwrap();
    let lines = Lines::to(writer, "pipe");
    let reading = thread::spawn(|| read_to(reader, "the last"));
    for _ in 0..64 {
        say(&lines, 256);
        lines.settle_until(Instant::now() + Duration::from_mins(1));
    }
    lines.say("the last");
    assert_eq!(reading.join().unwrap().len(), 64 * 256 + 1);
}

#[test]
fn an_output_whose_other_end_is_closed_takes_everything_in_silence() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let lines = Lines::to(writer, "pipe");
    for _ in 0..3 {
        say(&lines, 2);
        lines.settle_until(Instant::now() + Duration::from_mins(1));
    }
    let state = lines.queue.locked();
    assert!(state.is_closed && state.bytes < 8 * 1024);
}

/// A disk that takes so many bytes.
struct Disk {
    room: Arc<Mutex<usize>>,
    kept: Arc<Mutex<Vec<u8>>>,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut room = self.room.lock().unwrap();
        let taken = bytes.len().min(*room);
        if taken == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        *room -= taken;
        self.kept.lock().unwrap().extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_for_a_full_disk_wait_and_none_is_lost_or_cut() {
    let (room, kept) = (Arc::new(Mutex::new(7)), Arc::default());
    let disk = Disk {
        room: Arc::clone(&room),
        kept: Arc::clone(&kept),
    };
    let lines = Lines::to(disk, "disk");
    let mut expected = String::new();
    for number in 0..100 {
        lines.say(&format!("line {number}"));
        writeln!(expected, "line {number}").unwrap();
    }
    lines.settle_until(Instant::now() + SETTLE);
    assert!(lines.is_behind());
    *room.lock().unwrap() = usize::MAX;
    lines.settle_until(Instant::now() + Duration::from_mins(1));
    assert!(!lines.is_behind());
    assert_eq!(
        String::from_utf8(kept.lock().unwrap().clone()).unwrap(),
        expected
    );
}

#[test]
fn a_line_of_the_log_stays_one_line_and_hides_nothing() {
    let (reader, writer) = pipe().unwrap();
    let mut lines = Lines::to(writer, "pipe");
    lines.write_all("a\nb\u{202e}\n".as_bytes()).unwrap();
    lines.say("the last");
    assert_eq!(read_to(reader, "the last")[0], r"a\u{a}b\u{202e}");
}
