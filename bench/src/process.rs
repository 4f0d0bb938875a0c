//! The whole program from outside: start to first answer, and idle memory.

use crate::table::Row;
use anyhow::Context;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const RUNS: usize = 9;

/// The owner's key of the server that is measured.
const KEY: &str = "the-owners-key-in-benches";

pub(crate) fn start_and_memory(server: &Path, samples: &Path, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let body = form(samples)?;
    let (mut first, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let start = Instant::now();
        let (mut child, address) = spawn(server)?;
        // Idle is before any request.
        resident.push(resident_mib(&child)?);
        let answer = post(&address, &body);
        first.push(start.elapsed().as_secs_f64() * 1e3);
        let stopped = child.kill().and_then(|()| child.wait());
        anyhow::ensure!(answer?.starts_with("HTTP/1.1 200"), "the server did not answer 200");
        stopped?;
    }
    first.sort_by(f64::total_cmp);
    resident.sort_by(f64::total_cmp);
    let (first, resident) = (first[RUNS / 2], resident[RUNS / 2]);
    rows.push(Row {
        what: "start of the program to the answer for five minutes of two leads".to_owned(),
        figure: format!("{first:.0} ms"),
        bound: "300 ms",
        holds: first < 300.0,
    });
    rows.push(Row {
        what: "idle memory, resident".to_owned(),
        figure: format!("{resident:.0} MB"),
        bound: "60 MB",
        holds: resident < 60.0,
    });
    Ok(())
}

fn spawn(server: &Path) -> anyhow::Result<(Child, String)> {
    let mut child = Command::new(server)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(std::env::temp_dir().join(format!("einthoven-bench-{}", std::process::id())))
        .env("EINTHOVEN_OWNER_KEY", KEY)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", server.display()))?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    let address = line
        .split("http://")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .context("no address")?;
    Ok((child, address.to_owned()))
}

fn form(samples: &Path) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    for name in ["100s.hea", "100s.dat"] {
        write!(
            body,
            "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        )?;
        body.extend(std::fs::read(samples.join(name))?);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    Ok(body)
}

fn post(address: &str, body: &[u8]) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST /v1/classify HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nx-api-key: {KEY}\r\ncontent-type: multipart/form-data; boundary=edge\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn resident_mib(child: &Child) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .context("no VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    Ok(kib * 1024.0 / 1e6)
}
