//! Which threads a queue has: those that sleep, were roused, leave or make their instance. Pure but for waking a thread.
//!
//! The last one to fall asleep is roused first: its caches are warm, and those that are not needed get old and end. While one
//! sleeps its tools (what it works with) lie here, and may be lent to a caller who does its work meanwhile.

use std::thread::{Thread, ThreadId};

#[derive(Debug)]
pub(crate) struct Roster<T> {
    /// Those there are, without the express one.
    all: usize,
    /// Those that wait for work, the last to come last.
    asleep: Vec<Sleeper<T>>,
    /// Those that were roused and have not come yet.
    roused: Vec<Sleeper<T>>,
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

/// A thread that does not work, and what it works with.
#[derive(Debug)]
pub(crate) struct Sleeper<T> {
    thread: Thread,
    pub(crate) tools: T,
}

/// What a thread that is awake is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Awake<T> {
    /// Look for work, with its tools.
    Works(T),
    /// End: nothing was to do, and another one stays.
    Ends(T),
    /// Sleep on: its tools are lent.
    Lent,
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

impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self {
            all: 0,
            asleep: Vec::new(),
            roused: Vec::new(),
            leaving: Vec::new(),
            ready: 0,
            making: false,
            express: false,
            express_idle: false,
        }
    }
}

impl<T> Roster<T> {
    /// Those that have nothing to do, or are about to look for it.
    pub(crate) fn idle(&self) -> usize {
        self.asleep.len() + self.roused.len()
    }

    /// Those that were roused and have not come yet.
    pub(crate) fn roused(&self) -> usize {
        self.roused.len()
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
    pub(crate) fn sleeps(&mut self, thread: Thread, tools: T) {
        self.asleep.push(Sleeper { thread, tools });
    }

    /// Rouses the one that fell asleep last, if one sleeps. The caller still holds the lock: while the thread is counted as
    /// roused nobody else rouses one, so it must be told before the caller itself may be held up.
    pub(crate) fn rouse(&mut self) {
        if let Some(last) = self.asleep.pop() {
            last.thread.unpark();
            self.roused.push(last);
        }
    }

    /// Rouses all that sleep.
    pub(crate) fn rouse_all(&mut self) {
        while !self.asleep.is_empty() {
            self.rouse();
        }
    }

    /// Lends the tools of the one that fell asleep last, where they are fit; they must come [back](Self::back).
    pub(crate) fn lend(&mut self, fit: impl FnOnce(&T) -> bool) -> Option<Sleeper<T>> {
        self.asleep.pop_if(|last| fit(&last.tools))
    }

    /// The tools that were lent are back; their thread sleeps as before, or is the last to be roused where they are of no use now.
    pub(crate) fn back(&mut self, lent: Sleeper<T>, useful: bool) {
        let place = if useful { self.asleep.len() } else { 0 };
        self.asleep.insert(place, lent);
    }

    /// This thread is awake; it ends if `unused`, nobody roused it and another one stays. Not the one that fell asleep last: its
    /// tools are lent while it sleeps.
    pub(crate) fn wakes(&mut self, own: ThreadId, unused: bool) -> Awake<T> {
        let place = |sleepers: &[Sleeper<T>]| sleepers.iter().position(|sleeper| sleeper.thread.id() == own);
        if let Some(place) = place(&self.roused) {
            return Awake::Works(self.roused.swap_remove(place).tools);
        }
        let Some(place) = place(&self.asleep) else {
            return Awake::Lent;
        };
        let last = place + 1 == self.asleep.len();
        let others_work = self.staying() > self.asleep.len();
        let tools = self.asleep.remove(place).tools;
        if unused && self.staying() > 1 && (!last || others_work) {
            self.leaving.push(own);
            return Awake::Ends(tools);
        }
        Awake::Works(tools)
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
        Lent,
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
        /// A caller takes the tools of one, where they are of this kind.
        Lend(usize),
        /// A caller brings the tools of one back.
        Back(usize),
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
            2 => (0..2_usize).prop_map(Step::Lend),
            2 => (0..THREADS).prop_map(Step::Back),
            2 => (0..THREADS).prop_map(Step::End),
        ]
    }

    /// What each thread does, kept apart from the roster.
    struct Model {
        roster: Roster<usize>,
        threads: Vec<Thread>,
        is: Vec<Is>,
        /// Those asleep, in the order in which they came.
        asleep: Vec<usize>,
        lent: Vec<(usize, Sleeper<usize>)>,
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
                    assert_eq!(self.roster.wakes(own, true), Awake::Works(which));
                    self.is[which] = Is::Busy;
                }
                Is::Asleep => {
                    let last = self.asleep.last() == Some(&which);
                    let ends = before > 1 && (!last || before > self.asleep.len());
                    let awake = if ends { Awake::Ends(which) } else { Awake::Works(which) };
                    assert_eq!(self.roster.wakes(own, true), awake, "{before} stayed");
                    self.asleep.retain(|other| *other != which);
                    self.is[which] = if ends { Is::Leaving } else { Is::Busy };
                }
                Is::Lent => assert_eq!(self.roster.wakes(own, true), Awake::Lent),
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
                    self.roster.sleeps(self.threads[which].clone(), which);
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
                Step::Lend(kind) => {
                    let last = self.asleep.last().copied().filter(|which| which % 2 == kind);
                    let lent = self.roster.lend(|which| which % 2 == kind);
                    assert_eq!(lent.as_ref().map(|lent| lent.tools), last);
                    if let Some(lent) = lent {
                        self.asleep.pop();
                        self.is[lent.tools] = Is::Lent;
                        self.lent.push((lent.tools, lent));
                    }
                }
                Step::Back(which) => {
                    if let Some(place) = self.lent.iter().position(|(lent, _)| *lent == which) {
                        // Those of odd threads came back broken.
                        self.roster.back(self.lent.swap_remove(place).1, which % 2 == 0);
                        self.is[which] = Is::Asleep;
                        let behind = if which % 2 == 0 { self.asleep.len() } else { 0 };
                        self.asleep.insert(behind, which);
                    }
                }
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
                lent: Vec::new(),
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
        roster.sleeps(threads[0].clone(), 0);
        // Two others work.
        assert_eq!(roster.wakes(threads[0].id(), true), Awake::Ends(0));
        assert_eq!(roster.ended(threads[1].id()), End::Lost);
        assert_eq!(roster.ended(threads[0].id()), End::Left);
        assert_eq!(roster.ended(threads[2].id()), End::LastLost);
    }

    #[test]
    fn all_are_roused_when_the_queue_is_closed() {
        let (mut roster, threads) = (Roster::default(), threads(3));
        for thread in &threads {
            roster.begins();
            roster.sleeps(thread.clone(), ());
        }
        roster.rouse_all();
        assert_eq!((roster.roused(), roster.idle()), (3, 3));
        assert!(
            threads
                .iter()
                .all(|thread| roster.wakes(thread.id(), true) == Awake::Works(()))
        );
        assert_eq!(roster.idle(), 0);
    }
}
