//! Networks without a recipe, small enough to be written by hand, and their way into a server.

use crate::client::Server;
use serde_json::{Value, json};
use std::io::{Cursor, Write};
use std::path::PathBuf;

/// A field of a protobuf message that holds bytes.
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

fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for input in inputs {
        out.extend(field(1, input.as_bytes()));
    }
    out.extend(field(2, output.as_bytes()));
    out.extend(field(3, output.as_bytes()));
    out.extend(field(4, operator.as_bytes()));
    field(1, &out)
}

/// A value of 32-bit floats; rows first, then a dimension of that size or, where it is zero, of any.
fn value(number_of_field: u8, name: &str, size: u8) -> Vec<u8> {
    let rows = field(1, &field(2, b"rows"));
    let columns = field(
        1,
        &if size == 0 {
            field(2, b"length")
        } else {
            number(1, size)
        },
    );
    let tensor = [number(1, 1), field(2, &[rows, columns].concat())].concat();
    let kind = field(2, &field(1, &tensor));
    field(number_of_field, &[field(1, name.as_bytes()), kind].concat())
}

fn onnx(graph: &[Vec<u8>]) -> Vec<u8> {
    let named = [graph.concat(), field(2, b"graph")].concat();
    let opset = field(8, &number(2, 13));
    [number(1, 8), field(7, &named), opset].concat()
}

/// `OUTPUT0` is the sum of both inputs, `OUTPUT1` the difference.
pub(crate) fn add_sub() -> Vec<u8> {
    onnx(&[
        node("Add", &["INPUT0", "INPUT1"], "OUTPUT0"),
        node("Sub", &["INPUT0", "INPUT1"], "OUTPUT1"),
        value(11, "INPUT0", 16),
        value(11, "INPUT1", 16),
        value(12, "OUTPUT0", 16),
        value(12, "OUTPUT1", 16),
    ])
}

fn identity() -> Vec<u8> {
    onnx(&[
        node("Identity", &["IN"], "OUT"),
        value(11, "IN", 0),
        value(12, "OUT", 0),
    ])
}

fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn upload(server: &Server, model: &str, network: Vec<u8>, inputs: &Value, outputs: &Value, golden: Option<&Value>) {
    let manifest = json!({"name": model, "version": "1", "recipe": null, "inputs": inputs, "outputs": outputs});
    let mut files = vec![("manifest.json", manifest.to_string().into()), ("model.onnx", network)];
    files.extend(golden.map(|golden| ("golden.json", golden.to_string().into_bytes())));
    let package = zip(&files);
    let path = format!("/v1/models/{model}/versions?name=package.zip&version=1&wait_s=120");
    let answer = server.post(&path, "application/zip", &package);
    assert_eq!(answer.status, 201, "{}", answer.json());
    assert_eq!(answer.json()["phase"]["state"], "ready", "{}", answer.json());
    let traffic = json!({"champion": "1", "reason": "a test"});
    let answer = server.json("PUT", &format!("/v1/models/{model}/traffic"), &[], &traffic);
    assert_eq!(answer.status, 200, "{}", answer.json());
}

/// The folder of plugins: tract wants every dimension but the rows to be said, ONNX Runtime takes any length.
fn engines() -> PathBuf {
    // This program lies in `<target>/<profile>/deps`.
    let program = std::env::current_exe().unwrap();
    let engines = program.ancestors().nth(3).unwrap().join("engines");
    assert!(
        engines.is_dir(),
        "{} is missing; run `cargo xtask engines`",
        engines.display()
    );
    engines
}

/// A server with both, `simple` and `identity`, beside what it comes with.
pub(crate) fn server() -> Server {
    let engines = engines();
    let server = Server::start_with(&["--plugins", &engines.to_string_lossy()]);
    let tensor = |name: &str, dims: Value| json!({"name": name, "dtype": "f32", "dims": dims});
    let sixteen = |name: &str| tensor(name, json!([null, 16]));
    upload(
        &server,
        "simple",
        add_sub(),
        &json!([sixteen("INPUT0"), sixteen("INPUT1")]),
        &json!([sixteen("OUTPUT0"), sixteen("OUTPUT1")]),
        None,
    );
    let any = |name: &str| tensor(name, json!([null, null]));
    // Inputs of no stated size cannot be drawn.
    let two = json!({"dims": [2, 3], "values": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]});
    let golden = json!({"inputs": {"IN": two}, "outputs": {"OUT": two}});
    upload(
        &server,
        "identity",
        identity(),
        &json!([any("IN")]),
        &json!([any("OUT")]),
        Some(&golden),
    );
    server
}
