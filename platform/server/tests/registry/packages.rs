//! Versions to be: the repository's small model of rows, as it is or changed, packed as people pack.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::PathBuf;

/// Files by name.
pub(crate) type Package = BTreeMap<String, Vec<u8>>;

/// Classes of the model of rows, in the order of its columns.
pub(crate) const LABELS: [&str; 5] = ["N", "S", "V", "F", "Q"];

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// A file of the model of rows.
pub(crate) fn row_file(name: &str) -> Vec<u8> {
    std::fs::read(folder("models/heartbeat-row").join(name)).unwrap()
}

/// A small graph of one operator.
pub(crate) fn graph(name: &str) -> Vec<u8> {
    std::fs::read(folder("backends/parity/graphs").join(name)).unwrap()
}

/// A model that others published, or `None`, said aloud, where it is not at hand.
pub(crate) fn published(name: &str) -> Option<Vec<u8>> {
    let found = std::fs::read(folder("../shared/data/models").join(name)).ok();
    if found.is_none() {
        eprintln!("SKIPPED: there is no ../shared/data/models/{name}");
    }
    found
}

/// The model of rows as a package of its own: network, manifest, golden outputs.
pub(crate) fn package() -> Package {
    let files = ["golden.json", "manifest.json", "model.onnx"];
    files.map(|name| (name.to_owned(), row_file(name))).into()
}

/// The same with fields of the manifest replaced.
pub(crate) fn with(fields: Value) -> Package {
    let mut package = package();
    let mut manifest: Value = serde_json::from_slice(&package["manifest.json"]).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        manifest[name] = value.clone();
    }
    package.insert("manifest.json".to_owned(), manifest.to_string().into());
    package
}

/// The same with other classes for its columns: answers tell which version gave them.
pub(crate) fn labelled(labels: [&str; 5]) -> Package {
    with(json!({"labels": labels}))
}

/// A version like no other that computes the same.
pub(crate) fn numbered(number: usize) -> Package {
    with(json!({"description": format!("number {number}")}))
}

/// With golden outputs that the network does not give.
pub(crate) fn wrong_golden() -> Package {
    let mut package = package();
    let mut golden: Value = serde_json::from_slice(&package["golden.json"]).unwrap();
    golden["outputs"]["probabilities"]["values"][7] = json!(0.5);
    package.insert("golden.json".to_owned(), golden.to_string().into());
    package
}

pub(crate) fn zip(package: &Package) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in package {
        writer
            .start_file(name.as_str(), zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn tar(package: &Package) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in package {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The network with a property of its metadata: fields of a protobuf message may simply follow it.
pub(crate) fn with_property(onnx: &[u8], key: &str, value: &str) -> Vec<u8> {
    let property = [field(1, key.as_bytes()), field(2, value.as_bytes())].concat();
    [onnx, &field(14, &property)].concat()
}

/// The network with so many bytes of description.
pub(crate) fn with_description(onnx: &[u8], bytes: usize) -> Vec<u8> {
    [onnx, &field(6, &vec![b'x'; bytes])].concat()
}

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 0x7f {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(content);
    out
}

/// The golden inputs as a file of rows.
pub(crate) fn rows_csv() -> String {
    let golden: Value = serde_json::from_slice(&row_file("golden.json")).unwrap();
    let values = golden["inputs"]["row"]["values"].as_array().unwrap();
    let line = |row: &[Value]| row.iter().map(Value::to_string).collect::<Vec<_>>().join(",") + "\n";
    values.chunks(187).map(line).collect()
}

/// What the network gives for them, by row and column.
pub(crate) fn golden_outputs() -> Vec<Vec<f64>> {
    let golden: Value = serde_json::from_slice(&row_file("golden.json")).unwrap();
    let values = golden["outputs"]["probabilities"]["values"].as_array().unwrap();
    let rows = values.chunks(LABELS.len());
    rows.map(|row| row.iter().map(|value| value.as_f64().unwrap()).collect())
        .collect()
}
