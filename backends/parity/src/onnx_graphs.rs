//! ONNX files that parse and make no sense: impossible sizes, cycles, names of nothing, weights from elsewhere.

use crate::corpus::{Bench, Mutant, Refused};
use crate::onnx::{Attribute, Dim, Entry, Function, Graph, Model, Node, Opset, TensorProto};
use prost::Message;

const TENSORS: [&str; 3] = ["net0.conv0.weight", "net0.wave.weight", "net0.out.weight"];
const OUTSIDE: &str = "outside.bin";

pub(crate) fn mutants(bench: &mut Bench) {
    sizes(bench);
    attributes(bench);
    bombs(bench);
    names(bench);
    wiring(bench);
    types(bench);
    external(bench);
}

fn edited(bench: &mut Bench, what: &str, refused: Refused, edit: impl FnOnce(&mut Model)) {
    let mut model = Model::decode(bench.bytes().as_slice()).unwrap();
    edit(&mut model);
    bench.add(what, refused, model.encode_to_vec());
}

fn graph(model: &mut Model) -> &mut Graph {
    model.graph.as_mut().unwrap()
}

fn tensor<'m>(model: &'m mut Model, name: &str) -> &'m mut TensorProto {
    let tensors = &mut graph(model).initializer;
    tensors.iter_mut().find(|t| t.name.as_deref() == Some(name)).unwrap()
}

/// Dimensions that the bytes behind them contradict, some only for who multiplies without overflow.
fn sizes(bench: &mut Bench) {
    for (what, size) in [
        ("2-31", 1_i64 << 31),
        ("2-32", 1 << 32),
        ("2-40", 1 << 40),
        ("2-62", 1 << 62),
        ("highest", i64::MAX),
        ("minus-1", -1),
        ("lowest", i64::MIN),
    ] {
        for name in TENSORS {
            edited(bench, &format!("dims-{what}-in-{name}"), Refused::AtLoad, |model| {
                tensor(model, name).dims[0] = size;
            });
        }
    }
    for name in TENSORS {
        edited(
            bench,
            &format!("dims-wrap-around-in-{name}"),
            Refused::AtLoad,
            |model| {
                tensor(model, name).dims[0] += 1 << 62;
            },
        );
        edited(
            bench,
            &format!("dims-two-negative-in-{name}"),
            Refused::AtLoad,
            |model| {
                let dims = &mut tensor(model, name).dims;
                (dims[0], dims[1]) = (-dims[0], -dims[1]);
            },
        );
    }
    let name = TENSORS[1];
    edited(bench, "raw-data-one-byte-short", Refused::AtLoad, |model| {
        tensor(model, name).raw_data.as_mut().unwrap().pop();
    });
    edited(bench, "raw-data-one-element-long", Refused::AtLoad, |model| {
        tensor(model, name).raw_data.as_mut().unwrap().extend([0; 4]);
    });
    edited(bench, "raw-data-missing", Refused::AtLoad, |model| {
        tensor(model, name).raw_data = None;
    });
    for (what, size) in [("2-31", 1_i64 << 31), ("2-62", 1 << 62)] {
        edited(
            bench,
            &format!("input-declared-{what}-wide"),
            Refused::AtGolden,
            |model| {
                let shape = graph(model).input[0].tensor().shape.get_or_insert_default();
                shape.dim[2] = Dim {
                    value: Some(size),
                    symbol: None,
                };
            },
        );
    }
}

/// Attributes of the first convolution that no convolution has.
fn attributes(bench: &mut Bench) {
    for (name, values) in [
        ("kernel_shape", [1 << 31].as_slice()),
        ("kernel_shape", &[-7]),
        ("strides", &[0]),
        ("strides", &[-2]),
        ("dilations", &[1 << 62]),
        ("pads", &[-4000, -4000]),
        ("pads", &[1 << 62, 1 << 62]),
        ("pads", &[3]),
        ("group", &[0]),
        ("group", &[3]),
        ("group", &[1 << 62]),
    ] {
        let what = values.iter().map(ToString::to_string).collect::<Vec<_>>().join("-and-");
        edited(bench, &format!("conv-{name}-of-{what}"), Refused::AtGolden, |model| {
            let node = &mut graph(model).node[0];
            node.attribute
                .retain(|attribute| attribute.name.as_deref() != Some(name));
            node.attribute.push(if name == "group" {
                Attribute::int(name, values[0])
            } else {
                Attribute::ints(name, values)
            });
        });
    }
}

