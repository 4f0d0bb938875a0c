//! Which erasures a journal has followed, on disk, and how far its server is in the list of all.
//!
//! What is on disk are the names of erasures, not how many there were: a list that is made anew, or put back from a copy, has other names
//! under the numbers of before, and is followed all the same, each erasure once.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The wait before an erasure that failed is tried again, which doubles each time, up to the longest.
const AGAIN: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(300);

/// One who is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) seq: i64,
    pub(super) id: String,
}

pub(super) struct Followed {
    path: PathBuf,
    ids: HashSet<String>,
    /// The last in the list that was looked at; all up to it are followed, or failed. None until the list was read from its beginning.
    at: Option<Listed>,
    failed: BTreeMap<i64, Failed>,
}

/// One that could not be followed yet.
struct Failed {
    times: u32,
    again: Instant,
}

impl Followed {
    /// None where nothing was written yet.
    pub(super) fn read(path: &Path) -> std::io::Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        // A line that was being written when the process ended stands for nothing.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let ids: HashSet<String> = whole.lines().map(str::to_owned).collect();
        match text.is_empty() || text.ends_with('\n') {
            true => Ok(Some(Self::of(path, ids))),
            false => Self::begin(path, ids).map(Some),
        }
    }

    /// A journal that has followed these, and no other.
    pub(super) fn begin(path: &Path, ids: HashSet<String>) -> std::io::Result<Self> {
        let whole = path.with_extension("new");
        let mut file = File::create(&whole)?;
        for id in &ids {
            writeln!(file, "{id}")?;
        }
        file.sync_all()?;
        std::fs::rename(&whole, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
        Ok(Self::of(path, ids))
    }

    fn of(path: &Path, ids: HashSet<String>) -> Self {
        Self {
            path: path.to_owned(),
            ids,
            at: None,
            failed: BTreeMap::new(),
        }
    }

    /// From which number on the list is to be read, with that number itself, and which before it.
    pub(super) fn from(&self) -> (i64, Vec<i64>) {
        (self.done(), self.failed.keys().copied().collect())
    }

    /// The last that was looked at.
    pub(super) fn at(&self) -> Option<&Listed> {
        self.at.as_ref()
    }

    /// The number up to which all were looked at.
    pub(super) fn done(&self) -> i64 {
        self.at.as_ref().map_or(0, |at| at.seq)
    }

    /// Those up to there that failed and are tried again.
    pub(super) fn failed(&self) -> Vec<i64> {
        self.failed.keys().copied().collect()
    }

    /// Whether what was read, as [`Followed::from`] says, is of the list that was looked at before. Where it is another one it is to be
    /// read from its beginning.
    pub(super) fn goes_on(&mut self, read: &[Listed]) -> bool {
        let goes_on = self.is_of(read);
        if goes_on {
            self.failed.retain(|seq, _| read.iter().any(|one| one.seq == *seq));
        } else {
            self.at = None;
            self.failed.clear();
        }
        goes_on
    }

    /// The same, and nothing is changed.
    pub(super) fn is_of(&self, read: &[Listed]) -> bool {
        self.at.as_ref().is_none_or(|at| read.contains(at))
    }

    /// Whether one is to be followed now.
    pub(super) fn wants(&self, one: &Listed, now: Instant) -> bool {
        let waits = self.failed.get(&one.seq).is_some_and(|failed| failed.again > now);
        !waits && !self.ids.contains(&one.id)
    }

    /// That one is followed is on disk when this returns.
    pub(super) fn follow(&mut self, one: &Listed) -> std::io::Result<()> {
        if !self.ids.contains(&one.id) {
            let line = format!("{}\n", one.id);
            appended(&self.path, |file| {
                file.write_all(line.as_bytes()).and_then(|()| file.sync_data())
            })?;
            self.ids.insert(one.id.clone());
        }
        self.failed.remove(&one.seq);
        self.pass(one);
        Ok(())
    }

    /// One cannot be followed yet; those after it do not wait for it.
    pub(super) fn fail(&mut self, one: &Listed, now: Instant) {
        let failed = self.failed.entry(one.seq).or_insert(Failed { times: 0, again: now });
        failed.again = now + AGAIN.saturating_mul(1 << failed.times.min(16)).min(LONGEST);
        failed.times += 1;
        self.pass(one);
    }

    /// One was looked at, and those before it.
    pub(super) fn pass(&mut self, one: &Listed) {
        if one.seq > self.done() {
            self.at = Some(one.clone());
        }
    }
}

