//! `einthoven serve`.

use super::identity::{Identity, entrance};
use crate::embedded;
use crate::engines::Plugins;
use crate::experiments::{self, ComparingArguments};
use crate::http::access::{Duties, PublicUrl, Role};
use crate::http::{self, App, Parts, erasing};
use crate::journaling::{JournalArguments, Journaling};
use crate::lifecycle::{Lifecycle, Phase};
use crate::listener::{self, Ending, Listener};
use crate::recordings::Recordings;
use crate::storage::Storage;
use crate::work;
use anyhow::{Context, ensure};
use clap::Args;
use einthoven_onboard::{By, Candidate, CandidateFile, OnboardError, Onboarding};
use einthoven_registry::{ChangeError, Registry};
use einthoven_registry_log::{Log, append_head_file};
use einthoven_registry_mlflow::{Network, Networks};
use einthoven_registry_state::{Origin, Refusal};
use einthoven_serving::{Loaded, Settings, Tables};
use einthoven_telemetry::{LogArguments, TraceArguments};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long the process's threads are waited for when all else has ended.
const THREADS: Duration = Duration::from_millis(500);

/// How long challengers are waited for at the start.
const CHALLENGERS: Duration = Duration::from_secs(30);

/// How often the log's head is exported, and files without a version are removed.
const DAILY: Duration = Duration::from_secs(24 * 3600);

/// Serve the page and the API.
// What must go together is looked at in `problems`, not by clap's `requires`: that knows nothing of the file.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port. Without users and keys only this machine's own addresses are allowed.
    #[arg(long, default_value = "127.0.0.1:5000", env = "EINTHOVEN_LISTEN")]
    listen: SocketAddr,
    /// What this server is there for: everything, keeping the registry (models, versions, traffic, sources, experiments, the page), or
    /// answering predictions. The last two need --database-url and --bucket.
    #[arg(long, value_enum, default_value_t = Role::All, env = "EINTHOVEN_ROLE")]
    role: Role,
    /// Where a server of the other role is reached, such as `https://registry.example.org`; told to whoever asks here for what that one
    /// does.
    #[arg(long, value_name = "URL", env = "EINTHOVEN_OTHER_ROLE_URL")]
    other_role_url: Option<PublicUrl>,
    #[command(flatten)]
    identity: Identity,
    #[command(flatten)]
    listener: listener::Settings,
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    traces: TraceArguments,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    journal: JournalArguments,
    #[command(flatten)]
    comparing: ComparingArguments,
    /// Largest upload of a recording, in MiB.
    #[arg(long, default_value_t = 256, env = "EINTHOVEN_MAX_UPLOAD_MIB", value_parser = clap::value_parser!(u16).range(1..=2048))]
    max_upload_mib: u16,
    /// Largest upload of a model, packed and unpacked, in MiB.
    #[arg(long, default_value_t = 2048, env = "EINTHOVEN_MAX_MODEL_MIB", value_parser = clap::value_parser!(u32).range(1..=65536))]
    max_model_mib: u32,
    /// Memory that all loaded models may count as together, in MiB; the longest unused go first.
    #[arg(long, default_value_t = 2048, env = "EINTHOVEN_MODEL_MEMORY_MIB", value_parser = clap::value_parser!(u32).range(8..))]
    model_memory_mib: u32,
    /// Folder of plugins: every `*.plugin.toml` in it. May be given several times.
    #[arg(long, env = "EINTHOVEN_PLUGINS", value_delimiter = ':')]
    plugins: Vec<PathBuf>,
    /// Section of configuration for an engine, such as `onnxruntime={"library":"/opt/libonnxruntime.so"}`.
    #[arg(long, value_name = "ENGINE=JSON", value_parser = section)]
    engine: Vec<(String, serde_json::Value)>,
    /// Do not follow MLflow sources and take up no half-done work: another server on the same registry does.
    #[arg(long, env = "EINTHOVEN_NO_SYNC")]
    no_sync: bool,
    /// Network that MLflow sources may lie in, such as `10.0.0.0/8`. May be given several times; without any it is all of them, but for
    /// addresses by which clouds hand out credentials.
    #[arg(
        long,
        value_name = "NETWORK",
        env = "EINTHOVEN_SOURCE_NETWORKS",
        value_delimiter = ','
    )]
    source_networks: Vec<Network>,
    /// Folder of a model to bring in: the network and a `manifest.json`. It answers where nothing of its name does. May
    /// be given several times.
    #[arg(long)]
    model: Vec<PathBuf>,
    /// TOML file of settings; its keys are the flags' names, with `_` for `-`. Variables override it, and flags override both.
    #[arg(long, value_name = "FILE", env = "EINTHOVEN_CONFIG")]
    config: Option<PathBuf>,
}

/// `NAME={"key": "value"}`.
fn section(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, json) = text.split_once('=').ok_or("say ENGINE=JSON")?;
    let value: serde_json::Value = serde_json::from_str(json).map_err(|cause| cause.to_string())?;
    if !value.is_object() {
        return Err("the section must be a JSON object".to_owned());
    }
    Ok((name.to_owned(), value))
}

