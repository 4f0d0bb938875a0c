//! What is remembered about models: events, the changes that make them, and the state they fold into.
#![forbid(unsafe_code)]
