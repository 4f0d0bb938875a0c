//! `einthoven replay`: an answer made again by a running server.

use super::remote::Remote;
use clap::Args;
use einthoven_journal::replay::Replayed;
use std::process::ExitCode;
use uuid::Uuid;

/// Make an answer again on a running server and compare it byte for byte. Ends with 0 where it is the same, with 1 where it is
/// another one or a piece is gone; the JSON says which.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    remote: Remote,
    /// The prediction, as the answer names it.
    id: Uuid,
}

impl Replay {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let path = format!("/v1/predictions/{}/replay", self.id);
        let said: Replayed = self.remote.run(async move |server| server.post(&path).await)?;
        println!("{}", serde_json::to_string_pretty(&said)?);
        Ok(if said == Replayed::Same {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
