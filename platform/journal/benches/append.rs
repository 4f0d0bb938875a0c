//! Filled with the writer.
fn main() {}
