//! One suite on a folder and on a real S3 server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;
mod contents;
mod s3;

use common::{Bench, HOUR, age, whole_suite};
use contents::content;
use einthoven_registry_files::{Digest, FilesError, Store};
use proptest::prelude::*;
use std::collections::HashSet;
use std::fs;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::on_disk(folder.path()).unwrap();
    let open = || store.clone();
    whole_suite(&Bench {
        folder: folder.path().to_owned(),
        open: &open,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_bucket() {
    let server = s3::Server::start().await;
    let caches = tempfile::tempdir().unwrap();
    let open = || {
        let cache = tempfile::tempdir_in(caches.path()).unwrap().keep();
        Store::in_bucket(&server.settings, &cache).unwrap()
    };
    whole_suite(&Bench {
        folder: server.folder(),
        open: &open,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_is_used_and_healed() {
    let server = s3::Server::start().await;
    let cache = tempfile::tempdir().unwrap();
    let store = Store::in_bucket(&server.settings, cache.path()).unwrap();
    let content = content(1, 50_000);
    let digest = store.put_bytes(content.clone()).await.unwrap().digest;
    let cached = store.local(&digest).await.unwrap();
    assert!(cached.starts_with(cache.path()));
    fs::write(&cached, b"spoilt").unwrap();
    assert!(store.get(&digest).await.unwrap() == content);
    assert_eq!(fs::read(&cached).unwrap(), content);
    // What is in the cache is served while the server is away.
    drop(server);
    assert!(store.get(&digest).await.unwrap() == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_refuses_says_so_and_keeps_the_secret() {
    let server = s3::Server::start().await;
    let cache = tempfile::tempdir().unwrap();
    let mut settings = server.settings.clone();
    settings.secret_key = "another secret".into();
    let store = Store::in_bucket(&settings, cache.path()).unwrap();
    let error = store.put_bytes(content(1, 10)).await.unwrap_err();
    assert!(matches!(error, FilesError::Bucket { .. }), "{error:?}");
    let absent = store.get(&Digest::of(b"absent")).await.unwrap_err();
    assert!(
        matches!(absent, FilesError::Bucket { .. }),
        "a refusal is not an absence: {absent:?}"
    );
    for text in [
        format!("{error} {error:?} {absent} {absent:?}"),
        format!("{settings:?} {store:?}"),
    ] {
        assert!(!text.contains("another secret"), "{text}");
    }
    for (endpoint, allow_http, prefix) in [
        ("no address", true, "a"),
        ("file:///tmp", true, "a"),
        (server.settings.endpoint.as_str(), false, "a"),
        (server.settings.endpoint.as_str(), true, "a/../../b"),
    ] {
        settings.endpoint = endpoint.into();
        settings.allow_http = allow_http;
        settings.prefix = prefix.into();
        let error = Store::in_bucket(&settings, cache.path()).unwrap_err();
        assert_eq!(error.code(), "bad_settings", "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_left_is_collected() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::on_disk(folder.path()).unwrap();
    let unpacked = store.incoming().join("unpacked-x");
    fs::create_dir(&unpacked).unwrap();
    for path in [store.incoming().join("half"), unpacked.join("0"), unpacked.join("1")] {
        fs::write(&path, [0; 100]).unwrap();
        age(&path);
    }
    let busy = store.incoming().join("busy");
    fs::write(&busy, [0; 100]).unwrap();
    let none = HashSet::new();
    assert_eq!(
        store.collect(&none, HOUR).await.unwrap().files,
        1,
        "the folder itself is young"
    );
    fs::File::open(&unpacked)
        .unwrap()
        .set_modified(std::time::SystemTime::now() - 2 * HOUR)
        .unwrap();
    assert_eq!(store.collect(&none, HOUR).await.unwrap().files, 2);
    assert!(busy.exists() && !unpacked.exists());
    assert_eq!(store.collect(&none, Duration::ZERO).await.unwrap().files, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_set_aside_is_kept_while_its_version_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::on_disk(folder.path()).unwrap();
    let digest = store.put_bytes(content(1, 100)).await.unwrap().digest;
    fs::write(store.local(&digest).await.unwrap(), b"spoilt").unwrap();
    let keep = HashSet::from([digest]);
    assert_eq!(store.get(&digest).await.unwrap_err().code(), "file_corrupt");
    assert_eq!(store.collect(&keep, Duration::ZERO).await.unwrap().files, 0);
    assert_eq!(
        store.get(&digest).await.unwrap_err().code(),
        "file_corrupt",
        "and it is still said why"
    );
    store.put_bytes(content(1, 100)).await.unwrap();
    assert_eq!(store.collect(&keep, Duration::ZERO).await.unwrap().files, 1);
    assert_eq!(store.get(&digest).await.unwrap(), content(1, 100));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_contents_come_back(contents: Vec<Vec<u8>>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let store = Store::on_disk(folder.path()).unwrap();
            let mut distinct = HashSet::new();
            for content in &contents {
                let stored = store.put_bytes(content.clone().into()).await.unwrap();
                prop_assert_eq!(stored.digest, Digest::of(content));
                distinct.insert(stored);
            }
            for content in &contents {
                prop_assert_eq!(&store.get(&Digest::of(content)).await.unwrap()[..], &content[..]);
            }
            prop_assert_eq!(store.list().await.unwrap().into_iter().collect::<HashSet<_>>(), distinct);
            Ok(())
        })?;
    }
}