impl Serve {
    /// What is wrong with settings that are each right, and with the files that they name. Nothing is opened for good, nothing written.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut found = |checked: anyhow::Result<()>| problems.extend(checked.err().map(|cause| format!("{cause:#}")));
        found(self.listener.check());
        found(self.identity.check());
        found(self.storage.check());
        found(self.check_role());
        found(self.journal.check(&self.storage));
        for folder in &self.plugins {
            let unreadable = || format!("cannot read the plugin folder {}", folder.display());
            found(std::fs::read_dir(folder).map(drop).with_context(unreadable));
        }
        for folder in &self.model {
            found(manifest(folder).map(drop));
        }
        problems
    }

    /// Whether what servers of several roles share is there.
    fn check_role(&self) -> anyhow::Result<()> {
        if self.role == Role::All {
            return Ok(());
        }
        let (role, shared) = (self.role, self.storage.is_shared());
        ensure!(
            shared,
            "--role {role} needs --database-url and --bucket, by which servers share a registry"
        );
        ensure!(
            self.role.registers() || self.model.is_empty(),
            "--model brings a version in, which a router does not; give it to the registry"
        );
        Ok(())
    }

    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        einthoven_plugin_host::memory::keep_little();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .on_thread_start(einthoven_plugin_host::priority::before_computing)
            .build()?;
        let traces = {
            let _within = runtime.enter();
            self.traces.start().map_err(anyhow::Error::msg)?
        };
        self.log.start(&traces)?;
        if let Some(file) = &self.config {
            tracing::info!("settings from {}", file.display());
        }
        let done = runtime.block_on(self.serve());
        traces.end();
        // Work that nobody waits for any more may still compute; what it writes is whole or not there.
        runtime.shutdown_timeout(THREADS);
        done
    }

    async fn serve(self) -> anyhow::Result<ExitCode> {
        let lifecycle = Lifecycle::new();
        let ending = Ending::new(&self.listener);
        tokio::spawn(ending.signals(lifecycle.clone())?);
        let _lock = self.storage.lock()?;
        // Told to stop before it has started, it does so at once. Whatever its start was at goes on at the next one.
        let journaling = tokio::select! {
            journaling = self.journal.open(&self.storage) => journaling?,
            () = lifecycle.closing() => return Ok(ExitCode::SUCCESS),
        };
        tokio::select! {
            started = self.start(&lifecycle, journaling.clone()) => started?,
            () = lifecycle.closing() => return Ok(ExitCode::SUCCESS),
        }
        ending.ended(&lifecycle).await;
        journaling.close().await;
        Ok(ExitCode::SUCCESS)
    }

    /// Opens the port, loads what is to answer and starts what goes on beside; all of it runs in tasks when this returns.
    async fn start(self, lifecycle: &Lifecycle, journaling: Journaling) -> anyhow::Result<()> {
        journaling.attend(lifecycle);
        let plugins = Plugins::open(&self.plugins, self.engine.into_iter().collect())?;
        let log = self.storage.log().await?;
        let registry = Registry::open(log.clone(), Some(&self.storage.view_folder())).await?;
        let auth = self
            .identity
            .open(self.listen, &self.storage.data, registry.clone())
            .await?;
        let loaded = Loaded::new(Settings {
            registry,
            files: self.storage.files()?,
            serving: plugins.serving.clone(),
            tables: Tables::in_folder(self.storage.tables_folder()),
            budget_bytes: u64::from(self.model_memory_mib) << 20,
        });
        let onboarding = Onboarding::new(loaded.clone()).with_networks(Networks::only(self.source_networks));
        let role = self.role;
        if role.registers() {
            for version in embedded::versions(&plugins.serving)? {
                onboarding.add_embedded(version).await?;
            }
        }
        let mut reached = self.identity.reached(self.listen, self.listener.tls());
        reached.cors = self.listener.origins();
        reached.address_rate = self.listener.address_rate();
        reached.duties = Duties {
            role,
            elsewhere: self.other_role_url.map(|url| url.origin),
        };
        let jobs = self.storage.jobs().await?;
        let table = http::table();
        let parts = Parts {
            plugins,
            onboarding: onboarding.clone(),
            recordings: Recordings::in_directory(self.storage.data.clone())?,
            journaling,
            comparing: self.comparing.open()?,
            auth: auth.clone(),
            access: reached,
            lifecycle: lifecycle.clone(),
            jobs: jobs.clone(),
            body_limit: usize::from(self.max_upload_mib) << 20,
            model_limit: u64::from(self.max_model_mib) << 20,
        };
        let app = App::new(&table, parts);
        erasing::start(&app).await?;
        let listener = Listener::bind(self.listen, self.listener, lifecycle.clone()).await?;
        let url = listener.url()?;
        // It answers from here on, that it is alive but not ready.
        tokio::spawn(listener.serve(http::router(table, Arc::clone(&app))));
        loaded.load_champions().await;
        loaded.load_challengers(CHALLENGERS).await;
        tokio::spawn(loaded.clone().follow());
        let follows_sources = role.registers() && !self.no_sync;
        if follows_sources {
            onboarding.resume().await;
        }
        for folder in &self.model {
            add_folder(&onboarding, folder).await?;
        }
        if role.predicts() {
            work::start(&app);
            experiments::start(&app);
        }
        lifecycle.enter(Phase::Serving);
        println!(
            "Einthoven is ready: {}. Research use only. Not for diagnosis.",
            entrance(&auth, &url)?
        );
        tokio::spawn(async move { loaded.measure_missing().await });
        tokio::spawn(daily(log, self.storage.heads_file(), onboarding.clone(), role));
        if follows_sources {
            tokio::spawn(onboarding.sync());
        }
        Ok(())
    }
}

