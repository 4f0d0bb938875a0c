//! What a running server tells its operators: metrics, logs and traces.
//!
//! Neither may grow with what callers send, and neither may hold anything of a recording or a person. Labels come from closed
//! sets: routes as they are registered, never paths as they are asked for; models that are loaded, never names in requests.
#![forbid(unsafe_code)]

mod body;
mod bounded;
mod experiments;
mod exposition;
mod logs;
mod metrics;
mod middleware;
mod models;
mod panics;
mod process;
mod request_id;
mod routes;
mod stage;
mod traces;

pub use experiments::{ArmReading, DriftReading};
pub use logs::{Format, LogArguments};
pub use metrics::{CONTENT_TYPE, JournalReading, Metrics, Snapshot};
pub use middleware::ProblemType;
pub use models::{BatchRows, ModelReading, Outcomes, Waits};
pub use request_id::{REQUEST_ID, own_request_id};
pub use routes::Route;
pub use stage::{Running, Stage, load_took};
pub use traces::{TraceArguments, Traces};
