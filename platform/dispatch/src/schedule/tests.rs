//! The schedule against a plain list of what must hold, with random calls, cancellations and deadlines.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use super::{CallId, Limits, Offer, Piece, Schedule, Whose, Wish};
use crate::call::Priority;
use crate::flows::TURN_ROWS;
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LIMITS: Limits = Limits {
    calls: 24,
    bytes: 6000,
    batch_rows: 16,
    batch_bytes: 1200,
};

#[derive(Debug, Clone)]
enum Step {
    Offer {
        flow: u8,
        batch: bool,
        shape: usize,
        rows: usize,
        row_bytes: usize,
        deadline: Option<u64>,
        alone: bool,
    },
    Take {
        rows: usize,
        whose: Whose,
    },
    Finish {
        which: usize,
        failed: bool,
    },
    Withdraw(usize),
    Later(u64),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let offer = (
        0..5_u8,
        any::<bool>(),
        0..2_usize,
        1..60_usize,
        1..40_usize,
        proptest::option::weighted(0.3, 0..20_u64),
        proptest::bool::weighted(0.1),
    );
    let offer = offer.prop_map(|(flow, batch, shape, rows, row_bytes, deadline, alone)| Step::Offer {
        flow,
        batch,
        shape,
        rows,
        row_bytes,
        deadline,
        alone,
    });
    prop_oneof![
        6 => offer,
        6 => (1..20_usize, whose()).prop_map(|(rows, whose)| Step::Take { rows, whose }),
        6 => (any::<usize>(), proptest::bool::weighted(0.1)).prop_map(|(which, failed)| Step::Finish { which, failed }),
        1 => any::<usize>().prop_map(Step::Withdraw),
        1 => (0..5_u64).prop_map(Step::Later),
        1 => proptest::bool::weighted(0.05).prop_map(|clear| if clear { Step::Clear } else { Step::Later(0) }),
    ]
}

fn whose() -> impl Strategy<Value = Whose> {
    prop_oneof![8 => Just(Whose::All), 1 => Just(Whose::Interactive), 1 => Just(Whose::Light)]
}

fn wish(rows: usize, whose: Whose, now: Instant) -> Wish {
    Wish {
        rows,
        fixed_rows: 2.0,
        whose,
        now,
    }
}

#[derive(Debug, Clone)]
struct Known {
    flow: u8,
    priority: Priority,
    shape: usize,
    rows: usize,
    bytes: usize,
    deadline: Option<Instant>,
    alone: bool,
    /// Rows that were given out; always a beginning of the call.
    given: usize,
    running: usize,
    /// Nothing more of it may be given out.
    out: bool,
}

/// What must hold, kept as a plain list.
struct Model {
    schedule: Schedule<CallId>,
    calls: HashMap<CallId, Known>,
    running: Vec<Piece<CallId>>,
    now: Instant,
}

impl Model {
    fn held(&self) -> impl Iterator<Item = &Known> {
        self.calls
            .values()
            .filter(|call| call.running > 0 || (!call.out && call.given < call.rows))
    }

    fn check(&self) {
        let calls = self.held().count();
        let bytes: usize = self.held().map(|call| call.bytes).sum();
        assert_eq!((self.schedule.calls(), self.schedule.bytes()), (calls, bytes));
        assert!(calls <= LIMITS.calls && bytes <= LIMITS.bytes);
        for priority in [Priority::Interactive, Priority::Batch] {
            let waiting = self
                .calls
                .values()
                .filter(|call| !call.out && call.priority == priority);
            let waiting: usize = waiting.map(|call| call.rows - call.given).sum();
            assert_eq!(self.schedule.waiting_of(priority), waiting);
        }
    }

