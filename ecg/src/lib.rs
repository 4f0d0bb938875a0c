//! The signal: recordings in, beats and features out.
//!
//! Pure: bytes and numbers go in, values come out. No files, no clock, no threads, no async; the callers own those.
//! Start reading at [`recording`], then [`readers`] (bytes to a recording) and [`detect`] (a lead to R peaks).
#![forbid(unsafe_code)]

pub mod annotation;
pub mod beat;
pub mod detect;
pub mod dsp;
pub mod figures;
pub mod quality;
pub mod readers;
pub mod recipe;
pub mod recording;
pub mod rhythm;
pub mod score;
pub mod shape;
pub mod stream;
pub mod wfdb;
