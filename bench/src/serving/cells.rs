//! Every load that one server is measured under.

use super::bodies::{Encoding, Item};
use super::load::{self, Measured};
use super::peers::Running;
use std::time::{Duration, Instant};

pub(crate) const BEAT: Item = Item {
    model: "beat",
    rows: 1,
    leads: 1,
    samples: 187,
};
/// What a server costs beside a network.
const NOTHING: Item = Item {
    model: "nothing",
    ..BEAT
};
const MANY_BEATS: Item = Item { rows: 2000, ..BEAT };
const TWELVE_LEADS: Item = Item {
    model: "ecg12",
    rows: 1,
    leads: 12,
    samples: 4096,
};

/// One line of the table.
pub(crate) struct Row {
    pub(crate) server: String,
    pub(crate) item: &'static str,
    pub(crate) encoding: Encoding,
    pub(crate) connections: usize,
    pub(crate) measured: Measured,
    /// Of the server's processes, for each answer.
    pub(crate) cpu_ms: f64,
    pub(crate) pss_mb: f64,
}

pub(crate) fn measure(server: &Running, seconds: u64) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let folder = std::env::temp_dir().join(format!("einthoven-bench-load-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let loads: [(&str, Item, &[usize]); 4] = [
        ("one beat", BEAT, &[1, 8, 32, 128]),
        ("2,000 beats", MANY_BEATS, &[1, 8]),
        ("twelve leads", TWELVE_LEADS, &[1, 8]),
        ("nothing", NOTHING, &[32]),
    ];
    for (name, item, connections) in loads {
        if (item.model == TWELVE_LEADS.model && !server.twelve_leads)
            || (item.model == NOTHING.model && !server.nothing)
        {
            continue;
        }
        for &(encoding, path) in &server.faces {
            let mut body = item.body(encoding);
            body.headers.extend(server.headers.iter().cloned());
            let url = server.url(path, &item);
            ready(&folder, &url, &body)?;
            for &connections in connections {
                let before = server.tree.cost();
                let measured = load::run(&folder, &url, &body, connections, seconds)?;
                let after = server.tree.cost();
                eprintln!("{} {name} {encoding:?} {connections}: {measured:?}", server.name);
                rows.push(Row {
                    server: server.name.clone(),
                    item: name,
                    encoding,
                    connections,
                    measured,
                    cpu_ms: (after.cpu_s - before.cpu_s) * 1e3 / (measured.requests.max(1) as f64),
                    pss_mb: after.pss_mb,
                });
            }
        }
    }
    std::fs::remove_dir_all(&folder).ok();
    Ok(rows)
}

/// Waits until it answers well, and warms it.
fn ready(folder: &std::path::Path, url: &str, body: &super::bodies::Body) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_secs(90);
    loop {
        let warm = load::run(folder, url, body, 2, 1)?;
        if warm.errors == 0 && warm.requests > 0 {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < end, "{url} does not answer well: {warm:?}");
        std::thread::sleep(Duration::from_millis(300));
    }
}
