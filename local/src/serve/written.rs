//! Which changes nobody made: files that a build writes beside the code, and files that change each time
//! something is taken up, such as a log in the project's folder.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How soon behind a taking up a file has changed because of it.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How many times in a row that is believed to be a person's.
const MAX_IN_A_ROW: u32 = 5;

/// What was written while changes were taken up.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What changed in make's folders during its last build.
    during_last_build: BTreeSet<PathBuf>,
    /// What changed during two builds in a row: make's own.
    by_make: BTreeSet<PathBuf>,
    last: BTreeSet<PathBuf>,
    in_a_row: u32,
}

impl Written {
    /// What of `meanwhile` is to be taken up, after a build in these folders: not what make writes there. A
    /// file is known for that once it has changed during two builds in a row.
    pub(super) fn sources(
        &mut self,
        meanwhile: BTreeSet<PathBuf>,
        made: &[PathBuf],
    ) -> BTreeSet<PathBuf> {
        if made.is_empty() {
            return meanwhile;
        }
        let is_made = |path: &PathBuf| made.iter().any(|folder| path.starts_with(folder));
        let (of_build, mut sources): (BTreeSet<_>, BTreeSet<_>) =
            meanwhile.into_iter().partition(is_made);
        let again = of_build.intersection(&self.during_last_build);
        self.by_make.extend(again.cloned());
        sources.extend(of_build.difference(&self.by_make).cloned());
        self.during_last_build = of_build;
        sources
    }

    /// Whether these files change each time that something is taken up, the last time at `taken_up`.
    pub(super) fn goes_round(
        &mut self,
        files: &BTreeSet<PathBuf>,
        taken_up: Option<Instant>,
        now: Instant,
    ) -> bool {
        let is_soon = taken_up.is_some_and(|ended| now.duration_since(ended) < AT_ONCE);
        if is_soon && files.is_subset(&self.last) {
            self.in_a_row += 1;
        } else {
            self.in_a_row = 0;
        }
        self.last.clone_from(files);
        self.in_a_row >= MAX_IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files<const N: usize>(names: [&str; N]) -> BTreeSet<PathBuf> {
        names.map(PathBuf::from).into()
    }

    #[test]
    fn an_edit_during_a_build_is_taken_up_and_what_make_writes_is_not() {
        let mut written = Written::default();
        let made = [PathBuf::from("/p/code")];
        let edited = files(["/p/code/log", "/p/code/a.c"]);
        assert_eq!(written.sources(edited.clone(), &made), edited);
        assert_eq!(written.sources(files(["/p/code/log"]), &made), files([]));
        let edited = files(["/p/code/log", "/p/code/b.c", "/p/other"]);
        let sources = files(["/p/code/b.c", "/p/other"]);
        assert_eq!(written.sources(edited, &made), sources);
        assert_eq!(
            written.sources(files(["/p/code/log"]), &[]),
            files(["/p/code/log"])
        );
    }

    #[test]
    fn a_file_that_changes_each_time_is_told_from_one_that_is_edited() {
        let mut written = Written::default();
        let now = Instant::now();
        let mut goes_round = |names: &[&str], after| {
            let files = names.iter().map(PathBuf::from).collect();
            written.goes_round(&files, Some(now), now + after)
        };
        for _ in 0..=MAX_IN_A_ROW {
            assert!(!goes_round(&["a.py"], AT_ONCE * 2));
        }
        for _ in 1..MAX_IN_A_ROW {
            assert!(!goes_round(&["a.py"], Duration::ZERO));
        }
        assert!(goes_round(&["a.py"], Duration::ZERO));
        assert!(!goes_round(&["a.py", "log"], Duration::ZERO));
    }
}