    fn offer(&mut self, known: Known, row_bytes: usize) {
        let id = self.schedule.next;
        let rows = known.rows;
        let piece = (LIMITS.batch_bytes / row_bytes).clamp(1, LIMITS.batch_rows);
        let offer = Offer {
            flow: known.flow.to_string().into(),
            priority: known.priority,
            shape: Arc::from([known.shape]),
            rows,
            bytes: known.bytes,
            asked: self.now,
            deadline: known.deadline,
            piece_rows: if known.alone { rows } else { piece },
            alone: known.alone,
        };
        let (calls, bytes) = (self.schedule.calls(), self.schedule.bytes());
        let taken = self.schedule.offer(offer, id);
        if calls * 2 < LIMITS.calls && (bytes + known.bytes) * 2 <= LIMITS.bytes {
            assert!(taken.is_some(), "refused though the queue is half empty");
        }
        if taken.is_some() {
            self.calls.insert(id, known);
        }
    }

    fn take(&mut self, rows: usize, whose: Whose) -> usize {
        let light = self.schedule.light_waits();
        let taken = self.schedule.take(wish(rows, whose, self.now));
        for id in &taken.late {
            let call = self.calls.get_mut(id).unwrap();
            assert!(!call.out && call.deadline.unwrap() <= self.now);
            call.out = true;
        }
        let (mut total, mut bytes, mut shapes) = (0, 0, Vec::new());
        for piece in &taken.pieces {
            let call = self.calls.get_mut(&piece.payload).unwrap();
            assert!(!call.out, "nobody waits for it");
            assert!(
                call.deadline.is_none_or(|deadline| deadline > self.now),
                "it is too late"
            );
            assert_eq!((piece.call, call.priority), (piece.payload, taken.priority));
            assert_eq!(piece.rows.start, call.given, "rows lost or given out twice");
            assert!(piece.rows.end <= call.rows && !piece.rows.is_empty());
            assert!(!call.alone || (taken.pieces.len() == 1 && piece.rows.len() == call.rows));
            call.given = piece.rows.end;
            call.running += 1;
            total += piece.rows.len();
            bytes += call.bytes / call.rows * piece.rows.len();
            shapes.push(call.shape);
        }
        if taken.pieces.len() > 1 {
            assert!(total <= LIMITS.batch_rows && bytes <= LIMITS.batch_bytes);
            assert!(total <= rows, "more rows than asked for");
        }
        assert!(shapes.windows(2).all(|pair| pair[0] == pair[1]), "shapes mixed");
        assert!(whose == Whose::All || taken.pieces.is_empty() || taken.priority == Priority::Interactive);
        if whose == Whose::Light {
            assert!(light || taken.pieces.is_empty());
        } else if taken.pieces.is_empty() {
            let may = |call: &&Known| whose == Whose::All || call.priority == Priority::Interactive;
            assert_eq!(
                self.calls
                    .values()
                    .filter(may)
                    .filter(|call| !call.out && call.given < call.rows)
                    .count(),
                0
            );
        }
        // Older calls of a flow come first.
        for piece in &taken.pieces {
            let call = &self.calls[&piece.call];
            let before = |(id, other): (&CallId, &Known)| {
                *id < piece.call && other.flow == call.flow && other.priority == call.priority && !other.out
            };
            let waiting = self.calls.iter().filter(|(id, other)| before((id, other)));
            assert!(waiting.into_iter().all(|(_, other)| other.given == other.rows));
        }
        self.running.extend(taken.pieces);
        total
    }

