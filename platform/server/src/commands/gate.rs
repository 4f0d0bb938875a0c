//! `einthoven gate`: what a promotion of a model needs, and measuring what it asks for.

use super::models::version_of;
use super::remote::Remote;
use crate::http::evaluations::Evaluated;
use crate::http::models::ModelPatch;
use clap::{Args, Subcommand};
use einthoven_registry_state::{Gate, MetricRule, Model, ModelName, SetName};
use reqwest::Method;
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
    Show {
        /// The model.
        model: ModelName,
    },
    /// Replace it; without a flag nothing is needed.
    Set {
        /// The model.
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
        /// What the set is called, as gates name it.
        set: SetName,
        /// The archive.
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
            let shown = match what {
                What::Show { model } => {
                    let model: Model = server.get(&format!("/v1/models/{model}")).await?;
                    serde_json::to_string_pretty(&model.gate)?
                }
                What::Set {
                    model,
                    card,
                    second_person,
                    metric,
                    set_digest,
                    reason,
                } => {
                    let gate = Gate {
                        card,
                        second_person,
                        metric: metric.map(|(set, metric, at_least)| MetricRule {
                            set,
                            set_digest,
                            metric,
                            at_least,
                        }),
                    };
                    let patch = ModelPatch {
                        gate: Some(gate),
                        reason,
                        ..ModelPatch::default()
                    };
                    let path = format!("/v1/models/{model}");
                    let model: Model = server.send(Method::PATCH, &path, &patch).await?;
                    serde_json::to_string_pretty(&model.gate)?
                }
                What::Evaluate { version, set, file } => {
                    let (model, version) = version_of(&version)?;
                    let path = format!("/v1/models/{model}/versions/{version}/evaluations/{set}");
                    let measured: Evaluated = server.upload_file(&path, &file, &[]).await?;
                    serde_json::to_string_pretty(&measured.evaluation)?
                }
            };
            println!("{shown}");
            Ok(ExitCode::SUCCESS)
        })
    }
}
