//! Flows of one class and whose turn it is.

use crate::schedule::CallId;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Rows that a flow saves up a turn: few, so that a batch holds rows of many flows.
pub(crate) const TURN_ROWS: usize = 8;

/// How many times the rows of another the heaviest flow has where the other is light.
const LIGHT: usize = 4;

#[derive(Default)]
struct Flow {
    name: Option<Arc<str>>,
    waiting: VecDeque<CallId>,
    /// Rows it may have now.
    saved: usize,
    /// Whether this turn's rows are among them.
    given: bool,
    /// Its calls that wait or run, their rows and bytes.
    calls: usize,
    rows: usize,
    bytes: usize,
}

/// The flows of one class.
#[derive(Default)]
pub(crate) struct Class {
    names: HashMap<Arc<str>, usize>,
    flows: Vec<Flow>,
    free: Vec<usize>,
    /// Flows with something waiting, in the order of their turns.
    ring: VecDeque<usize>,
    /// Rows that wait.
    pub(crate) rows: usize,
    /// A flow with many rows: the one with the most, unless that has lost some since others joined.
    heaviest: usize,
}

impl Class {
    /// Flows with calls that wait or run.
    pub(crate) fn flows(&self) -> usize {
        self.names.len()
    }

    /// Calls and bytes of a flow, where it has any.
    pub(crate) fn used(&self, name: &str) -> Option<(usize, usize)> {
        let flow = &self.flows[*self.names.get(name)?];
        Some((flow.calls, flow.bytes))
    }

    /// Puts a call behind the others of its flow; gives the flow's place.
    pub(crate) fn join(&mut self, name: &Arc<str>, call: CallId, rows: usize, bytes: usize) -> usize {
        let index = match self.names.get(name) {
            Some(&index) => index,
            None => {
                let index = self.free.pop().unwrap_or_else(|| {
                    self.flows.push(Flow::default());
                    self.flows.len() - 1
                });
                self.flows[index].name = Some(Arc::clone(name));
                self.names.insert(Arc::clone(name), index);
                index
            }
        };
        let flow = &mut self.flows[index];
        if flow.waiting.is_empty() {
            self.ring.push_back(index);
        }
        flow.waiting.push_back(call);
        flow.calls += 1;
        flow.rows += rows;
        flow.bytes += bytes;
        self.rows += rows;
        if self.flows[index].rows >= self.heaviest_rows() {
            self.heaviest = index;
        }
        index
    }

    fn heaviest_rows(&self) -> usize {
        self.flows.get(self.heaviest).map_or(0, |flow| flow.rows)
    }

    /// Whether a flow asks for little beside another that floods: a quarter of its rows at most.
    pub(crate) fn is_light(&self, index: usize) -> bool {
        self.flows[index].rows * LIGHT <= self.heaviest_rows()
    }

    /// Whether a light flow has something waiting.
    pub(crate) fn light_waits(&self) -> bool {
        self.heaviest_rows() >= LIGHT && self.ring.iter().any(|index| self.is_light(*index))
    }

    /// The flow at a place of the ring, and its first call.
    pub(crate) fn head(&self, place: usize) -> Option<(usize, CallId)> {
        let index = *self.ring.get(place)?;
        Some((index, *self.flows[index].waiting.front()?))
    }

    /// Whether the flow at that place has saved up so many rows. If not, its turn is over.
    pub(crate) fn may(&mut self, index: usize, place: usize, rows: usize) -> bool {
        let alone = place + 1 == self.ring.len();
        let flow = &mut self.flows[index];
        if !flow.given {
            flow.saved += TURN_ROWS;
            flow.given = true;
        }
        if alone {
            // Nobody else could have a turn meanwhile.
            flow.saved = flow.saved.max(rows);
        }
        if rows <= flow.saved {
            return true;
        }
        flow.given = false;
        self.ring.remove(place);
        self.ring.push_back(index);
        false
    }

    /// Rows of its first call were taken: the last ones, if `whole`.
    pub(crate) fn served(&mut self, index: usize, place: usize, rows: usize, whole: bool) {
        self.rows -= rows;
        let flow = &mut self.flows[index];
        flow.saved = flow.saved.saturating_sub(rows);
        if whole {
            flow.waiting.pop_front();
            if flow.waiting.is_empty() {
                self.ring.remove(place);
                self.rest(index);
            }
        }
    }

    /// A call is taken out of its flow's line.
    pub(crate) fn leave(&mut self, index: usize, call: CallId, rows: usize) {
        self.rows -= rows;
        let flow = &mut self.flows[index];
        flow.waiting.retain(|waiting| *waiting != call);
        if flow.waiting.is_empty()
            && let Some(place) = self.ring.iter().position(|other| *other == index)
        {
            self.ring.remove(place);
            self.rest(index);
        }
    }

    /// A flow with nothing waiting keeps no savings: it could spend them all at once later.
    fn rest(&mut self, index: usize) {
        let flow = &mut self.flows[index];
        (flow.saved, flow.given) = (0, false);
    }

    /// A call is over.
    pub(crate) fn release(&mut self, index: usize, rows: usize, bytes: usize) {
        let flow = &mut self.flows[index];
        flow.calls -= 1;
        flow.rows -= rows;
        flow.bytes -= bytes;
        if flow.calls == 0
            && let Some(name) = flow.name.take()
        {
            self.names.remove(&name);
            self.free.push(index);
        }
    }
}
