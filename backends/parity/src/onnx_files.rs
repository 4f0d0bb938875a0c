//! ONNX files that are broken as bytes: cut, flipped, misframed.

use crate::corpus::{Bench, Refused, no_models};
use crate::onnx::{Field, Model, Node, fields};
use prost::Message;
use rand::Rng;

/// Operators that a flipped bit can turn another one into.
const REAL_AFTER_A_FLIP: [&str; 2] = ["Selu", "Celu"];

pub(crate) fn mutants(bench: &mut Bench) {
    let bytes = bench.bytes();
    let top = fields(&bytes, 0..bytes.len());
    let graph = top.iter().find(|field| field.number == 7).unwrap().clone();
    for (what, other) in no_models() {
        bench.add(what, Refused::AtLoad, other);
    }
    truncated(bench, &bytes, &graph);
    misframed(bench, &bytes, &graph);
    flipped_text(bench);
    flipped_weights(bench);
    nested(bench, &bytes, &graph);
}

/// Cuts inside the graph message, which its own length then contradicts.
fn truncated(bench: &mut Bench, bytes: &[u8], graph: &Field) {
    bench.add("truncated-before-graph", Refused::AtLoad, bytes[..graph.key].to_vec());
    bench.add("truncated-after-key", Refused::AtLoad, bytes[..=graph.key].to_vec());
    let length = graph.payload.len();
    for step in 0..16 {
        let at = graph.payload.start + length * step / 16 + bench.rng.random_range(0..length / 16);
        bench.add(&format!("truncated-at-{at}"), Refused::AtLoad, bytes[..at].to_vec());
    }
}

/// Keys, lengths and wire types that do not fit what follows.
fn misframed(bench: &mut Bench, bytes: &[u8], graph: &Field) {
    let inner = fields(bytes, graph.payload.clone());
    let node = inner.iter().find(|field| field.number == 1).unwrap();
    let tensor = inner.iter().find(|field| field.number == 5).unwrap();
    let raw = fields(bytes, tensor.payload.clone())
        .into_iter()
        .find(|field| field.number == 9)
        .unwrap();
    for (what, field) in [
        ("graph", graph),
        ("node", node),
        ("initialiser", tensor),
        ("raw-data", &raw),
    ] {
        for wire in [0, 5] {
            let mut other = bytes.to_vec();
            other[field.key] = (other[field.key] & !7) | wire;
            bench.add(&format!("{what}-as-wire-type-{wire}"), Refused::AtGolden, other);
        }
        // The last byte of the length: one more bit in it says that the length goes on.
        let mut other = bytes.to_vec();
        other[field.payload.start - 1] ^= 0x80;
        bench.add(&format!("{what}-with-endless-length"), Refused::AtGolden, other);
    }
    let mut other = bytes.to_vec();
    other.splice(graph.key + 1..graph.payload.start, [0xff; 11]);
    bench.add("graph-with-overlong-length", Refused::AtLoad, other);
    let huge = [0xff, 0xff, 0xff, 0xff, 0x07];
    let mut other = bytes.to_vec();
    other.splice(graph.key + 1..graph.payload.start, huge);
    bench.add("graph-of-two-gigabytes", Refused::AtLoad, other);
}

/// One flipped bit in the name of an operator or of a node's input.
fn flipped_text(bench: &mut Bench) {
    let model = Model::decode(bench.bytes().as_slice()).unwrap();
    let known: Vec<String> = names(&model);
    let mut done = 0;
    while done < 18 {
        let mut other = model.clone();
        let nodes = &mut other.graph.as_mut().unwrap().node;
        let which = bench.rng.random_range(0..nodes.len());
        let (position, bit) = (bench.rng.random_range(0..64), bench.rng.random_range(0..5));
        let operator = done < 10;
        let text = if operator {
            nodes[which].op_type.get_or_insert_default()
        } else {
            &mut nodes[which].input[0]
        };
        let Some(flipped) = flip(text, position, bit) else {
            continue;
        };
        if known.contains(&flipped) || REAL_AFTER_A_FLIP.contains(&flipped.as_str()) {
            continue;
        }
        *text = flipped;
        let what = if operator { "operator" } else { "input" };
        bench.add(
            &format!("bit-flipped-in-{what}-of-node-{which}-byte-{position}-bit-{bit}"),
            Refused::AtLoad,
            other.encode_to_vec(),
        );
        done += 1;
    }
}

fn names(model: &Model) -> Vec<String> {
    let graph = model.graph.as_ref().unwrap();
    let made = graph.node.iter().flat_map(|node: &Node| node.output.clone());
    let given = graph.initializer.iter().filter_map(|tensor| tensor.name.clone());
    let operators = graph.node.iter().filter_map(|node| node.op_type.clone());
    let asked = graph.input.iter().filter_map(|input| input.name.clone());
    made.chain(given).chain(operators).chain(asked).collect()
}

fn flip(text: &str, position: usize, bit: u32) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    *bytes.get_mut(position)? ^= 1 << bit;
    String::from_utf8(bytes).ok()
}

/// The highest bit of an exponent: 0.1 becomes 10 to the 37.
fn flipped_weights(bench: &mut Bench) {
    let model = Model::decode(bench.bytes().as_slice()).unwrap();
    for name in ["net0.out.weight", "net0.out.bias", "net1.out.bias", "net1.join.bias"] {
        for element in [0, 1, 3] {
            let mut other = model.clone();
            let tensors = &mut other.graph.as_mut().unwrap().initializer;
            let tensor = tensors.iter_mut().find(|t| t.name.as_deref() == Some(name)).unwrap();
            tensor.raw_data.as_mut().unwrap()[4 * element + 3] ^= 0x40;
            let what = format!("bit-flipped-in-exponent-of-{name}-{element}");
            bench.add(&what, Refused::AtGolden, other.encode_to_vec());
        }
    }
}

/// Subgraphs in subgraphs, deeper than a parser may follow; made inside out, since no encoder survives them either.
fn nested(bench: &mut Bench, bytes: &[u8], graph: &Field) {
    for depth in [60, 200, 1_000, 4_000] {
        let mut inner = Vec::new();
        for _ in 0..depth {
            let branch = wrapped(0x32, &inner); // AttributeProto.g
            let attribute = wrapped(
                0x2a,
                &[wrapped(0x0a, b"then_branch"), branch, vec![0xa0, 1, 5]].concat(),
            );
            let operator = wrapped(0x22, b"If");
            inner = wrapped(0x0a, &[operator, attribute].concat()); // GraphProto.node
        }
        let old = &bytes[graph.payload.clone()];
        let file = [
            &bytes[..graph.key],
            &wrapped(0x3a, &[inner.as_slice(), old].concat()),
            &bytes[graph.payload.end..],
        ]
        .concat();
        bench.add(&format!("nested-{depth}-deep"), Refused::AtLoad, file);
    }
}

fn wrapped(key: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![key];
    prost::encoding::encode_varint(content.len() as u64, &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}
