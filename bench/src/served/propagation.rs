//! How soon another server answers by what one was told, over one PostgreSQL.

use super::client::Connection;
use crate::serving::server::Server;
use crate::table::Row;
use anyhow::{Context, ensure};
use std::path::Path;
use std::time::{Duration, Instant};

/// Names the database, which must be empty.
const DATABASE: &str = "EINTHOVEN_BENCH_DATABASE_URL";
const JSON: &str = "application/json";
const CHANGES: usize = 100;
/// Servers that hear of it.
const OTHERS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(60);

fn start(program: &Path, database: &str, number: usize) -> anyhow::Result<Server> {
    Server::start(program, &format!("shared-{number}"), |command| {
        command.env("EINTHOVEN_DATABASE_URL", database);
    })
}

pub(crate) fn propagation(rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let database = std::env::var(DATABASE).with_context(|| format!("set {DATABASE} to an empty database's address"))?;
    let program = std::env::current_exe()?.with_file_name("einthoven");
    let one = start(&program, &database, 0)?;
    let others: Vec<_> = (1..=OTHERS)
        .map(|number| start(&program, &database, number))
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
    let set = one.request("PUT", alias, JSON, &body);
    let unset = one.request("DELETE", alias, JSON, "");
    let mut asking = Connection::open(one.address).await?;
    let mut connections = Vec::new();
    for other in others {
        let asked = other.request("GET", "/v2/models/heartbeat/versions/@probe/ready", JSON, "");
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
