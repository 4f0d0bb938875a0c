//! What every store must do, wherever it lies.

use crate::contents::content;
use einthoven_registry_files::{Collected, Copied, Digest, FilesError, Store};
use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// A store whose contents lie in `folder`, and a way to open it as another process would.
pub(crate) struct Bench<'a> {
    pub(crate) folder: PathBuf,
    pub(crate) open: &'a dyn Fn() -> Store,
}

impl Bench<'_> {
    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.folder.join("files").join(&hex[..2]).join(hex)
    }

    fn flip(&self, digest: &Digest, at: usize) {
        let mut bytes = fs::read(self.path(digest)).unwrap();
        bytes[at] ^= 1;
        fs::write(self.path(digest), bytes).unwrap();
    }

    fn age(&self, digest: &Digest) {
        age(&self.path(digest));
    }
}

/// Makes a file two hours old.
pub(crate) fn age(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - 2 * HOUR).unwrap();
}

pub(crate) async fn whole_suite(bench: &Bench<'_>) {
    contents_come_back(bench).await;
    many_writers_of_one_content(bench).await;
    a_flipped_byte_is_refused_with_both_digests(bench).await;
    only_old_files_without_a_row_are_collected(bench).await;
    copies_are_whole(bench).await;
    churn_leaves_the_disk_within_twice_of_live(bench).await;
}

async fn contents_come_back(bench: &Bench<'_>) {
    let store = (bench.open)();
    let folder = tempfile::tempdir().unwrap();
    // Above 16 MiB a bucket is sent parts.
    for (seed, length) in [
        (1, 0),
        (2, 1),
        (3, 65_536),
        (4, 70_001),
        (5, (16 << 20) - 1),
        (6, 16 << 20),
        (7, 40_000_001),
    ] {
        let content = content(seed, length);
        let digest = Digest::of(&content);
        assert!(!store.contains(&digest).await.unwrap());
        assert!(matches!(store.get(&digest).await, Err(FilesError::Missing { digest: which }) if which == digest));
        assert!(matches!(store.local(&digest).await, Err(FilesError::Missing { .. })));
        let path = folder.path().join("upload");
        fs::write(&path, &content).unwrap();
        let by_file = store.put_file(&path).await.unwrap();
        assert_eq!((by_file.digest, by_file.size_bytes), (digest, length as u64));
        assert_eq!(fs::read(&path).unwrap(), content, "the source is left as it was");
        assert_eq!(store.put_bytes(content.clone()).await.unwrap(), by_file);
        for reader in [&store, &(bench.open)()] {
            assert_eq!(reader.size(&digest).await.unwrap(), Some(length as u64));
            assert!(reader.get(&digest).await.unwrap() == content);
            assert!(fs::read(reader.local(&digest).await.unwrap()).unwrap() == content);
        }
        assert!(fs::read(bench.path(&digest)).unwrap() == content);
        assert!(store.list().await.unwrap().contains(&by_file));
        store.delete(&digest).await.unwrap();
        store.delete(&digest).await.unwrap();
        assert!(!store.contains(&digest).await.unwrap());
        assert!(matches!(store.get(&digest).await, Err(FilesError::Missing { .. })));
    }
    assert_eq!(store.list().await.unwrap(), []);
}

async fn many_writers_of_one_content(bench: &Bench<'_>) {
    let (one, other) = ((bench.open)(), (bench.open)());
    let content = content(20, 300_000);
    let puts = (0..16).map(|index| {
        let (store, content) = (
            if index % 2 == 0 { one.clone() } else { other.clone() },
            content.clone(),
        );
        tokio::spawn(async move {
            let stored = store.put_bytes(content).await.unwrap();
            store.get(&stored.digest).await.unwrap()
        })
    });
    for put in puts.collect::<Vec<_>>() {
        assert!(put.await.unwrap() == content);
    }
    assert_eq!(one.list().await.unwrap().len(), 1);
    one.delete(&Digest::of(&content)).await.unwrap();
    other.delete(&Digest::of(&content)).await.unwrap();
}

async fn a_flipped_byte_is_refused_with_both_digests(bench: &Bench<'_>) {
    let content = content(30, 100_000);
    let mut flipped = content.to_vec();
    flipped[99_999] ^= 1;
    let (expected, found) = (Digest::of(&content), Digest::of(&flipped));
    let refused = |result: Result<(), FilesError>| {
        let error = result.unwrap_err();
        assert_eq!(error.code(), "file_corrupt");
        let text = error.to_string();
        assert!(
            text.contains(&expected.to_string()) && text.contains(&found.to_string()) && text.contains("100000 bytes"),
            "{text}"
        );
    };
    for by_path in [false, true] {
        (bench.open)().put_bytes(content.clone()).await.unwrap();
        bench.flip(&expected, 99_999);
        // A reader that has nothing in a cache.
        let store = (bench.open)();
        for _ in 0..3 {
            if by_path {
                refused(store.local(&expected).await.map(drop));
            } else {
                refused(store.get(&expected).await.map(drop));
            }
        }
        assert!(
            !store.contains(&expected).await.unwrap(),
            "so that the next pull brings it again"
        );
        assert!(!bench.path(&expected).exists());
        store.put_bytes(content.clone()).await.unwrap();
        assert!(
            (bench.open)().get(&expected).await.unwrap() == content,
            "stored again it is healed"
        );
    }
    let cut = File::options().write(true).open(bench.path(&expected)).unwrap();
    cut.set_len(50_000).unwrap();
    let error = (bench.open)().local(&expected).await.unwrap_err();
    assert!(
        matches!(error, FilesError::Corrupt { size_bytes: 50_000, .. }),
        "{error}"
    );
    // With nothing to keep, what was set aside goes too.
    for aside in fs::read_dir(bench.folder.join("corrupt")).unwrap() {
        age(&aside.unwrap().path());
    }
    let store = (bench.open)();
    assert_eq!(store.collect(&HashSet::new(), HOUR).await.unwrap().files, 2);
    assert!(matches!(store.get(&expected).await, Err(FilesError::Missing { .. })));
}

