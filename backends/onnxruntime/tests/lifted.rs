//! Convolutions over time run on planes, and give what they gave.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Batch, Buffer, F32, field, load, model_of, node, number, tensor, value};
use einthoven_plugin_sdk::{DType, Device};
use serde_json::json;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.below(2001) as f32 / 1000.0 - 1.0).collect()
    }
}

fn numbers(name: &str, values: &[u64]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|&value| number(8, value)).collect();
    field(5, [field(1, name), values, number(20, 7)].concat())
}

fn one(name: &str, of: u64) -> Vec<u8> {
    field(5, [field(1, name), number(3, of), number(20, 2)].concat())
}

/// A network that grows node by node; `flow` is `[n, channels, samples]`.
struct Network {
    dice: Dice,
    version: u64,
    flow: String,
    channels: u64,
    samples: u64,
    nodes: Vec<Vec<u8>>,
    weights: Vec<Vec<u8>>,
    /// What stands beside the flow in the same shape, for what takes two.
    beside: Option<String>,
}

impl Network {
    fn add(&mut self, operator: &str, inputs: &[&str], attributes: &[Vec<u8>]) -> String {
        let output = format!("t{}", self.nodes.len());
        self.nodes.push(node("", operator, inputs, &[&output], attributes));
        output
    }

    fn weight(&mut self, dims: &[u64]) -> String {
        // So that sums stay about as large as what they are of.
        let scale = (dims[1..].iter().product::<u64>() as f32).sqrt().recip();
        let values = self.dice.floats(dims.iter().product::<u64>() as usize);
        let raw: Vec<u8> = values.iter().flat_map(|value| (value * scale).to_le_bytes()).collect();
        let name = format!("w{}", self.weights.len());
        self.weights.push(tensor(&name, F32, dims, &raw));
        name
    }

    fn convolution(&mut self, outs: u64, width: u64, stride: u64, dilation: u64, groups: u64) -> String {
        let weights = self.weight(&[outs, self.channels / groups, width]);
        let bias = self.weight(&[outs]);
        let attributes = [
            numbers("strides", &[stride]),
            numbers("dilations", &[dilation]),
            numbers("pads", &[width - 1, 0]),
            one("group", groups),
        ];
        self.channels = outs;
        self.samples = (self.samples + width - 1 - (width - 1) * dilation - 1) / stride + 1;
        let flow = self.flow.clone();
        self.add("Conv", &[&flow, &weights, &bias], &attributes)
    }

    fn step(&mut self) {
        let flow = self.flow.clone();
        let (mut beside, mut channels) = (None, self.channels);
        self.flow = match self.dice.below(12) {
            0..=2 if self.samples > 12 => {
                let (outs, width) = (4 * (1 + self.dice.below(5)), 1 + self.dice.below(7));
                let (stride, dilation) = (1 + self.dice.below(2), 1 + self.dice.below(2));
                let made = self.convolution(outs, width, stride, dilation, 1);
                channels = self.channels;
                made
            }
            // Each channel by itself.
            3 => self.convolution(channels, 3, 1, 1, channels),
            // Beside the flow, in its shape.
            4 | 5 => {
                beside = Some(flow);
                self.convolution(channels, 2, 1, 1, 1)
            }
            6 if self.samples > 3 => {
                let pool = ["MaxPool", "AveragePool"][self.dice.below(2) as usize];
                self.samples = (self.samples - 2) / 2 + 1;
                self.add(
                    pool,
                    &[&flow],
                    &[numbers("kernel_shape", &[2]), numbers("strides", &[2])],
                )
            }
            7 => {
                let [scale, bias, mean] = [0; 3].map(|_| self.weight(&[channels]));
                let raw: Vec<u8> = (0..channels).flat_map(|_| 1.5_f32.to_le_bytes()).collect();
                let variance = format!("w{}", self.weights.len());
                self.weights.push(tensor(&variance, F32, &[channels], &raw));
                self.add("BatchNormalization", &[&flow, &scale, &bias, &mean, &variance], &[])
            }
            8 => {
                let by = self.weight(&[1]);
                self.add("Mul", &[&flow, &by], &[])
            }
            // One for each channel: not the same to a plane.
            9 => {
                let by = self.weight(&[channels, 1]);
                self.add("Add", &[&flow, &by], &[])
            }
            10 if self.beside.is_some() => {
                let other = self.beside.take().unwrap();
                if self.dice.below(2) == 0 {
                    self.add("Add", &[&flow, &other], &[])
                } else {
                    channels *= 2;
                    self.add("Concat", &[&flow, &other], &[one("axis", 1)])
                }
            }
            _ => {
                let operator = ["Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Abs"][self.dice.below(6) as usize];
                beside = self.beside.take();
                self.add(operator, &[&flow], &[])
            }
        };
        self.channels = channels;
        self.beside = beside;
    }

