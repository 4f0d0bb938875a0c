//! Convolutions over time written as convolutions over a plane of height one.
//!
//! ONNX Runtime has its fast kernels on the processor (blocked layout, `NCHWc`) for convolutions and poolings over two
//! dimensions alone; those over one dimension, which nearly every network for an ECG is made of, run as matrix products, up to
//! half as fast. So the graph that a session is made of differs from the file: `[n, channels, time]` becomes
//! `[n, channels, 1, time]` before the first such convolution, stays so while nodes follow that do not mind, and becomes
//! what it was before all others and at the outputs. Sums are taken in another order: answers differ in the last digits.

mod message;
mod plan;
mod rewrite;

use crate::proto;

/// The file with its convolutions lifted, for a session of so many threads; none where it has none that can be, or that would gain.
pub(crate) fn lifted(file: &[u8], model: &proto::Model, threads: usize) -> Option<Vec<u8>> {
    let graph = model.graph.as_ref()?;
    // Functions and training hold graphs of their own, which may see this one's tensors.
    if !model.functions.is_empty() || !model.training.is_empty() {
        return None;
    }
    let own = |set: &&proto::OperatorSet| set.domain.is_empty() || set.domain == b"ai.onnx";
    let version = model.operator_sets.iter().find(own)?.version;
    let plan = plan::plan(graph, version, threads)?;
    rewrite::model(file, graph, &plan, version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{Attribute, Graph, Model, Node, OperatorSet, Tensor, Value};
    use prost::Message;

    fn node(operator: &str, inputs: &[&str], output: &str) -> Node {
        Node {
            inputs: inputs.iter().map(|name| name.as_bytes().to_vec()).collect(),
            outputs: vec![output.into()],
            operator: operator.into(),
            ..Node::default()
        }
    }

    /// A convolution of `x` by `w`, then these; `y` is the output.
    fn network(rest: &[Node]) -> Model {
        let weight = Tensor {
            name: "w".into(),
            dims: vec![8, 1, 5],
            dtype: 1,
            ..Tensor::default()
        };
        let mut convolution = node("Conv", &["x", "w"], "c");
        convolution.attributes.push(Attribute {
            name: "pads".into(),
            numbers: vec![2, 1],
            kind: 7,
            ..Attribute::default()
        });
        let graph = Graph {
            nodes: [&[convolution], rest].concat(),
            initializers: vec![weight],
            inputs: vec![Value { name: "x".into() }],
            outputs: vec![Value { name: "y".into() }],
            ..Graph::default()
        };
        let own = OperatorSet {
            domain: Vec::new(),
            version: 17,
        };
        Model {
            operator_sets: vec![own],
            graph: Some(graph),
            ..Model::default()
        }
    }

    fn graph(model: &mut Model) -> &mut Graph {
        model.graph.as_mut().unwrap()
    }

    fn lift(model: &Model) -> Option<Graph> {
        let file = lifted(&model.encode_to_vec(), model, 1)?;
        Model::decode(file.as_slice()).unwrap().graph
    }

    fn operators(graph: &Graph) -> Vec<String> {
        let each = |node: &Node| {
            let names = |names: &[Vec<u8>]| String::from_utf8(names.join(&b' ')).unwrap();
            format!(
                "{} = {} {}",
                names(&node.outputs),
                names(std::slice::from_ref(&node.operator)),
                names(&node.inputs)
            )
        };
        graph.nodes.iter().map(each).collect()
    }

    #[test]
    fn a_network_is_lifted_from_its_first_convolution_to_where_its_rows_are_flat() {
        let model = network(&[
            node("Relu", &["c"], "r"),
            node("Flatten", &["r"], "f"),
            node("Gemm", &["f", "v"], "y"),
        ]);
        let graph = lift(&model).unwrap();
        assert_eq!(
            operators(&graph),
            [
                "x/plane = Unsqueeze x axes/plane",
                "c/plane = Conv x/plane w",
                "r/plane = Relu c/plane",
                "f = Flatten r/plane",
                "y = Gemm f v",
            ]
        );
        assert_eq!(graph.initializers[0].dims, [8, 1, 1, 5]);
        assert_eq!(graph.nodes[1].attributes[0].numbers, [0, 2, 0, 1]);
    }

    #[test]
    fn tensors_that_others_take_are_there_as_they_were() {
        let model = network(&[
            node("Relu", &["c"], "r"),
            node("Softmax", &["c"], "s"),
            node("Sum", &["s", "r", "x"], "y"),
        ]);
        assert_eq!(
            operators(&lift(&model).unwrap()),
            [
                "x/plane = Unsqueeze x axes/plane",
                "c/plane = Conv x/plane w",
                "c = Squeeze c/plane axes/plane",
                "r/plane = Relu c/plane",
                "r = Squeeze r/plane axes/plane",
                "s = Softmax c",
                "y = Sum s r x",
            ]
        );
    }

    #[test]
    fn a_constant_of_one_element_stays() {
        let mut model = network(&[node("Mul", &["c", "half"], "y")]);
        graph(&mut model).initializers.push(Tensor {
            name: "half".into(),
            dims: vec![1],
            dtype: 1,
            ..Tensor::default()
        });
        let lifted = operators(&lift(&model).unwrap());
        assert_eq!(lifted[2], "y/plane = Mul c/plane half");
    }

    #[test]
    fn an_output_is_as_it_was() {
        let graph = lift(&network(&[node("Tanh", &["c"], "y")])).unwrap();
        assert_eq!(operators(&graph).last().unwrap(), "y = Squeeze y/plane axes/plane");
    }

    #[test]
    fn what_is_not_known_here_stays() {
        let model = network(&[node("Tanh", &["c"], "y")]);
        let mut file = model.encode_to_vec();
        message::put(&mut file, 2, b"the name of an exporter");
        let lifted = lifted(&file, &model, 1).unwrap();
        let name = |field: &message::Field<'_>| field.tag == 2 && field.content == b"the name of an exporter";
        assert!(message::fields(&lifted).unwrap().iter().any(name));
    }

    #[test]
    fn what_cannot_be_lifted_stays() {
        let cases: [fn(&mut Model); 7] = [
            |model| graph(model).initializers[0].dims = vec![8, 1, 5, 5],
            |model| graph(model).initializers[0].dtype = 10,
            |model| graph(model).inputs.push(Value { name: "w".into() }),
            |model| graph(model).nodes.push(node("MatMul", &["w", "w"], "m")),
            |model| {
                graph(model).nodes[1].attributes.push(Attribute {
                    graph: Some(Graph::default()),
                    ..Attribute::default()
                })
            },
            |model| graph(model).nodes[1].outputs[0] = "y/plane".into(),
            |model| model.operator_sets[0].version = 8,
        ];
        for (number, change) in cases.into_iter().enumerate() {
            let mut model = network(&[node("Tanh", &["c"], "y")]);
            assert!(lift(&model).is_some());
            change(&mut model);
            assert!(lift(&model).is_none(), "case {number}");
        }
    }

    #[test]
    fn convolutions_that_would_gain_nothing_stay() {
        for (outs, threads, lifts) in [
            (4, 1, false),
            (8, 1, true),
            (16, 1, true),
            (20, 1, false),
            (32, 1, true),
            (36, 1, false),
            (40, 1, true),
            (64, 1, true),
            (64, 2, false),
            (128, 2, true),
            (196, 4, true),
            (196, 5, false),
        ] {
            let mut model = network(&[node("Tanh", &["c"], "y")]);
            graph(&mut model).initializers[0].dims[0] = outs;
            let lifted = lifted(&model.encode_to_vec(), &model, threads);
            assert_eq!(lifted.is_some(), lifts, "{outs} channels, {threads} threads");
        }
    }

    #[test]
    fn a_damaged_file_is_not_lifted() {
        let model = network(&[node("Tanh", &["c"], "y")]);
        let file = model.encode_to_vec();
        for end in 0..file.len() {
            let _ = lifted(&file[..end], &model, 1);
        }
        assert!(lifted(&file[..file.len() - 1], &model, 1).is_none());
        assert!(lifted(&[&file[..], &file[..]].concat(), &model, 1).is_none());
    }
}
