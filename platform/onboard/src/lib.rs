//! From a file or an MLflow version to one that may serve: drafted, checked, tried.
#![forbid(unsafe_code)]
