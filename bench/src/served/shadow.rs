//! What a shadow costs the champion's callers while it computes, sleeps for ten seconds, dies or fills its memory.

use super::client::Connection;
use crate::serving::server::{KEY, Server};
use crate::serving::tree::Data;
use crate::serving::{target, told};
use crate::table::Row;
use anyhow::Context;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const MODEL: &str = "heartbeat-row";

/// Each fault is measured in so many turns, with the shadow and without: what else the machine does meets both.
const TURNS: usize = 5;

/// What a shadow does, by the word that its own file says; the first does what it should.
const FAULTS: [(&str, &str); 4] = [
    ("none", "computes"),
    ("sleep", "sleeps for 10 s each time"),
    ("crash", "dies each time"),
    ("memory", "fills its memory each time"),
];

/// A server with an engine whose models fail while a file is there.
struct Faulty {
    server: Server,
    program: PathBuf,
    /// What its engine and models are made of: after the server, which uses them.
    files: Data,
    runtime: tokio::runtime::Runtime,
}

pub(crate) fn shadow(seconds: u64, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let faulty = Faulty::start()?;
    for (fault, _) in FAULTS {
        faulty.upload(fault)?;
    }
    let time = Duration::from_secs_f64((seconds as f64 / (2 * TURNS) as f64).max(0.2));
    faulty.p99(time)?;
    for (fault, does) in FAULTS {
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        for turn in 0..TURNS {
            alone.push(faulty.p99(time)?);
            let name = format!("{fault}-{turn}");
            let shadows = json!([{"version": fault, "percent": 100}]);
            let rails = json!({"errors": null, "p99": null, "empty": null, "withheld": null, "class_shares": null, "relabels": null});
            let body = json!({"name": name, "model": MODEL, "shadows": shadows, "rules": {"rails": rails}});
            // It loads as it should, and fails from then on.
            faulty.changed("POST", "/v1/experiments", Some(&body), 201)?;
            std::fs::write(mark(&faulty.files), b"")?;
            beside.push(faulty.p99(time)?);
            std::fs::remove_file(mark(&faulty.files))?;
            faulty.changed("DELETE", &format!("/v1/experiments/{name}"), None, 200)?;
        }
        let (one, two) = (median(alone), median(beside));
        rows.push(Row {
            what: format!("p99 of the champion beside a shadow that {does}, against none"),
            figure: format!("{:.2} ms to {:.2} ms, {:.3} times", one * 1e3, two * 1e3, two / one),
            bound: "1.05",
            holds: two / one <= 1.05,
        });
    }
    Ok(())
}

/// While that file is there, its models fail.
fn mark(files: &Data) -> PathBuf {
    files.path().join("mark")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Faulty {
    fn start() -> anyhow::Result<Self> {
        let program = target()?.join("release/einthoven");
        let files = Data::new("shadow");
        let plugins = files.path().join("plugins");
        std::fs::create_dir_all(&plugins)?;
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let library = plugins.join("libfaulty.so");
        told(
            Command::new("gcc")
                .args(["-std=gnu99", "-O1", "-shared", "-fPIC", "-I"])
                .arg(root.join("plugins/abi/include"))
                .arg(format!("-DMARK=\"{}\"", mark(&files).display()))
                .arg("-o")
                .arg(&library)
                .arg(root.join("platform/server/tests/experiments/faulty.c")),
        )?;
        told(Command::new(&program).args(["plugin", "seal"]).arg(&library))?;
        let server = Server::start(&program, "shadow-data", |command| {
            command.args(["--guard-every-s", "3600", "--plugins"]).arg(&plugins);
            // Its shadows fail as they should.
            command.env("EINTHOVEN_LOG", "off");
        })?;
        Ok(Self {
            server,
            program,
            files,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        })
    }

    /// A version that lives in a process of its own and fails in that way.
    fn upload(&self, fault: &str) -> anyhow::Result<()> {
        let package = self.files.path().join(fault);
        std::fs::create_dir(&package)?;
        let row = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/heartbeat-row/manifest.json");
        let mut manifest: Value = serde_json::from_slice(&std::fs::read(row)?)?;
        manifest["engine"] = json!("faulty-c");
        manifest["isolation"] = json!("worker");
        manifest["warm_up_rows"] = json!([1]);
        let golden = json!({
            "inputs": {"row": {"dims": [1, 1, 187], "values": vec![0.5; 187]}},
            "outputs": {"probabilities": {"dims": [1, 5], "values": [0.96, 0.01, 0.01, 0.01, 0.01]}},
            "tolerance": 1e-3,
        });
        std::fs::write(package.join("manifest.json"), manifest.to_string())?;
        std::fs::write(package.join("golden.json"), golden.to_string())?;
        std::fs::write(package.join("model.faulty"), fault)?;
        let archive = self.files.path().join(format!("{fault}.tar"));
        told(
            Command::new("tar")
                .arg("-cf")
                .arg(&archive)
                .arg("-C")
                .arg(&package)
                .args(["manifest.json", "golden.json", "model.faulty"]),
        )?;
        let upload = [
            "models",
            "upload",
            MODEL,
            &archive.to_string_lossy(),
            "--version",
            fault,
        ]
        .map(str::to_owned);
        let server = format!("http://{}", self.server.address);
        let mut command = Command::new(&self.program);
        command
            .args(upload)
            .args(["--server", &server])
            .env("EINTHOVEN_KEY", KEY);
        told(&mut command).map(drop)
    }

    fn changed(&self, method: &str, path: &str, body: Option<&Value>, expected: u16) -> anyhow::Result<()> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = self.server.request(method, path, "application/json", &body);
        let status = self.runtime.block_on(async {
            let mut connection = Connection::open(self.server.address).await?;
            connection.ask(&request).await
        })?;
        anyhow::ensure!(status == expected, "{method} {path} gave {status}");
        Ok(())
    }

    /// The 99th percentile in seconds of one request after the other, as long as that.
    fn p99(&self, time: Duration) -> anyhow::Result<f64> {
        let mut rows = String::new();
        for row in 0..4 {
            let values = (0..187).map(|at| if at == 90 + row { "1.0" } else { "0.1" });
            let _ = writeln!(rows, "{}", values.collect::<Vec<_>>().join(","));
        }
        let request = self
            .server
            .request("POST", &format!("/v1/classify?model={MODEL}"), "text/csv", &rows);
        self.runtime.block_on(async {
            let mut connection = Connection::open(self.server.address).await?;
            let (start, mut times) = (Instant::now(), Vec::new());
            while start.elapsed() < time {
                let asked = Instant::now();
                let status = connection.ask(&request).await?;
                anyhow::ensure!(status == 200, "the champion answered {status}");
                times.push(asked.elapsed().as_secs_f64());
            }
            times.sort_by(f64::total_cmp);
            times
                .get((times.len() * 99).div_ceil(100).saturating_sub(1))
                .copied()
                .context("nothing was answered")
        })
    }
}
