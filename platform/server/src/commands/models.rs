//! `einthoven models`: what the registry holds, and bringing versions in.

use super::remote::{Remote, Server};
use anyhow::Context;
use clap::{Args, Subcommand};
use einthoven_onboard::Stated;
use einthoven_registry_state::{AliasName, ModelName, Reference, Selector, VersionName};
use reqwest::Method;
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
    Show { model: ModelName },
    /// Make a model without versions.
    Create {
        model: ModelName,
        /// For people.
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Describe a model anew.
    Describe { model: ModelName, description: String },
    /// Forget a model with all its versions; nothing of it may answer.
    Remove {
        model: ModelName,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Bring a version in: a network, an archive of one with its manifest, or an MLflow model directory.
    Upload {
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
                what.show(&answer);
            }
            Ok(match answer["phase"]["state"].as_str() {
                Some("rejected") => ExitCode::FAILURE,
                _ => ExitCode::SUCCESS,
            })
        })
    }
}

impl What {
    async fn ask(&self, server: &Server) -> anyhow::Result<Value> {
        match self {
            Self::List => server.get("/v1/models").await,
            Self::Show { model } => server.get(&format!("/v1/models/{model}")).await,
            Self::Upload {
                model,
                file,
                version,
                fields,
            } => {
                let mut fields = fields.clone();
                fields.push(("wait_s".to_owned(), WAIT_S.to_string()));
                fields.extend(
                    version
                        .iter()
                        .map(|version| ("version".to_owned(), version.to_string())),
                );
                let path = format!("/v1/models/{model}/versions");
                server.upload_file(&path, file, &fields).await
            }
            Self::Pull {
                source,
                reference,
                into,
                promote,
                fields,
            } => {
                let source = source_name(server, source).await?;
                let manifest = manifest(fields)?;
                let body = json!({
                    "reference": reference, "into": into, "promote": promote, "manifest": manifest, "wait_s": WAIT_S,
                });
                server
                    .call(Method::POST, &format!("/v1/sources/{source}/pull"), Some(body))
                    .await
            }
            Self::Create { model, description } => {
                let body = json!({"name": model, "description": description});
                server.call(Method::POST, "/v1/models", Some(body)).await
            }
            Self::Describe { model, description } => {
                let body = json!({"description": description});
                server
                    .call(Method::PATCH, &format!("/v1/models/{model}"), Some(body))
                    .await
            }
            Self::Remove { model, reason } => server.delete(&format!("/v1/models/{model}"), reason.as_deref()).await,
            Self::Alias { alias, version, reason } => {
                let (model, alias) = alias_of(alias)?;
                let path = format!("/v1/models/{model}/aliases/{alias}");
                match version {
                    Some(version) => {
                        let body = json!({"version": version, "reason": reason});
                        server.call(Method::PUT, &path, Some(body)).await
                    }
                    None => server.delete(&path, reason.as_deref()).await,
                }
            }
            Self::Retire { version, reason } => {
                let (model, version) = version_of(version)?;
                let path = format!("/v1/models/{model}/versions/{version}/retire");
                server.call(Method::POST, &path, Some(json!({"reason": reason}))).await
            }
            Self::Delete { version, reason } => {
                let (model, version) = version_of(version)?;
                let path = format!("/v1/models/{model}/versions/{version}");
                server.delete(&path, reason.as_deref()).await
            }
        }
    }

    fn show(&self, answer: &Value) {
        match self {
            Self::List => {
                for model in answer["items"].as_array().into_iter().flatten() {
                    let champion = model["champion"].as_str().unwrap_or("nothing answers");
                    println!(
                        "{:<32} {:<16} {} versions",
                        text(&model["name"]),
                        champion,
                        model["versions"]
                    );
                }
            }
            Self::Create { .. } | Self::Describe { .. } | Self::Show { .. } | Self::Alias { .. } => show_model(answer),
            Self::Upload { .. } | Self::Pull { .. } | Self::Retire { .. } => show_version(answer),
            Self::Delete { version, .. } => println!("{version} is deleted"),
            Self::Remove { model, .. } => println!("{model} is deleted"),
        }
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
    let known = server.get("/v1/sources").await?;
    let same = |item: &&Value| {
        let there = item["settings"]["url"]
            .as_str()
            .and_then(|text| text.parse::<reqwest::Url>().ok());
        there.as_ref() == Some(&url)
    };
    if let Some(name) = known["items"]
        .as_array()
        .into_iter()
        .flatten()
        .find(same)
        .and_then(|item| item["name"].as_str())
    {
        return Ok(name.to_owned());
    }
    let host = url
        .host_str()
        .unwrap_or("mlflow")
        .trim_matches(['[', ']'])
        .replace(':', "-");
    let base = format!("{host}-{}", url.port_or_known_default().unwrap_or_default());
    // Another path of the same host is another source, and is not written over.
    let taken = |name: &String| {
        known["items"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|item| item["name"] == **name)
    };
    let names = std::iter::once(base.clone()).chain((2..).map(|count| format!("{base}-{count}")));
    let name = names.into_iter().find(|name| !taken(name)).unwrap_or(base);
    let body = json!({"settings": {"url": source}, "reason": "named on the command line"});
    server
        .call(Method::PUT, &format!("/v1/sources/{name}"), Some(body))
        .await?;
    Ok(name)
}

fn show_model(model: &Value) {
    println!("{}  {}", text(&model["name"]), text(&model["description"]));
    let champion = model["traffic"]["champion"].as_str();
    let aliases = model["aliases"].as_object();
    let mut versions: Vec<_> = model["versions"].as_object().into_iter().flatten().collect();
    versions.sort_by_key(|(_, version)| version["added_seq"].as_u64());
    for (name, version) in versions {
        let mut marks: Vec<String> = Vec::new();
        marks.extend((champion == Some(name)).then(|| "answers".to_owned()));
        for (alias, to) in aliases.into_iter().flatten() {
            marks.extend((to == name).then(|| format!("@{alias}")));
        }
        let state = text(&version["phase"]["state"]);
        println!(
            "  {name:<16} {state:<10} {:<14} {}",
            marks.join(" "),
            text(&version["digest"])
        );
    }
}

fn show_version(version: &Value) {
    let phase = &version["phase"];
    println!(
        "{}/{} is {}",
        text(&version["model"]),
        text(&version["name"]),
        text(&phase["state"])
    );
    match phase["state"].as_str() {
        Some("rejected") => {
            println!("  at the step `{}`: {}", text(&phase["step"]), text(&phase["reason"]));
            println!("  to put it right: {}", text(&phase["remedy"]));
        }
        Some("ready") => println!("  fastest on {}, {}", text(&phase["engine"]), text(&version["digest"])),
        _ => {}
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
