//! Which nodes of a graph work on planes, and where tensors change their shape.

use crate::proto::{Graph, Node, Tensor};
use std::collections::{HashMap, HashSet};

/// What a lifted tensor's name ends with.
pub(super) const SUFFIX: &[u8] = b"/plane";

/// The first set of operators in which all nodes that are lifted are as they are known here: before, `BatchNormalization` had `spatial`.
const OLDEST: i64 = 9;

/// Channels of a block of the fast kernels, at most (AVX-512); others are filled up.
const BLOCK: usize = 16;

/// Channels that one thread computes: the kernels share a plane of one row out to threads by these alone.
const SHARE: usize = 64;

/// Numbers of ONNX's element types.
const FLOAT: i32 = 1;

/// How a node is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    AsItWas,
    /// So many of its inputs, and its output, are planes.
    Lifted(usize),
    /// It gives the same of a plane.
    Takes,
}

pub(super) struct Plan<'a> {
    /// One for each node.
    pub(super) forms: Vec<Form>,
    /// Weights that get a dimension of one.
    pub(super) weights: HashSet<&'a [u8]>,
    /// Tensors that are there as planes.
    pub(super) planes: HashSet<&'a [u8]>,
    /// Tensors that no lifted node gives: they are made planes before the first that takes one.
    pub(super) raised: HashSet<&'a [u8]>,
    /// Tensors that lifted nodes give and that somebody takes as they were.
    pub(super) lowered: HashSet<&'a [u8]>,
}

/// The plan of a graph; none where nothing is to be lifted.
pub(super) fn plan(graph: &Graph, version: i64, threads: usize) -> Option<Plan<'_>> {
    if version < OLDEST || !is_plain(graph) {
        return None;
    }
    let known = Known::of(graph, threads);
    let mut planes: HashSet<&[u8]> = HashSet::new();
    let mut plan = Plan {
        forms: Vec::with_capacity(graph.nodes.len()),
        weights: HashSet::new(),
        planes: HashSet::new(),
        raised: HashSet::new(),
        lowered: HashSet::new(),
    };
    for node in &graph.nodes {
        let form = known.form(node, &planes);
        if let Form::Lifted(_) = form {
            planes.insert(&node.outputs[0]);
        }
        if node.operator == b"Conv" && form != Form::AsItWas {
            plan.weights.insert(&node.inputs[1]);
            if planes.insert(&node.inputs[0]) {
                plan.raised.insert(&node.inputs[0]);
            }
        }
        plan.forms.push(form);
    }
    if plan.weights.is_empty() {
        return None;
    }
    let mut as_they_were: HashSet<&[u8]> = graph.outputs.iter().map(|output| output.name.as_slice()).collect();
    for (node, form) in graph.nodes.iter().zip(&plan.forms) {
        let planes = match form {
            Form::AsItWas => 0,
            Form::Lifted(inputs) => *inputs,
            Form::Takes => 1,
        };
        as_they_were.extend(node.inputs.iter().skip(planes).map(Vec::as_slice));
    }
    plan.lowered = planes
        .iter()
        .copied()
        .filter(|name| as_they_were.contains(name) && !plan.raised.contains(name))
        .collect();
    plan.planes = planes;
    Some(plan)
}

/// Whether no node holds a graph, which could take tensors by name, and no name is one that lifting would give.
fn is_plain(graph: &Graph) -> bool {
    let mut attributes = graph.nodes.iter().flat_map(|node| &node.attributes);
    let inputs = graph.inputs.iter().map(|input| &input.name);
    let weights = graph.initializers.iter().map(|tensor| &tensor.name);
    let mut names = inputs
        .chain(weights)
        .chain(graph.nodes.iter().flat_map(|node| &node.outputs));
    attributes.all(|attribute| attribute.graph.is_none() && attribute.graphs.is_empty())
        && names.all(|name| !name.ends_with(SUFFIX))
}

/// What there is to know of a graph before its nodes are gone through.
struct Known<'a> {
    weights: HashMap<&'a [u8], &'a Tensor>,
    /// Weights that a convolution over time can take as they will be.
    liftable: HashSet<&'a [u8]>,
}

