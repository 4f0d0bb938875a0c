//! Uploads unpacked, from good hands and from bad ones; nothing outside the folder given changes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod archives;

use archives::{Member, gzip, patched_zip, pax, tar_of, zip_of, zip_with, zip_with_mode};
use einthoven_registry_files::{Bounds, FilesError, unpack};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tar::EntryType;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

const BOUNDS: Bounds = Bounds {
    files: 50,
    bytes: 8 << 20,
    ratio: 100,
};

type Files = BTreeMap<String, Vec<u8>>;

/// Unpacks in a folder that has neighbours, and checks that these are as they were and that nothing is left behind.
fn unpacked(name: &str, bytes: &[u8]) -> Result<Files, FilesError> {
    let around = tempfile::tempdir().unwrap();
    let into = around.path().join("a/into");
    fs::create_dir_all(&into).unwrap();
    for neighbour in ["x", "a/x", "passwd", "a/evil", "a/model.onnx"] {
        fs::write(around.path().join(neighbour), b"untouched").unwrap();
    }
    let upload = around.path().join("upload");
    fs::write(&upload, bytes).unwrap();
    let before = tree(around.path(), &into);
    let result = unpack(&upload, name, &into, &BOUNDS).map(|unpacked| {
        let folder = unpacked.folder().map(Path::to_owned);
        assert_eq!(folder.is_some(), unpacked.archive);
        let read = |file: &einthoven_registry_files::UnpackedFile| {
            let content = fs::read(&file.path).unwrap();
            assert_eq!(content.len() as u64, file.size_bytes);
            assert!(
                file.path == upload || file.path.parent() == folder.as_deref(),
                "{}",
                file.path.display()
            );
            (file.name.clone(), content)
        };
        assert!(unpacked.files.is_sorted_by(|a, b| a.name < b.name));
        let files: Files = unpacked.files.iter().map(read).collect();
        assert_eq!(files.len(), unpacked.files.len());
        files
    });
    assert_eq!(
        before,
        tree(around.path(), &into),
        "something changed beside the folder"
    );
    assert!(
        fs::read_dir(&into).unwrap().next().is_none(),
        "something was left behind"
    );
    result
}

/// All below a folder except in `without`, with contents, times and kinds.
fn tree(folder: &Path, without: &Path) -> BTreeMap<PathBuf, (Option<Vec<u8>>, SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path == without {
            continue;
        }
        let seen = fs::symlink_metadata(&path).unwrap();
        assert!(!seen.is_symlink());
        all.insert(path.clone(), (fs::read(&path).ok(), seen.modified().unwrap()));
        if seen.is_dir() {
            all.extend(tree(&path, without));
        }
    }
    all
}

fn refusal(name: &str, bytes: &[u8]) -> FilesError {
    match unpacked(name, bytes) {
        Err(error) => error,
        Ok(files) => panic!("`{name}` was unpacked: {:?}", files.keys()),
    }
}

fn names(files: &Files) -> Vec<&str> {
    files.keys().map(String::as_str).collect()
}

#[test]
fn packages_come_out_as_they_went_in() {
    let members: [(&str, &[u8]); 4] = [
        ("model/MLmodel", b"flavors"),
        ("model/data/model.onnx", &[8; 100_000]),
        ("model/.DS_Store", b"x"),
        ("__MACOSX/model/._MLmodel", b"x"),
    ];
    let tar: Vec<_> = [("./model/", EntryType::Directory, &b""[..])]
        .into_iter()
        .chain(members.map(|(name, content)| (name, EntryType::Regular, content)))
        .map(|(name, kind, content)| Member::of(name, kind, content))
        .collect();
    let tar = tar_of(&tar);
    for (name, bytes) in [
        ("m.zip", zip_of(&members)),
        ("m.tar", tar.clone()),
        ("m", gzip(&tar)),
        ("model.onnx", gzip(&tar)),
    ] {
        let files = unpacked(name, &bytes).unwrap();
        assert_eq!(names(&files), ["MLmodel", "data/model.onnx"], "{name}");
        assert_eq!(files["MLmodel"], b"flavors");
        assert_eq!(files["data/model.onnx"], [8; 100_000]);
    }
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let flat = unpacked(
        "m.zip",
        &zip_with(&[("a", b"1"), ("b/c", b"2"), ("inner.zip", &zip_of(&members))], stored),
    )
    .unwrap();
    assert_eq!(names(&flat), ["a", "b/c", "inner.zip"], "archives within stay closed");
}

