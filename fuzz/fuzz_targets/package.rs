//! Any upload gives bounded files with good names or a named refusal, and leaves nothing behind.
#![no_main]

use einthoven_registry_files::{Bounds, unpack, valid_names};
use libfuzzer_sys::fuzz_target;
use std::fs;

const BOUNDS: Bounds = Bounds {
    files: 16,
    bytes: 1 << 21,
    ratio: 50,
};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder for one run");
    let (upload, into) = (folder.path().join("upload"), folder.path().join("into"));
    fs::write(&upload, bytes).expect("the upload is written");
    fs::create_dir(&into).expect("an empty folder");
    if let Ok(unpacked) = unpack(&upload, "upload", &into, &BOUNDS) {
        assert!(!unpacked.files.is_empty() && unpacked.files.len() <= BOUNDS.files);
        valid_names(unpacked.files.iter().map(|file| file.name.as_str())).expect("good names");
        let sum: u64 = unpacked.files.iter().map(|file| file.size_bytes).sum();
        assert!(!unpacked.archive || sum <= BOUNDS.bytes);
        for file in &unpacked.files {
            let seen = fs::symlink_metadata(&file.path).expect("each file is there");
            assert!(seen.is_file() && seen.len() == file.size_bytes);
        }
    }
    assert!(fs::read_dir(&into).expect("the folder").next().is_none());
    assert_eq!(fs::read_dir(folder.path()).expect("the folder around").count(), 2);
});
