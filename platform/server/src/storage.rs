//! Where the registry and the files lie: in the data folder, or in PostgreSQL and a bucket.

use anyhow::{Context, bail};
use clap::Args;
use einthoven_jobs::{Jobs, Sharing};
use einthoven_registry_files::{Bucket, Objects, Store};
use einthoven_registry_log::{FileLog, Log, PostgresLog};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest wait for a connection to the database.
const PATIENCE: Duration = Duration::from_secs(4);

/// Where everything that is remembered lies.
#[derive(Debug, Clone, Args)]
pub(crate) struct Storage {
    /// Folder for the registry, the models' files, temporary files and what engines were measured to do.
    #[arg(long, default_value = "data", env = "EINTHOVEN_DATA")]
    pub(crate) data: PathBuf,
    /// Keep the registry's log in PostgreSQL, shared by several servers: `postgres://user:password@host/database`.
    #[arg(long, env = "EINTHOVEN_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<SecretString>,
    /// Keep the models' files in an S3-compatible bucket: a TOML file with `endpoint`, `bucket`, `region`, `access_key`,
    /// `secret_key_file`, and `prefix` and `allow_http` if wanted.
    #[arg(long, value_name = "FILE", env = "EINTHOVEN_BUCKET_FILE")]
    pub(crate) bucket: Option<PathBuf>,
}

/// The file `--bucket` names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BucketFile {
    endpoint: String,
    bucket: String,
    region: String,
    access_key: String,
    secret_key_file: PathBuf,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    allow_http: bool,
}

impl Storage {
    /// Whether the bucket's settings can be had, where they are named.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.bucket().map(drop)
    }

    /// Whether several servers can have the registry and its files together.
    pub(crate) fn is_shared(&self) -> bool {
        self.database_url.is_some() && self.bucket.is_some()
    }

    /// Takes the data folder for this process, for as long as what is returned lives. With PostgreSQL nothing else would keep
    /// a second server off the view and the files.
    pub(crate) fn lock(&self) -> anyhow::Result<File> {
        let folder = self.data.join("registry");
        let unusable = || format!("cannot use the data folder {}", self.data.display());
        std::fs::create_dir_all(&folder).with_context(unusable)?;
        let file = File::create(folder.join("lock")).with_context(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!(
                "the data folder {} is in use by another process; stop that one, or give this one a folder of its own",
                self.data.display()
            ),
            Err(TryLockError::Error(cause)) => Err(cause).with_context(unusable),
        }
    }

    /// The log, to write to.
    pub(crate) async fn log(&self) -> anyhow::Result<Log> {
        Ok(match &self.database_url {
            Some(url) => Log::Postgres(PostgresLog::connect(url.expose_secret()).await?),
            None => Log::File(FileLog::open(self.log_folder()).await?),
        })
    }

    /// The log, to read beside a server that writes it.
    pub(crate) async fn log_reader(&self) -> anyhow::Result<Log> {
        Ok(match &self.database_url {
            Some(url) => Log::Postgres(PostgresLog::connect(url.expose_secret()).await?),
            None => Log::File(FileLog::open_reader(self.log_folder()).await?),
        })
    }

    /// The models' files.
    pub(crate) fn files(&self) -> anyhow::Result<Store> {
        let folder = self.data.join("files");
        Ok(match self.bucket()? {
            Some(bucket) => Store::in_bucket(&bucket, &folder)?,
            None => Store::on_disk(&folder)?,
        })
    }

    /// Jobs: shared where the registry and its files are, else in the data folder.
    pub(crate) async fn jobs(&self) -> anyhow::Result<Jobs> {
        let settings = einthoven_jobs::Settings::in_folder(self.data.join("jobs"));
        Ok(match (&self.database_url, self.bucket()?) {
            (Some(url), Some(bucket)) => {
                let objects = Objects::in_bucket(&bucket, "jobs")?;
                Jobs::share(settings, Sharing::of(url.clone(), objects)).await?
            }
            _ => Jobs::open(settings)?,
        })
    }

    /// The database that servers share, to be asked for what is neither of the registry nor of jobs; it is connected to when it is first
    /// asked something.
    pub(crate) fn database(&self) -> anyhow::Result<Option<PgPool>> {
        let Some(url) = &self.database_url else {
            return Ok(None);
        };
        // The cause may repeat the URL and its password, so it is not shown.
        let Ok(options) = url.expose_secret().parse::<PgConnectOptions>() else {
            bail!("--database-url is no URL like postgres://user:password@host:5432/database");
        };
        let pool = PgPoolOptions::new().max_connections(2).acquire_timeout(PATIENCE);
        Ok(Some(pool.connect_lazy_with(options)))
    }

    /// What the bucket's file says, with its secret.
    fn bucket(&self) -> anyhow::Result<Option<Bucket>> {
        let Some(path) = &self.bucket else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file: BucketFile =
            toml::from_str(&text).with_context(|| format!("the bucket's settings in {}", path.display()))?;
        let secret = std::fs::read_to_string(&file.secret_key_file)
            .with_context(|| format!("cannot read the secret key in {}", file.secret_key_file.display()))?;
        if secret.trim().is_empty() {
            bail!("the secret key in {} is empty", file.secret_key_file.display());
        }
        Ok(Some(Bucket {
            endpoint: file.endpoint,
            bucket: file.bucket,
            prefix: file.prefix,
            region: file.region,
            access_key: file.access_key,
            secret_key: secret.trim().into(),
            allow_http: file.allow_http,
        }))
    }

    fn log_folder(&self) -> PathBuf {
        log_folder(&self.data)
    }

    /// The view over the log, which only makes the next start quick.
    pub(crate) fn view_folder(&self) -> PathBuf {
        self.data.join("registry/view")
    }

    /// Heads of the log, one a day, for a deployer to keep elsewhere.
    pub(crate) fn heads_file(&self) -> PathBuf {
        self.data.join("registry/heads.jsonl")
    }

    /// What engines were measured to do on this machine.
    pub(crate) fn tables_folder(&self) -> PathBuf {
        self.data.join("engines")
    }
}

/// The folder of a log in a data folder.
pub(crate) fn log_folder(data: &Path) -> PathBuf {
    data.join("registry/log")
}
