//! Which threads a queue has: those that sleep, were roused, leave or make their instance. Pure but for waking a thread.
//!
//! The last one to fall asleep is roused first: its caches are warm, and those that are not needed get old and end.

use std::thread::{Thread, ThreadId};

#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// Those there are, without the express one.
    all: usize,
    /// Those that wait for work, the last to come last.
    asleep: Vec<Thread>,
    /// Those that were roused and have not come yet.
    roused: usize,
    /// Those that end because nothing was to do; they count among all until their instance is gone.
    leaving: Vec<ThreadId>,
    /// Those that have an instance.
    ready: usize,
    /// Whether one is making its instance, the first left aside.
    making: bool,
    /// Whether there is one for interactive calls alone, and whether it waits.
    pub(crate) express: bool,
    pub(crate) express_idle: bool,
}

/// How a thread ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As agreed, because nothing was to do.
    Left,
    /// Otherwise; others stay.
    Lost,
    /// Otherwise, and it was the last one.
    LastLost,
}

impl Roster {
    /// Those that have nothing to do, or are about to look for it.
    pub(crate) fn idle(&self) -> usize {
        self.asleep.len() + self.roused
    }

    /// Those that were roused and have not come yet.
    pub(crate) fn roused(&self) -> usize {
        self.roused
    }

    /// Those that do not end.
    pub(crate) fn staying(&self) -> usize {
        self.all - self.leaving.len()
    }

    /// Those that have an instance.
    pub(crate) fn ready(&self) -> usize {
        self.ready
    }

    /// Whether one is making its instance, the first left aside.
    pub(crate) fn making(&self) -> bool {
        self.making
    }

    /// A thread is about to be started.
    pub(crate) fn begins(&mut self) {
        self.all += 1;
        self.making = self.all > 1;
    }

    /// A thread has its instance.
    pub(crate) fn made(&mut self) {
        self.ready += 1;
        self.making = false;
    }

    /// A thread could not make its instance.
    pub(crate) fn not_made(&mut self) {
        self.making = false;
    }

    /// A thread has its instance no more.
    pub(crate) fn unmade(&mut self) {
        self.ready -= 1;
    }

    /// This thread is about to wait for work.
    pub(crate) fn sleeps(&mut self, own: Thread) {
        self.asleep.push(own);
    }

    /// Rouses the one that fell asleep last, if one sleeps. The caller still holds the lock: while the thread is counted as
    /// roused nobody else rouses one, so it must be told before the caller itself may be held up.
    pub(crate) fn rouse(&mut self) {
        if let Some(last) = self.asleep.pop() {
            self.roused += 1;
            last.unpark();
        }
    }

    /// Rouses all that sleep.
    pub(crate) fn rouse_all(&mut self) {
        self.roused += self.asleep.len();
        self.asleep.drain(..).for_each(|thread| thread.unpark());
    }

    /// This thread is awake; it ends if `unused`, nobody roused it and another one stays. Whether it does.
    pub(crate) fn wakes(&mut self, own: ThreadId, unused: bool) -> bool {
        let Some(place) = self.asleep.iter().position(|thread| thread.id() == own) else {
            self.roused = self.roused.saturating_sub(1);
            return false;
        };
        self.asleep.remove(place);
        let ends = unused && self.staying() > 1;
        if ends {
            self.leaving.push(own);
        }
        ends
    }

    /// This thread has ended.
    pub(crate) fn ended(&mut self, own: ThreadId) -> End {
        self.all -= 1;
        if let Some(place) = self.leaving.iter().position(|thread| *thread == own) {
            self.leaving.swap_remove(place);
            return End::Left;
        }
        self.making = false;
        if self.staying() == 0 { End::LastLost } else { End::Lost }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use proptest::prelude::*;

    /// Names of threads: they have ended, so rousing them does nothing.
    fn threads(count: usize) -> Vec<Thread> {
        let one = || {
            let spawned = std::thread::spawn(|| ());
            let thread = spawned.thread().clone();
            spawned.join().unwrap();
            thread
        };
        std::iter::repeat_with(one).take(count).collect()
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Is {
        Away,
        Busy,
        Asleep,
        Roused,
        Leaving,
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Begin(usize),
        Sleep(usize),
        Rouse,
        /// It looks again: because it was roused, or after the time is up.
        Wake(usize),
        /// The same for all that sleep, one after the other.
        AllWake,
        End(usize),
    }

    const THREADS: usize = 5;

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => (0..THREADS).prop_map(Step::Begin),
            4 => (0..THREADS).prop_map(Step::Sleep),
            2 => Just(Step::Rouse),
            4 => (0..THREADS).prop_map(Step::Wake),
            1 => Just(Step::AllWake),
            2 => (0..THREADS).prop_map(Step::End),
        ]
    }

