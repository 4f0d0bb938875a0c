//! The real server as clients of other servers see it: the Open Inference Protocol over REST and gRPC, and MLflow's scoring.
//!
//! `OIP_BASE_URL=http://host:8000 cargo test --release -p einthoven --test inference scenarios` asks another server than ours
//! the same; what it is asked is in `scenarios/`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "other test binaries use the rest of it")]
#[path = "../server/client.rs"]
mod client;
mod graphs;
mod many;
mod overload;
mod rest;
mod scenarios;
mod scoring;
mod tensors_only;
mod triton;
