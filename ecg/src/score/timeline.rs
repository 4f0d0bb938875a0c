//! One annotator's view of a record: its beats in order, and the spans it marks as flutter or unreadable.

use super::compare::Column;
use crate::annotation::{Annotation, Mapping, code};
use crate::beat::BeatClass;

/// Later than every sample; differences of two times stay inside `i64`.
pub(super) const NEVER: i64 = i64::MAX / 4;
/// Both bits set in a NOISE annotation's subtype: neither signal is readable.
const SHUTDOWN_BITS: i8 = 0x30;

/// A beat of one annotator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beat {
    /// Sample.
    pub(super) time: i64,
    /// Class under the mapping.
    pub(super) class: BeatClass,
    /// Samples since this annotator's beat before, 0 where that is no RR interval.
    pub(super) rr: i64,
    /// Place in the caller's list.
    pub(super) index: usize,
}

/// A closed span of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Span {
    fn holds(self, time: i64) -> bool {
        self.from <= time && time <= self.to
    }
}

/// Beats and spans of one annotator.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    pub(super) beats: Vec<Beat>,
    pub(super) flutter: Vec<Span>,
    pub(super) shutdown: Vec<Span>,
}

impl Timeline {
    /// Reads a list of annotations, in any order, as `bxb` does: everything between `[` and `]` is left out, a NOISE
    /// annotation with both signal bits set begins a shutdown, and any other NOISE ends it. A shutdown mark without
    /// an end (the AHA database has one mark in the middle) reaches from one match window after the beat before it to
    /// one match window before the annotation after it.
    ///
    /// A shutdown still open at the end of the list goes on for ever. `bxb` does the same for the reference, but takes
    /// the end of the shutdown before it for a test list, so that its missed beats there stand under o, not x.
    pub(super) fn read(annotations: &[Annotation], mapping: Mapping, window: i64) -> Self {
        let mut order: Vec<usize> = (0..annotations.len()).collect();
        order.sort_by_key(|&index| annotations[index].sample);
        let marks: Vec<(usize, &Annotation, i64)> = order
            .into_iter()
            .map(|index| (index, &annotations[index], sample_time(annotations[index].sample)))
            .collect();
        let mut line = Self::default();
        let mut at = 0;
        while let Some(&(index, mark, time)) = marks.get(at) {
            at += 1;
            if let Some(class) = mapping.class(mark.code) {
                line.beats.push(Beat {
                    time,
                    class,
                    rr: 0,
                    index,
                });
            } else if is_shutdown(mark) {
                let next = marks.get(at);
                let span = match next {
                    None => Span { from: time, to: NEVER },
                    Some(&(_, end, to)) if end.code == code::NOISE && !is_shutdown(end) => {
                        at += 1;
                        Span { from: time, to }
                    }
                    Some(&(_, _, following)) => {
                        let beat = line.beats.last().map_or(0, |beat| beat.time);
                        let flutter = line.flutter.last().map_or(0, |span| span.to);
                        let to = following - window;
                        Span {
                            from: (beat.max(flutter) + window).min(to),
                            to,
                        }
                    }
                };
                line.shutdown.push(span);
            } else if mark.code == code::VF_ONSET {
                let mut to = NEVER;
                while let Some(&(_, inside, when)) = marks.get(at) {
                    at += 1;
                    if inside.code == code::VF_OFFSET {
                        to = when;
                        break;
                    }
                }
                line.flutter.push(Span { from: time, to });
            }
        }
        line.fill_rr();
        line
    }

    /// No RR interval reaches across the onset of flutter or of a shutdown.
    fn fill_rr(&mut self) {
        let mut breaks: Vec<i64> = self
            .flutter
            .iter()
            .chain(&self.shutdown)
            .map(|span| span.from)
            .collect();
        breaks.sort_unstable();
        for at in 1..self.beats.len() {
            let (before, here) = (self.beats[at - 1].time, self.beats[at].time);
            let next_break = breaks.partition_point(|&from| from < before);
            let broken = breaks.get(next_break).is_some_and(|&from| from < here);
            // A beat at sample 0 is what `bxb` takes for "no beat yet".
            self.beats[at].rr = if before == 0 || broken { 0 } else { here - before };
        }
    }

    /// Whether the sample lies in marked flutter.
    pub(super) fn in_flutter(&self, time: i64) -> bool {
        self.flutter.iter().any(|span| span.holds(time))
    }

    /// What stands on this side of a beat that only the other side has.
    pub(super) fn without_beat(&self, time: i64) -> Column {
        if self.shutdown.iter().any(|span| span.holds(time)) {
            Column::Shutdown
        } else {
            Column::None
        }
    }
}

/// Seconds as samples; absurd settings are held where sums with them stay inside `i64`.
pub(super) fn samples(seconds: f64, rate_hz: f64) -> i64 {
    (seconds * rate_hz).round().clamp(0.0, (NEVER / 2) as f64) as i64
}

/// A sample index as signed time; absurd indices are held at [`NEVER`]` - 1`.
pub(super) fn sample_time(sample: u64) -> i64 {
    i64::try_from(sample).map_or(NEVER - 1, |time| time.min(NEVER - 1))
}

/// Whether the annotation begins a shutdown.
pub(super) fn is_shutdown(mark: &Annotation) -> bool {
    mark.code == code::NOISE && mark.subtype & SHUTDOWN_BITS == SHUTDOWN_BITS
}