    /// What each thread does, kept apart from the roster.
    struct Model {
        roster: Roster,
        threads: Vec<Thread>,
        is: Vec<Is>,
        /// Those asleep, in the order in which they came.
        asleep: Vec<usize>,
    }

    impl Model {
        fn count(&self, what: Is) -> usize {
            self.is.iter().filter(|is| **is == what).count()
        }

        fn staying(&self) -> usize {
            THREADS - self.count(Is::Away) - self.count(Is::Leaving)
        }

        fn wake(&mut self, which: usize) {
            let own = self.threads[which].id();
            let before = self.staying();
            match self.is[which] {
                Is::Roused => {
                    assert!(!self.roster.wakes(own, true), "one that was roused for a call ended");
                    self.is[which] = Is::Busy;
                }
                Is::Asleep => {
                    let ends = self.roster.wakes(own, true);
                    assert_eq!(ends, before > 1, "{before} stayed");
                    self.asleep.retain(|other| *other != which);
                    self.is[which] = if ends { Is::Leaving } else { Is::Busy };
                }
                _ => {}
            }
        }

        fn step(&mut self, step: Step) {
            match step {
                Step::Begin(which) if self.is[which] == Is::Away => {
                    self.roster.begins();
                    self.is[which] = Is::Busy;
                }
                Step::Sleep(which) if self.is[which] == Is::Busy => {
                    self.roster.sleeps(self.threads[which].clone());
                    self.asleep.push(which);
                    self.is[which] = Is::Asleep;
                }
                Step::Rouse => {
                    self.roster.rouse();
                    if let Some(last) = self.asleep.pop() {
                        self.is[last] = Is::Roused;
                    }
                }
                Step::Wake(which) => self.wake(which),
                Step::AllWake => (0..THREADS).for_each(|which| self.wake(which)),
                Step::End(which) if self.is[which] == Is::Leaving => {
                    assert_eq!(self.roster.ended(self.threads[which].id()), End::Left);
                    self.is[which] = Is::Away;
                }
                _ => {}
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// However many want to end at once, one stays, and whoever was roused for a call comes for it.
        #[test]
        fn one_stays_whoever_ends(steps in proptest::collection::vec(step(), 1..150)) {
            let mut model = Model {
                roster: Roster::default(),
                threads: threads(THREADS),
                is: vec![Is::Away; THREADS],
                asleep: Vec::new(),
            };
            model.step(Step::Begin(0));
            for step in steps {
                model.step(step);
                prop_assert!(model.roster.staying() >= 1);
                prop_assert_eq!(model.roster.staying(), model.staying());
                prop_assert_eq!(model.roster.roused(), model.count(Is::Roused));
                prop_assert_eq!(model.roster.idle(), model.count(Is::Roused) + model.count(Is::Asleep));
            }
        }
    }

    #[test]
    fn a_thread_that_is_lost_is_told_from_one_that_leaves() {
        let (mut roster, threads) = (Roster::default(), threads(3));
        threads.iter().for_each(|_| roster.begins());
        roster.sleeps(threads[0].clone());
        assert!(roster.wakes(threads[0].id(), true));
        assert_eq!(roster.ended(threads[1].id()), End::Lost);
        assert_eq!(roster.ended(threads[0].id()), End::Left);
        assert_eq!(roster.ended(threads[2].id()), End::LastLost);
    }

    #[test]
    fn all_are_roused_when_the_queue_is_closed() {
        let (mut roster, threads) = (Roster::default(), threads(3));
        for thread in &threads {
            roster.begins();
            roster.sleeps(thread.clone());
        }
        roster.rouse_all();
        assert_eq!((roster.roused(), roster.idle()), (3, 3));
        assert!(threads.iter().all(|thread| !roster.wakes(thread.id(), true)));
        assert_eq!(roster.idle(), 0);
    }
}
