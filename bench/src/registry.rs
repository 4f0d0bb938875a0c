//! A registry of 1,000 models with 10 versions each: start, list, resolve; and changes a second.

use crate::table::Row;
use anyhow::Context;
use einthoven_registry::{Asked, Registry};
use einthoven_registry_log::{FileLog, Log};
use einthoven_registry_state::{Change, Origin, Package, Reference, StoredFile, Verified};
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

const MODELS: usize = 1000;
const VERSIONS: usize = 10;

pub(crate) fn large(rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("einthoven-bench-registry-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(measure(&folder, rows));
    std::fs::remove_dir_all(&folder).ok();
    measured
}

async fn measure(folder: &Path, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let start = Instant::now();
    let changes = {
        let registry = open(folder).await?;
        let mut models = tokio::task::JoinSet::new();
        for model in 0..MODELS {
            let registry = registry.clone();
            models.spawn(async move { fill(&registry, model).await });
        }
        let mut changes = 0;
        while let Some(done) = models.join_next().await {
            changes += done??;
        }
        changes
    };
    let rate = changes as f64 / start.elapsed().as_secs_f64();
    rows.push(Row {
        what: "durable changes of the registry a second, 1,000 clients at once".to_owned(),
        figure: format!("{rate:.0}"),
        bound: "-",
        holds: true,
    });
    let with_view = reopened(folder).await?;
    std::fs::remove_dir_all(folder.join("view"))?;
    let without = reopened(folder).await?;
    rows.push(Row {
        what: "opening a registry of 1,000 models with 10 versions each".to_owned(),
        figure: format!("{with_view:.2} s, {without:.2} s without its view"),
        bound: "2 s",
        holds: with_view.max(without) < 2.0,
    });
    let registry = open(folder).await?;
    let start = Instant::now();
    let list: Vec<_> = registry
        .state()
        .models
        .values()
        .map(|model| model.name.to_string())
        .collect();
    let text = serde_json::to_string(&list)?;
    let listing = start.elapsed().as_secs_f64() * 1e3;
    black_box(text);
    rows.push(Row {
        what: "listing its models".to_owned(),
        figure: format!("{listing:.2} ms"),
        bound: "20 ms",
        holds: listing < 20.0,
    });
    let reference: Reference = "model-0777".parse()?;
    const LOOKS: u32 = 1_000_000;
    let start = Instant::now();
    for _ in 0..LOOKS {
        let state = registry.glance();
        black_box(
            state
                .resolve(black_box(&reference))
                .map(|(_, version)| version.added_seq)
                .ok(),
        );
    }
    let look = start.elapsed().as_secs_f64() * 1e9 / f64::from(LOOKS);
    rows.push(Row {
        what: "finding the version that answers, of 1,000 models".to_owned(),
        figure: format!("{look:.0} ns"),
        bound: "1 us",
        holds: look < 1000.0,
    });
    Ok(())
}

async fn open(folder: &Path) -> anyhow::Result<Registry> {
    // The writer of an earlier handle ends a moment after it.
    for _ in 0..200 {
        match FileLog::open(folder.join("log")).await {
            Ok(log) => return Ok(Registry::open(Log::File(log), Some(&folder.join("view"))).await?),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
    anyhow::bail!("the log stays locked")
}

async fn reopened(folder: &Path) -> anyhow::Result<f64> {
    drop(open(folder).await?);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let start = Instant::now();
    let registry = open(folder).await?;
    anyhow::ensure!(registry.state().models.len() == MODELS, "models are missing");
    Ok(start.elapsed().as_secs_f64())
}

async fn fill(registry: &Registry, model: usize) -> anyhow::Result<usize> {
    let name: einthoven_registry_state::ModelName = format!("model-{model:04}").parse()?;
    let mut changes = 0;
    for version in 1..=VERSIONS {
        let sha256 = format!("sha256:{:064x}", model * VERSIONS + version);
        let file = |name: &str| StoredFile {
            name: name.to_owned(),
            size_bytes: 100_000,
            sha256: sha256.clone(),
        };
        let add = Change::AddVersion {
            model: name.clone(),
            version: None,
            origin: Origin::Upload {
                file: "model.onnx".to_owned(),
            },
            package: Some(Package {
                digest: sha256.clone(),
                files: vec![file("golden.json"), file("manifest.json"), file("model.onnx")],
            }),
        };
        let version: einthoven_registry_state::VersionName = version.to_string().parse()?;
        let verified = Change::Verified {
            model: name.clone(),
            version: version.clone(),
            verified: Verified {
                engine: "tract".to_owned(),
                report: Some(sha256.clone()),
            },
        };
        let promote = Change::Promote {
            model: name.clone(),
            version,
        };
        for change in [add, verified, promote] {
            let asked = Asked {
                who: "bench".to_owned(),
                why: String::new(),
                change,
                seen: None,
            };
            registry.change(asked).await.context("a change")?;
            changes += 1;
        }
    }
    Ok(changes)
}
