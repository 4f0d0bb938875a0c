//! The file as the plan wants it.

use super::message::{fields, put};
use super::plan::{Form, Plan, SUFFIX};
use crate::proto::{Attribute, Graph, Node, Tensor};
use prost::Message;
use std::collections::HashSet;

/// The dimension of one, between the channels and the time.
const AXIS: i64 = 2;

/// From this set of operators on, `Squeeze` and `Unsqueeze` take their axes as an input.
const AXES_ARE_AN_INPUT: i64 = 13;

/// That input's name.
const AXES: &[u8] = b"axes/plane";

/// What an attribute of numbers is told by.
const NUMBERS: i32 = 7;

const INT64: i32 = 7;

/// The numbers of fields: of a model its graph, of a graph its nodes and initializers, of a node its inputs, outputs and
/// attributes, of a tensor its dimensions and its elements as bytes.
mod tag {
    pub(super) const GRAPH: usize = 7;
    pub(super) const NODE: usize = 1;
    pub(super) const INITIALIZER: usize = 5;
    pub(super) const INPUT: usize = 1;
    pub(super) const OUTPUT: usize = 2;
    pub(super) const ATTRIBUTE: usize = 5;
    pub(super) const DIMS: usize = 1;
    pub(super) const RAW: usize = 9;
}

/// The whole file; none where it is not what was planned for.
pub(super) fn model(file: &[u8], decoded: &Graph, plan: &Plan<'_>, version: i64) -> Option<Vec<u8>> {
    let mut whole = Vec::with_capacity(file.len() + 4096);
    let mut graphs = 0;
    for field in fields(file)? {
        if field.tag == tag::GRAPH {
            graphs += 1;
            put(&mut whole, tag::GRAPH, &graph(field.content, decoded, plan, version)?);
        } else {
            whole.extend_from_slice(field.bytes);
        }
    }
    // Parts of one graph would be put together by who reads them.
    (graphs == 1).then_some(whole)
}

fn graph(bytes: &[u8], decoded: &Graph, plan: &Plan<'_>, version: i64) -> Option<Vec<u8>> {
    let mut graph = Vec::with_capacity(bytes.len() + 4096);
    let mut nodes = decoded.nodes.iter().zip(&plan.forms);
    let mut weights = decoded.initializers.iter();
    let mut to_raise = plan.raised.clone();
    for field in fields(bytes)? {
        match field.tag {
            tag::NODE => {
                let (decoded, form) = nodes.next()?;
                if *form == Form::AsItWas {
                    graph.extend_from_slice(field.bytes);
                    continue;
                }
                for name in decoded.inputs.iter().filter(|name| to_raise.remove(name.as_slice())) {
                    put(
                        &mut graph,
                        tag::NODE,
                        &reshape(b"Unsqueeze", name, &plane(name), version),
                    );
                }
                put(&mut graph, tag::NODE, &node(field.content, decoded, *form, plan)?);
                let lowered: HashSet<&[u8]> = decoded.outputs.iter().map(Vec::as_slice).collect();
                for name in lowered.intersection(&plan.lowered) {
                    put(&mut graph, tag::NODE, &reshape(b"Squeeze", &plane(name), name, version));
                }
            }
            tag::INITIALIZER => {
                let decoded = weights.next()?;
                if plan.weights.contains(decoded.name.as_slice()) {
                    put(&mut graph, tag::INITIALIZER, &weight(field.content, decoded)?);
                } else {
                    graph.extend_from_slice(field.bytes);
                }
            }
            _ => graph.extend_from_slice(field.bytes),
        }
    }
    if version >= AXES_ARE_AN_INPUT {
        let mut axes = Tensor {
            name: AXES.to_vec(),
            dims: vec![1],
            dtype: INT64,
            ..Tensor::default()
        }
        .encode_to_vec();
        put(&mut axes, tag::RAW, &AXIS.to_le_bytes());
        put(&mut graph, tag::INITIALIZER, &axes);
    }
    Some(graph)
}

fn plane(name: &[u8]) -> Vec<u8> {
    [name, SUFFIX].concat()
}

/// A node that gives a tensor the dimension, or takes it away.
fn reshape(operator: &[u8], from: &[u8], to: &[u8], version: i64) -> Vec<u8> {
    let mut node = Node {
        inputs: vec![from.to_vec()],
        outputs: vec![to.to_vec()],
        operator: operator.to_vec(),
        ..Node::default()
    };
    if version >= AXES_ARE_AN_INPUT {
        node.inputs.push(AXES.to_vec());
    } else {
        node.attributes.push(attribute(b"axes", vec![AXIS]));
    }
    node.encode_to_vec()
}

fn attribute(name: &[u8], numbers: Vec<i64>) -> Attribute {
    Attribute {
        name: name.to_vec(),
        numbers,
        kind: NUMBERS,
        ..Attribute::default()
    }
}

/// A node on planes.
fn node(bytes: &[u8], decoded: &Node, form: Form, plan: &Plan<'_>) -> Option<Vec<u8>> {
    let planes = match form {
        Form::Lifted(inputs) => inputs,
        _ => 1,
    };
    let mut node = Vec::with_capacity(bytes.len() + 64);
    let mut attributes = decoded.attributes.iter();
    let mut input = 0;
    for field in fields(bytes)? {
        match field.tag {
            tag::INPUT if input < planes => {
                // A constant of one element stays what it is.
                if plan.planes.contains(field.content) {
                    put(&mut node, tag::INPUT, &plane(field.content));
                } else {
                    node.extend_from_slice(field.bytes);
                }
                input += 1;
            }
            tag::OUTPUT if form != Form::Takes => put(&mut node, tag::OUTPUT, &plane(field.content)),
            tag::ATTRIBUTE => {
                let decoded = attributes.next()?;
                match flat(decoded) {
                    Some(numbers) => {
                        let lifted = attribute(&decoded.name, numbers);
                        put(&mut node, tag::ATTRIBUTE, &lifted.encode_to_vec());
                    }
                    None => node.extend_from_slice(field.bytes),
                }
            }
            _ => node.extend_from_slice(field.bytes),
        }
    }
    Some(node)
}

/// What an attribute about the time becomes on a plane, where it is one.
fn flat(attribute: &Attribute) -> Option<Vec<i64>> {
    match (attribute.name.as_slice(), attribute.numbers.as_slice()) {
        (b"kernel_shape" | b"strides" | b"dilations", &[along]) => Some(vec![1, along]),
        (b"pads", &[before, after]) => Some(vec![0, before, 0, after]),
        _ => None,
    }
}

/// A convolution's weights `[out, in, width]` as `[out, in, 1, width]`: the same elements in the same order.
fn weight(bytes: &[u8], decoded: &Tensor) -> Option<Vec<u8>> {
    let &[outs, ins, width] = decoded.dims.as_slice() else {
        return None;
    };
    let mut weight = Tensor {
        dims: vec![outs, ins, 1, width],
        ..Tensor::default()
    }
    .encode_to_vec();
    for field in fields(bytes)?.iter().filter(|field| field.tag != tag::DIMS) {
        weight.extend_from_slice(field.bytes);
    }
    Some(weight)
}
