//! Uploads on their way to disk.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use einthoven_registry_files::{Digest, FilesError, receive};
use futures_util::stream;
use std::fs;
use std::path::Path;

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

fn pieces(count: usize) -> impl Iterator<Item = Result<Bytes, String>> {
    (0..count).map(|index| Ok(Bytes::from(vec![index as u8; 1000])))
}

#[tokio::test]
async fn an_upload_lies_on_disk_while_it_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let received = receive(stream::iter(pieces(300)), 300_000, folder.path())
        .await
        .unwrap();
    let content = fs::read(received.path()).unwrap();
    assert_eq!(content.len(), 300_000);
    assert_eq!(
        (received.size_bytes(), received.sha256()),
        (300_000, Digest::of(&content))
    );
    assert!(received.path().starts_with(folder.path()));
    drop(received);
    assert!(is_empty(folder.path()));
    let nothing = receive(stream::iter(pieces(0)), 0, folder.path()).await.unwrap();
    assert_eq!((nothing.size_bytes(), nothing.sha256()), (0, Digest::of(b"")));
}

#[tokio::test]
async fn an_upload_that_is_too_long_cut_or_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut asked = 0;
    let endless = stream::iter(std::iter::repeat_with(|| {
        asked += 1;
        Ok::<_, String>(Bytes::from_static(&[7; 1000]))
    }));
    let error = receive(endless, 4999, folder.path()).await.unwrap_err();
    assert!(matches!(error, FilesError::TooLarge { limit_bytes: 4999 }), "{error}");
    assert_eq!(asked, 5, "no more is read than the bound");
    assert!(is_empty(folder.path()));

    let cut = stream::iter(pieces(3).chain([Err("connection reset".to_owned())]));
    let error = receive(cut, 1 << 20, folder.path()).await.unwrap_err();
    assert!(
        matches!(
            error,
            FilesError::Cut {
                received_bytes: 3000,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("connection reset"));
    assert!(is_empty(folder.path()));

    let stalled = futures_util::StreamExt::chain(stream::iter(pieces(3)), stream::pending());
    let waiting = tokio::time::timeout(
        std::time::Duration::from_millis(200),
        receive(stalled, 1 << 20, folder.path()),
    );
    assert!(waiting.await.is_err());
    assert!(is_empty(folder.path()));
}
