//! What is not right is refused with a reason that names it, and never a panic.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{load, refusal, shipped};
use einthoven_plugin_sdk::Code;
use serde_json::{Value, json};

fn weights() -> Vec<u8> {
    shipped("heartbeat", "model.safetensors")
}

fn config() -> Value {
    serde_json::from_slice(&shipped("heartbeat", "config.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// A safetensors file with that header and so many bytes of data.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + data, 0);
    file
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let (weights, config) = (weights(), bytes(&config()));
    let header = 8 + u64::from_le_bytes(*weights.first_chunk().unwrap()) as usize;
    let ends = (0..header + 64).chain((header + 64..weights.len()).step_by(997));
    for end in ends {
        let failure = refusal(&weights[..end], &config);
        assert!(failure.message.contains("`model.safetensors`"), "{failure}");
    }
}

#[test]
fn every_byte_of_the_header_may_be_wrong() {
    let (weights, config) = (weights(), bytes(&config()));
    let header = 8 + u64::from_le_bytes(*weights.first_chunk().unwrap()) as usize;
    for place in 0..header {
        for bit in [0x01, 0x20, 0x80] {
            let mut flipped = weights.clone();
            flipped[place] ^= bit;
            // White space and the file's own remarks may change without harm, so only a panic fails here.
            let _ = load(&flipped, &config);
        }
    }
}

#[test]
fn lengths_and_offsets_that_lie_are_refused() {
    let config = bytes(&config());
    let tensor = |dtype: &str, shape: &str, start: u64, end: u64| {
        format!(r#""t":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    };
    let mut huge = file("{}", 0);
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut beyond = file("{}", 0);
    beyond[..8].copy_from_slice(&99_000_000_u64.to_le_bytes());
    let overlapping = format!(
        "{{{},{}}}",
        tensor("F32", "[2]", 0, 8),
        tensor("F32", "[2]", 4, 12).replace("\"t\"", "\"u\"")
    );
    let files = [
        ("header of 2^64 bytes", huge),
        ("header beyond the end", beyond),
        ("no JSON", file("{\"t\":", 0)),
        ("no object", file("[]", 0)),
        ("overlapping tensors", file(&overlapping, 12)),
        (
            "data beyond the end",
            file(&format!("{{{}}}", tensor("F32", "[1000]", 0, 4000)), 8),
        ),
        (
            "end before start",
            file(&format!("{{{}}}", tensor("F32", "[1]", 8, 4)), 8),
        ),
        (
            "shape that overflows",
            file(&format!("{{{}}}", tensor("F32", "[4294967296,4294967296,4]", 0, 4)), 4),
        ),
        (
            "shape larger than its bytes",
            file(&format!("{{{}}}", tensor("F32", "[3]", 0, 8)), 8),
        ),
        (
            "bytes that no tensor has",
            file(&format!("{{{}}}", tensor("F32", "[1]", 0, 4)), 64),
        ),
        ("unknown type", file(&format!("{{{}}}", tensor("F31", "[1]", 0, 4)), 4)),
    ];
    for (what, file) in files {
        let failure = refusal(&file, &config);
        assert!(failure.message.contains("is no safetensors file"), "{what}: {failure}");
    }
}

#[test]
fn integers_are_no_weights() {
    let weights = weights();
    let header = u64::from_le_bytes(*weights.first_chunk().unwrap()) as usize;
    let text = std::str::from_utf8(&weights[8..8 + header])
        .unwrap()
        .replace("F32", "I32");
    let retyped = [&weights[..8], text.as_bytes(), &weights[8 + header..]].concat();
    let failure = refusal(&retyped, &bytes(&config()));
    assert_eq!(failure.code, Code::Unsupported);
    assert!(
        failure.message.contains("I32") && failure.message.contains("F16"),
        "{failure}"
    );
}

#[test]
fn tensors_that_the_network_has_not_are_named() {
    let mut config = config();
    config["networks"] = json!(1);
    let failure = refusal(&weights(), &bytes(&config));
    assert!(failure.message.contains("`net1.context.bias` [16]"), "{failure}");
    assert!(failure.message.contains("and 10 more"), "{failure}");
}

#[test]
fn a_config_that_is_wrong_is_refused_with_the_place() {
    let ribeiro = json!({
        "architecture": "ribeiro2020-resnet1d", "kernel_size": 17, "filters": [64, 128], "lengths": [4096, 1024],
        "input": {"name": "ecg", "channels": 12, "length": 4096},
        "output": {"name": "y", "classes": 6, "activation": "sigmoid"}});
    let inception = json!({
        "architecture": "inception1d", "kernel_size": 40, "depth": 6, "bottleneck": 32, "filters": 32, "hidden": [128],
        "input": {"name": "ecg", "channels": 12, "length": 1000},
        "output": {"name": "y", "classes": 6, "activation": "none"}});
    let cases = [
        (config(), "/architecture", json!("transformer"), "xresnet1d101"),
        (config(), "/architecture", json!(7), "known are"),
        (config(), "/networks", json!(0), "0 is outside 1 to 64"),
        (config(), "/networks", json!(1_000_000), "outside 1 to 64"),
        (config(), "/networks", json!(3), "`net2.conv0.weight`"),
        (config(), "/inputs", json!([]), "`inputs` has 0 entries"),
        (config(), "/inputs/0/dims/1", json!(0), "0 is outside"),
        (config(), "/inputs/0/dims/1", json!(120), "[60]"),
        (config(), "/inputs/0/dims/1", json!(1_048_576), "dense layer"),
        (config(), "/inputs/0/dims", json!([2, 128, 1]), "[2, 128, 1]"),
        (config(), "/inputs/0/dims", json!([]), "cannot take"),
        (config(), "/inputs/1/dims/0", json!(29), "[29]"),
        (config(), "/output/classes", json!(5), "5 classes"),
        (config(), "/output/activation", json!("tanh"), "softmax"),
        (config(), "/output/surprise", json!(1), "surprise"),
        (config(), "/surprise", json!(1), "surprise"),
        (config(), "/parameters", json!(9145), "9144"),
        (config(), "/convolutions/padding", json!("none"), "half the kernel"),
        (config(), "/convolutions/strides", json!([]), "strides"),
        (config(), "/convolutions/strides/0", json!(65), "outside 1 to 64"),
        (config(), "/convolutions/strides/0", json!(1), "[128]"),
        (
            config(),
            "/layers/net0.conv0.weight",
            json!([8, 2, 0]),
            "none of them zero",
        ),
        (config(), "/layers/net0.conv0.weight", json!([8, 2]), "3 dimensions"),
        (
            config(),
            "/layers/net0.conv0.weight",
            json!([u64::MAX, 2, u64::MAX]),
            "net0.conv0.weight",
        ),
        (config(), "/layers/net0.conv0.weight", json!([8, 2, 9]), "[8, 2, 7]"),
        (ribeiro.clone(), "/kernel_size", json!(16), "odd"),
        (ribeiro.clone(), "/kernel_size", json!(1_000_001), "outside 1 to 1024"),
        (ribeiro.clone(), "/filters", json!([]), "`filters`"),
        (ribeiro.clone(), "/filters", json!(vec![1; 65]), "`filters`"),
        (ribeiro.clone(), "/lengths", json!([4096]), "`lengths`"),
        (ribeiro.clone(), "/lengths/0", json!(4000), "4096 to 4000"),
        (ribeiro.clone(), "/input/length", json!(2048), "2048 to 4096"),
        (ribeiro, "/input/channels", json!(0), "0 is outside"),
        (inception.clone(), "/depth", json!(4), "multiple of 3"),
        (inception.clone(), "/kernel_size", json!(3), "quarter"),
        (inception, "/hidden", json!(vec![1; 9]), "no tensor"),
    ];
    for (mut config, place, value, wanted) in cases {
        match config.pointer_mut(place) {
            Some(slot) => *slot = value,
            None => {
                let (parent, key) = place.rsplit_once('/').unwrap();
                config.pointer_mut(parent).unwrap()[key] = value;
            }
        }
        let failure = refusal(&weights(), &bytes(&config));
        assert!(failure.message.contains(wanted), "{place}: {failure}, not {wanted}");
    }
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{\"architecture\": \"xresnet1d101\"}",
        &"[".repeat(100_000),
    ] {
        refusal(&weights(), text.as_bytes());
    }
    assert!(refusal(&weights(), &vec![b' '; 2 << 20]).message.contains("bytes"));
}
