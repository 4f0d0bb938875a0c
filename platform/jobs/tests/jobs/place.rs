//! Where the jobs of a test lie.

use crate::suite::Echo;
use crate::{postgres, s3};
use einthoven_jobs::{Jobs, Settings, Sharing, Work};
use einthoven_registry_files::Objects;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The lease of servers that share: long enough for a machine that is busy.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

pub(crate) struct Place {
    folder: tempfile::TempDir,
    sharing: Option<Sharing>,
    echo: Arc<Echo>,
}

impl Place {
    pub(crate) fn folder() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            sharing: None,
            echo: Arc::default(),
        }
    }

    /// An empty database of its own, and a folder of its own in the bucket.
    pub(crate) async fn shared(database: &postgres::Postgres, bucket: &s3::Server, name: &str) -> Self {
        use sqlx::{Connection, Executor};
        let url = database.url();
        let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
        let statement = format!("create database {name}");
        connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
        let objects = Objects::in_bucket(&bucket.settings, name).unwrap();
        let url = url.replace("/postgres?", &format!("/{name}?"));
        let mut sharing = Sharing::of(url.into(), objects);
        sharing.lease = LEASE;
        Self {
            folder: tempfile::tempdir().unwrap(),
            sharing: Some(sharing),
            echo: Arc::default(),
        }
    }

    pub(crate) fn jobs_folder(&self) -> PathBuf {
        self.folder.path().join("jobs")
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            waiting: 4,
            kept: 3,
            ..Settings::in_folder(self.jobs_folder())
        }
    }

    pub(crate) fn sharing(&self) -> &Sharing {
        self.sharing.as_ref().unwrap()
    }

    pub(crate) async fn open(&self, settings: Settings) -> Jobs {
        match &self.sharing {
            None => Jobs::open(settings).unwrap(),
            Some(sharing) => Jobs::share(settings, sharing.clone()).await.unwrap(),
        }
    }

    /// As another process would, which does jobs.
    pub(crate) async fn started(&self) -> Jobs {
        self.started_with(self.settings()).await
    }

    pub(crate) async fn started_with(&self, settings: Settings) -> Jobs {
        let jobs = self.open(settings).await;
        jobs.start(&(Arc::clone(&self.echo) as Arc<dyn Work>));
        jobs
    }

    /// Whether anything of a job's content is left that begins so.
    pub(crate) async fn holds(&self, id: &str, name: &str) -> bool {
        match &self.sharing {
            None => Path::exists(&self.jobs_folder().join(id).join(name)),
            Some(sharing) => sharing.objects.get(id, name).await.unwrap().is_some(),
        }
    }
}
