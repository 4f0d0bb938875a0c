//! Safetensors files whose header lies, and configurations that do not fit them.

use crate::corpus::{Bench, Refused, no_models};
use rand::Rng;
use serde_json::{Value, json};

const TENSOR: &str = "net0.conv0.weight";

pub(crate) fn mutants(bench: &mut Bench) {
    let bytes = bench.bytes();
    for (what, other) in no_models() {
        bench.add(what, Refused::AtLoad, other);
    }
    for step in 0..8 {
        let at = bytes.len() * step / 8 + bench.rng.random_range(0..bytes.len() / 8);
        bench.add(&format!("truncated-at-{at}"), Refused::AtLoad, bytes[..at].to_vec());
    }
    let longer = [bytes.as_slice(), &[0; 64]].concat();
    bench.add("bytes-behind-the-last-tensor", Refused::AtLoad, longer);
    lengths(bench, &bytes);
    headers(bench, &bytes);
    texts(bench, &bytes);
    weights(bench, &bytes);
    configurations(bench);
}

/// The header's length in bytes, and the header.
fn header(bytes: &[u8]) -> (usize, Value) {
    let length = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    (length, serde_json::from_slice(&bytes[8..8 + length]).unwrap())
}

fn with_header(bytes: &[u8], text: &[u8]) -> Vec<u8> {
    let (length, _) = header(bytes);
    let size = u64::try_from(text.len()).unwrap();
    [&size.to_le_bytes(), text, &bytes[8 + length..]].concat()
}

fn lengths(bench: &mut Bench, bytes: &[u8]) {
    for (what, length) in [
        ("0", 0_u64),
        ("1", 1),
        ("2-31", 1 << 31),
        ("2-62", 1 << 62),
        ("highest", u64::MAX),
        ("of-the-file", bytes.len() as u64),
    ] {
        let other = [&length.to_le_bytes(), &bytes[8..]].concat();
        bench.add(&format!("header-length-{what}"), Refused::AtLoad, other);
    }
}

/// Headers that parse and describe something else than the bytes.
fn headers(bench: &mut Bench, bytes: &[u8]) {
    let size = bytes.len();
    for (what, key, value) in [
        ("offsets-reversed", "data_offsets", json!([448, 0])),
        ("offsets-behind-end", "data_offsets", json!([size, size + 448])),
        ("offsets-2-62", "data_offsets", json!([0, 1_u64 << 62])),
        ("offsets-negative", "data_offsets", json!([-448, 0])),
        ("offsets-overlapping", "data_offsets", json!([4, 452])),
        ("offsets-of-one-number", "data_offsets", json!([0])),
        ("shape-2-31", "shape", json!([1_u64 << 31, 2, 7])),
        ("shape-2-62", "shape", json!([1_u64 << 62, 2, 7])),
        ("shape-wraps-around", "shape", json!([(1_u64 << 62) + 8, 2, 7])),
        ("shape-negative", "shape", json!([-8, -2, 7])),
        ("shape-of-zeros", "shape", json!([0, 2, 7])),
        ("shape-of-other-order", "shape", json!([2, 8, 7])),
        ("shape-flat", "shape", json!([112])),
        ("type-unknown", "dtype", json!("F31")),
        ("type-wider", "dtype", json!("F64")),
        ("type-integer", "dtype", json!("I32")),
        ("type-missing", "dtype", Value::Null),
    ] {
        let (_, mut head) = header(bytes);
        let tensor = &mut head[TENSOR];
        assert_ne!(tensor[key], value, "{what} changes nothing");
        tensor[key] = value;
        bench.add(what, Refused::AtLoad, with_header(bytes, head.to_string().as_bytes()));
    }
    for name in [TENSOR, "net1.out.bias"] {
        let (_, mut head) = header(bytes);
        let tensor = head.as_object_mut().unwrap().remove(name).unwrap();
        head[format!("{name}.other")] = tensor;
        let what = format!("renamed-{name}");
        bench.add(&what, Refused::AtLoad, with_header(bytes, head.to_string().as_bytes()));
    }
}

/// Headers that are no JSON, or more of it than anyone needs.
fn texts(bench: &mut Bench, bytes: &[u8]) {
    let (_, head) = header(bytes);
    let text = head.to_string();
    for (what, other) in [
        ("header-cut-in-json", text[..text.len() / 2].to_owned()),
        ("header-a-list", "[]".to_owned()),
        ("header-without-tensors", "{}".to_owned()),
        ("header-nested-100000-deep", "[".repeat(100_000)),
        (
            "header-with-text-of-four-megabytes",
            format!("{{\"{}\":1}}", "x".repeat(4 << 20)),
        ),
    ] {
        bench.add(what, Refused::AtLoad, with_header(bytes, other.as_bytes()));
    }
    let mut other = text.into_bytes();
    other[3] = 0xff;
    bench.add("header-not-utf-8", Refused::AtLoad, with_header(bytes, &other));
}

fn weights(bench: &mut Bench, bytes: &[u8]) {
    let (length, head) = header(bytes);
    for name in ["net0.out.bias", "net1.out.bias", "net0.out.weight"] {
        let start = usize::try_from(head[name]["data_offsets"][0].as_u64().unwrap()).unwrap();
        let mut other = bytes.to_vec();
        other[8 + length + start + 3] ^= 0x40;
        let what = format!("bit-flipped-in-exponent-of-{name}");
        bench.add(&what, Refused::AtGolden, other);
    }
}

/// The weights are sound, what is said about them is not.
fn configurations(bench: &mut Bench) {
    let config: Value = serde_json::from_slice(&bench.base.files[1].1).unwrap();
    let mut unknown = config.clone();
    unknown["architecture"] = json!("nobody-knows");
    let mut nothing = config.clone();
    nothing.as_object_mut().unwrap().remove("architecture");
    for (what, text) in [
        ("config-of-unknown-architecture", unknown.to_string()),
        ("config-without-architecture", nothing.to_string()),
        ("config-cut", config.to_string()[..40].to_owned()),
        ("config-a-number", "7".to_owned()),
        ("config-nested-100000-deep", "[".repeat(100_000)),
        ("config-empty", String::new()),
    ] {
        let sound = bench.bytes();
        let mutant = bench.add(what, Refused::AtLoad, sound);
        mutant.package.files[1].1 = text.into_bytes();
    }
    let sound = bench.bytes();
    bench.add("config-missing", Refused::AtLoad, sound).package.files.pop();
}
