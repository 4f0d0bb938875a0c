//! `einthoven models`: what the registry holds, and bringing versions in.

use super::remote::{Remote, Server, word};
use crate::http::aliases::Target;
use crate::http::models::{List, ModelItem, ModelPatch, NewModel, Reason};
use crate::http::sources::{NewSource, PullRequest, SourceOut};
use crate::http::versions::VersionOut;
use anyhow::Context;
use clap::{Args, Subcommand};
use einthoven_onboard::Stated;
use einthoven_registry_state::{AliasName, Model, ModelName, Phase, Reference, Selector, VersionName};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Seconds that a command waits for a version's verdict.
const WAIT_S: u64 = 120;

/// Models and versions of a running server.
#[derive(Debug, Args)]
pub(crate) struct Models {
    #[command(flatten)]
    remote: Remote,
    /// Print what the server answers, as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all models.
    List,
    /// Show a model with its versions and aliases.
    Show {
        /// The model.
        model: ModelName,
    },
    /// Make a model without versions.
    Create {
        /// The model.
        model: ModelName,
        /// For people.
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Describe a model anew.
    Describe {
        /// The model.
        model: ModelName,
        /// For people.
        description: String,
    },
    /// Forget a model with all its versions; nothing of it may answer.
    Remove {
        /// The model.
        model: ModelName,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Bring a version in: a network, an archive of one with its manifest, or an MLflow model directory.
    Upload {
        /// The model.
        model: ModelName,
        /// `.onnx`, `.tflite`, `.safetensors`, `.zip`, `.tar` or `.tar.gz`.
        file: PathBuf,
        /// Name of the version; the next number unless given.
        #[arg(long)]
        version: Option<VersionName>,
        /// A field of the manifest, such as `recipe=beat-rr-v1` or `labels=N,S,V,F`. May be given several times.
        #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = field)]
        fields: Vec<(String, String)>,
    },
    /// Bring one version from MLflow now.
    Pull {
        /// Address of the MLflow server, or the name of a source that the server knows.
        source: String,
        /// `NAME@ALIAS`, `NAME/3`, `models:/...` or `runs:/...`.
        reference: String,
        /// What the model is called here.
        #[arg(long)]
        into: Option<ModelName>,
        /// Let it answer as soon as it is ready.
        #[arg(long)]
        promote: bool,
        /// A field of the manifest that the files do not tell. May be given several times.
        #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = field)]
        fields: Vec<(String, String)>,
    },
    /// Point an alias at a version.
    Alias {
        /// `NAME@ALIAS`.
        alias: String,
        /// The version; without one the alias is removed.
        version: Option<VersionName>,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let a version serve no more.
    Retire {
        /// `NAME/VERSION`.
        version: String,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Forget a version.
    Delete {
        /// `NAME/VERSION`.
        version: String,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
}

pub(super) fn field(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once('=').ok_or("say FIELD=VALUE")?;
    Ok((field.to_owned(), value.to_owned()))
}

/// `NAME/VERSION`.
pub(super) fn version_of(text: &str) -> anyhow::Result<(ModelName, VersionName)> {
    let reference: Reference = text.parse()?;
    match reference.selector {
        Selector::Version(version) => Ok((reference.model, version)),
        _ => anyhow::bail!("`{text}` names no version; write NAME/VERSION"),
    }
}

fn alias_of(text: &str) -> anyhow::Result<(ModelName, AliasName)> {
    let reference: Reference = text.parse()?;
    match reference.selector {
        Selector::Alias(alias) => Ok((reference.model, alias)),
        _ => anyhow::bail!("`{text}` names no alias; write NAME@ALIAS"),
    }
}

impl Models {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (what, json) = (self.what, self.json);
        self.remote.run(async move |server| {
            let answer = what.ask(&server).await?;
            if json {
                println!("{}", serde_json::to_string_pretty(&answer)?);
            } else {
                answer.show();
            }
            Ok(match &answer {
                Answer::Version(found) if matches!(found.version.phase, Phase::Rejected(_)) => ExitCode::FAILURE,
                _ => ExitCode::SUCCESS,
            })
        })
    }
}

/// What the server says to one of these commands.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Models(List<ModelItem>),
    Model(Box<Model>),
    Version(Box<VersionOut>),
    /// What is no more.
    #[serde(serialize_with = "nothing")]
    Deleted(String),
}

fn nothing<S: serde::Serializer>(_: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_unit()
}

impl Answer {
    fn show(&self) {
        match self {
            Self::Models(models) => {
                for model in &models.items {
                    let champion = model.champion.as_ref().map_or("nothing answers", VersionName::as_str);
                    let (name, versions) = (model.name.as_str(), model.versions);
                    println!("{name:<32} {champion:<16} {versions} versions");
                }
            }
            Self::Model(model) => show_model(model),
            Self::Version(found) => show_version(found),
            Self::Deleted(name) => println!("{name} is deleted"),
        }
    }
}

impl What {
    async fn ask(self, server: &Server) -> anyhow::Result<Answer> {
        let model = |model| Answer::Model(Box::new(model));
        let version = |version| Answer::Version(Box::new(version));
        Ok(match self {
            Self::List => Answer::Models(server.get("/v1/models").await?),
            Self::Show { model: name } => model(server.get(&format!("/v1/models/{name}")).await?),
            Self::Upload {
                model,
                file,
                version: name,
                mut fields,
            } => {
                fields.push(("wait_s".to_owned(), WAIT_S.to_string()));
                fields.extend(name.map(|name| ("version".to_owned(), name.to_string())));
                let path = format!("/v1/models/{model}/versions");
                version(server.upload_file(&path, &file, &fields).await?)
            }
            Self::Pull {
                source,
                reference,
                into,
                promote,
                fields,
            } => {
                let path = format!("/v1/sources/{}/pull", source_name(server, &source).await?);
                let pull = PullRequest {
                    reference,
                    into,
                    manifest: manifest(&fields)?,
                    promote,
                    wait_s: Some(WAIT_S),
                    reason: None,
                };
                version(server.send(Method::POST, &path, &pull).await?)
            }
            Self::Create {
                model: name,
                description,
            } => {
                let new = NewModel {
                    name,
                    description,
                    reason: None,
                };
                model(server.send(Method::POST, "/v1/models", &new).await?)
            }
            Self::Describe {
                model: name,
                description,
            } => {
                let patch = ModelPatch {
                    description: Some(description),
                    ..ModelPatch::default()
                };
                model(
                    server
                        .send(Method::PATCH, &format!("/v1/models/{name}"), &patch)
                        .await?,
                )
            }
            Self::Remove { model, reason } => {
                server.delete::<()>(&format!("/v1/models/{model}"), reason).await?;
                Answer::Deleted(model.to_string())
            }
            Self::Alias {
                alias,
                version: to,
                reason,
            } => {
                let (name, alias) = alias_of(&alias)?;
                let path = format!("/v1/models/{name}/aliases/{alias}");
                model(match to {
                    Some(version) => server.send(Method::PUT, &path, &Target { version, reason }).await?,
                    None => server.delete(&path, reason).await?,
                })
            }
            Self::Retire { version: of, reason } => {
                let (model, name) = version_of(&of)?;
                let path = format!("/v1/models/{model}/versions/{name}/retire");
                version(server.send(Method::POST, &path, &Reason { reason }).await?)
            }
            Self::Delete { version, reason } => {
                let (model, name) = version_of(&version)?;
                let path = format!("/v1/models/{model}/versions/{name}");
                server.delete::<()>(&path, reason).await?;
                Answer::Deleted(version)
            }
        })
    }
}

/// Fields as the manifest has them.
pub(super) fn manifest(fields: &[(String, String)]) -> anyhow::Result<serde_json::Map<String, Value>> {
    let mut stated = Stated::default();
    for (field, text) in fields {
        stated
            .set(field, text)
            .map_err(|problem| anyhow::anyhow!(problem.detail))?;
    }
    Ok(stated.into_object())
}

/// The name of a source; an address becomes a source, named by its host and port, where there is none yet.
async fn source_name(server: &Server, source: &str) -> anyhow::Result<String> {
    if !source.contains("://") {
        return Ok(source.to_owned());
    }
    let url: reqwest::Url = source.parse().with_context(|| format!("`{source}` is no address"))?;
    let known = server.get::<List<SourceOut>>("/v1/sources").await?.items;
    let there = |known: &SourceOut| known.source.settings["url"].as_str()?.parse::<reqwest::Url>().ok();
    if let Some(same) = known.iter().find(|known| there(known).as_ref() == Some(&url)) {
        return Ok(same.source.name.to_string());
    }
    let host = url
        .host_str()
        .unwrap_or("mlflow")
        .trim_matches(['[', ']'])
        .replace(':', "-");
    let base = format!("{host}-{}", url.port_or_known_default().unwrap_or_default());
    // Another path of the same host is another source, and is not written over.
    let taken = |name: &str| known.iter().any(|known| known.source.name.as_str() == name);
    let names = std::iter::once(base.clone()).chain((2..).map(|count| format!("{base}-{count}")));
    let name = names.into_iter().find(|name| !taken(name)).unwrap_or(base);
    let new = NewSource {
        settings: json!({"url": source}),
        reason: Some("named on the command line".to_owned()),
        ..NewSource::default()
    };
    let made: SourceOut = server.send(Method::PUT, &format!("/v1/sources/{name}"), &new).await?;
    Ok(made.source.name.to_string())
}

fn show_model(model: &Model) {
    println!("{}  {}", model.name, model.description);
    for version in model.by_age() {
        let mut marks = Vec::new();
        marks.extend((model.traffic.champion.as_ref() == Some(&version.name)).then(|| "answers".to_owned()));
        let aliases = model.aliases.iter().filter(|(_, to)| **to == version.name);
        marks.extend(aliases.map(|(alias, _)| format!("@{alias}")));
        let (name, state, marks) = (version.name.as_str(), version.phase.name(), marks.join(" "));
        let digest = version.digest.as_deref().unwrap_or_default();
        println!("  {name:<16} {state:<10} {marks:<14} {digest}");
    }
}

fn show_version(found: &VersionOut) {
    let version = &found.version;
    println!("{} is {}", version.title(&found.model), version.phase.name());
    match &version.phase {
        Phase::Rejected(rejection) => {
            println!("  at the step `{}`: {}", word(&rejection.step), rejection.reason);
            println!("  to put it right: {}", rejection.remedy);
        }
        Phase::Ready(verified) => {
            let digest = version.digest.as_deref().unwrap_or_default();
            println!("  fastest on {}, {digest}", verified.engine);
        }
        Phase::Fetching | Phase::Verifying | Phase::Retired => {}
    }
}
