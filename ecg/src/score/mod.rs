//! Scoring against reference beats by the rules of ANSI/AAMI EC57, as the WFDB programs `bxb` and `rxr` implement them.
//!
//! [`compare()`] matches beats of one record, [`Measures`] are the figures, [`Report`] holds all records, pooled and averaged,
//! with intervals over records: beats of one person are not independent draws.

mod calibration;
mod compare;
mod events;
mod measures;
mod report;
mod runs;
mod sets;
mod timeline;

pub use calibration::Calibration;
pub use compare::{BeatComparison, Column, Rules, compare};
pub use measures::Measures;
pub use report::{Interval, RecordScore, Report};
pub use runs::{RunComparison, compare_runs};
pub use sets::{DS1, DS2, PACED, SAME_SUBJECT};
