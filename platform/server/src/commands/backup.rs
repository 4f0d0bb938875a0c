//! `einthoven backup` and `einthoven restore`: the registry and its files at one moment, with what servers share about people.

use super::remote::run;
use crate::journaling::Kept;
use crate::storage::{Storage, log_folder};
use anyhow::{Context, ensure};
use clap::Args;
use einthoven_registry::Registry;
use einthoven_registry_files::{Digest, Store};
use einthoven_registry_log::{FILE, FileLog, Log, PostgresLog};
use secrecy::ExposeSecret;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Copy the registry and all its files, as they are at one moment, into a folder. The server may run meanwhile.
#[derive(Debug, Args)]
#[command(mut_arg("data", |arg| arg.help("The server's data folder")))]
#[command(mut_arg("database_url", |arg| arg.help("Where the servers have their registry in PostgreSQL: that database")))]
#[command(mut_arg("bucket", |arg| arg.help("Where the servers have the models' files in a bucket: the TOML file that they are given")))]
pub(crate) struct Backup {
    /// An empty or missing folder. It is a data folder: `einthoven serve --data FOLDER` serves it as it is.
    folder: PathBuf,
    #[command(flatten)]
    storage: Storage,
}

/// Bring a backup into PostgreSQL and a bucket, or into another data folder; they must be empty.
#[derive(Debug, Args)]
#[command(mut_arg("data", |arg| arg.help("The data folder that the backup is brought into")))]
#[command(mut_arg("database_url", |arg| arg.help("Bring the registry into this PostgreSQL: `postgres://user:password@host/database`")))]
#[command(mut_arg("bucket", |arg| arg.help("Bring the models' files into a bucket: the TOML file that servers are given for it")))]
pub(crate) struct Restore {
    /// What `einthoven backup` made.
    folder: PathBuf,
    /// File with the servers' master key: where --database-url is not given, what lies under it is put beside the journal.
    #[arg(long, value_name = "FILE", env = "EINTHOVEN_MASTER_KEY_FILE")]
    master_key: Option<PathBuf>,
    #[command(flatten)]
    storage: Storage,
}

impl Backup {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        ensure!(
            !log_folder(&self.folder).exists(),
            "{} holds a registry already; name an empty folder",
            self.folder.display()
        );
        // Whole under its name or not at all: one that broke off is no backup, and is no obstacle to the next.
        let mut part = self.folder.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        run(async move {
            if part.exists() {
                std::fs::remove_dir_all(&part).with_context(|| format!("cannot remove {}", part.display()))?;
            }
            let log = self.storage.log_reader().await?;
            let head = log.head().await?;
            log.copy_to(log_folder(&part), head).await?;
            let copy = Log::File(FileLog::open_reader(log_folder(&part)).await?);
            // Only a version that is deleted this very moment can lose its files first; then this fails, and the next goes.
            let files = copied_files(copy, &self.storage.files()?, &part).await?;
            if let Some(pool) = self.storage.database()? {
                Kept::of(&pool).await?.write(&part)?;
            }
            if self.folder.exists() {
                std::fs::remove_dir(&self.folder)
                    .with_context(|| format!("{} is not empty; name an empty folder", self.folder.display()))?;
            }
            std::fs::rename(&part, &self.folder).with_context(|| format!("cannot name {}", self.folder.display()))?;
            println!(
                "{} entries and {files} files are in {}",
                head.seq,
                self.folder.display()
            );
            Ok(ExitCode::SUCCESS)
        })
    }
}

async fn copied_files(log: Log, from: &Store, folder: &Path) -> anyhow::Result<u64> {
    let digests = digests(log).await?;
    let to = Store::on_disk(&folder.join("files"))?;
    let copied = from.copy_all(digests, &to).await.context("a file of the registry")?;
    Ok(copied.files + copied.had)
}

async fn digests(log: Log) -> anyhow::Result<Vec<Digest>> {
    let state = Registry::open(log, None).await?.state();
    let digests = state.files().into_iter().map(|digest| digest.parse::<Digest>());
    Ok(digests.collect::<Result<_, _>>()?)
}

impl Restore {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        ensure!(
            self.storage.database_url.is_some() || !log_folder(&self.storage.data).join(FILE).exists(),
            "{} holds a registry already; name another --data",
            self.storage.data.display()
        );
        run(async move {
            let from = Log::File(FileLog::open_reader(log_folder(&self.folder)).await?);
            from.verify(&[]).await.context("the backup's log")?;
            let head = from.head().await?;
            let source = Store::on_disk(&self.folder.join("files"))?;
            // Files first: a registry must not name what is not there yet.
            let files = source
                .copy_all(digests(from.clone()).await?, &self.storage.files()?)
                .await?;
            let kept = Kept::read(&self.folder)?;
            let into = match &self.storage.database_url {
                None => None,
                Some(url) => Some(PostgresLog::connect(url.expose_secret()).await?),
            };
            if let Some(log) = &into {
                // Said again where the registry is written; nothing of people may come into a system that has its own.
                ensure!(
                    log.head().await?.seq == 0,
                    "the database holds a registry already; name an empty one"
                );
            }
            // Before the registry, by which a server would be started.
            match (&kept, self.storage.database()?, &self.master_key) {
                (Some(kept), Some(pool), _) => kept.put_back(&pool).await?,
                (Some(kept), None, Some(master)) => kept.put_beside(&self.storage.data, master)?,
                (Some(kept), None, None) if kept.has_key() => println!(
                    "the key of pseudonyms is not restored: a server that shares no database has it beside its journal, \
                     where restoring with --master-key puts it"
                ),
                _ => {}
            }
            if let (Some(kept), None) = (&kept, &into)
                && kept.erasures() > 0
            {
                println!(
                    "{} erasures are not restored: only servers that share a database follow such a list, so erase these people again \
                     where a journal is put back from a copy",
                    kept.erasures()
                );
            }
            match &into {
                Some(log) => drop(log.import(&from).await?),
                None => from.copy_to(log_folder(&self.storage.data), head).await?,
            }
            println!(
                "{} entries and {} files are restored",
                head.seq,
                files.files + files.had
            );
            Ok(ExitCode::SUCCESS)
        })
    }
}
