//! A registry in a folder, and the changes tests make.

use einthoven_registry::{Asked, ChangeError, Done, Registry};
use einthoven_registry_log::{FileLog, Log};
use einthoven_registry_state::{Change, ModelName, Origin, Package, StoredFile, Verified, VersionName};
use std::path::Path;

pub(crate) async fn open(folder: &Path) -> Registry {
    let log = Log::File(FileLog::open(folder.join("log")).await.unwrap());
    Registry::open(log, Some(&folder.join("view"))).await.unwrap()
}

/// Ends a registry's task and frees its folder.
pub(crate) async fn close(registry: Registry, folder: &Path) {
    drop(registry);
    // The writer ends when its last handle is gone; the folder is free when its lock is.
    for _ in 0..500 {
        if let Ok(log) = FileLog::open(folder.join("log")).await {
            return drop(log);
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the log's folder stays locked");
}

pub(crate) fn model(name: &str) -> ModelName {
    name.parse().unwrap()
}

pub(crate) fn version(number: usize) -> VersionName {
    number.to_string().parse().unwrap()
}

pub(crate) async fn change(registry: &Registry, who: &str, change: Change) -> Result<Done, ChangeError> {
    let asked = Asked {
        who: who.to_owned(),
        why: "a test".to_owned(),
        change,
        seen: None,
    };
    registry.change(asked).await
}

/// Adds a version that is ready.
pub(crate) async fn add(registry: &Registry, name: &str, content: usize) -> VersionName {
    let sha256 = format!("sha256:{content:064x}");
    let add = Change::AddVersion {
        model: model(name),
        version: None,
        origin: Origin::Upload {
            file: "model.onnx".to_owned(),
        },
        package: Some(Package {
            digest: sha256.clone(),
            files: vec![StoredFile {
                name: "model.onnx".to_owned(),
                size_bytes: 1,
                sha256,
            }],
        }),
    };
    let done = change(registry, "ana", add).await.unwrap();
    let versions = &done.state.models[&model(name)].versions;
    let newest = versions.values().max_by_key(|version| version.added_seq).unwrap();
    let verified = Change::Verified {
        model: model(name),
        version: newest.name.clone(),
        verified: Verified {
            engine: "tract".to_owned(),
            report: None,
        },
    };
    change(registry, "ana", verified).await.unwrap();
    newest.name.clone()
}

pub(crate) fn promote(name: &str, number: usize) -> Change {
    Change::Promote {
        model: model(name),
        version: version(number),
    }
}
