//! Whether a call's inputs are what the model takes; nothing that is not gets into a queue.

use crate::tensor::Tensor;
use einthoven_plugin_host::{Failure, Signature, TensorSpec};
use std::sync::Arc;

/// A call's inputs in the model's order.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
    /// Sizes of a row that the model leaves open.
    pub(crate) shape: Arc<[usize]>,
}

/// What a queue knows of its model.
#[derive(Debug)]
pub(crate) struct Takes {
    pub(crate) signature: Signature,
    /// Whether rows of several calls may run together: every input and output begins with an open dimension, the rows.
    pub(crate) batches: bool,
    fixed: Arc<[usize]>,
}

impl Takes {
    pub(crate) fn new(signature: Signature) -> Self {
        let by_rows = |specs: &[TensorSpec]| specs.iter().all(|spec| spec.dims.first() == Some(&None));
        Self {
            batches: by_rows(&signature.inputs) && by_rows(&signature.outputs) && !signature.inputs.is_empty(),
            fixed: Arc::from([]),
            signature,
        }
    }

    /// The inputs in the model's order, with what a queue must know of them.
    ///
    /// # Errors
    /// `InvalidArgument` saying which input is missing, unknown, given twice, or not what the model takes.
    pub(crate) fn check(&self, mut inputs: Vec<Tensor>) -> Result<Checked, Failure> {
        let specs = &self.signature.inputs;
        for (place, spec) in specs.iter().enumerate() {
            let found = inputs.iter().skip(place).position(|tensor| *tensor.name == *spec.name);
            let Some(found) = found else {
                return Err(Failure::invalid(format!(
                    "input `{}` is missing; the model takes {}",
                    spec.name, self.signature
                )));
            };
            inputs.swap(place, place + found);
            let view = inputs[place].view()?;
            spec.pick(&[view])?;
        }
        if let Some(more) = inputs.get(specs.len()) {
            let twice = specs.iter().any(|spec| *spec.name == *more.name);
            let what = if twice {
                "is given twice"
            } else {
                "is not one of the model's"
            };
            return Err(Failure::invalid(format!(
                "input `{}` {what}; the model takes {}",
                more.name, self.signature
            )));
        }
        let rows = inputs.first().map_or(1, Tensor::rows);
        if self.batches {
            if let Some(other) = inputs.iter().find(|tensor| tensor.rows() != rows) {
                return Err(Failure::invalid(format!(
                    "input `{}` has {} rows, input `{}` has {rows}; all must have the same",
                    other.name,
                    other.rows(),
                    inputs[0].name
                )));
            }
            if rows == 0 {
                return Err(Failure::invalid("the inputs have no rows; send at least one"));
            }
        }
        Ok(Checked {
            shape: self.open_sizes(&inputs),
            rows: rows.max(1),
            bytes: inputs.iter().map(|tensor| tensor.data.len()).sum(),
            inputs,
        })
    }

    fn open_sizes(&self, inputs: &[Tensor]) -> Arc<[usize]> {
        let open = self.signature.inputs.iter().zip(inputs).flat_map(|(spec, tensor)| {
            let sizes = spec.dims.iter().zip(&tensor.dims).skip(1);
            sizes.filter(|(wanted, _)| wanted.is_none()).map(|(_, size)| *size)
        });
        let mut open = open.peekable();
        if open.peek().is_none() {
            return Arc::clone(&self.fixed);
        }
        open.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use einthoven_plugin_host::DType;

    fn takes() -> Takes {
        let spec = |name: &str, dims: &[Option<usize>]| TensorSpec {
            name: name.to_owned(),
            dtype: DType::F32,
            dims: dims.to_vec(),
        };
        Takes::new(Signature {
            inputs: vec![spec("a", &[None, Some(2)]), spec("b", &[None, None])],
            outputs: vec![spec("y", &[None])],
        })
    }

    fn tensor(name: &str, dims: &[usize]) -> Tensor {
        Tensor {
            name: name.into(),
            dtype: DType::F32,
            dims: dims.to_vec(),
            data: vec![0; dims.iter().product::<usize>() * 4].into(),
        }
    }

    #[test]
    fn inputs_come_in_any_order_and_keep_their_open_sizes() {
        let checked = takes().check(vec![tensor("b", &[3, 7]), tensor("a", &[3, 2])]).unwrap();
        assert_eq!(&*checked.inputs[0].name, "a");
        assert_eq!((checked.rows, checked.bytes, &*checked.shape), (3, 3 * 9 * 4, &[7][..]));
    }

    #[test]
    fn what_the_model_does_not_take_is_refused_in_words() {
        let refused = |inputs: Vec<Tensor>| takes().check(inputs).unwrap_err().message;
        let (a, b) = (tensor("a", &[3, 2]), tensor("b", &[3, 7]));
        assert!(refused(vec![a.clone()]).contains("`b` is missing"));
        assert!(refused(vec![a.clone(), b.clone(), tensor("c", &[3])]).contains("`c` is not one"));
        assert!(refused(vec![a.clone(), b.clone(), a.clone()]).contains("`a` is given twice"));
        assert!(refused(vec![tensor("a", &[3, 3]), b.clone()]).contains("wants"));
        assert!(refused(vec![tensor("a", &[4, 2]), b.clone()]).contains("rows"));
        assert!(refused(vec![tensor("a", &[0, 2]), tensor("b", &[0, 1])]).contains("no rows"));
        let mut short = a;
        short.data.truncate(20);
        assert!(refused(vec![short, b]).contains("does not fit 20 bytes"));
    }
}
