//! `einthoven sources`: MLflow servers that versions come from.

use super::models::manifest;
use super::remote::Remote;
use clap::{Args, Subcommand};
use einthoven_registry_state::{ModelName, SourceName};
use reqwest::Method;
use serde_json::{Value, json};
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
    Test { name: SourceName },
    /// Remove one; what came from it stays.
    Remove { name: SourceName },
}

#[derive(Debug, Args)]
struct New {
    name: SourceName,
    /// Address of the MLflow server.
    url: String,
    /// Alias of a model there that is followed, as `MODEL@ALIAS`.
    #[arg(long, value_name = "MODEL@ALIAS", value_parser = followed)]
    follow: Option<(String, String)>,
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

fn followed(text: &str) -> Result<(String, String), String> {
    let (model, alias) = text.split_once('@').ok_or("say MODEL@ALIAS")?;
    Ok((model.to_owned(), alias.to_owned()))
}

impl New {
    fn body(&self) -> anyhow::Result<Value> {
        let mut settings = json!({"url": self.url});
        if let Some(file) = &self.token_file {
            settings["credentials"] = json!({"kind": "bearer", "token_file": file});
        }
        let manifest = manifest(&self.fields)?;
        let rule = self.follow.iter().map(|(model, alias)| {
            json!({"model": model, "alias": alias, "into": self.into, "promote": self.promote, "manifest": manifest})
        });
        let follow: Vec<_> = rule.collect();
        Ok(json!({"settings": settings, "follow": follow, "poll_s": self.poll_s, "reason": self.reason}))
    }
}

impl Sources {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let what = self.what;
        self.remote.run(async move |server| {
            let answer = match &what {
                What::List => server.get("/v1/sources").await?,
                What::Set(new) => {
                    let path = format!("/v1/sources/{}", new.name);
                    server.call(Method::PUT, &path, Some(new.body()?)).await?
                }
                What::Test { name } => {
                    server
                        .call(Method::POST, &format!("/v1/sources/{name}/test"), None)
                        .await?
                }
                What::Remove { name } => {
                    server
                        .call(Method::DELETE, &format!("/v1/sources/{name}"), None)
                        .await?;
                    json!({"removed": name})
                }
            };
            println!("{}", serde_json::to_string_pretty(&answer)?);
            Ok(ExitCode::SUCCESS)
        })
    }
}
