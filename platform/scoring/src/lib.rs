//! Requests and answers as MLflow's scoring server has them: tables and tensors in, `predictions` out.
#![forbid(unsafe_code)]
