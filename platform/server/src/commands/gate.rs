//! `einthoven gate`: what a promotion of a model needs, and measuring what it asks for.

use super::models::version_of;
use super::remote::Remote;
use clap::{Args, Subcommand};
use einthoven_registry_state::{ModelName, SetName};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// What a promotion needs. Answers are JSON.
#[derive(Debug, Args)]
pub(crate) struct GateCommand {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show a model's gate.
    Show { model: ModelName },
    /// Replace it; without a flag nothing is needed.
    Set {
        model: ModelName,
        /// The version must bring a CARD.md.
        #[arg(long)]
        card: bool,
        /// Two people must promote it.
        #[arg(long)]
        second_person: bool,
        /// A measure that must be reached, as `SET:MEASURE:AT_LEAST`.
        #[arg(long, value_name = "SET:MEASURE:AT_LEAST", value_parser = rule)]
        metric: Option<(SetName, String, f64)>,
        /// The files that the set must have, as `evaluate` prints it.
        #[arg(long, requires = "metric")]
        set_digest: Option<String>,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Measure a version on a set: a zip or tar of WFDB records with `.atr` files.
    Evaluate {
        /// `NAME/VERSION`.
        version: String,
        set: SetName,
        file: PathBuf,
    },
}

fn rule(text: &str) -> Result<(SetName, String, f64), String> {
    let wrong = || "say SET:MEASURE:AT_LEAST, such as frozen:macro_f1:0.6".to_owned();
    let [set, measure, least] = text.split(':').collect::<Vec<_>>()[..] else {
        return Err(wrong());
    };
    let set = set.parse::<SetName>().map_err(|cause| cause.to_string())?;
    Ok((set, measure.to_owned(), least.parse().map_err(|_| wrong())?))
}

impl GateCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let what = self.what;
        self.remote.run(async move |server| {
            let shown: Value = match what {
                What::Show { model } => server.get(&format!("/v1/models/{model}")).await?["gate"].clone(),
                What::Set {
                    model,
                    card,
                    second_person,
                    metric,
                    set_digest,
                    reason,
                } => {
                    let mut gate = json!({"card": card, "second_person": second_person});
                    if let Some((set, metric, at_least)) = metric {
                        gate["metric"] =
                            json!({"set": set, "set_digest": set_digest, "metric": metric, "at_least": at_least});
                    }
                    let body = json!({"gate": gate, "reason": reason});
                    let path = format!("/v1/models/{model}");
                    server.call(Method::PATCH, &path, Some(body)).await?["gate"].clone()
                }
                What::Evaluate { version, set, file } => {
                    let (model, version) = version_of(&version)?;
                    let path = format!("/v1/models/{model}/versions/{version}/evaluations/{set}");
                    server.upload_file(&path, &file, &[]).await?["evaluation"].clone()
                }
            };
            println!("{}", serde_json::to_string_pretty(&shown)?);
            Ok(ExitCode::SUCCESS)
        })
    }
}
