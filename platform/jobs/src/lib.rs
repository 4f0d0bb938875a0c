//! Long work that outlives its request and its process.
#![forbid(unsafe_code)]
