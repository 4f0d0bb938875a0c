//! Einthoven with the networks, as a user brings them in.

use super::bodies::Encoding;
use super::peers::{Running, free_port};
use super::tree::Tree;
use anyhow::Context;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

const KEY: &str = "only-for-a-measurement-on-loopback";

/// Starts it with all engines, brings the networks in for one of them, and lets them answer.
pub(crate) fn start(target: &Path, models: &Path, engine: &str) -> anyhow::Result<Running> {
    let program = target.join("release/einthoven");
    let data = std::env::temp_dir().join(format!("einthoven-bench-{}-{engine}", std::process::id()));
    let port = free_port()?;
    let base = format!("http://127.0.0.1:{port}");
    let mut child = Command::new(&program)
        .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"])
        .arg(&data)
        .arg("--plugins")
        .arg(target.join("engines"))
        .env("EINTHOVEN_OWNER_KEY", KEY)
        .env("EINTHOVEN_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", program.display()))?;
    let mut line = String::new();
    let output = child.stdout.take().context("no output")?;
    let tree = Tree(child);
    BufReader::new(output).read_line(&mut line)?;
    for model in ["beat", "ecg12", "nothing"] {
        let client = |arguments: &[&str]| {
            super::told(
                Command::new(&program)
                    .args(arguments)
                    .args(["--server", &base])
                    .env("EINTHOVEN_KEY", KEY),
            )
        };
        let network = models.join(format!("{model}.onnx"));
        client(&[
            "models",
            "upload",
            model,
            &network.to_string_lossy(),
            "--set",
            &format!("engine={engine}"),
            "--set",
            "recipe=none",
            "--set",
            "warm_up_rows=[1,8,64]",
        ])?;
        client(&["traffic", "promote", &format!("{model}/1")])?;
    }
    Ok(Running {
        name: format!("einthoven:{engine}"),
        tree,
        base,
        faces: vec![
            (Encoding::V2, "/v2/models/{model}/infer"),
            (Encoding::V2Binary, "/v2/models/{model}/infer"),
        ],
        twelve_leads: true,
        nothing: true,
        headers: vec![("x-api-key", KEY.to_owned())],
    })
}
