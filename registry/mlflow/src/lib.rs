//! A client for MLflow: its registry, its artifacts, its webhooks.
#![forbid(unsafe_code)]
