//! What servers of one registry share.

use crate::bucket::Bucket;
use crate::client::{OWNER_KEY, Server};
use crate::postgres::Postgres;
use crate::records::pages;
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) struct Shared {
    database: Postgres,
    pub(crate) bucket: Bucket,
}

impl Shared {
    pub(crate) fn start() -> Self {
        Self {
            database: Postgres::start(),
            bucket: Bucket::start(),
        }
    }

    /// A server over it, with a data folder of its own.
    pub(crate) fn server(&self, more: &[&str]) -> Server {
        let own = self.options();
        Server::start_with(&joined(&own, more))
    }

    /// With a data folder that stays when the server goes.
    pub(crate) fn server_in(&self, data: &Path, more: &[&str]) -> Server {
        let own = self.options();
        Server::start_in(data, &joined(&own, more))
    }

    /// Has the database do something that no server does.
    pub(crate) fn sql(&self, statement: &'static str) {
        self.asked(async |mut connection| connection.execute(statement).await.map(drop));
    }

    /// The one number that a question is answered with.
    pub(crate) fn number(&self, question: &'static str) -> i64 {
        self.asked(async |mut connection| sqlx::query_scalar(question).fetch_one(&mut connection).await)
    }

    fn asked<T>(&self, ask: impl AsyncFnOnce(PgConnection) -> Result<T, sqlx::Error>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let asked = async { ask(PgConnection::connect(&self.database.url()).await?).await };
        runtime.block_on(asked).unwrap()
    }

    /// What makes a server one of those that share this.
    pub(crate) fn options(&self) -> [String; 4] {
        let bucket = self.bucket.file().to_str().unwrap().to_owned();
        [
            "--bucket".to_owned(),
            bucket,
            "--database-url".to_owned(),
            self.database.url(),
        ]
    }
}

fn joined<'a>(own: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    own.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < end, "{what} took too long");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Kills a server as a machine that fails would.
pub(crate) fn kill(server: &Server) {
    let process = rustix::process::Pid::from_raw(server.id() as i32).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
}

/// A request of the owner's with an empty JSON object.
pub(crate) fn poke(server: &Server, method: &str, path: &str) -> crate::client::Answer {
    let headers = [("content-type", "application/json"), ("x-api-key", OWNER_KEY)];
    server.bare(method, path, &headers, b"{}").unwrap()
}

/// A file with a master key.
pub(crate) fn master(folder: &Path, name: &str, digits: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, digits.repeat(32)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Everything that a server has about a person.
pub(crate) fn about(server: &Server, pseudonym: &str) -> Vec<Value> {
    pages(server, &format!("/v1/predictions?subject={pseudonym}"), 100)
}
