//! `einthoven sources`: MLflow servers that versions come from.

use super::models::manifest;
use super::remote::Remote;
use crate::http::models::List;
use crate::http::sources::{NewSource, SourceOut, SourceTest};
use clap::{Args, Subcommand};
use einthoven_registry_state::{AliasName, FollowRule, ModelName, NameError, SourceName};
use reqwest::Method;
use serde::Serialize;
use serde_json::json;
use std::process::ExitCode;

/// MLflow servers of a running server, and what is followed there. Answers are JSON.
#[derive(Debug, Args)]
pub(crate) struct Sources {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all sources and how they were when last looked at.
    List,
    /// Add or replace one.
    Set(Box<New>),
    /// Ask MLflow whether it answers.
    Test {
        /// What the source is called.
        name: SourceName,
    },
    /// Remove one; what came from it stays.
    Remove {
        /// What the source is called.
        name: SourceName,
    },
}

#[derive(Debug, Args)]
struct New {
    /// What the source is called.
    name: SourceName,
    /// Address of the MLflow server.
    url: String,
    /// Alias of a model there that is followed, as `MODEL@ALIAS`.
    #[arg(long, value_name = "MODEL@ALIAS", value_parser = followed)]
    follow: Option<(String, AliasName)>,
    /// What the followed model is called here.
    #[arg(long, requires = "follow")]
    into: Option<ModelName>,
    /// Let what the alias points at answer as soon as it is ready.
    #[arg(long, requires = "follow")]
    promote: bool,
    /// A field of the manifest that the files do not tell. May be given several times.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = super::models::field, requires = "follow")]
    fields: Vec<(String, String)>,
    /// Seconds between two looks.
    #[arg(long)]
    poll_s: Option<u32>,
    /// File with the bearer token, as the server sees it.
    #[arg(long)]
    token_file: Option<String>,
    /// For the audit trail.
    #[arg(long)]
    reason: Option<String>,
}

fn followed(text: &str) -> Result<(String, AliasName), String> {
    let (model, alias) = text.split_once('@').ok_or("say MODEL@ALIAS")?;
    let alias = alias.parse().map_err(|wrong: NameError| wrong.to_string())?;
    Ok((model.to_owned(), alias))
}

impl New {
    fn body(self) -> anyhow::Result<NewSource> {
        let mut settings = json!({"url": self.url});
        if let Some(file) = &self.token_file {
            settings["credentials"] = json!({"kind": "bearer", "token_file": file});
        }
        let manifest = manifest(&self.fields)?;
        let rule = self.follow.map(|(model, alias)| FollowRule {
            model,
            alias: Some(alias),
            into: self.into,
            manifest,
            promote: self.promote,
        });
        Ok(NewSource {
            settings,
            follow: rule.into_iter().collect(),
            poll_s: self.poll_s,
            reason: self.reason,
            ..NewSource::default()
        })
    }
}

impl Sources {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let what = self.what;
        self.remote.run(async move |server| {
            match what {
                What::List => print(&server.get::<List<SourceOut>>("/v1/sources").await?)?,
                What::Set(new) => {
                    let path = format!("/v1/sources/{}", new.name);
                    print(&server.send::<SourceOut>(Method::PUT, &path, &new.body()?).await?)?;
                }
                What::Test { name } => {
                    print(&server.post::<SourceTest>(&format!("/v1/sources/{name}/test")).await?)?;
                }
                What::Remove { name } => {
                    server.delete::<()>(&format!("/v1/sources/{name}"), None).await?;
                    print(&json!({"removed": name}))?;
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn print(answer: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(answer)?);
    Ok(())
}