#[test]
fn tar_as_python_and_gnu_write_it() {
    let long = format!("model/{}/model.onnx", "d".repeat(200));
    let record = [pax("mtime", "1700000000.25"), pax("path", &long)].concat();
    let with_pax = tar_of(&[
        Member::of("pax_global_header", EntryType::XGlobalHeader, &pax("comment", "x")),
        Member::of("././@PaxHeader", EntryType::XHeader, &record),
        Member::file("model/short", b"1"),
        Member::file("model/MLmodel", b"2"),
    ]);
    let gnu_name = [long.as_bytes(), b"\0"].concat();
    let gnu = tar_of(&[
        Member::of("././@LongLink", EntryType::GNULongName, &gnu_name),
        Member::file("model/short", b"1"),
        Member::file("model/MLmodel", b"2"),
    ]);
    let mut written = tar::Builder::new(Vec::new());
    for (name, content) in [(long.as_str(), b"1"), ("model/MLmodel", b"2")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_cksum();
        written.append_data(&mut header, name, &content[..]).unwrap();
    }
    for bytes in [with_pax, gnu, written.into_inner().unwrap()] {
        let files = unpacked("m.tar", &bytes).unwrap();
        assert_eq!(names(&files), ["MLmodel", long.strip_prefix("model/").unwrap()]);
        assert_eq!(files["MLmodel"], b"2");
    }
}

#[test]
fn anything_else_is_one_file() {
    for (name, clean) in [
        ("model.onnx", "model.onnx"),
        ("C:\\fakepath\\model.tflite", "model.tflite"),
        ("../../model.safetensors", "model.safetensors"),
        (" a b.onnx ", "a b.onnx"),
    ] {
        let files = unpacked(name, b"\x08\x07not an archive").unwrap();
        assert_eq!(names(&files), [clean]);
    }
    for name in ["", "/", "..", "a/..", ".", "a\0b", "%2e%2e%2fx", "a#b", "a;b", "a:b"] {
        assert_eq!(refusal(name, b"x").code(), "unsafe_file_name", "{name:?}");
    }
    assert_eq!(refusal("a.zip", &zip_of(&[])).code(), "damaged_archive");
    assert_eq!(
        refusal("a.zip", &zip_of(&[(".DS_Store", b"")])).code(),
        "damaged_archive"
    );
}

