//! What cannot run is refused before anything runs, with a sentence that names it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Batch, Buffer, F32, external, field, load, load_files, model, node, number, tensor, value};
use einthoven_plugin_sdk::{Code, DType, Device, Failure, ModelFile};
use serde_json::json;

fn refusal(graph: &[u8]) -> Failure {
    load(graph, &json!({})).err().unwrap()
}

/// `y = x + w`, with `w` as given.
fn sum(weights: Vec<u8>) -> Vec<u8> {
    model(
        &[node("sum", "Add", &["x", "w"], &["y"], &[])],
        &[value("x", F32, &[-1, 2])],
        &[value("y", F32, &[-1, 2])],
        &[weights],
    )
}

#[test]
fn operators_that_are_lacking_are_named_with_their_node() {
    let ends = || ([value("x", F32, &[-1, 2])], [value("y", F32, &[-1, 2])]);
    let (inputs, outputs) = ends();
    let unknown = model(
        &[node("strange", "Frobnicate", &["x"], &["y"], &[])],
        &inputs,
        &outputs,
        &[],
    );
    let foreign = node("theirs", "Beat", &["x"], &["y"], &[field(7, "org.example")]);
    let foreign = model(&[foreign], &inputs, &outputs, &[]);
    let unnamed = model(&[node("", "Frobnicate", &["x"], &["y"], &[])], &inputs, &outputs, &[]);
    for (graph, name, operator) in [
        (unknown, "`strange`", "`Frobnicate`"),
        (foreign, "`theirs`", "`Beat` of `org.example`"),
        (unnamed, "`y`", "`Frobnicate`"),
    ] {
        let failure = refusal(&graph);
        assert_eq!(failure.code, Code::Unsupported, "{failure}");
        assert!(
            failure.message.contains(name) && failure.message.contains(operator),
            "{failure}"
        );
    }
}

#[test]
fn element_types_and_kinds_that_do_not_pass() {
    let double = model(
        &[node("same", "Identity", &["x"], &["y"], &[])],
        &[value("x", 11, &[-1])],
        &[value("y", 11, &[-1])],
        &[],
    );
    let failure = refusal(&double);
    assert_eq!(failure.code, Code::Unsupported);
    assert!(
        failure.message.contains("`x`") && failure.message.contains("f64"),
        "{failure}"
    );
}

#[test]
fn files_outside_the_package_are_never_read() {
    // The file is there, in the folder that a relative name would be looked up in.
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.bin");
    std::fs::write(&secret, [0; 8]).unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    let absolute = secret.to_string_lossy().into_owned();
    let climbing = format!("../{}/secret.bin", folder.path().file_name().unwrap().to_string_lossy());
    for (location, said) in [
        (absolute.as_str(), "absolute"),
        (climbing.as_str(), "leads out"),
        ("x/../secret.bin", "leads out"),
        ("secret.bin", "not in the package"),
        ("./secret.bin", "not in the package"),
        ("", "not in the package"),
        ("*/_ORT_MEM_ADDR_/*", "not in the package"),
    ] {
        let weights = || external("w", &[2], &[("location", location), ("offset", "0"), ("length", "8")]);
        // Wherever a tensor may stand: an initializer, a node's attribute, a graph inside a node, a function.
        let attribute = field(5, [field(1, "value"), number(20, 4), field(5, weights())].concat());
        let constant = node("constant", "Constant", &[], &["y"], &[attribute]);
        let inner = [
            field(1, node("inner", "Identity", &["w"], &["z"], &[])),
            field(5, weights()),
        ]
        .concat();
        let branch = field(5, [field(1, "then_branch"), number(20, 5), field(6, inner)].concat());
        let outputs = [value("y", F32, &[2])];
        let mut function = model(
            &[node("same", "Identity", &["x"], &["y"], &[])],
            &[value("x", F32, &[2])],
            &outputs,
            &[],
        );
        function.extend(field(
            25,
            [field(1, "f"), field(7, &constant), field(10, "org.example")].concat(),
        ));
        for graph in [
            sum(weights()),
            model(&[constant], &[], &outputs, &[]),
            model(
                &[node("if", "If", &["c"], &["y"], &[branch])],
                &[value("c", 9, &[])],
                &outputs,
                &[],
            ),
            function,
        ] {
            let failure = refusal(&graph);
            assert_eq!(failure.code, Code::InvalidArgument, "{location}: {failure}");
            assert!(
                failure.message.contains(said) && failure.message.contains("`w`"),
                "{location}: {failure}"
            );
        }
    }
}

