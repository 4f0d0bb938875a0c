//! TensorFlow Lite files with broken tables, vectors and indices.

use crate::corpus::{Bench, Refused, no_models};
use crate::tflite::{field, root, slot, tables, unsigned, vector, vtable};
use rand::Rng;

/// A change of a few bytes in the sound file.
struct Edit {
    what: String,
    refused: Refused,
    at: usize,
    bytes: Vec<u8>,
}

pub(crate) fn mutants(bench: &mut Bench) {
    let bytes = bench.bytes();
    for (what, other) in no_models() {
        bench.add(what, Refused::AtLoad, other);
    }
    for step in 0..9 {
        let at = bytes.len() * step / 10 + bench.rng.random_range(8..bytes.len() / 10);
        bench.add(&format!("truncated-at-{at}"), Refused::AtLoad, bytes[..at].to_vec());
    }
    let edits = [tables_broken(&bytes), lengths(&bytes), indices(&bytes), values(&bytes)];
    for edit in edits.into_iter().flatten() {
        let mut other = bytes.clone();
        other[edit.at..edit.at + edit.bytes.len()].copy_from_slice(&edit.bytes);
        bench.add(&edit.what, edit.refused, other);
    }
}

fn edit(what: &str, at: usize, value: i32) -> Edit {
    Edit {
        what: what.to_owned(),
        refused: Refused::AtLoad,
        at,
        bytes: value.to_le_bytes().to_vec(),
    }
}

/// Offsets that lead nowhere.
fn tables_broken(bytes: &[u8]) -> Vec<Edit> {
    let model = root(bytes);
    let fields = vtable(bytes, model);
    let subgraphs = vector(bytes, model, field::MODEL_SUBGRAPHS).unwrap();
    let graph = tables(bytes, model, field::MODEL_SUBGRAPHS)[0];
    let tensors = vector(bytes, graph, field::GRAPH_TENSORS).unwrap();
    let operators = vector(bytes, graph, field::GRAPH_OPERATORS).unwrap();
    let short = |what: &str, at: usize, value: u16| Edit {
        bytes: value.to_le_bytes().to_vec(),
        ..edit(what, at, 0)
    };
    vec![
        edit("other-identifier", 4, i32::from_le_bytes(*b"TFL9")),
        edit("root-offset-highest", 0, -1),
        edit("root-offset-2-31", 0, i32::MIN),
        edit("root-offset-odd", 0, i32::try_from(model + 1).unwrap()),
        edit("table-offset-highest", model, i32::MAX),
        edit("table-offset-lowest", model, i32::MIN),
        short("table-of-no-length", fields, 0),
        short("table-of-65535-bytes", fields, 0xffff),
        short(
            "field-behind-its-table",
            fields + 4 + 2 * field::MODEL_SUBGRAPHS,
            0xfff0,
        ),
        edit("subgraph-offset-behind-end", subgraphs + 4, 0x00ff_fff0),
        edit("tensor-offset-highest", tensors + 8, -16),
        edit("operator-offset-behind-end", operators + 4, 0x0fff_fff0),
        edit("subgraph-is-the-vector-itself", subgraphs + 4, 0),
    ]
}

/// Vectors that claim other lengths.
fn lengths(bytes: &[u8]) -> Vec<Edit> {
    let model = root(bytes);
    let graph = tables(bytes, model, field::MODEL_SUBGRAPHS)[0];
    let operator = tables(bytes, graph, field::GRAPH_OPERATORS)[0];
    let buffer = filled_buffers(bytes)[0];
    let mut edits = Vec::new();
    for (what, table, number) in [
        ("subgraphs", model, field::MODEL_SUBGRAPHS),
        ("operator-codes", model, field::MODEL_CODES),
        ("buffers", model, field::MODEL_BUFFERS),
        ("tensors", graph, field::GRAPH_TENSORS),
        ("operators", graph, field::GRAPH_OPERATORS),
        ("operator-inputs", operator, field::OPERATOR_INPUTS),
        ("weights", buffer, field::BUFFER_DATA),
    ] {
        let at = vector(bytes, table, number).unwrap();
        edits.push(edit(&format!("{what}-of-length-2-31"), at, i32::MAX));
        if !matches!(what, "operators" | "weights") {
            edits.push(edit(&format!("{what}-of-length-0"), at, 0));
        }
    }
    let weights = vector(bytes, buffer, field::BUFFER_DATA).unwrap();
    let half = i32::try_from(unsigned(bytes, weights) / 2).unwrap();
    edits.push(edit("weights-of-half-length", weights, half));
    edits
}

