//! The registry: models, versions, aliases and traffic, changed one at a time and never lost.
#![forbid(unsafe_code)]
