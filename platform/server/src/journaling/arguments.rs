//! What `serve` is told about the journal.

use super::{Everywhere, Journaling};
use crate::storage::Storage;
use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use einthoven_journal::recordings::KeepRecordings;
use einthoven_journal::{Journal, Keep, Mode, Settings};
use std::path::PathBuf;

/// How answers are remembered.
#[derive(Debug, Clone, Args)]
pub(crate) struct JournalArguments {
    /// Remember what was answered: `sampled` holds no answer up, in `audit` an answer waits until it is on disk.
    #[arg(long, value_enum, default_value = "sampled", env = "EINTHOVEN_JOURNAL")]
    journal: Remember,
    /// Share of the answers that are remembered in `sampled`, 0 to 1.
    #[arg(long, default_value_t = 1.0, env = "EINTHOVEN_JOURNAL_SHARE", value_parser = share)]
    journal_share: f64,
    /// Folder of the journal; `journal` in the data folder, unless it is given.
    #[arg(long, value_name = "FOLDER", env = "EINTHOVEN_JOURNAL_FOLDER")]
    journal_folder: Option<PathBuf>,
    /// Days after which an entry is deleted; without it only the bytes count.
    #[arg(long, value_name = "DAYS", env = "EINTHOVEN_JOURNAL_DAYS")]
    journal_days: Option<u32>,
    /// MiB of entries above which the oldest are deleted.
    #[arg(long, value_name = "MIB", default_value_t = 4096, env = "EINTHOVEN_JOURNAL_MIB", value_parser = clap::value_parser!(u32).range(64..))]
    journal_mib: u32,
    /// MiB of entries that may wait for the disk.
    #[arg(long, value_name = "MIB", default_value_t = 32, env = "EINTHOVEN_JOURNAL_BUFFER_MIB", value_parser = clap::value_parser!(u32).range(1..=4096))]
    journal_buffer_mib: u32,
    /// Keep every recording that is classified, encrypted, so that its answer can be replayed and its beats shown.
    #[arg(long, env = "EINTHOVEN_KEEP_RECORDINGS")]
    keep_recordings: bool,
    /// Days after which a kept recording is deleted with its key; without it none is.
    #[arg(long, value_name = "DAYS", env = "EINTHOVEN_KEEP_RECORDINGS_DAYS")]
    keep_recordings_days: Option<u32>,
    /// MiB of kept recordings above which the oldest are deleted; without it none is.
    #[arg(long, value_name = "MIB", env = "EINTHOVEN_KEEP_RECORDINGS_MIB")]
    keep_recordings_mib: Option<u32>,
    /// File with the key under which recordings are kept, 64 hexadecimal digits; one is made unless it is given. Servers that share a
    /// database give people the same pseudonyms where each is given the same key.
    #[arg(long, value_name = "FILE", env = "EINTHOVEN_MASTER_KEY_FILE")]
    master_key: Option<PathBuf>,
    /// File with the master key before that one: what lies under it is put under --master-key before the server answers.
    #[arg(long, value_name = "FILE", env = "EINTHOVEN_PREVIOUS_MASTER_KEY_FILE")]
    previous_master_key: Option<PathBuf>,
}

/// Which mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Remember {
    /// Answers wait for nothing.
    Sampled,
    /// An answer waits until it is on disk.
    Audit,
    /// Nothing is remembered.
    Off,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "give a number from 0 to 1".to_owned())?;
    (0.0..=1.0)
        .contains(&share)
        .then_some(share)
        .ok_or_else(|| "give a number from 0 to 1".to_owned())
}

impl JournalArguments {
    /// Whether its settings go together.
    pub(crate) fn check(&self, storage: &Storage) -> anyhow::Result<()> {
        let of_recordings = self.keep_recordings_days.is_some() || self.keep_recordings_mib.is_some();
        ensure!(
            self.keep_recordings || !of_recordings,
            "--keep-recordings-days and --keep-recordings-mib go with --keep-recordings"
        );
        ensure!(
            self.keep_recordings || storage.database_url.is_some() || self.master_key.is_none(),
            "--master-key goes with --keep-recordings or --database-url"
        );
        ensure!(
            self.master_key.is_some() || self.previous_master_key.is_none(),
            "--previous-master-key goes with --master-key, which takes its place"
        );
        Ok(())
    }

    /// Opens the journal, or none where that was said.
    pub(crate) async fn open(&self, storage: &Storage) -> anyhow::Result<Journaling> {
        let mode = match self.journal {
            Remember::Off => return Ok(Journaling::off()),
            Remember::Audit => Mode::Audit,
            Remember::Sampled => Mode::Sampled {
                share: self.journal_share,
            },
        };
        let folder = self.journal_folder.clone();
        let folder = folder.unwrap_or_else(|| storage.data.join("journal"));
        let everywhere = match storage.database()? {
            Some(pool) => Some(Everywhere::open(pool, &folder).await?),
            None => None,
        };
        let pseudonyms = match (&everywhere, &self.master_key) {
            (Some(everywhere), Some(master)) => {
                let previous = self.previous_master_key.as_deref();
                Some(everywhere.pseudonyms(&folder, master, previous).await?)
            }
            (Some(_), None) => {
                tracing::warn!(
                    "without --master-key this server gives people pseudonyms of its own, and erasing a person by one reaches it alone"
                );
                None
            }
            (None, _) => None,
        };
        let settings = Settings {
            mode,
            buffer_bytes: (self.journal_buffer_mib as usize) << 20,
            keep: Keep {
                days: self.journal_days,
                bytes: Some(u64::from(self.journal_mib) << 20),
                ..Keep::default()
            },
            recordings: KeepRecordings {
                keep: self.keep_recordings,
                days: self.keep_recordings_days,
                bytes: self.keep_recordings_mib.map(|mib| u64::from(mib) << 20),
                master_key: self.master_key.clone(),
                previous_master_key: self.previous_master_key.clone(),
            },
            pseudonyms,
        };
        // It may put very many keys under a new master key.
        let place = folder.clone();
        let opened = tokio::task::spawn_blocking(move || Journal::open(&place, settings)).await?;
        let journal =
            opened.with_context(|| format!("the journal in {}; --journal off serves without", folder.display()))?;
        Ok(Journaling::new(journal, self.keep_recordings, everywhere))
    }
}
