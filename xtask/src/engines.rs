//! The plugins of this repository, built, with the libraries they need beside them, and sealed: `<target>/engines/`.

use crate::setup;
use crate::shell::{self, built, cargo, command, target};
use anyhow::Context;
use std::fs;

/// Crates that are plugins, with the native library each needs beside it.
const PLUGINS: [(&str, Option<&str>); 4] = [
    ("einthoven-backend-onnxruntime", Some("libonnxruntime.so")),
    ("einthoven-backend-litert", Some("libLiteRt.so")),
    ("einthoven-backend-candle", None),
    ("einthoven-example-engine", None),
];

pub(crate) fn run() -> anyhow::Result<()> {
    setup::libraries()?;
    let mut arguments = vec!["build", "--release", "--package", "einthoven"];
    let features: Vec<String> = PLUGINS
        .iter()
        .filter(|(name, _)| name.starts_with("einthoven-backend"))
        .map(|(name, _)| format!("{name}/plugin"))
        .collect();
    let features = features.join(",");
    for (name, _) in &PLUGINS {
        arguments.extend(["--package", name]);
    }
    arguments.extend(["--features", &features]);
    cargo(&arguments)?;
    let folder = target().join("engines");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, needs) in &PLUGINS {
        let library = format!("lib{}.so", name.replace('-', "_"));
        let place = folder.join(&library);
        // Removed first: a server may have the old file open, and must keep it.
        fs::remove_file(&place).ok();
        fs::copy(built(&library), &place).with_context(|| format!("cannot copy {library}"))?;
        if let Some(needed) = needs {
            let beside = folder.join(needed);
            fs::remove_file(&beside).ok();
            fs::copy(target().join("libraries").join(needed), beside)
                .with_context(|| format!("cannot copy {needed}"))?;
        }
        let program = built("einthoven");
        shell::run(command(
            &program.to_string_lossy(),
            &["plugin", "seal", &place.to_string_lossy()],
        ))?;
    }
    eprintln!("start the server with: einthoven serve --plugins {}", folder.display());
    Ok(())
}