#[test]
fn external_data_that_contradicts_itself() {
    let twice = [("location", "w.bin"), ("location", "/etc/passwd"), ("length", "8")];
    let far = [("location", "w.bin"), ("offset", "1"), ("length", "8")];
    let huge = [
        ("location", "w.bin"),
        ("offset", "18446744073709551615"),
        ("length", "8"),
    ];
    let odd = [("location", "w.bin"), ("offset", "-4"), ("length", "8")];
    let short = [("location", "w.bin"), ("offset", "0"), ("length", "4")];
    for entries in [twice.as_slice(), &far, &huge, &odd, &short] {
        let graph = sum(external("w", &[2], entries));
        let files = [
            ModelFile {
                name: "model.onnx",
                bytes: &graph,
            },
            ModelFile {
                name: "w.bin",
                bytes: &[0; 8],
            },
        ];
        let failure = load_files(&files, &json!({})).err().unwrap();
        assert_eq!(failure.code, Code::InvalidArgument, "{entries:?}: {failure}");
    }
}

#[test]
fn weights_are_found_by_every_way_to_write_their_name() {
    for location in ["w.bin", "./w.bin"] {
        let graph = sum(external(
            "w",
            &[2],
            &[("location", location), ("offset", "4"), ("length", "8")],
        ));
        let bytes: Vec<u8> = [9_f32, 10.0, 20.0].map(f32::to_le_bytes).concat();
        let files = [
            ModelFile {
                name: "model.onnx",
                bytes: &graph,
            },
            ModelFile {
                name: "w.bin",
                bytes: &bytes,
            },
        ];
        let model = load_files(&files, &json!({})).unwrap();
        let x = Buffer::f32(&[1.0, 2.0]);
        let mut batch = Batch::default();
        let mut instance = model.instance(&Device::Cpu).unwrap();
        instance
            .execute(&[x.view("x", DType::F32, &[1, 2])], &mut batch)
            .unwrap();
        assert_eq!(batch.f32("y"), [11.0, 22.0], "{location}");
    }
}

#[test]
fn damaged_files_are_invalid() {
    for (bytes, said) in [
        (b"".as_slice(), "no graph"),
        (b"not a model at all".as_slice(), "damaged"),
        (&sum(tensor("w", F32, &[2], &[0; 4])), "w"),
        (&sum(tensor("w", F32, &[1 << 31, 1 << 31], &[0; 8])), ""),
        (&sum(tensor("other", F32, &[2], &[0; 8])), "w"),
    ] {
        let failure = refusal(bytes);
        assert_eq!(failure.code, Code::InvalidArgument, "{failure}");
        assert!(
            failure.message.contains("`model.onnx`") && failure.message.contains(said),
            "{failure}"
        );
    }
    let nothing = load_files(
        &[ModelFile {
            name: "model.onnx",
            bytes: b"",
        }],
        &json!({}),
    )
    .err()
    .unwrap();
    assert_eq!(nothing.code, Code::InvalidArgument);
}

#[test]
fn onnx_runtimes_own_format_is_refused() {
    let mut bytes = vec![0x18, 0, 0, 0];
    bytes.extend(b"ORTM");
    bytes.extend([0; 64]);
    assert_eq!(refusal(&bytes).code, Code::InvalidArgument);
}

#[test]
fn a_gpu_that_is_not_there_is_a_failure_unless_the_processor_may_take_its_place() {
    let graph = sum(tensor("w", F32, &[2], &[0; 8]));
    for provider in ["cuda", "tensorrt"] {
        let failure = load(&graph, &json!({ "provider": provider })).err().unwrap();
        assert_eq!(failure.code, Code::Unavailable);
        assert!(
            failure.message.contains("ExecutionProvider") && failure.message.contains("fallback"),
            "{failure}"
        );

        let config = json!({ "provider": provider, "fallback": "cpu", "memory_limit_bytes": 1 << 30 });
        let model = load(&graph, &config).unwrap();
        let mut instance = model.instance(&Device::Cuda(0)).unwrap();
        assert_eq!(instance.provider(), "CPUExecutionProvider");
        let x = Buffer::f32(&[1.0, 2.0]);
        let mut batch = Batch::default();
        instance
            .execute(&[x.view("x", DType::F32, &[1, 2])], &mut batch)
            .unwrap();
        assert_eq!(batch.f32("y"), [1.0, 2.0]);
    }
    // By the device alone.
    let failure = load(&graph, &json!({}))
        .unwrap()
        .instance(&Device::Cuda(0))
        .err()
        .unwrap();
    assert_eq!(failure.code, Code::Unavailable);
    assert!(failure.message.contains("cuda:0"), "{failure}");
}