    fn finish(&mut self, which: usize, failed: bool) {
        if self.running.is_empty() {
            return;
        }
        let piece = self.running.swap_remove(which % self.running.len());
        let call = self.calls.get_mut(&piece.call).unwrap();
        call.running -= 1;
        call.out |= failed;
        self.schedule.finish(piece.call, failed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// No call is lost, none given out twice, none that is late or withdrawn; bounds hold at every step.
    #[test]
    fn every_row_is_given_out_once(steps in proptest::collection::vec(step(), 1..200)) {
        let start = Instant::now();
        let mut model = Model {
            schedule: Schedule::new(LIMITS),
            calls: HashMap::new(),
            running: Vec::new(),
            now: start,
        };
        for step in steps {
            match step {
                Step::Offer { flow, batch, shape, rows, row_bytes, deadline, alone } => {
                    let known = Known {
                        flow,
                        priority: if batch { Priority::Batch } else { Priority::Interactive },
                        shape,
                        rows,
                        bytes: rows * row_bytes,
                        deadline: deadline.map(|later| model.now + Duration::from_secs(later)),
                        alone,
                        given: 0,
                        running: 0,
                        out: false,
                    };
                    model.offer(known, row_bytes);
                }
                Step::Take { rows, whose } => {
                    model.take(rows, whose);
                }
                Step::Finish { which, failed } => model.finish(which, failed),
                Step::Withdraw(which) => {
                    let there: Vec<_> = model.calls.keys().copied().collect();
                    if !there.is_empty() {
                        let id = there[which % there.len()];
                        model.schedule.withdraw(id);
                        model.calls.get_mut(&id).unwrap().out = true;
                    }
                }
                Step::Later(seconds) => model.now += Duration::from_secs(seconds),
                Step::Clear => {
                    for id in model.schedule.clear() {
                        model.calls.get_mut(&id).unwrap().out = true;
                    }
                }
            }
            model.check();
        }
        // What is left comes out, and then nothing is held.
        while model.schedule.waiting_rows() > 0 {
            model.take(LIMITS.batch_rows, Whose::All);
            model.check();
        }
        while !model.running.is_empty() {
            model.finish(0, false);
        }
        model.check();
        prop_assert_eq!((model.schedule.calls(), model.schedule.bytes()), (0, 0));
        let whole = |call: &Known| call.out || call.given == call.rows;
        prop_assert!(model.calls.values().all(whole));
    }

    /// Flows that always have something waiting get the same rows, whatever the sizes of their calls.
    #[test]
    fn flows_take_turns_by_rows(
        sizes in proptest::collection::vec(1..200_usize, 2..6),
        batches in 50..400_usize,
        rows in 1..16_usize,
    ) {
        let limits = Limits { calls: 1000, bytes: usize::MAX, ..LIMITS };
        let mut schedule = Schedule::new(limits);
        let mut served = vec![0_usize; sizes.len()];
        let now = Instant::now();
        let mut waiting = vec![0; sizes.len()];
        for _ in 0..batches {
            for (flow, &size) in sizes.iter().enumerate() {
                while waiting[flow] < 2 || waiting[flow] * size < 2 * LIMITS.batch_rows {
                    schedule.offer(offer(&flow.to_string(), Priority::Interactive, size), flow).unwrap();
                    waiting[flow] += 1;
                }
            }
            let taken = schedule.take(wish(rows, Whose::All, now));
            for piece in taken.pieces {
                served[piece.payload] += piece.rows.len();
                if piece.rows.end == sizes[piece.payload] {
                    waiting[piece.payload] -= 1;
                }
                schedule.finish(piece.call, false);
            }
            let (least, most) = (served.iter().min().unwrap(), served.iter().max().unwrap());
            prop_assert!(most - least <= LIMITS.batch_rows + TURN_ROWS, "{served:?}");
        }
    }
}

fn offer(flow: &str, priority: Priority, rows: usize) -> Offer {
    Offer {
        flow: flow.into(),
        priority,
        shape: Arc::from([]),
        rows,
        bytes: rows,
        asked: Instant::now(),
        deadline: None,
        piece_rows: LIMITS.batch_rows,
        alone: false,
    }
}

#[test]
fn batch_work_gets_one_batch_in_eight_and_what_is_left() {
    let mut schedule = Schedule::new(Limits { calls: 1000, ..LIMITS });
    for _ in 0..40 {
        schedule.offer(offer("long", Priority::Batch, 16), 0).unwrap();
        schedule.offer(offer("short", Priority::Interactive, 16), 0).unwrap();
    }
    let mut next = || schedule.take(wish(16, Whose::All, Instant::now())).priority;
    let first: Vec<_> = (0..32).map(|_| next()).collect();
    let long = |batches: &[Priority]| batches.iter().filter(|batch| **batch == Priority::Batch).count();
    assert!(first.chunks(8).all(|eight| long(eight) == 1), "{first:?}");
    let rest: Vec<_> = (0..48).map(|_| next()).collect();
    assert_eq!(long(&rest), 36);
}

#[test]
fn a_flood_leaves_room_for_others() {
    let mut schedule = Schedule::new(LIMITS);
    let mut taken = 0;
    while schedule.offer(offer("flood", Priority::Interactive, 1), 0).is_some() {
        taken += 1;
    }
    assert_eq!(taken, LIMITS.calls / 2);
    for other in 0..5 {
        let call = offer(&other.to_string(), Priority::Interactive, 1);
        assert!(schedule.offer(call, 0).is_some(), "flow {other} finds no room");
    }
    assert!(schedule.offer(offer("flood", Priority::Interactive, 1), 0).is_none());
}

#[test]
fn a_batch_holds_rows_of_many_flows() {
    let mut schedule = Schedule::new(LIMITS);
    for flow in ["a", "b"] {
        for _ in 0..8 {
            schedule.offer(offer(flow, Priority::Interactive, 1), flow).unwrap();
        }
    }
    let taken = schedule.take(wish(16, Whose::All, Instant::now()));
    assert_eq!(taken.pieces.iter().filter(|piece| piece.payload == "b").count(), 8);
}

/// A caller with one row gets a batch that a flood hardly lengthens, whether it was first in the ring or not, and an instance
/// that is kept for such callers takes nothing else.
#[test]
fn a_light_flow_does_not_run_in_a_flood_of_rows() {
    let flooded = |rows| {
        let limits = Limits {
            calls: 1000,
            bytes: usize::MAX,
            ..LIMITS
        };
        let mut schedule = Schedule::new(limits);
        for _ in 0..50 {
            schedule
                .offer(offer("flood", Priority::Interactive, rows), "flood")
                .unwrap();
        }
        assert!(!schedule.light_waits());
        schedule
            .offer(offer("light", Priority::Interactive, 1), "light")
            .unwrap();
        assert!(schedule.light_waits());
        schedule
    };
    let now = Instant::now();
    for rows in [1, 16, 60] {
        let kept = flooded(rows).take(wish(16, Whose::Light, now));
        assert!(
            matches!(&kept.pieces[..], [only] if only.payload == "light"),
            "{kept:?}"
        );
        let mut schedule = flooded(rows);
        let with_it = std::iter::from_fn(|| {
            let taken = schedule.take(wish(16, Whose::All, now));
            (!taken.pieces.is_empty()).then_some(taken)
        })
        .position(|taken| taken.pieces.iter().any(|piece| piece.payload == "light"));
        assert!(with_it.unwrap() <= 1, "{with_it:?}");
    }
    let mut schedule = flooded(1);
    let taken = schedule.take(wish(16, Whose::All, now));
    // The flood's turn, the caller's row, and what two rows' fixed cost allows beside.
    let rows: usize = taken.pieces.iter().map(|piece| piece.rows.len()).sum();
    assert_eq!(rows, TURN_ROWS + 1 + 2, "{taken:?}");
}

/// What nobody else waits beside is not cut; what others called beside lately is.
#[test]
fn long_calls_are_cut_finer_while_others_call() {
    let mut schedule = Schedule::new(Limits {
        bytes: usize::MAX,
        ..LIMITS
    });
    let now = Instant::now();
    let rows = |schedule: &mut Schedule<i32>| schedule.take(wish(4, Whose::All, now)).pieces[0].rows.len();
    schedule.offer(offer("long", Priority::Interactive, 64), 0).unwrap();
    assert_eq!(rows(&mut schedule), LIMITS.batch_rows);
    schedule.offer(offer("other", Priority::Interactive, 1), 1).unwrap();
    let taken: Vec<_> = (0..3).map(|_| rows(&mut schedule)).collect();
    assert!(taken.iter().all(|rows| *rows <= 4), "{taken:?}");
}
