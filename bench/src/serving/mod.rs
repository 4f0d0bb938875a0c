//! Einthoven beside other servers: the same networks, the same cores, the same client, one run. Writes `bench/SERVING.md`.

pub(crate) mod bodies;
pub(crate) mod cells;
pub(crate) mod einthoven;
mod load;
pub(crate) mod peers;
mod report;
pub(crate) mod server;
pub(crate) mod tree;

use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The build folder, and the networks in it, made if they are not there.
pub(crate) fn networks() -> anyhow::Result<(PathBuf, PathBuf)> {
    let target = target()?;
    let models = target.join("bench-models");
    let python = target.join("bench-fastapi/bin/python");
    let peers = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers");
    told(Command::new(&python).arg(peers.join("models.py")).arg(&models))?;
    Ok((target, models))
}

/// Instead of a peer's name: Einthoven is built as it is shipped.
const SHIPPED: &str = "--shipped";

/// Measures Einthoven and the named peers, all where none is named, each load for so many seconds.
pub(crate) fn run(seconds: u64, arguments: &[String]) -> anyhow::Result<()> {
    let bench = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let (shipped, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|one| *one == SHIPPED);
    let profile = if shipped.is_empty() { "release" } else { "dist" };
    if let Some(unknown) = names
        .iter()
        .find(|name| peers::PEERS.iter().all(|peer| peer.name != name.as_str()))
    {
        let known: Vec<_> = peers::PEERS.iter().map(|peer| peer.name).collect();
        anyhow::bail!("there is no peer `{unknown}`; there are {}", known.join(", "));
    }
    let (target, models) = networks()?;
    let limit = told(
        Command::new(target.join("bench-fastapi/bin/python"))
            .arg(bench.join("peers/limit.py"))
            .arg(&models)
            .arg(seconds.to_string()),
    )?;
    let limit: serde_json::Value = serde_json::from_str(&limit).context("cannot read what limit.py says")?;
    let program = target.join(profile).join("einthoven");
    let mut rows = Vec::new();
    for engine in ["onnxruntime", "auto"] {
        let server = einthoven::start(&program, &target, &models, engine)
            .with_context(|| format!("einthoven with the engine {engine} does not start"))?;
        rows.extend(cells::measure(&server, seconds)?);
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|one| *one == name);
    let mut beside = Vec::new();
    for peer in peers::PEERS.iter().filter(|peer| wanted(peer.name)) {
        let measured = peer.start(&bench, &target, &models);
        match measured.and_then(|server| cells::measure(&server, seconds)) {
            Ok(measured) => rows.extend(measured),
            // The others' figures are of use without it.
            Err(cause) => {
                eprintln!("{}: {cause:#}", peer.name);
                continue;
            }
        }
        beside.push(peer.name);
    }
    let text = report::render(&limit, &rows);
    let name = format!("Beside {}", beside.join(", "));
    report::record(&bench.join("SERVING.md"), &name, (profile, seconds), &text)
}

/// The build folder, from where this program lies in it.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().and_then(Path::parent);
    folder.map(Path::to_owned).context("no build folder")
}

/// What a program prints; its failure is ours.
pub(crate) fn told(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    anyhow::ensure!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
