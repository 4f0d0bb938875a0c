//! ONNX Runtime in this process: one library, one environment, for as long as the process lives.

use crate::library;
use einthoven_plugin_sdk::{Code, Failure};
use ort::environment::Environment;
use ort::logging::LogLevel;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The opened library.
#[derive(Clone)]
pub(crate) struct Runtime {
    /// Under which sessions are made.
    pub(crate) environment: Environment,
    /// As the library tells it.
    pub(crate) version: String,
    /// Without links, so that one library is known by one name.
    pub(crate) path: PathBuf,
}

/// The bindings allow one library and one environment per process, also after all engines are closed.
static OPENED: Mutex<Option<Runtime>> = Mutex::new(None);

impl Runtime {
    /// Opens the library, or gives the one that was opened before.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if let Some(runtime) = opened.as_ref() {
            if runtime.path == real {
                return Ok(runtime.clone());
            }
            return Err(Failure::new(
                Code::Unavailable,
                format!(
                    "this process runs ONNX Runtime {} from `{}`, `{}` cannot join it; restart to change the library",
                    runtime.version,
                    runtime.path.display(),
                    path.display()
                ),
            ));
        }
        be_silent();
        let (handle, version) = library::check(path)?;
        let refused = |cause: String| {
            Failure::new(
                Code::Unavailable,
                format!("`{}` cannot be opened: {cause}", path.display()),
            )
        };
        let environment = ort::init_from(&real)
            .map_err(|cause| refused(cause.to_string()))?
            .with_name("einthoven")
            .with_telemetry(false)
            .build()
            .map_err(|cause| refused(cause.to_string()))?;
        // Whatever goes wrong is returned as a failure too.
        environment.set_log_level(LogLevel::Fatal);
        drop(handle);
        let runtime = Self {
            environment,
            version,
            path: real,
        };
        *opened = Some(runtime.clone());
        Ok(runtime)
    }
}

/// Official builds since 1.29 send what they run, and under which device identifier, to their maker, beginning before
/// `with_telemetry(false)` can be heard. This stops all of it; one who set the variable keeps their choice.
fn be_silent() {
    const VARIABLE: &str = "ORT_DISABLE_TELEMETRY";
    if std::env::var_os(VARIABLE).is_none() {
        // SAFETY: once per process, when the engine is opened: the host does that while it starts, before it serves, and a
        // host with threads that read the environment sets the variable itself, so that this is not reached.
        unsafe { std::env::set_var(VARIABLE, "1") };
    }
}
