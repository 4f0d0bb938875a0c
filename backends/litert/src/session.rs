//! A compiled model with buffers for the shapes it is set to.

use crate::runtime::{CompiledModel, Graph, TensorBuffer};
use einthoven_plugin_sdk::{Failure, Signature};
use std::sync::Arc;

/// Runs one signature at shapes that may change from run to run.
pub(crate) struct Session {
    compiled: CompiledModel,
    signature: Arc<Signature>,
    /// Shapes of the inputs that memory is laid out for; empty when there are none, or a change failed halfway.
    shapes: Vec<Vec<usize>>,
    inputs: Vec<TensorBuffer>,
    outputs: Vec<TensorBuffer>,
    output_shapes: Vec<Vec<usize>>,
}

impl Session {
    pub(crate) fn new(
        graph: &Arc<Graph>,
        index: usize,
        threads: u32,
        signature: Arc<Signature>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            compiled: CompiledModel::new(graph, index, threads)?,
            signature,
            shapes: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            output_shapes: Vec::new(),
        })
    }

    /// Sets the inputs' shapes, in the signature's order.
    pub(crate) fn shape<'s>(&mut self, shapes: impl Iterator<Item = &'s [usize]> + Clone) -> Result<(), Failure> {
        if self.shapes.iter().map(Vec::as_slice).eq(shapes.clone()) {
            return Ok(());
        }
        self.shapes.clear();
        // A scalar has no other shape.
        for (index, dims) in shapes.clone().enumerate().filter(|(_, dims)| !dims.is_empty()) {
            self.compiled.resize(index, dims)?;
        }
        let output_shapes = self.compiled.layout(self.signature.outputs.len())?;
        self.inputs = self
            .signature
            .inputs
            .iter()
            .zip(shapes.clone())
            .map(|(spec, dims)| self.compiled.buffer(spec.dtype, dims))
            .collect::<Result<_, _>>()?;
        self.outputs = self
            .signature
            .outputs
            .iter()
            .zip(&output_shapes)
            .map(|(spec, dims)| self.compiled.buffer(spec.dtype, dims))
            .collect::<Result<_, _>>()?;
        self.output_shapes = output_shapes;
        self.shapes = shapes.map(<[usize]>::to_vec).collect();
        Ok(())
    }

    /// Where an input's elements go; the shapes are set.
    pub(crate) fn input(&mut self, index: usize) -> &mut [u8] {
        self.inputs[index].bytes_mut()
    }

    /// Runs once.
    pub(crate) fn run(&mut self) -> Result<(), Failure> {
        self.compiled.run(&mut self.inputs, &mut self.outputs)
    }

    /// An output's shape and elements.
    pub(crate) fn output(&self, index: usize) -> (&[usize], &[u8]) {
        (&self.output_shapes[index], self.outputs[index].bytes())
    }
}
