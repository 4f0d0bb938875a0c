//! What `serve` is told about experiments.

use super::Comparing;
use super::webhook::Webhook;
use anyhow::Context;
use clap::Args;
use secrecy::SecretString;
use std::path::PathBuf;
use std::time::Duration;

/// How experiments are watched.
#[derive(Debug, Clone, Args)]
pub(crate) struct ComparingArguments {
    /// Seconds between two looks at the guard rails of every challenger.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, env = "EINTHOVEN_GUARD_EVERY_S", value_parser = clap::value_parser!(u32).range(1..=3600))]
    guard_every_s: u32,
    /// Seconds that a challenger may take for one request, and one more for each minute of the recording; then it counts as late.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, env = "EINTHOVEN_CHALLENGER_WITHIN_S", value_parser = clap::value_parser!(u32).range(1..=3600))]
    challenger_within_s: u32,
    /// Address that is told, by a signed POST, when a challenger was withdrawn, or recordings are no longer like the reference.
    #[arg(
        long,
        value_name = "URL",
        env = "EINTHOVEN_EXPERIMENT_WEBHOOK",
        requires = "experiment_webhook_secret"
    )]
    experiment_webhook: Option<String>,
    /// File with the secret that these calls are signed with.
    #[arg(
        long,
        value_name = "FILE",
        env = "EINTHOVEN_EXPERIMENT_WEBHOOK_SECRET",
        requires = "experiment_webhook"
    )]
    experiment_webhook_secret: Option<PathBuf>,
}

impl ComparingArguments {
    pub(crate) fn open(&self) -> anyhow::Result<Comparing> {
        let webhook = match (&self.experiment_webhook, &self.experiment_webhook_secret) {
            (Some(url), Some(file)) => {
                let secret = std::fs::read_to_string(file)
                    .with_context(|| format!("the webhook's secret in {}", file.display()))?;
                anyhow::ensure!(
                    !secret.trim().is_empty(),
                    "the webhook's secret in {} is empty",
                    file.display()
                );
                Some(Webhook::new(url, SecretString::from(secret.trim().to_owned()))?)
            }
            _ => None,
        };
        Ok(Comparing::new(
            Duration::from_secs(u64::from(self.guard_every_s)),
            Duration::from_secs(u64::from(self.challenger_within_s)),
            webhook,
        ))
    }
}
