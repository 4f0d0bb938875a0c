//! The `einthoven` binary.
fn main() {}
