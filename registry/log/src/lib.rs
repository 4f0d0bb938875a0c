//! Where events are kept: a chained log in a file or in PostgreSQL, and the index over it.
#![forbid(unsafe_code)]