#[test]
fn names_that_lead_elsewhere_are_refused_by_name() {
    for name in [
        "../x",
        "../../../../tmp/evil",
        "a/../../x",
        "a/..",
        "..",
        "/etc/passwd",
        "//host/share/x",
        "\\\\host\\share\\x",
        "..\\x",
        "a\\..\\..\\x",
        "C:\\x",
        "C:/x",
        "c:x",
        "%2e%2e/x",
        "%2e%2e%2fx",
        "%252e%252e%252fx",
        "..%c0%afx",
        "#/../x",
        "a#b",
        "..;/x",
        "a;b",
        "a\nb",
        "a\u{202e}b",
        "a?b",
        "./../x",
        "././../x",
        "x/",
        "a//b",
    ] {
        let tar = tar_of(&[Member::file("ok", b"1"), Member::file(name, b"x")]);
        let zip = zip_of(&[("ok", b"1"), (name, b"x")]);
        let pax = pax("path", name);
        let by_pax = tar_of(&[Member::of("p", EntryType::XHeader, &pax), Member::file("ok", b"x")]);
        let by_gnu = tar_of(&[
            Member::of("l", EntryType::GNULongName, name.as_bytes()),
            Member::file("ok", b"x"),
        ]);
        for (kind, bytes) in [
            ("tar", &tar),
            ("zip", &zip),
            ("tar.gz", &gzip(&tar)),
            ("pax", &by_pax),
            ("gnu", &by_gnu),
        ] {
            let error = refusal("m", bytes);
            // A name that ends in a slash is a folder, which holds nothing.
            let codes: &[&str] =
                &["unsafe_file_name", "damaged_archive"][..if name == "x/" || name.contains('\n') { 2 } else { 1 }];
            assert!(codes.contains(&error.code()), "{kind} {name:?}: {error}");
        }
    }
    let null = pax("path", "a\0/../b");
    let by_pax = tar_of(&[Member::of("p", EntryType::XHeader, &null), Member::file("ok", b"x")]);
    assert_eq!(refusal("m", &by_pax).code(), "unsafe_file_name");
    assert_eq!(refusal("m", &zip_of(&[("a\0b", b"x")])).code(), "unsafe_file_name");
    let not_utf8 = Member {
        name: b"a\xff",
        ..Member::file("", b"x")
    };
    assert_eq!(refusal("m", &tar_of(&[not_utf8])).code(), "unsafe_file_name");
    let folder = tar_of(&[
        Member::of("../evil/", EntryType::Directory, b""),
        Member::file("ok", b"x"),
    ]);
    assert_eq!(refusal("m", &folder).code(), "unsafe_file_name");
}

