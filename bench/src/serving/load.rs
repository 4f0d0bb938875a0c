//! `wrk` against one address: how many answers a second, and how late.

use super::bodies::Body;
use anyhow::{Context, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What one load gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Answers that were not 2xx, and connections that broke.
    pub(crate) errors: u64,
    pub(crate) requests: u64,
}

const SCRIPT: &str = r#"
local file = io.open("BODY", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
HEADERS
"#;

pub(crate) fn run(folder: &Path, url: &str, body: &Body, connections: usize, seconds: u64) -> anyhow::Result<Measured> {
    let (content, script) = (folder.join("body"), folder.join("load.lua"));
    fs::write(&content, &body.bytes)?;
    let headers: Vec<_> = body
        .headers
        .iter()
        .map(|(name, value)| format!("wrk.headers[{name:?}] = {value:?}"))
        .collect();
    let text = SCRIPT
        .replace("BODY", &content.to_string_lossy())
        .replace("HEADERS", &headers.join("\n"));
    fs::write(&script, text)?;
    let output = Command::new("wrk")
        .args(["--threads", "1", "--latency", "--timeout", "30s"])
        .args([
            "--connections",
            &connections.to_string(),
            "--duration",
            &format!("{seconds}s"),
        ])
        .arg("--script")
        .args([&*script.to_string_lossy(), url])
        .output()
        .context("cannot run `wrk`; install it (on Debian: the package wrk)")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("wrk failed: {}{text}", String::from_utf8_lossy(&output.stderr));
    }
    read(&text).with_context(|| format!("cannot read what wrk says: {text}"))
}

fn read(text: &str) -> Option<Measured> {
    let after = |label: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(label))?;
        line.trim_start().strip_prefix(label)?.split_whitespace().next()
    };
    let line = |part: &str| text.lines().find(|line| line.contains(part));
    let broken = line("Socket errors").map_or(0, |line| {
        line.split(|c: char| !c.is_ascii_digit())
            .filter_map(|digits| digits.parse::<u64>().ok())
            .sum()
    });
    let refused = line("Non-2xx").and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    Some(Measured {
        per_second: after("Requests/sec:")?.parse().ok()?,
        p50_ms: milliseconds(after("50%")?)?,
        p99_ms: milliseconds(after("99%")?)?,
        errors: broken + refused.unwrap_or_default(),
        requests: line("requests in")?.split_whitespace().next()?.parse().ok()?,
    })
}

/// `812.00us`, `1.20ms`, `2.05s`.
fn milliseconds(text: &str) -> Option<f64> {
    let number = |ending: &str| text.strip_suffix(ending)?.parse::<f64>().ok();
    number("us")
        .map(|us| us / 1e3)
        .or_else(|| number("ms"))
        .or_else(|| number("s").map(|s| s * 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_prints_is_read() {
        let text = "Running 6s test @ http://127.0.0.1:1/\n  1 threads and 8 connections\n  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    \
            Latency     1.20ms  512.00us   9.00ms   80.00%\n  Latency Distribution\n     50%  812.00us\n     75%    1.00ms\n     90%    2.00ms\n     \
            99%    2.05s \n  31000 requests in 6.00s, 9.00MB read\n  Socket errors: connect 0, read 2, write 0, timeout 1\n  \
            Non-2xx or 3xx responses: 7\nRequests/sec:   5166.66\nTransfer/sec:      1.50MB\n";
        let measured = read(text).unwrap();
        assert_eq!((measured.errors, measured.requests), (10, 31000));
        assert_eq!((measured.p50_ms, measured.p99_ms), (0.812, 2050.0));
        assert_eq!(measured.per_second, 5166.66);
    }
}
