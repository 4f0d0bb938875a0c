//! `einthoven traffic`: what answers, promoting, and the way back.

use super::models::version_of;
use super::remote::{Remote, Server, word};
use crate::http::models::{List, Reason};
use crate::http::traffic::{NewTraffic, TrafficOut};
use clap::{Args, Subcommand};
use einthoven_registry_state::{ModelName, TrafficChange, VersionName};
use reqwest::Method;
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
    Show {
        /// The model.
        model: ModelName,
    },
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
        /// The model.
        model: ModelName,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take the previous version back.
    Rollback {
        /// The model.
        model: ModelName,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Show what answered when, and who decided.
    History {
        /// The model.
        model: ModelName,
    },
}

impl Traffic {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let what = self.what;
        self.remote.run(async move |server| {
            match what {
                What::Show { model } => show(&model, &server.get(&format!("/v1/models/{model}/traffic")).await?),
                What::Promote { version, reason } => {
                    let (model, version) = version_of(&version)?;
                    show(&model, &answered_by(&server, &model, Some(version), reason).await?);
                }
                What::Stop { model, reason } => {
                    show(&model, &answered_by(&server, &model, None, reason).await?);
                }
                What::Rollback { model, reason } => {
                    let path = format!("/v1/models/{model}/rollback");
                    show(&model, &server.send(Method::POST, &path, &Reason { reason }).await?);
                }
                What::History { model } => {
                    let path = format!("/v1/models/{model}/history");
                    for change in server.get::<List<TrafficChange>>(&path).await?.items {
                        let (at, action) = (change.at, word(&change.action));
                        let (from, to) = (named(change.from.champion.as_ref()), named(change.to.champion.as_ref()));
                        println!("{at}  {action:<12} {from} -> {to}  by {}  {}", change.who, change.why);
                    }
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// Lets a version answer, or nothing.
async fn answered_by(
    server: &Server,
    model: &ModelName,
    champion: Option<VersionName>,
    reason: Option<String>,
) -> anyhow::Result<TrafficOut> {
    let new = NewTraffic {
        champion,
        reason,
        ..NewTraffic::default()
    };
    server
        .send(Method::PUT, &format!("/v1/models/{model}/traffic"), &new)
        .await
}

fn show(model: &ModelName, answer: &TrafficOut) {
    match &answer.traffic.champion {
        Some(champion) => println!("{model}/{champion} answers"),
        None => println!("nothing answers for {model}"),
    }
    if let Some(proposal) = &answer.proposal {
        println!(
            "{model}/{} waits for a second person, proposed by {}",
            proposal.version, proposal.by
        );
    }
    if let Some(previous) = answer.previous.as_ref().and_then(|traffic| traffic.champion.as_ref()) {
        println!("a rollback brings back {model}/{previous}");
    }
}

fn named(champion: Option<&VersionName>) -> &str {
    champion.map_or("nothing", VersionName::as_str)
}