async fn only_old_files_without_a_row_are_collected(bench: &Bench<'_>) {
    let store = (bench.open)();
    let mut digests = Vec::new();
    for seed in 40..44 {
        digests.push(store.put_bytes(content(seed, 1000)).await.unwrap().digest);
    }
    let [kept, young, old, renewed] = digests[..] else {
        panic!()
    };
    for digest in [&kept, &old, &renewed] {
        bench.age(digest);
    }
    store.put_bytes(content(43, 1000)).await.unwrap();
    let keep = HashSet::from([kept]);
    let reader = (bench.open)();
    assert_eq!(
        reader.collect(&keep, HOUR).await.unwrap(),
        Collected { files: 1, bytes: 1000 }
    );
    for (digest, there) in [(kept, true), (young, true), (old, false), (renewed, true)] {
        assert_eq!(reader.contains(&digest).await.unwrap(), there);
    }
    assert_eq!(reader.collect(&keep, HOUR).await.unwrap(), Collected::default());
    assert_eq!(reader.collect(&keep, Duration::ZERO).await.unwrap().files, 2);
    assert_eq!(reader.collect(&HashSet::new(), Duration::ZERO).await.unwrap().files, 1);
    assert_eq!(reader.list().await.unwrap(), []);
}

async fn copies_are_whole(bench: &Bench<'_>) {
    let store = (bench.open)();
    let backup_folder = tempfile::tempdir().unwrap();
    let backup = Store::on_disk(backup_folder.path()).unwrap();
    let mut digests = Vec::new();
    for seed in 50..55 {
        digests.push(store.put_bytes(content(seed, 10_000)).await.unwrap().digest);
    }
    let copied = store.copy_all(digests.clone(), &backup).await.unwrap();
    assert_eq!(
        copied,
        Copied {
            files: 5,
            bytes: 50_000,
            had: 0
        }
    );
    let hurt = Bench {
        folder: backup_folder.path().to_owned(),
        open: bench.open,
    };
    hurt.flip(&digests[2], 7);
    let copied = store.copy_all(digests.clone(), &backup).await.unwrap();
    assert_eq!(
        copied,
        Copied {
            files: 1,
            bytes: 10_000,
            had: 4
        },
        "a copy that was spoilt is made again"
    );
    for (seed, digest) in (50..).zip(&digests) {
        assert!(backup.get(digest).await.unwrap() == content(seed, 10_000));
    }
    // Back into a store that lost them.
    for digest in &digests {
        store.delete(digest).await.unwrap();
    }
    let restored = backup.copy_all(digests.clone(), &store).await.unwrap();
    assert_eq!(restored.files, 5);
    bench.flip(&digests[0], 0);
    let error = (bench.open)().copy_all(digests, &backup).await.unwrap_err();
    assert_eq!(error.code(), "file_corrupt", "what is corrupt is not copied");
    store.collect(&HashSet::new(), Duration::ZERO).await.unwrap();
}

async fn churn_leaves_the_disk_within_twice_of_live(bench: &Bench<'_>) {
    let store = (bench.open)();
    let mut live = HashSet::new();
    let mut live_bytes = 0;
    for round in 0..10 {
        for index in 0..10 {
            let stored = store
                .put_bytes(content(1000 + round * 10 + index, 20_000))
                .await
                .unwrap();
            if index == 0 {
                live.insert(stored.digest);
                live_bytes += stored.size_bytes;
            }
        }
    }
    let collected = store.collect(&live, Duration::ZERO).await.unwrap();
    assert!(collected.files >= 90, "{collected:?}");
    let on_disk = bytes_below(&bench.folder);
    assert!(
        on_disk >= live_bytes && on_disk <= 2 * live_bytes,
        "{on_disk} bytes for {live_bytes} live ones"
    );
    for digest in &live {
        store.get(digest).await.unwrap();
    }
    store.collect(&HashSet::new(), Duration::ZERO).await.unwrap();
}

/// Bytes of all files below a folder; 256 empty folders are not counted.
fn bytes_below(folder: &Path) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let seen = entry.metadata().unwrap();
        bytes += if seen.is_dir() {
            bytes_below(&entry.path())
        } else {
            seen.len()
        };
    }
    bytes
}
