//! Exported heads.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use einthoven_registry_log::{Anchor, Hash, Head, LogError, append_head_file, export_head, read_head_file};
use jiff::Timestamp;
use std::fs;

#[tokio::test]
async fn heads_are_read_as_they_were_exported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heads.jsonl");
    let at: Timestamp = "2026-03-01T12:30:00Z".parse().unwrap();
    let mut anchors = Vec::new();
    for seq in 1..4 {
        let head = Head {
            seq,
            hash: Hash::of(seq, Hash::ZERO, "{}"),
        };
        assert_eq!(export_head(&head, at).parse(), Ok(Anchor { at, head }));
        // What a crash left of an earlier attempt.
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        text.push_str("{\"at\":\"20");
        fs::write(&path, text).unwrap();
        assert_eq!(read_head_file(&path).await.unwrap(), anchors);
        append_head_file(&path, head, at).await.unwrap();
        anchors.push(Anchor { at, head });
        assert_eq!(read_head_file(&path).await.unwrap(), anchors);
    }
    let text = fs::read_to_string(&path)
        .unwrap()
        .replacen("\"seq\":2", "\"seq\":two", 1);
    fs::write(&path, text).unwrap();
    let refused = read_head_file(&path).await.unwrap_err();
    assert!(
        matches!(refused, LogError::Anchor { .. }) && refused.to_string().contains("line 2"),
        "{refused}"
    );
}
