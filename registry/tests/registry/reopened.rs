//! What is there after a start, with the view whole, lost, old, foreign or corrupt.

use crate::setup::{add, change, close, model, open, promote};
use einthoven_registry_state::{Change, State};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::Arc;

async fn some_changes(folder: &Path) -> Arc<State> {
    let registry = open(folder).await;
    for number in 1..=3 {
        add(&registry, "heartbeat", number).await;
        change(&registry, "ben", promote("heartbeat", number)).await.unwrap();
    }
    add(&registry, "other", 9).await;
    change(
        &registry,
        "ben",
        Change::RollBack {
            model: model("heartbeat"),
        },
    )
    .await
    .unwrap();
    let source = Change::SetSource {
        source: "lab".parse().unwrap(),
        settings: serde_json::json!({"url": "http://127.0.0.1:1"}),
        follow: Vec::new(),
        poll_s: None,
        webhook_secret_file: None,
    };
    change(&registry, "ben", source).await.unwrap();
    let state = registry.state();
    close(registry, folder).await;
    state
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let aim = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &aim);
        } else {
            fs::copy(entry.path(), aim).unwrap();
        }
    }
}

#[tokio::test]
async fn the_state_is_the_same_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let before = some_changes(folder.path()).await;
    let registry = open(folder.path()).await;
    assert_eq!(registry.state(), before);
}

#[tokio::test]
async fn a_view_that_is_lost_or_old_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (view, old) = (folder.path().join("view"), folder.path().join("old"));
    some_changes(folder.path()).await;
    copied(&view, &old);
    let registry = open(folder.path()).await;
    change(&registry, "ana", promote("heartbeat", 1)).await.unwrap();
    let before = registry.state();
    close(registry, folder.path()).await;

    fs::remove_dir_all(&view).unwrap();
    fs::rename(&old, &view).unwrap();
    let registry = open(folder.path()).await;
    assert_eq!(registry.state(), before, "an old view");
    close(registry, folder.path()).await;

    fs::remove_dir_all(&view).unwrap();
    let registry = open(folder.path()).await;
    assert_eq!(registry.state(), before, "no view");
}

#[tokio::test]
async fn the_view_of_another_log_is_not_believed() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    some_changes(one.path()).await;
    let registry = open(two.path()).await;
    add(&registry, "mine", 1).await;
    let before = registry.state();
    close(registry, two.path()).await;
    fs::remove_dir_all(two.path().join("view")).unwrap();
    copied(&one.path().join("view"), &two.path().join("view"));
    let registry = open(two.path()).await;
    assert_eq!(registry.state(), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever a broken machine did to sled's files, the state is what the log says.
    #[test]
    fn a_corrupt_view_changes_nothing(position in 0.0..1.0_f64, cut in any::<bool>(), noise in prop::collection::vec(any::<u8>(), 1..64)) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let before = some_changes(folder.path()).await;
            for entry in fs::read_dir(folder.path().join("view")).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    continue;
                }
                let mut bytes = fs::read(&path).unwrap();
                let at = (bytes.len() as f64 * position) as usize;
                if cut {
                    bytes.truncate(at);
                } else {
                    for (byte, noise) in bytes.iter_mut().skip(at).zip(&noise) {
                        *byte ^= noise;
                    }
                }
                fs::write(&path, bytes).unwrap();
            }
            let registry = open(folder.path()).await;
            assert_eq!(registry.state(), before);
            add(&registry, "after", 77).await;
        });
    }
}
