//! `einthoven plugin`: check that a plugin keeps to the contract, and seal it.

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use einthoven_plugin_check::{Target, run_all, run_one};
use einthoven_plugin_host::Plugin;
use einthoven_plugin_host::plugin::Sidecar;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Check and seal plugins: engines and readers in libraries of their own.
#[derive(Debug, Args)]
pub(crate) struct PluginCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Try whether a plugin keeps to the contract, each check in a process of its own.
    Check(Check),
    /// Write the sidecar that the server wants beside a library: `NAME.plugin.toml` with its SHA-256.
    Seal {
        /// The library.
        path: PathBuf,
    },
    /// The child of `check`.
    #[command(hide = true)]
    CheckOne { check: String, target: String },
}

#[derive(Debug, Args)]
struct Check {
    /// The library.
    path: PathBuf,
    /// A model the engine accepts or a recording the reader reads, or a folder of them [default: NAME.conformance beside
    /// the library]
    #[arg(long)]
    model: Option<PathBuf>,
    /// Inputs and outputs of the model [default: golden.json in the model's folder]
    #[arg(long)]
    golden: Option<PathBuf>,
    /// The model's engine section, a JSON object.
    #[arg(long, default_value = "{}")]
    config: String,
    /// Loads and unloads over which memory must stay flat.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(4..))]
    cycles: u32,
}

impl PluginCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.what {
            What::Check(check) => check.run(),
            What::Seal { path } => seal(path),
            What::CheckOne { check, target } => Ok(run_one(&check, &target)),
        }
    }
}

impl Check {
    fn run(self) -> anyhow::Result<ExitCode> {
        let target = Target {
            model: self.model,
            golden: self.golden,
            config: serde_json::from_str(&self.config).context("--config is no JSON")?,
            cycles: self.cycles,
            ..Target::new(self.path)
        };
        let report = run_all(child()?, &target, &[]);
        println!("{report}");
        Ok(if report.passed() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// This program again, as the child that runs one check.
fn child() -> anyhow::Result<impl Fn() -> Command> {
    let program = std::env::current_exe().context("this program's own file is not known")?;
    Ok(move || {
        let mut command = Command::new(&program);
        command.args(["plugin", "check-one"]);
        command
    })
}

/// A library that crashes while it is opened must not take this process with it, so a child opens it first.
fn seal(path: PathBuf) -> anyhow::Result<ExitCode> {
    // An old sidecar speaks of an old library.
    let old = Sidecar::beside(&path);
    if old.exists() {
        std::fs::remove_file(&old).with_context(|| old.display().to_string())?;
    }
    let target = Target::new(path.clone());
    let opened = run_all(child()?, &target, &["opens"]);
    ensure!(opened.passed(), "{}", opened.verdicts[0].text);
    let plugin = Plugin::unsealed(&path)?;
    let sidecar = Sidecar::of(&plugin).with_context(|| format!("{} has no plain name", path.display()))?;
    println!("wrote {}", sidecar.write()?.display());
    Ok(ExitCode::SUCCESS)
}