/// Numbers of tensors, buffers and operators that are none.
fn indices(bytes: &[u8]) -> Vec<Edit> {
    let model = root(bytes);
    let graph = tables(bytes, model, field::MODEL_SUBGRAPHS)[0];
    let operators = tables(bytes, graph, field::GRAPH_OPERATORS);
    let weight = weight_tensors(bytes)[0];
    let first = |table, number| vector(bytes, table, number).unwrap() + 4;
    let own_output = unsigned(bytes, first(operators[1], field::OPERATOR_OUTPUTS));
    let mut edits = vec![
        edit(
            "operator-input-is-its-output",
            first(operators[1], field::OPERATOR_INPUTS),
            i32::try_from(own_output).unwrap(),
        ),
        edit(
            "tensor-in-buffer-9999",
            slot(bytes, weight, field::TENSOR_BUFFER).unwrap(),
            9999,
        ),
    ];
    for (what, at) in [
        ("operator-input", first(operators[0], field::OPERATOR_INPUTS)),
        ("operator-output", first(operators[0], field::OPERATOR_OUTPUTS)),
        ("model-input", first(graph, field::GRAPH_INPUTS)),
        ("model-output", first(graph, field::GRAPH_OUTPUTS)),
    ] {
        edits.push(edit(&format!("{what}-9999"), at, 9999));
        edits.push(edit(&format!("{what}-lowest"), at, i32::MIN));
    }
    if let Some(at) = operators
        .iter()
        .find_map(|&table| slot(bytes, table, field::OPERATOR_CODE))
    {
        edits.push(edit("operator-code-9999", at, 9999));
    }
    for table in tables(bytes, model, field::MODEL_CODES).into_iter().take(1) {
        let code = slot(bytes, table, field::CODE_BUILTIN);
        if let Some(at) = code.or_else(|| slot(bytes, table, field::CODE_DEPRECATED)) {
            let value = vec![126];
            edits.push(Edit {
                bytes: value,
                ..edit("unknown-operator", at, 0)
            });
        }
    }
    edits
}

/// Shapes, types and weights that do not belong.
fn values(bytes: &[u8]) -> Vec<Edit> {
    let weights = weight_tensors(bytes);
    let shape = vector(bytes, weights[0], field::TENSOR_SHAPE).unwrap() + 4;
    let mut edits = vec![
        edit("weights-shape-2-31", shape, i32::MAX),
        edit("weights-shape-negative", shape, -8),
        edit("weights-shape-0", shape, 0),
    ];
    if let Some(at) = weights.iter().find_map(|&table| slot(bytes, table, field::TENSOR_TYPE)) {
        edits.push(Edit {
            bytes: vec![99],
            ..edit("weights-of-type-99", at, 0)
        });
    }
    for (index, &buffer) in filled_buffers(bytes).iter().rev().take(2).enumerate() {
        let at = vector(bytes, buffer, field::BUFFER_DATA).unwrap() + 4 + 3;
        edits.push(Edit {
            refused: Refused::AtGolden,
            bytes: vec![bytes[at] ^ 0x40],
            ..edit(&format!("bit-flipped-in-exponent-of-weight-{index}"), at, 0)
        });
    }
    edits
}

/// Buffers that hold something.
fn filled_buffers(bytes: &[u8]) -> Vec<usize> {
    let mut buffers = tables(bytes, root(bytes), field::MODEL_BUFFERS);
    buffers.retain(|&buffer| vector(bytes, buffer, field::BUFFER_DATA).is_some_and(|at| unsigned(bytes, at) >= 16));
    buffers
}

/// Tensors with a buffer that holds something.
fn weight_tensors(bytes: &[u8]) -> Vec<usize> {
    let model = root(bytes);
    let buffers = tables(bytes, model, field::MODEL_BUFFERS);
    let filled = filled_buffers(bytes);
    let graph = tables(bytes, model, field::MODEL_SUBGRAPHS)[0];
    let mut tensors = tables(bytes, graph, field::GRAPH_TENSORS);
    tensors.retain(|&tensor| {
        slot(bytes, tensor, field::TENSOR_BUFFER).is_some_and(|at| filled.contains(&buffers[unsigned(bytes, at)]))
    });
    tensors
}
