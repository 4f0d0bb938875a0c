//! Which version is better, for whom, and how sure that is; and when a challenger is withdrawn.
//!
//! Pure: no files, clock, threads or async; the same data give the same answer on every machine. The unit is the recording, or
//! the person where recordings of one person are known: beats of one person are one draw, not thousands.
//!
//! Start at [`verdict()`] and [`Recording::of`]. [`split`] says who gets which version, [`drift()`] whether recordings have become
//! others, [`guard::rule`] whether a challenger must go. [`stats`] holds the methods, each with its source.

#![forbid(unsafe_code)]

pub mod beats;
pub mod drift;
pub mod figure;
pub mod guard;
pub mod recording;
pub mod split;
pub mod stats;
pub mod verdict;

pub use beats::{Beat, Label, Truth};
pub use drift::drift;
pub use figure::Figure;
pub use recording::Recording;
pub use verdict::{Experiment, Settings, Verdict, verdict};