#[test]
fn names_that_clash_are_refused() {
    for (one, other) in [
        ("m.onnx", "m.onnx"),
        ("M.onnx", "m.ONNX"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("a/b", "A"),
    ] {
        let tar = tar_of(&[Member::file(one, b"1"), Member::file(other, b"2")]);
        assert_eq!(refusal("m", &tar).code(), "unsafe_file_name", "{one} {other}");
        if one != other {
            let zip = zip_of(&[(one, b"1"), (other, b"2")]);
            assert_eq!(refusal("m", &zip).code(), "unsafe_file_name", "{one} {other}");
        }
    }
    // The writer refuses a second entry of a name, so another name is made the same afterwards.
    let mut zip = zip_of(&[("aa", b"1"), ("ab", b"2")]);
    for at in 0..zip.len() - 1 {
        if zip[at..].starts_with(b"ab") {
            zip[at + 1] = b'a';
        }
    }
    let error = refusal("m", &zip);
    assert!(error.to_string().contains("2 entries"), "{error}");
}

#[test]
fn links_devices_and_what_cannot_be_read_are_refused_by_name() {
    let kinds = [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
        EntryType::GNUSparse,
        EntryType::new(b'V'),
        EntryType::new(b'M'),
        EntryType::new(b'Z'),
    ];
    for kind in kinds {
        for bytes in [
            tar_of(&[Member::file("ok", b"1"), Member::of("evil", kind, b"")]),
            tar_of(&[Member::of("evil", kind, b""), Member::file("evil/x", b"1")]),
        ] {
            for bytes in [&bytes, &gzip(&bytes)] {
                let error = refusal("m", bytes);
                assert!(
                    matches!(error, FilesError::Refused { .. }) && error.to_string().contains("`evil`"),
                    "{kind:?}: {error}"
                );
            }
        }
    }
    let plain = || zip_of(&[("evil", b"../../passwd")]);
    for mode in [0o120_777, 0o020_666, 0o060_666, 0o010_666, 0o140_666] {
        let error = refusal("m", &zip_with_mode(plain(), mode));
        assert!(
            matches!(error, FilesError::Refused { .. }) && error.to_string().contains("`evil`"),
            "{mode:o}: {error}"
        );
    }
    unpacked("m", &zip_with_mode(plain(), 0o100_644)).unwrap();
    unpacked("m", &zip_with_mode(plain(), 0o644)).unwrap();
    let encrypted = patched_zip(plain(), 6, 8, &[1, 0]);
    let error = refusal("m", &encrypted);
    assert!(error.to_string().contains("`evil`, which is encrypted"), "{error}");
    for method in [1_u16, 9, 12, 14, 93, 98] {
        let error = refusal("m", &patched_zip(plain(), 8, 10, &method.to_le_bytes()));
        assert!(
            error.to_string().contains("`evil`, which is compressed"),
            "{method}: {error}"
        );
    }
    let sparse = [pax("GNU.sparse.major", "1"), pax("GNU.sparse.realsize", "99999999999")].concat();
    let sparse = tar_of(&[Member::of("p", EntryType::XHeader, &sparse), Member::file("x", b"x")]);
    assert_eq!(refusal("m", &sparse).code(), "damaged_archive");
}

#[test]
fn bombs_stop_at_a_bound() {
    // One to a thousand, below the bound on bytes.
    let zeros = vec![0; 7 << 20];
    let tar = tar_of(&[Member::file("zeros", &zeros)]);
    for bytes in [zip_of(&[("zeros", &zeros)]), gzip(&tar)] {
        assert!(matches!(refusal("m", &bytes), FilesError::Bomb { limit: 100, .. }));
    }
    unpacked("m", &tar).unwrap();
    let small = zip_of(&[("zeros", &zeros[..1 << 20])]);
    assert_eq!(
        unpacked("m", &small).unwrap()["zeros"].len(),
        1 << 20,
        "a little of nothing is no bomb"
    );
    // Above the bound on bytes, though not by compression.
    let half = vec![1; 5 << 20];
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let both = tar_of(&[Member::file("a", &half), Member::file("b", &half)]);
    for bytes in [zip_with(&[("a", &half), ("b", &half)], stored), both] {
        assert!(matches!(
            refusal("m", &bytes),
            FilesError::UnpacksTooLarge {
                limit_bytes: 8_388_608,
                ..
            }
        ));
    }
    // Compressed twice: what is within is a file like any other.
    assert_eq!(names(&unpacked("m", &zip_of(&[("m.zip", &small)])).unwrap()), ["m.zip"]);
    // Too many, and of them folders, and entries of the directory that are one and the same file.
    let many: Vec<_> = (0..51).map(|index| format!("f{index}")).collect();
    let members: Vec<_> = many.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    let folders: Vec<_> = many
        .iter()
        .map(|name| Member::of(name, EntryType::Directory, b""))
        .collect();
    for bytes in [zip_of(&members), tar_of(&folders), gzip(&tar_of(&folders))] {
        assert!(matches!(refusal("m", &bytes), FilesError::TooMany { limit: 50, .. }));
    }
    // An extension that would be a name of gigabytes, and endless padding.
    let name = vec![b'a'; 1 << 20];
    let long = tar_of(&[Member {
        stated: 8 << 30,
        ..Member::of("l", EntryType::GNULongName, &name)
    }]);
    assert_eq!(refusal("m", &long).code(), "damaged_archive");
    let mut padded = tar_of(&[Member::file("a", b"1")]);
    padded.resize(32 << 20, 0);
    assert_eq!(refusal("m", &gzip(&padded)).code(), "too_large");
}

#[test]
fn lies_about_sizes_are_damage() {
    let content = [7; 10_000];
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for lie in [0_u32, 9_999, 10_001, 0x7fff_ffff, 0xffff_fffe] {
        for zip in [zip_of(&[("m", &content)]), zip_with(&[("m", &content)], stored)] {
            let zip = patched_zip(zip, 22, 24, &lie.to_le_bytes());
            assert_eq!(refusal("m", &zip).code(), "damaged_archive", "{lie}");
        }
        let lying = Member {
            stated: u64::from(lie),
            ..Member::file("m", &content)
        };
        let tar = tar_of(&[lying, Member::file("n", b"1")]);
        // Within the last block a shorter length shows nowhere; it is then the length.
        if lie == 9_999 || lie == 10_001 {
            assert_eq!(unpacked("m", &tar).unwrap()["m"].len(), lie as usize);
        } else {
            for bytes in [&tar, &gzip(&tar)] {
                let code = refusal("m", bytes).code();
                assert!(code == "damaged_archive" || code == "too_large", "{lie}: {code}");
            }
        }
        let pax = pax("size", &lie.to_string());
        let tar = tar_of(&[Member::of("p", EntryType::XHeader, &pax), Member::file("m", &content)]);
        if lie != 9_999 && lie != 10_001 {
            assert_eq!(refusal("m", &tar).code(), "damaged_archive", "{lie}");
        }
    }
    let wrong_sum = patched_zip(zip_of(&[("m", &content)]), 14, 16, &[1, 2, 3, 4]);
    assert_eq!(refusal("m", &wrong_sum).code(), "damaged_archive");
    // A compressed size of zero, and one beyond the archive.
    for lie in [0_u32, 0x7fff_ffff] {
        let zip = patched_zip(zip_of(&[("m", &content)]), 18, 20, &lie.to_le_bytes());
        if let Ok(files) = unpacked("m", &zip) {
            assert_eq!(files["m"], content);
        }
    }
}

#[test]
fn a_cut_archive_is_damaged_at_every_tenth() {
    let mut noise = vec![0; 30_000];
    let mut state = 1_u32;
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    let named: Vec<_> = (0..5).map(|index| format!("model/f{index}")).collect();
    let members: Vec<_> = named.iter().map(|name| (name.as_str(), &noise[..])).collect();
    let tar: Vec<_> = named.iter().map(|name| Member::file(name, &noise)).collect();
    let tar = tar_of(&tar);
    for (kind, bytes) in [("zip", zip_of(&members)), ("tar", tar.clone()), ("tar.gz", gzip(&tar))] {
        assert_eq!(unpacked("m", &bytes).unwrap().len(), 5);
        let tenths = (1..10).map(|tenth| bytes.len() * tenth / 10);
        // And where a member ends, which is where a reader could think the archive ends.
        let ends = (1..=5).map(|count| count * (512 + noise.len().next_multiple_of(512)));
        for at in tenths.chain(ends.filter(|_| kind == "tar")).chain([bytes.len() - 1]) {
            if kind == "tar" && at == bytes.len() - 1 {
                continue;
            }
            assert_eq!(
                refusal("m", &bytes[..at]).code(),
                "damaged_archive",
                "{kind} cut at {at} of {}",
                bytes.len()
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn packages_of_good_names_come_back(
        members in proptest::collection::btree_map("[a-z]{1,6}(/[a-z]{1,6}){0,2}", proptest::collection::vec(any::<u8>(), 0..2000), 1..8),
    ) {
        prop_assume!(einthoven_registry_files::valid_names(members.keys().map(String::as_str)).is_ok());
        let zip: Vec<_> = members.iter().map(|(name, content)| (name.as_str(), &content[..])).collect();
        let tar: Vec<_> = members.iter().map(|(name, content)| Member::file(name, content)).collect();
        let tar = tar_of(&tar);
        let top = |name: &str| name.split_once('/').map(|(top, _)| top.to_owned());
        let first = top(members.keys().next().unwrap());
        let single = first.is_some() && members.keys().all(|name| top(name) == first);
        let expected: Files = members
            .iter()
            .map(|(name, content)| (if single { name.split_once('/').unwrap().1 } else { name }.to_owned(), content.clone()))
            .collect();
        for bytes in [zip_of(&zip), tar.clone(), gzip(&tar)] {
            prop_assert_eq!(&unpacked("m", &bytes).unwrap(), &expected);
        }
    }

    #[test]
    fn spoilt_archives_never_touch_what_is_beside(kind in 0..3, places: Vec<(proptest::sample::Index, u8)>, cut: proptest::sample::Index) {
        let members: [(&str, &[u8]); 3] = [("model/a", &[1; 700]), ("model/b", &[2; 10]), ("model/c/d", b"")];
        let tar = tar_of(&members.map(|(name, content)| Member::file(name, content)));
        let mut bytes = match kind { 0 => zip_of(&members), 1 => tar, _ => gzip(&tar) };
        for (at, value) in places {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.index(bytes.len() * 3).max(1));
        let _ = unpacked("m", &bytes);
    }
}