impl<'a> Known<'a> {
    fn of(graph: &'a Graph, threads: usize) -> Self {
        let inputs: HashSet<&[u8]> = graph.inputs.iter().map(|input| input.name.as_slice()).collect();
        // One that is an input too may be another in a call.
        let constant = |tensor: &&Tensor| !inputs.contains(tensor.name.as_slice());
        let weights: HashMap<&[u8], &Tensor> = graph
            .initializers
            .iter()
            .filter(constant)
            .map(|tensor| (tensor.name.as_slice(), tensor))
            .collect();
        let fits =
            |tensor: &&&Tensor| tensor.dims.len() == 3 && tensor.dtype == FLOAT && gains(tensor.dims[0], threads);
        let mut liftable: HashSet<&[u8]> = weights
            .values()
            .filter(fits)
            .map(|tensor| tensor.name.as_slice())
            .collect();
        for output in &graph.outputs {
            liftable.remove(output.name.as_slice());
        }
        for node in &graph.nodes {
            for (place, input) in node.inputs.iter().enumerate() {
                if place != 1 || !is_own(node) || node.operator != b"Conv" || node.outputs.len() != 1 {
                    liftable.remove(input.as_slice());
                }
            }
        }
        Self { weights, liftable }
    }

    /// How a node is written, where these tensors are planes.
    fn form(&self, node: &Node, planes: &HashSet<&[u8]>) -> Form {
        let plane = |place: usize| {
            node.inputs
                .get(place)
                .is_some_and(|name| planes.contains(name.as_slice()))
        };
        if !is_own(node) || node.outputs.len() != 1 {
            return Form::AsItWas;
        }
        let lifts = match node.operator.as_slice() {
            b"Conv" => node.inputs.len() > 1 && self.liftable.contains(node.inputs[1].as_slice()),
            b"MaxPool" | b"AveragePool" => plane(0) && is_plain_pool(node),
            b"GlobalAveragePool" | b"GlobalMaxPool" | b"BatchNormalization" | b"InstanceNormalization" => plane(0),
            b"Relu" | b"LeakyRelu" | b"Elu" | b"Selu" | b"Celu" | b"Sigmoid" | b"HardSigmoid" | b"HardSwish"
            | b"Tanh" | b"Softplus" | b"Softsign" | b"Erf" | b"Gelu" | b"Mish" | b"Clip" | b"Identity" | b"Dropout" => {
                plane(0)
            }
            b"Add" | b"Sub" | b"Mul" | b"Div" => {
                // Of two shapes the shorter one counts from the end: only what has one element means the same to both.
                let same = |place| plane(place) || self.is_one(&node.inputs[place]);
                node.inputs.len() == 2 && same(0) && same(1) && (plane(0) || plane(1))
            }
            b"Concat" => number(node, b"axis") == Some(1) && (0..node.inputs.len()).all(plane),
            b"Flatten" if plane(0) && matches!(number(node, b"axis"), None | Some(0 | 1)) => return Form::Takes,
            _ => false,
        };
        match node.operator.as_slice() {
            _ if !lifts => Form::AsItWas,
            b"Add" | b"Sub" | b"Mul" | b"Div" | b"Concat" => Form::Lifted(node.inputs.len()),
            _ => Form::Lifted(1),
        }
    }

    /// Whether it is a constant of one element.
    fn is_one(&self, name: &[u8]) -> bool {
        let one = |tensor: &Tensor| tensor.dims.len() <= 3 && tensor.dims.iter().all(|dim| *dim == 1);
        self.weights.get(name).is_some_and(|tensor| one(tensor))
    }
}

/// Whether a convolution to so many channels is likely quicker on planes: not where blocks are mostly filling, and not where threads
/// would have nothing to do (measured: 20 channels 1.1 times as long, 64 on two threads 1.4 times).
fn gains(channels: i64, threads: usize) -> bool {
    let Ok(channels) = usize::try_from(channels) else {
        return false;
    };
    let filled = channels.next_multiple_of(BLOCK);
    let dense = channels >= BLOCK / 2 && (channels <= BLOCK || filled.saturating_mul(4) <= channels.saturating_mul(5));
    dense && (threads == 1 || channels.div_ceil(SHARE) >= threads)
}

fn is_own(node: &Node) -> bool {
    node.domain.is_empty() || node.domain == b"ai.onnx"
}

/// Whether a pooling over time is one that means the same over planes: with sizes that it fills up itself ONNX Runtime's two differ.
fn is_plain_pool(node: &Node) -> bool {
    let has = |name: &[u8]| node.attributes.iter().any(|attribute| attribute.name == name);
    numbers(node, b"kernel_shape").len() == 1
        && !has(b"auto_pad")
        && (node.operator != b"AveragePool" || !has(b"dilations"))
}

fn numbers<'a>(node: &'a Node, name: &[u8]) -> &'a [i64] {
    let found = node.attributes.iter().find(|attribute| attribute.name == name);
    found.map_or(&[], |attribute| &attribute.numbers)
}

fn number(node: &Node, name: &[u8]) -> Option<i64> {
    let found = node.attributes.iter().find(|attribute| attribute.name == name);
    found.map(|attribute| attribute.number)
}