/// What a model's folder says of it.
fn manifest(folder: &Path) -> anyhow::Result<einthoven_classify::Manifest> {
    let named = folder.display();
    let text = std::fs::read(folder.join("manifest.json")).with_context(|| {
        format!("the model folder {named} has no `manifest.json` that can be read; docs/models.md says what it holds")
    })?;
    serde_json::from_slice(&text).with_context(|| format!("the manifest in {named}"))
}

/// Brings the model of a folder in, waits for its verdict, and lets it answer where nothing of its name does.
async fn add_folder(onboarding: &Onboarding, folder: &Path) -> anyhow::Result<()> {
    let unreadable = || format!("cannot read the model folder {}", folder.display());
    let mut candidate = Candidate::default();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        // A link could lead anywhere; a package is its own files.
        if entry.file_type().with_context(unreadable)?.is_file() {
            candidate.files.push(CandidateFile {
                name: entry.file_name().to_string_lossy().into_owned(),
                path: entry.path(),
            });
        }
    }
    candidate.files.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = manifest(folder)?;
    let model: einthoven_registry_state::ModelName = manifest.name.parse()?;
    let version = Some(manifest.version.as_str()).filter(|version| !version.is_empty());
    let version = version.map(str::parse).transpose()?;
    let by = By {
        who: "einthoven".to_owned(),
        why: "its folder was named at start".to_owned(),
    };
    let added = match onboarding.add(&by, model, version, Origin::Folder, candidate).await {
        Ok(added) => added,
        Err(OnboardError::Change(ChangeError::Refused(Refusal::SameContent { .. }))) => return Ok(()),
        Err(cause) => return Err(cause).with_context(|| format!("the model folder {}", folder.display())),
    };
    let phase = onboarding.settled(&added, Duration::from_secs(600)).await?;
    if let einthoven_registry_state::Phase::Rejected(rejection) = phase {
        anyhow::bail!(
            "the model folder {}: {}; to put it right: {}",
            folder.display(),
            rejection.reason,
            rejection.remedy
        );
    }
    let state = onboarding.loaded().settings().registry.state();
    if state.model(&added.model)?.traffic.champion.is_none() {
        onboarding.promote(&by, &added.model, &added.version, None).await?;
    }
    Ok(())
}

/// Exports the log's head and removes files without a version, now and once a day.
async fn daily(log: Log, heads: PathBuf, onboarding: Onboarding, role: Role) {
    let mut exported = None;
    loop {
        match log.head().await {
            Ok(head) if exported != Some(head) => match append_head_file(&heads, head, jiff::Timestamp::now()).await {
                Ok(()) => exported = Some(head),
                Err(cause) => tracing::error!("the log's head was not exported: {cause}"),
            },
            Ok(_) => {}
            Err(cause) => tracing::error!("the log's head was not exported: {cause}"),
        }
        let collected = if role.registers() {
            onboarding.collect(DAILY).await
        } else {
            onboarding.collect_cache(DAILY).await
        };
        match collected {
            Ok(gone) if gone.files > 0 => tracing::info!(
                files = gone.files,
                bytes = gone.bytes,
                "removed files without a version"
            ),
            Ok(_) => {}
            Err(cause) => tracing::error!("files without a version were not removed: {cause}"),
        }
        tokio::time::sleep(DAILY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::Serve;
    use clap::{Args, Command, FromArgMatches};

    /// What is not to be printed among the settings is not in their `Debug` either.
    #[test]
    fn all_settings_are_printed_for_debugging_without_their_secrets() {
        const SECRET: &str = "hunter2hunter2";
        let command = Serve::augment_args(Command::new("serve").no_binary_name(true));
        let secrets = command.get_arguments().filter(|one| one.is_hide_env_values_set());
        let words: Vec<_> = secrets
            .map(|one| {
                format!(
                    "--{}=postgres://einthoven:{SECRET}@127.0.0.1/x",
                    one.get_long().unwrap_or_default()
                )
            })
            .collect();
        assert!(!words.is_empty());
        let given = command.try_get_matches_from(words).unwrap();
        let settings = Serve::from_arg_matches(&given).unwrap();
        let printed = format!("{settings:?} {settings:#?}");
        assert!(printed.contains("database_url"), "{printed}");
        assert!(!printed.contains(SECRET), "{printed}");
    }
}
