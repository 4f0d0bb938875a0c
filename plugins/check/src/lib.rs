//! Whether a plugin keeps to the contract.
//!
//! [`run_all`] runs in the parent and starts one child per check; the child calls [`run_one`]. So a plugin that crashes,
//! hangs or eats memory fails one check and not the harness. The checks call the plugin's C functions directly, in [`raw`],
//! since the host would never let most of these arguments through.

mod answer;
mod engine;
mod memory;
mod parent;
mod raw;
mod reader;
mod sample;

pub use parent::{Report, Verdict, run_all};

use einthoven_plugin_host::Plugin;
use einthoven_plugin_host::plugin::Sidecar;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is checked, and with what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    /// The plugin's library.
    pub library: PathBuf,
    /// A model the engine accepts, or a file the reader reads; or a folder with them. By default the folder
    /// `NAME.conformance` beside the library `NAME.so`.
    pub model: Option<PathBuf>,
    /// Inputs and outputs of the model. By default `golden.json` in the model's folder, if there is one.
    pub golden: Option<PathBuf>,
    /// The model's engine section.
    pub config: serde_json::Value,
    /// Loads and unloads of the check `cycles`.
    pub cycles: u32,
    /// Seconds for each check, where the check's own limit is not wanted.
    pub limit_s: Option<u64>,
}

impl Target {
    /// A library with everything else as by default.
    #[must_use]
    pub fn new(library: PathBuf) -> Self {
        Self {
            library,
            model: None,
            golden: None,
            config: serde_json::Value::Object(serde_json::Map::new()),
            cycles: 1000,
            limit_s: None,
        }
    }
}

/// How one check ended in its child: a note for people, or why the plugin failed.
type Outcome = Result<String, String>;

/// One check.
struct Check {
    name: &'static str,
    /// Seconds until the child is ended.
    limit_s: u64,
    run: fn(&Target) -> Outcome,
}

const fn check(name: &'static str, limit_s: u64, run: fn(&Target) -> Outcome) -> Check {
    Check { name, limit_s, run }
}

/// The first check; it finds out the kind.
const OPENS: Check = check("opens", 30, opens);

fn checks(kind: &str) -> &'static [Check] {
    if kind == "engine" {
        engine::CHECKS
    } else {
        reader::CHECKS
    }
}

fn opens(target: &Target) -> Outcome {
    let plugin = Plugin::unsealed(&target.library).map_err(|cause| cause.to_string())?;
    if Sidecar::beside(&target.library).exists() {
        Plugin::loaded(&target.library).map_err(|cause| cause.to_string())?;
    }
    let entry = plugin.entry().ok_or("its entry is null")?;
    raw::entry_again(entry)?;
    Ok(format!("{} {} {}", plugin.kind(), plugin.name, plugin.version))
}

/// The plugin's engine or reader, open, and the folder that it was told to lie in.
fn opened(plugin: &Plugin, open: raw::Open) -> Result<(raw::Handle, String), String> {
    let directory = plugin.directory().map(|path| path.to_string_lossy().into_owned());
    let directory = directory.unwrap_or_default();
    let handle = raw::open(open, &directory, raw::Size::Whole, raw::Size::Whole);
    let handle = handle.or_else(|refusal| Err(format!("it does not open: {}", answer::proper("open", &refusal)?)))?;
    Ok((handle, directory))
}

/// What a child's last line starts with; plugins may print too.
const MARK: &str = "einthoven-plugin-check: ";

/// Runs one check in this process, which is the child's whole work: prints the outcome and gives the exit code. `target`
/// is the second argument that [`run_all`] passed to the child, `name` the first.
#[must_use]
pub fn run_one(name: &str, target: &str) -> ExitCode {
    let outcome = serde_json::from_str::<Target>(target)
        .map_err(|cause| cause.to_string())
        .and_then(|target| {
            // Engines and readers have checks of the same name.
            let (kind, name) = name.split_once('/').unwrap_or(("", name));
            let list = if kind.is_empty() {
                std::slice::from_ref(&OPENS)
            } else {
                checks(kind)
            };
            let check = list.iter().find(|check| check.name == name);
            let check = check.ok_or_else(|| format!("there is no check `{name}`"))?;
            (check.run)(&target)
        });
    let (code, line) = match outcome {
        Ok(note) => (ExitCode::SUCCESS, note),
        Err(reason) => (ExitCode::FAILURE, reason),
    };
    println!("\n{MARK}{}", line.replace('\n', " "));
    code
}