    /// The file, which gives its outputs in several ways.
    fn file(mut self, input: &[i64]) -> (Vec<u8>, Vec<String>) {
        let flow = self.flow.clone();
        let pooled = self.add("GlobalAveragePool", &[&flow], &[]);
        let outputs = vec![
            flow.clone(),
            self.add("Flatten", &[&flow], &[]),
            self.add("Flatten", &[&pooled], &[one("axis", 1)]),
            self.add("Transpose", &[&flow], &[numbers("perm", &[0, 2, 1])]),
        ];
        let ranks = [3, 2, 2, 3];
        let values: Vec<_> = outputs
            .iter()
            .zip(ranks)
            .map(|(name, rank)| value(name, F32, &vec![-1; rank]))
            .collect();
        (
            model_of(
                self.version,
                &self.nodes,
                &[value("x", F32, input)],
                &values,
                &self.weights,
            ),
            outputs,
        )
    }
}

fn answers(file: &[u8], optimization: &str, inputs: &Buffer, dims: &[usize]) -> Batch {
    let config = json!({ "graph_optimization": optimization });
    let model = load(file, &config).unwrap();
    let mut batch = Batch::default();
    let mut instance = model.instance(&Device::Cpu).unwrap();
    instance
        .execute(&[inputs.view("x", DType::F32, dims)], &mut batch)
        .unwrap();
    batch
}

#[test]
fn networks_of_all_kinds_give_what_they_gave() {
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let (leads, samples) = ([1, 2, 12][dice.below(3) as usize], 24 + dice.below(40));
        let mut network = Network {
            version: [9, 11, 13, 17][dice.below(4) as usize],
            dice,
            flow: "x".to_owned(),
            channels: leads,
            samples,
            nodes: Vec::new(),
            weights: Vec::new(),
            beside: None,
        };
        for _ in 0..12 {
            network.step();
        }
        let rows = 3;
        let values = network.dice.floats((rows * leads * samples) as usize);
        let (file, outputs) = network.file(&[-1, leads as i64, samples as i64]);
        let inputs = Buffer::f32(&values);
        let dims = [rows as usize, leads as usize, samples as usize];
        let (before, after) = (
            answers(&file, "extended", &inputs, &dims),
            answers(&file, "all", &inputs, &dims),
        );
        for name in &outputs {
            let (before, after) = (before.f32(name), after.f32(name));
            assert_eq!(before.len(), after.len());
            let largest = before.iter().fold(1_f32, |most, value| most.max(value.abs()));
            for (before, after) in before.iter().zip(&after) {
                let difference = (before - after).abs() / largest;
                assert!(difference < 2e-6, "seed {seed}, `{name}`: {before} became {after}");
            }
        }
        for (before, after) in before.outputs.iter().zip(&after.outputs) {
            assert_eq!((&before.0, &before.2), (&after.0, &after.2), "seed {seed}");
        }
    }
}
