//! Who is next: flows that take turns by rows, calls cut into pieces, pieces gathered into batches. Pure: no threads, no clock.
//!
//! Within a class, flows stand in a ring. A flow whose turn it is may have as many rows as it has saved up, and saves up a
//! fixed number a turn (deficit round robin), so that flows which always have something waiting get the same number of rows
//! whatever their calls' sizes. Inside a flow, calls are served in the order in which they came.
//!
//! Turns say who is next, not for how long: a caller with one row would wait for a whole batch of a flood, and then run in
//! one. So a flow that is light beside another is told apart: its rows make a batch in which the others add little, and an
//! instance may be kept for it.

use crate::call::Priority;
use crate::flows::Class;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a flow that called counts as one that may call again.
const LATELY: Duration = Duration::from_secs(1);

/// By how much of its time a light flow's batch may become longer for others.
const BESIDE_LIGHT: f64 = 0.25;

/// Interactive batches in a row while batch work waits; then it is its turn.
const INTERACTIVE_IN_A_ROW: usize = 7;

/// Bounds of one queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Calls that wait or run.
    pub(crate) calls: usize,
    /// Bytes of their inputs.
    pub(crate) bytes: usize,
    /// Rows of a batch.
    pub(crate) batch_rows: usize,
    /// Bytes of a batch's inputs.
    pub(crate) batch_bytes: usize,
}

/// Names a call within its queue, once.
pub(crate) type CallId = u64;

/// A call that wants in.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) flow: Arc<str>,
    pub(crate) priority: Priority,
    /// Sizes of a row that the model leaves open: only calls with the same share a batch.
    pub(crate) shape: Arc<[usize]>,
    /// At least one.
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
    pub(crate) asked: Instant,
    pub(crate) deadline: Option<Instant>,
    /// Rows of a piece; all of them where the call must neither be cut nor share a batch.
    pub(crate) piece_rows: usize,
    /// Whether it must run alone.
    pub(crate) alone: bool,
}

/// Rows of one call that run together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece<T> {
    pub(crate) call: CallId,
    pub(crate) rows: Range<usize>,
    pub(crate) payload: T,
}

/// Which calls an instance takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    All,
    Interactive,
    /// Interactive ones of flows that are light.
    Light,
}

/// What an instance asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    /// Rows of the batch, about.
    pub(crate) rows: usize,
    /// Rows that take as long as a batch of none.
    pub(crate) fixed_rows: f64,
    pub(crate) whose: Whose,
    pub(crate) now: Instant,
}

/// What an instance gets to do.
#[derive(Debug)]
pub(crate) struct Taken<T> {
    /// One batch; empty where nothing waits.
    pub(crate) pieces: Vec<Piece<T>>,
    /// The class it is of.
    pub(crate) priority: Priority,
    /// Calls whose deadline had passed; they are out.
    pub(crate) late: Vec<T>,
}

pub(crate) struct Entry<T> {
    class: usize,
    pub(crate) flow: usize,
    pub(crate) shape: Arc<[usize]>,
    pub(crate) rows: usize,
    pub(crate) piece_rows: usize,
    pub(crate) alone: bool,
    /// The first row that no piece has yet.
    pub(crate) next: usize,
    pub(crate) running: usize,
    pub(crate) bytes: usize,
    pub(crate) deadline: Option<Instant>,
    /// Nobody waits for it; it is here while its pieces run.
    gone: bool,
    payload: T,
}

impl<T> Entry<T> {
    /// Rows of its next piece, so many at most where it can be cut.
    pub(crate) fn piece(&self, most: usize) -> usize {
        let piece = self.piece_rows.min(self.rows - self.next);
        if self.alone { piece } else { piece.min(most) }.max(1)
    }

    /// Bytes of so many of its rows.
    pub(crate) fn bytes_of(&self, rows: usize) -> usize {
        (self.bytes / self.rows.max(1)).saturating_mul(rows)
    }
}

/// All calls of one queue that wait or run.
pub(crate) struct Schedule<T> {
    limits: Limits,
    calls: HashMap<CallId, Entry<T>>,
    classes: [Class; 2],
    next: CallId,
    bytes: usize,
    /// Interactive batches since the last of batch work, counted while such waits.
    in_a_row: usize,
    /// The two flows that called last with interactive work, the last one first.
    callers: [Option<(Arc<str>, Instant)>; 2],
}

