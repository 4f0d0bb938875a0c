//! Archives that lead elsewhere, or unpack to more than anybody has.

use crate::hostile_names::Watched;
use crate::packages::{gzip, package, zip};
use std::io::{Cursor, Write};

/// A tar entry written by hand: libraries refuse to write names such as these.
fn entry(name: &[u8], kind: u8, link: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name);
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[156] = kind;
    header[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header[257..263].copy_from_slice(b"ustar\0");
    header[263..265].copy_from_slice(b"00");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = header.to_vec();
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

fn zip_named(name: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file(name, zip::write::SimpleFileOptions::default())
        .unwrap();
    writer.write_all(b"x").unwrap();
    writer.finish().unwrap().into_inner()
}

#[test]
fn members_that_lead_elsewhere_are_refused() {
    let watched = Watched::start(&[]);
    let outside = watched.server.data.parent().unwrap().join("sentinel/x");
    let outside = outside.to_str().unwrap();
    let mut bad: Vec<(String, Vec<u8>)> = Vec::new();
    for name in [
        "../sentinel/x",
        "a/../../sentinel/x",
        "/etc/x",
        "..",
        "%2e%2e/sentinel/x",
        "%252e%252e/sentinel/x",
        "a#b",
        "a;b",
        "C:\\x",
        "C:/x",
        "\\\\host\\share\\x",
        "..\\x",
        "a\nb",
    ] {
        bad.push((format!("tar {name:?}"), tar(&[entry(name.as_bytes(), b'0', "", b"x")])));
        bad.push((format!("zip {name:?}"), zip_named(name)));
    }
    bad.push(("zip with NUL".to_owned(), zip_named("a\0b")));
    bad.push((
        "tar of an absolute name".to_owned(),
        tar(&[entry(outside.as_bytes(), b'0', "", b"changed")]),
    ));
    for (kind, what) in [(b'2', "a symbolic link"), (b'1', "a hard link")] {
        let link = tar(&[entry(b"link", kind, outside, b""), entry(b"link", b'0', "", b"changed")]);
        bad.push((format!("tar with {what}"), link));
        bad.push((
            format!("tar.gz with {what}"),
            gzip(&tar(&[entry(b"model.onnx", kind, "../../sentinel/x", b"")])),
        ));
    }
    for kind in *b"346" {
        bad.push((
            format!("tar with a device of kind {}", kind as char),
            tar(&[entry(b"dev", kind, "", b"")]),
        ));
    }
    bad.push((
        "twice the same name".to_owned(),
        tar(&[entry(b"a", b'0', "", b"1"), entry(b"A", b'0', "", b"2")]),
    ));
    bad.push(("an empty tar".to_owned(), tar(&[entry(b"folder/", b'5', "", b"")])));
    let whole = zip(&package());
    bad.push(("a cut zip".to_owned(), whole[..whole.len() - 40].to_vec()));
    for (what, bytes) in &bad {
        let sent = watched.server.form("/v1/models/bad/versions", &[("a.zip", bytes)], &[]);
        assert!(
            (400..500).contains(&sent.status),
            "{what}: {} {}",
            sent.status,
            sent.json()
        );
        assert!(
            sent.json()["detail"].as_str().unwrap().len() > 20,
            "{what}: {}",
            sent.json()
        );
    }
    watched.server.get("/v1/models/bad").problem(404, "no_such_model");
    watched.assert_untouched();
}

#[test]
fn what_unpacks_to_too_much_is_refused_before_it_fills_the_disk() {
    let watched = Watched::start(&["--max-model-mib", "64"]);
    let server = &watched.server;
    let before = server.resident_bytes();
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("model.onnx", zip::write::SimpleFileOptions::default())
        .unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..300 {
        writer.write_all(&zeros).unwrap();
    }
    let bomb = writer.finish().unwrap().into_inner();
    let sent = server.form("/v1/models/bad/versions", &[("a.zip", &bomb)], &[]);
    sent.problem(413, "too_large");
    let members: Vec<_> = (0..2500)
        .map(|index| entry(format!("f{index}").as_bytes(), b'0', "", b""))
        .collect();
    let sent = server.form("/v1/models/bad/versions", &[("a.tar", &tar(&members))], &[]);
    sent.problem(413, "too_large");
    // Larger than allowed as it is: refused while it comes.
    let sent = server.try_ask(
        "POST",
        "/v1/models/bad/versions?name=model.onnx",
        &[],
        &vec![1; 65 << 20],
    );
    if let Ok(answer) = sent {
        answer.problem(413, "too_large");
    }
    assert!(server.resident_bytes() < before + (128 << 20));
    server.get("/v1/models/bad").problem(404, "no_such_model");
    watched.assert_untouched();
}
