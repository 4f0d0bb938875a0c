//! Files of versions, known by their content: on disk or in a bucket.
#![forbid(unsafe_code)]
