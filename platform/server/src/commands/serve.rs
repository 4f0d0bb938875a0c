//! `einthoven serve`.

use crate::engines::Plugins;
use crate::http::{self, App};
use crate::models::Models;
use crate::recordings::Recordings;
use anyhow::Context;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long open requests may go on after the signal to stop.
const GRACE: Duration = Duration::from_secs(20);

/// Serve the page and the API.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port. Without users and keys only this machine's own addresses are allowed.
    #[arg(long, default_value = "127.0.0.1:5000", env = "EINTHOVEN_LISTEN")]
    listen: SocketAddr,
    /// Folder for temporary files and for what engines were measured to do; nothing of a recording outlives the process.
    #[arg(long, default_value = "data", env = "EINTHOVEN_DATA")]
    data: PathBuf,
    /// Largest upload, in MiB.
    #[arg(long, default_value_t = 256, env = "EINTHOVEN_MAX_UPLOAD_MIB", value_parser = clap::value_parser!(u16).range(1..=2048))]
    max_upload_mib: u16,
    /// Folder of plugins: every `*.plugin.toml` in it. May be given several times.
    #[arg(long, env = "EINTHOVEN_PLUGINS", value_delimiter = ':')]
    plugins: Vec<PathBuf>,
    /// Section of configuration for an engine, such as `onnxruntime={"library":"/opt/libonnxruntime.so"}`.
    #[arg(long, value_name = "ENGINE=JSON", value_parser = section)]
    engine: Vec<(String, serde_json::Value)>,
    /// Folder of a model to serve beside the embedded ones: `manifest.json`, `golden.json` and `model.onnx`, `model.tflite` or
    /// `model.safetensors`. May be given several times.
    #[arg(long)]
    model: Vec<PathBuf>,
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
    pub(crate) fn default_settings() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 5000)),
            data: PathBuf::from("data"),
            max_upload_mib: 256,
            plugins: Vec::new(),
            engine: Vec::new(),
            model: Vec::new(),
        }
    }

    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        anyhow::ensure!(
            self.listen.ip().is_loopback(),
            "--listen {}: this version has no users and keys yet, so it serves this machine alone; listen on 127.0.0.1 or [::1]",
            self.listen
        );
        tracing_subscriber::fmt()
            .with_env_filter(
                tracing_subscriber::EnvFilter::try_from_env("EINTHOVEN_LOG").unwrap_or_else(|_| "info".into()),
            )
            .with_writer(std::io::stderr)
            .init();
        let plugins = Plugins::open(&self.plugins, self.engine.into_iter().collect())?;
        let mut models = Models::embedded(plugins)?;
        models.keep_tables(self.data.join("engines"));
        for folder in &self.model {
            models.add_folder(folder)?;
        }
        let app = App::new(
            models,
            Recordings::in_directory(self.data)?,
            usize::from(self.max_upload_mib) << 20,
        );
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(async {
                let listener = tokio::net::TcpListener::bind(self.listen)
                    .await
                    .with_context(|| format!("cannot listen on {}; is another server running there?", self.listen))?;
                println!(
                    "Einthoven is ready: open http://{} in a browser. Research use only. Not for diagnosis.",
                    listener.local_addr()?
                );
                let measuring = Arc::clone(&app);
                tokio::task::spawn_blocking(move || measuring.models.measure_missing());
                let (stopping, stopped) = tokio::sync::oneshot::channel();
                let server = axum::serve(listener, http::router(app)).with_graceful_shutdown(async move {
                    stop_signal().await;
                    let _ = stopping.send(());
                });
                tokio::select! {
                    result = async { server.await } => result?,
                    () = async { let _ = stopped.await; tokio::time::sleep(GRACE).await } => {
                        tracing::warn!("stopped with requests still open after the grace period");
                    }
                }
                Ok(ExitCode::SUCCESS)
            })
    }
}

async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
        }
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}
