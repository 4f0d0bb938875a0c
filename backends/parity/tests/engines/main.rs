//! Every engine over everything: the same answers, or a refusal with a reason.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacked;
mod compared;
mod foreign;
mod harness;
mod table;