/// Nodes that make an impossible amount of memory or work out of a few bytes, added into the output.
fn bombs(bench: &mut Bench) {
    let big = 1_i64 << 40;
    for (what, op, value) in [
        ("constant-of-shape-2-40", "ConstantOfShape", vec![big]),
        ("constant-of-shape-2-62", "ConstantOfShape", vec![1 << 62, 4]),
        ("constant-of-shape-negative", "ConstantOfShape", vec![-4]),
        ("expand-to-2-40", "Expand", vec![big, 1, 1]),
        ("tile-2-40-times", "Tile", vec![1, big]),
        ("pad-by-2-40", "Pad", vec![0, big, 0, big]),
        ("reshape-to-2-62", "Reshape", vec![1 << 62]),
        ("reshape-to-minus-7", "Reshape", vec![-7, 4]),
    ] {
        edited(bench, &format!("bomb-{what}"), Refused::AtGolden, |model| {
            let graph = graph(model);
            graph.initializer.push(TensorProto::ints("size", &value));
            rename_output(graph, "before");
            let inputs: &[&str] = if op == "ConstantOfShape" {
                &["size"]
            } else {
                &["before", "size"]
            };
            let sum = Node::new("ReduceMax", &["much"], &["one"]).with(Attribute::int("keepdims", 0));
            graph.node.extend([
                Node::new(op, inputs, &["much"]),
                sum,
                Node::new("Add", &["before", "one"], &["probabilities"]),
            ]);
        });
    }
}

/// Gives what the last node makes another name.
fn rename_output(graph: &mut Graph, name: &str) {
    graph.node.last_mut().unwrap().output[0] = name.to_owned();
}

/// Operators, domains and tensors that do not exist.
fn names(bench: &mut Bench) {
    let long = "Long".repeat(1 << 20);
    for (what, op) in [
        ("unknown", "Bogus"),
        ("lower-case", "conv"),
        ("with-zero", "Conv\0"),
        ("empty", ""),
        ("four-megabytes", long.as_str()),
    ] {
        edited(bench, &format!("operator-{what}"), Refused::AtLoad, |model| {
            graph(model).node[0].op_type = Some(op.to_owned());
        });
    }
    for (what, domain) in [("unknown", "org.example.nobody"), ("four-megabytes", long.as_str())] {
        edited(bench, &format!("domain-{what}"), Refused::AtLoad, |model| {
            model.opset_import.push(Opset {
                domain: Some(domain.to_owned()),
                version: Some(1),
            });
            let node = &mut graph(model).node[0];
            (node.op_type, node.domain) = (Some("Nothing".to_owned()), Some(domain.to_owned()));
        });
    }
    edited(bench, "function-that-calls-itself", Refused::AtLoad, |model| {
        let mut call = Node::new("Loop1", &["beat"], &["out"]);
        call.domain = Some("local".to_owned());
        let mut body = call.clone();
        body.input[0] = "in".to_owned();
        model.opset_import.push(Opset {
            domain: Some("local".to_owned()),
            version: Some(1),
        });
        model.functions.push(Function {
            name: Some("Loop1".to_owned()),
            domain: Some("local".to_owned()),
            input: vec!["in".to_owned()],
            output: vec!["out".to_owned()],
            node: vec![body],
            opset_import: model.opset_import.clone(),
        });
        let graph = graph(model);
        graph.node[0].input[0] = "out".to_owned();
        graph.node.insert(0, call);
    });
    for (index, name) in ["net0.conv0.weight", "net0.wave.bias", "net1.out.weight"]
        .into_iter()
        .enumerate()
    {
        edited(
            bench,
            &format!("initialiser-{index}-missing"),
            Refused::AtLoad,
            |model| {
                graph(model)
                    .initializer
                    .retain(|tensor| tensor.name.as_deref() != Some(name));
            },
        );
    }
    edited(bench, "input-named-four-megabytes", Refused::AtLoad, |model| {
        graph(model).node[1].input[0] = long.clone();
    });
    edited(bench, "output-of-nothing", Refused::AtLoad, |model| {
        graph(model).output[0].name = Some("nothing".to_owned());
    });
    edited(bench, "no-outputs", Refused::AtGolden, |model| {
        graph(model).output.clear()
    });
    edited(bench, "no-inputs", Refused::AtLoad, |model| graph(model).input.clear());
    edited(bench, "no-nodes", Refused::AtLoad, |model| graph(model).node.clear());
    edited(bench, "no-graph", Refused::AtLoad, |model| model.graph = None);
}

