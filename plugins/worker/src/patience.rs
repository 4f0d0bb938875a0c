//! How long a child is waited for. Its limits are for what it does; what it waits for a processor is the machine's doing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

/// What a deadline is exceeded by before the child is killed: an engine that watches the deadline answers by itself.
const GRACE: Duration = Duration::from_millis(25);

/// How many times its limit a child may take on a machine that is busy with something else.
const MOST: u32 = 10;

/// Part of the limit that passes before it is looked how long the child waits, so that a short answer costs no look.
const UNSEEN: u32 = 10;

/// Waiting for one answer of one child.
pub(crate) struct Patience {
    process: u32,
    began: Instant,
    limit: Duration,
    deadline: Option<Instant>,
    /// How long each thread had waited when it was looked first.
    before: RefCell<Option<BTreeMap<String, Duration>>>,
}

/// An answer that did not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Late {
    /// What it was given.
    limit: Duration,
    /// How long it waited for a processor beside that.
    waited: Duration,
    /// Whether it was the caller who wanted it so soon.
    by_deadline: bool,
}

impl Patience {
    /// Waits from now on: for `limit` of the child's own time, and never longer than until the caller's deadline.
    pub(crate) fn new(process: u32, limit: Duration, deadline: Option<Instant>) -> Self {
        let began = Instant::now();
        Self {
            process,
            began,
            limit,
            // One that has passed already is no reason to kill a child that was not asked yet: it is given the time to say so.
            deadline: deadline.map(|deadline| deadline.max(began) + GRACE),
            before: RefCell::default(),
        }
    }

    /// When [`Patience::longer`] is to be asked first.
    pub(crate) fn first(&self) -> Instant {
        self.capped(self.limit / UNSEEN)
    }

    /// When it is to be asked again; none when the child is late.
    pub(crate) fn longer(&self) -> Option<Instant> {
        self.before.borrow_mut().get_or_insert_with(|| waits(self.process));
        let end = self.capped((self.limit + self.waited()).min(self.limit * MOST));
        (end > Instant::now()).then_some(end)
    }

    /// What is to be said when it is.
    pub(crate) fn late(&self) -> Late {
        Late {
            limit: self.limit,
            waited: self.waited(),
            by_deadline: self.deadline.is_some_and(|deadline| deadline <= Instant::now()),
        }
    }

    fn capped(&self, after: Duration) -> Instant {
        let end = self.began + after;
        self.deadline.map_or(end, |deadline| deadline.min(end))
    }

    /// How long the thread that waited longest has waited for a processor since it was looked first.
    fn waited(&self) -> Duration {
        let before = self.before.borrow();
        let Some(before) = before.as_ref() else {
            return Duration::ZERO;
        };
        let of_each = waits(self.process).into_iter().map(|(thread, waited)| {
            let already = before.get(&thread).copied().unwrap_or_default();
            waited.saturating_sub(already)
        });
        of_each.max().unwrap_or_default()
    }
}

impl std::fmt::Display for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.by_deadline {
            return f.write_str("no answer before the deadline of who asked");
        }
        write!(f, "no answer within {:.3} s", self.limit.as_secs_f64())?;
        if !self.waited.is_zero() {
            write!(
                f,
                ", and {:.3} s more in which it waited for a processor",
                self.waited.as_secs_f64()
            )?;
        }
        f.write_str("; where the machine was busy or short of memory meanwhile, try again when it is not")
    }
}

/// How long each thread of a process has waited for a processor so far, as Linux counts it; nothing where that is not known.
fn waits(process: u32) -> BTreeMap<String, Duration> {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return BTreeMap::new();
    };
    let of_each = threads.flatten().filter_map(|thread| {
        let counted = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        // Nanoseconds on a processor, nanoseconds waiting for one, turns.
        let waited = counted.split_whitespace().nth(1)?.parse().ok()?;
        Some((
            thread.file_name().to_string_lossy().into_owned(),
            Duration::from_nanos(waited),
        ))
    });
    of_each.collect()
}