/// Writes a line at the end; what was written of one that fails is taken back, as half a line would make one name of it and the next.
fn appended(path: &Path, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    let before = file.metadata()?.len();
    let written = write(&mut file);
    if written.is_err() {
        file.set_len(before)?;
    }
    written
}

#[cfg(test)]
mod tests {
    use super::{AGAIN, Followed, LONGEST, Listed, appended};
    use std::collections::HashSet;
    use std::io::Write;
    use std::time::Instant;

    fn listed(seq: i64, id: &str) -> Listed {
        Listed { seq, id: id.to_owned() }
    }

    #[test]
    fn a_list_made_anew_is_followed_though_its_numbers_are_low_and_the_same_ones_are_not_followed_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erased");
        assert!(Followed::read(&path).unwrap().is_none());
        let now = Instant::now();
        let mut followed = Followed::begin(&path, HashSet::from(["old".to_owned()])).unwrap();
        for one in [listed(6, "six"), listed(7, "seven")] {
            assert!(followed.wants(&one, now));
            followed.follow(&one).unwrap();
        }
        assert_eq!(followed.done(), 7);
        assert!(followed.goes_on(&[listed(7, "seven"), listed(8, "eight")]));
        // Another list, with as many: the running server notices by the name.
        assert!(!followed.goes_on(&[listed(7, "other")]));
        assert_eq!(followed.from(), (0, vec![]));
        // So does one whose list was put back from a copy, where the numbers after that are given again.
        for (one, wanted) in [
            (listed(5, "old"), false),
            (listed(6, "six"), false),
            (listed(7, "other"), true),
            (listed(8, "new"), true),
        ] {
            assert_eq!(followed.wants(&one, now), wanted, "{one:?}");
        }
        // And after a start.
        let followed = Followed::read(&path).unwrap().unwrap();
        assert!(!followed.wants(&listed(1, "seven"), now) && followed.wants(&listed(1, "other"), now));
    }

    #[test]
    fn one_that_fails_holds_up_no_other_and_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut followed = Followed::begin(&folder.path().join("erased"), HashSet::new()).unwrap();
        let (bad, good, now) = (listed(1, "bad"), listed(2, "good"), Instant::now());
        followed.fail(&bad, now);
        assert!(!followed.wants(&bad, now) && followed.wants(&bad, now + AGAIN));
        followed.follow(&good).unwrap();
        assert_eq!((followed.from(), followed.failed()), ((2, vec![1]), vec![1]));
        for _ in 0..40 {
            followed.fail(&bad, now);
        }
        assert!(followed.wants(&bad, now + LONGEST) && !followed.wants(&bad, now + LONGEST / 2));
        assert_eq!(followed.done(), 2);
        // A later start begins with it.
        let after = Followed::read(&folder.path().join("erased")).unwrap().unwrap();
        assert!(after.wants(&bad, now) && !after.wants(&good, now));
        followed.follow(&bad).unwrap();
        assert_eq!((followed.from(), followed.failed()), ((2, vec![]), vec![]));
        // One that nobody asks for any more is not kept.
        followed.fail(&listed(3, "gone"), now);
        followed.follow(&listed(4, "last")).unwrap();
        assert!(followed.goes_on(&[listed(4, "last")]));
        assert_eq!(followed.failed(), Vec::<i64>::new());
    }

    #[test]
    fn what_was_written_of_a_name_before_the_disk_was_full_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erased");
        let mut followed = Followed::begin(&path, HashSet::from(["one".to_owned()])).unwrap();
        let full = appended(&path, |file| {
            file.write_all(b"tw")?;
            Err(std::io::ErrorKind::StorageFull.into())
        });
        assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\n");
        followed.follow(&listed(3, "three")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\nthree\n");
    }

    #[test]
    fn half_a_line_stands_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erased");
        std::fs::write(&path, "one\ntw").unwrap();
        let mut followed = Followed::read(&path).unwrap().unwrap();
        let now = Instant::now();
        assert!(!followed.wants(&listed(1, "one"), now) && followed.wants(&listed(2, "tw"), now));
        followed.follow(&listed(2, "two")).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap().lines().count(),
            2,
            "one on each line"
        );
        assert!(!Followed::read(&path).unwrap().unwrap().wants(&listed(2, "two"), now));
    }
}
