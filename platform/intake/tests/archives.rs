//! Archives as people make them, and as people who mean harm make them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use einthoven_intake::{Bounds, IntakeError, unpack};
use std::borrow::Cow;
use std::io::Write;

const BOUNDS: Bounds = Bounds {
    bytes: 1 << 20,
    files: 16,
};

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A tar entry with its name written raw, since the library's own writer refuses hostile names.
fn tar_entry(name: &str, kind: tar::EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn tar_of(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries
        .iter()
        .flat_map(|(name, kind, content)| tar_entry(name, *kind, content))
        .collect();
    bytes.extend([0; 1024]);
    bytes
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn names(name: &str, bytes: Vec<u8>) -> Result<Vec<String>, IntakeError> {
    Ok(unpack(name, Cow::Owned(bytes), &BOUNDS)?
        .into_iter()
        .map(|file| file.name)
        .collect())
}

#[test]
fn archives_become_named_files_without_their_folders() {
    let file = tar::EntryType::Regular;
    let zip = zip_of(&[
        ("mitdb/100.hea", b"h"),
        ("mitdb/100.dat", b"d"),
        ("__MACOSX/mitdb/._100.hea", b"x"),
    ]);
    let tar = tar_of(&[("mitdb/100.hea", file, b"h"), ("mitdb/100.dat", file, b"d")]);
    assert_eq!(names("a.zip", zip).unwrap(), ["100.hea", "100.dat"]);
    assert_eq!(names("a.tar", tar.clone()).unwrap(), ["100.hea", "100.dat"]);
    assert_eq!(names("a.tar.gz", gzip(&tar)).unwrap(), ["100.hea", "100.dat"]);
    assert_eq!(names("a.csv.gz", gzip(b"1,2,3")).unwrap(), ["a.csv"]);
    assert_eq!(names("a.csv", b"1,2,3".to_vec()).unwrap(), ["a.csv"]);
}

#[test]
fn names_that_lead_elsewhere_and_special_files_are_refused() {
    let file = tar::EntryType::Regular;
    for name in ["../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\x", "..\\x"] {
        assert_eq!(
            names("a.zip", zip_of(&[(name, b"x")])).unwrap_err().code(),
            "unsafe_file_name",
            "zip {name}"
        );
        assert_eq!(
            names("a.tar", tar_of(&[(name, file, b"x")])).unwrap_err().code(),
            "unsafe_file_name",
            "tar {name}"
        );
    }
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Char,
        tar::EntryType::Fifo,
    ] {
        assert_eq!(
            names("a.tar", tar_of(&[("x", kind, b"")])).unwrap_err().code(),
            "unsafe_file_name",
            "{kind:?}"
        );
    }
    let twice = zip_of(&[("a/100.dat", b"x"), ("b/100.dat", b"y")]);
    assert_eq!(names("a.zip", twice).unwrap_err().code(), "unsafe_file_name");
}

#[test]
fn bombs_stop_at_the_bound_whatever_they_claim() {
    let zeros = vec![0_u8; 64 << 20];
    assert_eq!(names("a.gz", gzip(&zeros)).unwrap_err().code(), "too_large");
    assert_eq!(
        names("a.zip", zip_of(&[("zeros", &zeros)])).unwrap_err().code(),
        "too_large"
    );
    let many: Vec<_> = (0..17).map(|index| format!("f{index}")).collect();
    let entries: Vec<_> = many.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    assert_eq!(names("a.zip", zip_of(&entries)).unwrap_err().code(), "too_large");
}

#[test]
fn a_cut_archive_is_damaged_and_not_half_a_recording() {
    let file = tar::EntryType::Regular;
    let tar = tar_of(&[("100.dat", file, &[7; 4000])]);
    let zip = zip_of(&[("100.dat", &[7; 4000])]);
    assert_eq!(
        names("a.tar", tar[..2000].to_vec()).unwrap_err().code(),
        "damaged_archive"
    );
    assert_eq!(
        names("a.zip", zip[..zip.len() - 10].to_vec()).unwrap_err().code(),
        "damaged_archive"
    );
    let gz = gzip(&[7; 4000]);
    assert_eq!(
        names("a.gz", gz[..gz.len() - 4].to_vec()).unwrap_err().code(),
        "damaged_archive"
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(mut bytes: Vec<u8>, kind in 0..4) {
        match kind {
            0 => { bytes.splice(0..0, *b"PK\x03\x04"); }
            1 => { bytes.splice(0..0, [0x1f, 0x8b, 8, 0]); }
            2 => { bytes.resize(bytes.len().max(262), 0); bytes[257..262].copy_from_slice(b"ustar"); }
            _ => {}
        }
        let _ = unpack("upload", Cow::Owned(bytes), &BOUNDS);
    }
}