/// Cycles, gaps and names given twice.
fn wiring(bench: &mut Bench) {
    for at in [0, 6, 11] {
        edited(bench, &format!("cycle-of-node-{at}-alone"), Refused::AtLoad, |model| {
            let node = &mut graph(model).node[at];
            node.input[0] = node.output[0].clone();
        });
    }
    for (from, to) in [(0, 1), (0, 9), (11, 16), (19, 38)] {
        edited(
            bench,
            &format!("cycle-from-node-{from}-to-{to}"),
            Refused::AtLoad,
            |model| {
                let later = graph(model).node[to].output[0].clone();
                graph(model).node[from].input[0] = later;
            },
        );
    }
    for at in [2, 16, 37] {
        edited(bench, &format!("node-{at}-missing"), Refused::AtLoad, |model| {
            graph(model).node.remove(at);
        });
    }
    // Whichever of three equally named results an engine takes, the first or the last, it is a wrong one.
    edited(bench, "node-output-named-thrice", Refused::AtGolden, |model| {
        let graph = graph(model);
        let wrong = Node::new("Neg", &["rr"], &["gemm_13"]);
        graph.node.insert(0, wrong.clone());
        graph.node.push(wrong);
    });
    edited(bench, "initialiser-given-thrice", Refused::AtGolden, |model| {
        let mut wrong = tensor(model, "net0.out.bias").clone();
        wrong.raw_data = Some([0x41; 16].to_vec());
        let graph = graph(model);
        graph.initializer.insert(0, wrong.clone());
        graph.initializer.push(wrong);
    });
    edited(bench, "subgraph-of-the-whole-graph", Refused::AtLoad, |model| {
        let graph = graph(model);
        let branch = Attribute::graph("then_branch", graph.clone());
        graph.node[0] = Node::new("If", &["beat"], &["conv_0"]).with(branch);
    });
}

/// Element types that do not exist or do not belong.
fn types(bench: &mut Bench) {
    for (what, kind) in [("none", 0), ("99", 99), ("text", 8), ("lowest", i32::MIN)] {
        edited(
            bench,
            &format!("initialiser-of-type-{what}"),
            Refused::AtLoad,
            |model| {
                tensor(model, TENSORS[0]).data_type = Some(kind);
            },
        );
    }
    edited(bench, "input-of-type-99", Refused::AtLoad, |model| {
        graph(model).input[0].tensor().element = Some(99);
    });
    edited(bench, "conv-without-inputs", Refused::AtLoad, |model| {
        graph(model).node[0].input.clear()
    });
}

/// Weights that the file says lie elsewhere. Where they can be had from outside they are the right ones: an engine that
/// follows gives the right answer and is caught by it.
fn external(bench: &mut Bench) {
    let entries = |pairs: &[(&str, &str)]| -> Vec<Entry> {
        let entry = |&(key, value): &(&str, &str)| Entry {
            key: Some(key.to_owned()),
            value: Some(value.to_owned()),
        };
        pairs.iter().map(entry).collect()
    };
    for (what, pairs) in [
        ("outside", [("location", "../outside.bin")].as_slice()),
        ("outside-by-detour", &[("location", "sub/../../outside.bin")]),
        ("outside-with-backslash", &[("location", "..\\outside.bin")]),
        ("passwords", &[("location", "../../../../../../../../etc/passwd")]),
        ("absolute", &[("location", "/etc/passwd")]),
        (
            "endless-device",
            &[("location", "/dev/zero"), ("offset", "0"), ("length", "4096")],
        ),
        ("url", &[("location", "file:///etc/passwd")]),
        ("link", &[("location", "link.bin")]),
        ("link-to-folder", &[("location", "around/outside.bin")]),
        ("missing", &[("location", "nowhere.bin")]),
        ("folder", &[("location", ".")]),
        ("without-name", &[("offset", "0")]),
        ("empty-name", &[("location", "")]),
        ("zero-in-name", &[("location", "inside.bin\0.txt")]),
        ("offset-behind-end", &[("location", "inside.bin"), ("offset", "8192")]),
        ("offset-negative", &[("location", "inside.bin"), ("offset", "-64")]),
        (
            "offset-2-62",
            &[("location", "inside.bin"), ("offset", "4611686018427387904")],
        ),
        ("offset-no-number", &[("location", "inside.bin"), ("offset", "many")]),
        (
            "length-2-40",
            &[("location", "inside.bin"), ("length", "1099511627776")],
        ),
        ("length-short", &[("location", "inside.bin"), ("length", "64")]),
    ] {
        let mut model = Model::decode(bench.bytes().as_slice()).unwrap();
        let tensor = tensor(&mut model, TENSORS[1]);
        let weights = tensor.raw_data.take().unwrap();
        tensor.data_location = Some(1);
        tensor.external_data = entries(pairs);
        let mutant: &mut Mutant = bench.add(&format!("external-{what}"), Refused::AtLoad, model.encode_to_vec());
        let inside = ("inside.bin".to_owned(), weights.clone());
        mutant.package.files.push(inside);
        mutant.outside.push((OUTSIDE.to_owned(), weights));
        mutant.links = match what {
            "link" => vec![("link.bin".to_owned(), format!("../{OUTSIDE}"))],
            "link-to-folder" => vec![("around".to_owned(), "..".to_owned())],
            _ => Vec::new(),
        };
    }
}
