//! What servers of one registry share.

use crate::bucket::Bucket;
use crate::client::{OWNER_KEY, Server};
use crate::postgres::Postgres;
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
        let file = self.bucket.file();
        let mut arguments = vec!["--bucket", file.to_str().unwrap()];
        let url = self.database.url();
        arguments.extend(["--database-url", &url]);
        arguments.extend(more);
        Server::start_with(&arguments)
    }
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
