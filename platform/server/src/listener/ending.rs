//! From the signal to stop to the end of the process.

use super::Settings;
use crate::lifecycle::{Lifecycle, Phase};
use anyhow::Context;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How the process ends.
pub(crate) struct Ending {
    delay: Duration,
    grace: Duration,
    /// A second signal: whoever sends it does not want to wait.
    hurry: Arc<Notify>,
}

impl Ending {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            delay: settings.drain_delay(),
            grace: settings.grace(),
            hurry: Arc::new(Notify::new()),
        }
    }

    /// Leads through the phases of the end when the process is told to stop; listens from this call on.
    pub(crate) fn signals(&self, lifecycle: Lifecycle) -> anyhow::Result<impl Future<Output = ()> + Send + use<>> {
        let listen = |kind| signal(kind).context("cannot listen for the signal to stop");
        let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        let (delay, hurry) = (self.delay, Arc::clone(&self.hurry));
        Ok(async move {
            // At a terminal there is no balancer that must take notice first.
            let delay = tokio::select! {
                _ = terminate.recv() => delay,
                _ = interrupt.recv() => Duration::ZERO,
            };
            tracing::info!("stopping: what is under way ends first; a second signal ends it at once");
            lifecycle.enter(Phase::Draining);
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = any(&mut terminate, &mut interrupt) => hurry.notify_one(),
            }
            lifecycle.enter(Phase::Closing);
            any(&mut terminate, &mut interrupt).await;
            hurry.notify_one();
        })
    }

    /// Waits for the signal to stop, and then for the end of what is under way, no longer than the grace period.
    pub(crate) async fn ended(&self, lifecycle: &Lifecycle) {
        lifecycle.draining().await;
        let until = Instant::now() + self.grace;
        lifecycle.closing().await;
        tokio::select! {
            () = lifecycle.idle() => tracing::info!("stopped; nothing was left open"),
            () = tokio::time::sleep_until(until) => {
                tracing::warn!("stopped with requests still open after the grace period");
            }
            () = self.hurry.notified() => tracing::warn!("stopped at a second signal, with requests still open"),
        }
    }
}

async fn any(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
}
