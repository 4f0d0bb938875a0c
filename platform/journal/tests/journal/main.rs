//! The journal as its users see it, on real files, with disks that stall and fail and processes that are killed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod codec;
mod crashes;
mod damage;
mod disks;
mod erasing;
mod export;
mod labels;
mod reading;
mod recordings;
mod replay;
mod retention;
mod rotated;
mod setup;
mod stalled;
