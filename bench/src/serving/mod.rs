//! Einthoven beside other servers: the same networks, the same cores, the same client, one run. Writes `bench/SERVING.md`.

mod bodies;
mod cells;
mod einthoven;
mod load;
mod peers;
mod report;
mod tree;

use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Seconds of a load, and the names to measure, all where none is given.
pub(crate) fn run(seconds: u32, names: &[String]) -> anyhow::Result<()> {
    let bench = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let target = target()?;
    let models = target.join("bench-models");
    let python = target.join("bench-fastapi/bin/python");
    told(Command::new(&python).arg(bench.join("peers/models.py")).arg(&models))?;
    let limit = told(
        Command::new(&python)
            .arg(bench.join("peers/limit.py"))
            .arg(&models)
            .arg(seconds.to_string()),
    )?;
    let limit: serde_json::Value = serde_json::from_str(&limit).context("cannot read what limit.py says")?;
    let wanted = |name: &str| names.is_empty() || names.iter().any(|one| one == name);
    let mut rows = Vec::new();
    for engine in ["onnxruntime", "auto"] {
        let name = format!("einthoven:{engine}");
        if wanted(&name) {
            let server =
                einthoven::start(&target, &models, engine).with_context(|| format!("{name} does not start"))?;
            rows.extend(cells::measure(&server, seconds)?);
        }
    }
    for peer in peers::PEERS.iter().filter(|peer| wanted(peer.name)) {
        let server = peer.start(&bench, &target, &models)?;
        rows.extend(cells::measure(&server, seconds)?);
    }
    let text = report::render(&limit, &rows);
    print!("{text}");
    if names.is_empty() {
        std::fs::write(bench.join("SERVING.md"), text).context("cannot write bench/SERVING.md")?;
    }
    Ok(())
}

/// The build folder, from where this program lies in it.
fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().and_then(Path::parent);
    folder.map(Path::to_owned).context("no build folder")
}

/// What a program prints; its failure is ours.
fn told(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    anyhow::ensure!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
