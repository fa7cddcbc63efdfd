//! Which changes nobody made: files that a build writes beside the code, and files that change each time
//! something is taken up, such as a log in the project's folder.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// How soon behind a taking up a file has changed because of it.
const AT_ONCE: Duration = Duration::from_millis(500);
/// How many times in a row that is believed to be a person's.
const MAX_IN_A_ROW: u32 = 10;

/// What was written while changes were taken up.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What has changed while nothing was built: a person's.
    edited: BTreeSet<PathBuf>,
    /// What changed in make's folders during its last build.
    during_last_build: BTreeSet<PathBuf>,
    /// What changed during two builds in a row, and is no person's: make's own.
    by_make: BTreeSet<PathBuf>,
    last: BTreeSet<PathBuf>,
    in_a_row: u32,
}

impl Written {
    /// Takes these files for a person's, which have changed so long after the last taking up: but not those
    /// that the last build has written to just before.
    pub(super) fn edited(&mut self, files: &BTreeSet<PathBuf>, after: Duration) {
        let by_build = |file: &&PathBuf| {
            self.by_make.contains(*file) || self.during_last_build.contains(*file)
        };
        let edited = files
            .iter()
            .filter(|file| after >= AT_ONCE || !by_build(file));
        let edited: Vec<PathBuf> = edited.cloned().collect();
        self.by_make.retain(|file| !edited.contains(file));
        self.edited.extend(edited);
    }

    /// What of `meanwhile` is to be taken up, after a build in these folders: not what make writes there. A
    /// file is known for that once it has changed during two builds in a row, and never besides.
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
        let again = again.filter(|file| !self.edited.contains(*file));
        self.by_make.extend(again.cloned());
        sources.extend(of_build.difference(&self.by_make).cloned());
        self.during_last_build = of_build;
        sources
    }

    /// Whether these files change each time that something is taken up; the last time it was so long ago.
    pub(super) fn goes_round(&mut self, files: &BTreeSet<PathBuf>, after: Duration) -> bool {
        if after < AT_ONCE && files.is_subset(&self.last) {
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
    fn what_a_person_has_edited_is_taken_up_during_each_build() {
        let mut written = Written::default();
        let made = [PathBuf::from("/p/code")];
        let (source, both) = (
            files(["/p/code/a.c"]),
            files(["/p/code/a.c", "/p/code/log"]),
        );
        for _ in 0..2 {
            written.sources(both.clone(), &made);
        }
        // As little is known of what changes right behind a build.
        written.edited(&both, Duration::ZERO);
        assert_eq!(written.sources(both.clone(), &made), files([]));
        written.edited(&source, AT_ONCE);
        for _ in 0..3 {
            assert_eq!(written.sources(both.clone(), &made), source);
        }
    }

    #[test]
    fn a_file_that_changes_each_time_is_told_from_one_that_is_edited() {
        let mut written = Written::default();
        let mut goes_round = |names: &[&str], after| {
            let files = names.iter().map(PathBuf::from).collect();
            written.goes_round(&files, after)
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