impl<T: Clone> Schedule<T> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            calls: HashMap::new(),
            classes: [Class::default(), Class::default()],
            next: 0,
            bytes: 0,
            in_a_row: 0,
            callers: [None, None],
        }
    }

    /// Calls that wait or run.
    pub(crate) fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Bytes of their inputs.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Rows that wait.
    pub(crate) fn waiting_rows(&self) -> usize {
        self.classes.iter().map(|class| class.rows).sum()
    }

    /// Rows of a class that wait.
    pub(crate) fn waiting_of(&self, priority: Priority) -> usize {
        self.classes[priority as usize].rows
    }

    /// Whether an interactive call waits of a flow that is light beside another.
    pub(crate) fn light_waits(&self) -> bool {
        self.classes[Priority::Interactive as usize].light_waits()
    }

    /// Whether several flows have called with interactive work of late: what one sends much of is cut finer then, for the
    /// other may call at any time.
    fn contended(&self, now: Instant) -> bool {
        let [_, other] = &self.callers;
        other
            .as_ref()
            .is_some_and(|(_, at)| now.saturating_duration_since(*at) < LATELY)
    }

    fn called(&mut self, flow: &Arc<str>, now: Instant) {
        let [last, other] = &mut self.callers;
        if last.as_ref().is_none_or(|(name, _)| name != flow) {
            std::mem::swap(last, other);
            *last = Some((Arc::clone(flow), now));
        } else if let Some((_, at)) = last {
            *at = now;
        }
    }

    /// Takes a call in; none where there is no room. A flow gets no more than its share of the second half of the room, so
    /// that however much one sends, others find some.
    pub(crate) fn offer(&mut self, offer: Offer, payload: T) -> Option<CallId> {
        let limits = self.limits;
        if self.calls.len() >= limits.calls || offer.bytes > limits.bytes.saturating_sub(self.bytes) {
            return None;
        }
        let class = offer.priority as usize;
        let used = self.classes[class].used(&offer.flow);
        let flows = self.classes.iter().map(Class::flows).sum::<usize>() + usize::from(used.is_none());
        let (calls, bytes) = used.unwrap_or_default();
        let crowded = |total: usize, limit: usize, own: usize| total >= limit / 2 && own > limit / (flows + 1);
        if crowded(self.calls.len(), limits.calls, calls + 1)
            || crowded(self.bytes, limits.bytes, bytes.saturating_add(offer.bytes))
        {
            return None;
        }
        if offer.priority == Priority::Interactive {
            self.called(&offer.flow, offer.asked);
        }
        let id = self.next;
        self.next += 1;
        self.bytes += offer.bytes;
        let flow = self.classes[class].join(&offer.flow, id, offer.rows, offer.bytes);
        let entry = Entry {
            class,
            flow,
            shape: offer.shape,
            rows: offer.rows,
            piece_rows: offer.piece_rows.clamp(1, offer.rows),
            alone: offer.alone,
            next: 0,
            running: 0,
            bytes: offer.bytes,
            deadline: offer.deadline,
            gone: false,
            payload,
        };
        self.calls.insert(id, entry);
        Some(id)
    }

    /// One batch: never empty while something waits that is not late and that the wish is for.
    pub(crate) fn take(&mut self, wish: Wish) -> Taken<T> {
        let mut taken = Taken {
            pieces: Vec::new(),
            priority: Priority::Interactive,
            late: Vec::new(),
        };
        while taken.pieces.is_empty() {
            let Some(priority) = self.choose(wish.whose) else {
                return taken;
            };
            taken.priority = priority;
            self.fill(wish, &mut taken);
        }
        let waits = self.waiting_of(Priority::Batch) > 0;
        self.in_a_row = match taken.priority {
            Priority::Interactive if waits => self.in_a_row + 1,
            _ => 0,
        };
        taken
    }

    fn choose(&self, whose: Whose) -> Option<Priority> {
        let waits = |priority| self.waiting_of(priority) > 0;
        let turn = self.in_a_row >= INTERACTIVE_IN_A_ROW && waits(Priority::Batch);
        match whose {
            Whose::Light => self.light_waits().then_some(Priority::Interactive),
            Whose::Interactive => waits(Priority::Interactive).then_some(Priority::Interactive),
            Whose::All if waits(Priority::Interactive) && !turn => Some(Priority::Interactive),
            Whose::All => waits(Priority::Batch).then_some(Priority::Batch),
        }
    }

    /// Gathers a batch from the flows of one class, beginning with the one whose turn it is.
    fn fill(&mut self, wish: Wish, taken: &mut Taken<T>) {
        let most_rows = wish.rows.clamp(1, self.limits.batch_rows.max(1));
        let most_bytes = self.limits.batch_bytes;
        let class = taken.priority as usize;
        let interactive = taken.priority == Priority::Interactive;
        let finest = if interactive && self.contended(wish.now) {
            most_rows
        } else {
            usize::MAX
        };
        let (mut rows, mut bytes) = (0, 0);
        let mut shape: Option<Arc<[usize]>> = None;
        // Rows until which flows that are not light may add to those of a light one.
        let mut beside = None;
        // Flows before this place in the ring are not for this batch; they are first in the next one.
        let mut place = 0;
        while let Some((flow, head)) = self.classes[class].head(place) {
            let Some(entry) = self.calls.get_mut(&head) else {
                self.classes[class].leave(flow, head, 0);
                continue;
            };
            if entry.deadline.is_some_and(|deadline| deadline <= wish.now) {
                taken.late.push(entry.payload.clone());
                self.withdraw(head);
                continue;
            }
            let light = interactive && self.classes[class].is_light(flow);
            let room = match beside {
                Some(most) if !light => most_rows.min(most).saturating_sub(rows),
                _ => most_rows,
            };
            if room == 0 {
                // Passing it over would give those behind it turns that are its own.
                break;
            }
            if (wish.whose == Whose::Light && !light)
                || shape.as_ref().is_some_and(|shape| *shape != entry.shape || entry.alone)
            {
                place += 1;
                continue;
            }
            let piece = entry.piece(if room < most_rows { room } else { finest });
            let piece_bytes = entry.bytes_of(piece);
            if !self.classes[class].may(flow, place, piece) {
                continue;
            }
            if rows > 0 && (rows + piece > most_rows || bytes + piece_bytes > most_bytes) {
                break;
            }
            shape.get_or_insert_with(|| Arc::clone(&entry.shape));
            taken.pieces.push(Piece {
                call: head,
                rows: entry.next..entry.next + piece,
                payload: entry.payload.clone(),
            });
            entry.next += piece;
            entry.running += 1;
            (rows, bytes) = (rows + piece, bytes + piece_bytes);
            let whole = entry.next == entry.rows;
            let alone = entry.alone;
            self.classes[class].served(flow, place, piece, whole);
            if alone || rows >= most_rows {
                break;
            }
            if light {
                beside = Some(rows + (BESIDE_LIGHT * (wish.fixed_rows + rows as f64)) as usize);
            }
        }
    }

    /// A piece has run. A call that failed has no further pieces.
    pub(crate) fn finish(&mut self, id: CallId, failed: bool) {
        let Some(entry) = self.calls.get_mut(&id) else { return };
        entry.running = entry.running.saturating_sub(1);
        if failed {
            self.withdraw(id);
        } else {
            self.forget_if_done(id);
        }
    }

    /// Nobody waits for a call any more; what has not begun never will. Whether it was there.
    pub(crate) fn withdraw(&mut self, id: CallId) -> bool {
        let Some(entry) = self.calls.get_mut(&id) else {
            return false;
        };
        let was_there = !entry.gone;
        entry.gone = true;
        let left = entry.rows - entry.next;
        if left > 0 {
            entry.next = entry.rows;
            let (class, flow) = (entry.class, entry.flow);
            self.classes[class].leave(flow, id, left);
        }
        self.forget_if_done(id);
        was_there
    }

    /// Withdraws every call that has rows waiting.
    pub(crate) fn clear(&mut self) -> Vec<T> {
        let waits = |(id, entry): (&CallId, &Entry<T>)| (entry.next < entry.rows).then(|| (*id, entry.payload.clone()));
        let waiting: Vec<_> = self.calls.iter().filter_map(waits).collect();
        let each = |(id, payload)| {
            self.withdraw(id);
            payload
        };
        waiting.into_iter().map(each).collect()
    }

    fn forget_if_done(&mut self, id: CallId) {
        let done = |entry: &Entry<T>| entry.running == 0 && entry.next == entry.rows;
        if self.calls.get(&id).is_some_and(done)
            && let Some(entry) = self.calls.remove(&id)
        {
            self.bytes -= entry.bytes;
            self.classes[entry.class].release(entry.flow, entry.rows, entry.bytes);
        }
    }
}

#[cfg(test)]
mod tests;
