//! Which version is better, for whom, and how sure that is; and when a challenger is withdrawn.
//!
//! Pure: no files, clock, threads or async; the same data give the same answer on every machine. The unit is the recording, or
//! the person where recordings of one person are known: beats of one person are one draw, not thousands.
//!
//! [`split`] says who gets which version. [`stats`] holds the methods, each with its source.

#![forbid(unsafe_code)]

pub mod split;
pub mod stats;
