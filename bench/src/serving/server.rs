//! The server's own program, started with a data folder of its own.

use super::peers::free_port;
use super::tree::{Data, Tree};
use anyhow::{Context, ensure};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

/// The owner's key of servers that are measured.
pub(crate) const KEY: &str = "only-for-a-measurement-on-loopback";

/// A server that listens. Its processes end before its data folder is removed.
pub(crate) struct Server {
    pub(crate) tree: Tree,
    pub(crate) data: Data,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts it on a free port of loopback with the owner's key, and waits until it listens. `name` tells its data folder from those
    /// of others; `set` adds what a measurement asks of it.
    pub(crate) fn start(program: &Path, name: &str, set: impl FnOnce(&mut Command)) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let data = Data::new(name);
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(data.path())
            .env("EINTHOVEN_OWNER_KEY", KEY)
            .env("EINTHOVEN_LOG", "error")
            .stdout(Stdio::piped());
        set(&mut command);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start `{}`", program.display()))?;
        let output = child.stdout.take().context("no output")?;
        let started = Self {
            tree: Tree(child),
            data,
            address,
        };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        ensure!(
            !line.is_empty(),
            "`{}` did not start; its log says why",
            program.display()
        );
        Ok(started)
    }

    /// A request with the owner's key, as it goes over the wire.
    pub(crate) fn request(&self, method: &str, path: &str, kind: &str, body: &str) -> Vec<u8> {
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nx-api-key: {KEY}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .into_bytes()
    }
}
