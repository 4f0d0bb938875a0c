//! `einthoven traffic`: what answers, promoting, and the way back.

use super::models::version_of;
use super::remote::Remote;
use clap::{Args, Subcommand};
use einthoven_registry_state::ModelName;
use reqwest::Method;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Which version of a model answers.
#[derive(Debug, Args)]
pub(crate) struct Traffic {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what answers, and what a rollback would bring back.
    Show { model: ModelName },
    /// Let a version answer.
    Promote {
        /// `NAME/VERSION`.
        version: String,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let nothing answer.
    Stop {
        model: ModelName,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take the previous version back.
    Rollback {
        model: ModelName,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Show what answered when, and who decided.
    History { model: ModelName },
}

impl Traffic {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let what = self.what;
        self.remote.run(async move |server| {
            match what {
                What::Show { model } => show(&model, &server.get(&format!("/v1/models/{model}/traffic")).await?),
                What::Promote { version, reason } => {
                    let (model, version) = version_of(&version)?;
                    let body = json!({"champion": version, "reason": reason});
                    show(
                        &model,
                        &server
                            .call(Method::PUT, &format!("/v1/models/{model}/traffic"), Some(body))
                            .await?,
                    );
                }
                What::Stop { model, reason } => {
                    let body = json!({"champion": null, "reason": reason});
                    let path = format!("/v1/models/{model}/traffic");
                    show(&model, &server.call(Method::PUT, &path, Some(body)).await?);
                }
                What::Rollback { model, reason } => {
                    let body = json!({"reason": reason});
                    show(
                        &model,
                        &server
                            .call(Method::POST, &format!("/v1/models/{model}/rollback"), Some(body))
                            .await?,
                    );
                }
                What::History { model } => {
                    let history = server.get(&format!("/v1/models/{model}/history")).await?;
                    for change in history["items"].as_array().into_iter().flatten() {
                        println!(
                            "{}  {:<12} {} -> {}  by {}  {}",
                            text(&change["at"], ""),
                            text(&change["action"], ""),
                            text(&change["from"]["champion"], "nothing"),
                            text(&change["to"]["champion"], "nothing"),
                            text(&change["who"], ""),
                            text(&change["why"], ""),
                        );
                    }
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn show(model: &ModelName, traffic: &Value) {
    match traffic["champion"].as_str() {
        Some(champion) => println!("{model}/{champion} answers"),
        None => println!("nothing answers for {model}"),
    }
    if let Some(version) = traffic["proposal"]["version"].as_str() {
        println!(
            "{model}/{version} waits for a second person, proposed by {}",
            text(&traffic["proposal"]["by"], "")
        );
    }
    if let Some(previous) = traffic["previous"]["champion"].as_str() {
        println!("a rollback brings back {model}/{previous}");
    }
}

fn text<'a>(value: &'a Value, instead: &'a str) -> &'a str {
    value.as_str().unwrap_or(instead)
}
