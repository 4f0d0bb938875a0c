//! `einthoven models`: what the registry holds, and bringing versions in.

use super::remote::{Remote, Server};
use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use einthoven_registry_state::{AliasName, ModelName, Reference, Selector, VersionName};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
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
    },
    /// Let a version serve no more.
    Retire {
        /// `NAME/VERSION`.
        version: String,
    },
    /// Forget a version.
    Delete {
        /// `NAME/VERSION`.
        version: String,
    },
}

fn field(text: &str) -> Result<(String, String), String> {
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
            } => upload(server, model, file, version.as_ref(), fields).await,
            Self::Pull {
                source,
                reference,
                into,
                promote,
                fields,
            } => {
                let source = source_name(server, source).await?;
                let manifest = manifest(fields);
                let body = json!({
                    "reference": reference, "into": into, "promote": promote, "manifest": manifest, "wait_s": WAIT_S,
                });
                server
                    .call(Method::POST, &format!("/v1/sources/{source}/pull"), Some(body))
                    .await
            }
            Self::Alias { alias, version } => {
                let (model, alias) = alias_of(alias)?;
                let path = format!("/v1/models/{model}/aliases/{alias}");
                match version {
                    Some(version) => server.call(Method::PUT, &path, Some(json!({"version": version}))).await,
                    None => server.call(Method::DELETE, &path, None).await,
                }
            }
            Self::Retire { version } => {
                let (model, version) = version_of(version)?;
                server
                    .call(
                        Method::POST,
                        &format!("/v1/models/{model}/versions/{version}/retire"),
                        None,
                    )
                    .await
            }
            Self::Delete { version } => {
                let (model, version) = version_of(version)?;
                server
                    .call(Method::DELETE, &format!("/v1/models/{model}/versions/{version}"), None)
                    .await
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
            Self::Show { .. } | Self::Alias { .. } => show_model(answer),
            Self::Upload { .. } | Self::Pull { .. } | Self::Retire { .. } => show_version(answer),
            Self::Delete { version } => println!("{version} is deleted"),
        }
    }
}

/// Fields as the manifest has them: JSON where it is JSON, a list for labels, else text.
fn manifest(fields: &[(String, String)]) -> serde_json::Map<String, Value> {
    let value = |field: &str, text: &str| match serde_json::from_str(text) {
        Ok(value @ (Value::Array(_) | Value::Object(_))) => value,
        _ if field == "labels" => text.split(',').map(|label| Value::from(label.trim())).collect(),
        _ => Value::from(text),
    };
    fields
        .iter()
        .map(|(field, text)| (field.clone(), value(field, text)))
        .collect()
}

async fn upload(
    server: &Server,
    model: &ModelName,
    file: &Path,
    version: Option<&VersionName>,
    fields: &[(String, String)],
) -> anyhow::Result<Value> {
    let opened = tokio::fs::File::open(file)
        .await
        .with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(
        opened.metadata().await?.is_file(),
        "{} is no file; pack a folder into a .zip or .tar first",
        file.display()
    );
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut fields = fields.to_vec();
    fields.push(("wait_s".to_owned(), WAIT_S.to_string()));
    fields.extend(version.map(|version| ("version".to_owned(), version.to_string())));
    let path = format!("/v1/models/{model}/versions");
    server.upload(&path, &name, opened.into(), &fields).await
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
    let name = format!("{host}-{}", url.port_or_known_default().unwrap_or_default());
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
