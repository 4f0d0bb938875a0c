//! How soon another server answers by what one was told, over one PostgreSQL.

use super::client::Connection;
use crate::serving::peers::free_port;
use crate::serving::tree::{Data, Tree};
use crate::table::Row;
use anyhow::{Context, ensure};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Names the database, which must be empty.
const DATABASE: &str = "EINTHOVEN_BENCH_DATABASE_URL";
const KEY: &str = "only-for-a-measurement-on-loopback";
const CHANGES: usize = 100;
/// Servers that hear of it.
const OTHERS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    _tree: Tree,
    _data: Data,
    address: SocketAddr,
}

impl Server {
    fn start(program: &Path, database: &str, number: usize) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let data = Data::new(&format!("shared-{number}"));
        let mut child = Command::new(program)
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(data.path())
            .env("EINTHOVEN_OWNER_KEY", KEY)
            .env("EINTHOVEN_DATABASE_URL", database)
            .env("EINTHOVEN_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", program.display()))?;
        let output = child.stdout.take().context("no output")?;
        let started = Self {
            _tree: Tree(child),
            _data: data,
            address,
        };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        ensure!(!line.is_empty(), "a server did not start; its log says why");
        Ok(started)
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Vec<u8> {
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nx-api-key: {KEY}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .into_bytes()
    }
}

pub(crate) fn propagation(rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let database = std::env::var(DATABASE).with_context(|| format!("set {DATABASE} to an empty database's address"))?;
    let program = std::env::current_exe()?.with_file_name("einthoven");
    let one = Server::start(&program, &database, 0)?;
    let others: Vec<_> = (1..=OTHERS)
        .map(|number| Server::start(&program, &database, number))
        .collect::<Result<_, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut times = runtime.block_on(measure(&one, &others))?;
    times.sort_unstable();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    rows.push(Row {
        what: format!(
            "an alias that was moved on one server is moved on {OTHERS} others, the slowest of {CHANGES} changes"
        ),
        figure: format!(
            "{:.0} ms, median {:.0} ms",
            worst.as_secs_f64() * 1e3,
            median.as_secs_f64() * 1e3
        ),
        bound: "1 s",
        holds: worst < Duration::from_secs(1),
    });
    Ok(())
}

/// From the answer to a change until the last of the others answers by it.
async fn measure(one: &Server, others: &[Server]) -> anyhow::Result<Vec<Duration>> {
    let alias = "/v1/models/heartbeat/aliases/probe";
    let model = einthoven_models::by_name("heartbeat").context("no embedded model")?;
    let manifest: serde_json::Value = serde_json::from_str(model.manifest_json)?;
    let body = serde_json::json!({"version": manifest["version"]}).to_string();
    let set = one.request("PUT", alias, &body);
    let unset = one.request("DELETE", alias, "");
    let mut asking = Connection::open(one.address).await?;
    let mut connections = Vec::new();
    for other in others {
        let asked = other.request("GET", "/v2/models/heartbeat/versions/@probe/ready", "");
        connections.push((Connection::open(other.address).await?, asked));
    }
    let mut times = Vec::with_capacity(CHANGES);
    for turn in 0..CHANGES {
        let there = turn % 2 == 0;
        let status = asking.ask(if there { &set } else { &unset }).await?;
        ensure!((200..300).contains(&status), "the change was answered with {status}");
        let since = Instant::now();
        for (connection, asked) in &mut connections {
            while (connection.ask(asked).await? == 200) != there {
                ensure!(since.elapsed() < PATIENCE, "a server never heard of it");
            }
        }
        times.push(since.elapsed());
    }
    Ok(times)
}
