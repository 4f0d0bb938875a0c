//! Output buffers that the host owns and an engine fills.

use einthoven_plugin_sdk::{Call, Code, DType, Failure};
use std::time::Instant;

/// Bytes all outputs of one batch may take together.
const OUTPUT_LIMIT_BYTES: usize = 1 << 30;

/// One filled output.
#[derive(Debug)]
pub struct Output {
    /// The name the model gives it.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Dimensions.
    pub dims: Vec<usize>,
    // Words rather than bytes, so that a view of any element type is aligned.
    words: Vec<u64>,
    len_bytes: usize,
}

impl Output {
    /// The elements' bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len_bytes]
    }

    /// The elements as `f32`.
    ///
    /// # Errors
    /// `InvalidArgument` when the output holds another type.
    pub fn as_f32(&self) -> Result<&[f32], Failure> {
        if self.dtype != DType::F32 {
            let text = format!("output `{}` holds {}, not f32", self.name, self.dtype);
            return Err(Failure::new(Code::InvalidArgument, text));
        }
        Ok(bytemuck::cast_slice(self.bytes()))
    }
}

/// What one batch gave: outputs, and the items that failed.
#[derive(Debug, Default)]
pub struct Outputs {
    outputs: Vec<Output>,
    failed: Vec<(usize, Failure)>,
    deadline: Option<Instant>,
}

impl Outputs {
    pub(crate) fn until(deadline: Option<Instant>) -> Self {
        Self {
            deadline,
            ..Self::default()
        }
    }

    /// The output of that name.
    ///
    /// # Errors
    /// `NotFound` when the engine did not give it.
    pub fn get(&self, name: &str) -> Result<&Output, Failure> {
        self.outputs
            .iter()
            .find(|output| output.name == name)
            .ok_or_else(|| Failure::new(Code::NotFound, format!("the model gave no output `{name}`")))
    }

    /// Items of the batch that failed, by position.
    #[must_use]
    pub fn failed(&self) -> &[(usize, Failure)] {
        &self.failed
    }
}

impl Call for Outputs {
    fn output(&mut self, name: &str, dtype: DType, dims: &[usize]) -> Result<&mut [u8], Failure> {
        if self.outputs.iter().any(|output| output.name == name) {
            return Err(Failure::new(
                Code::InvalidArgument,
                format!("output `{name}` was asked for twice"),
            ));
        }
        let used: usize = self.outputs.iter().map(|output| output.len_bytes).sum();
        let bytes = dims
            .iter()
            .try_fold(dtype.size(), |product, &dim| product.checked_mul(dim))
            .filter(|bytes| *bytes <= OUTPUT_LIMIT_BYTES - used)
            .ok_or_else(|| {
                let text = format!(
                    "output `{name}` of shape {dims:?} is above the bound of {OUTPUT_LIMIT_BYTES} bytes a batch"
                );
                Failure::new(Code::ResourceExhausted, text)
            })?;
        self.outputs.push(Output {
            name: name.to_owned(),
            dtype,
            dims: dims.to_vec(),
            words: vec![0; bytes.div_ceil(8)],
            len_bytes: bytes,
        });
        let last = self.outputs.len() - 1;
        Ok(&mut bytemuck::cast_slice_mut(&mut self.outputs[last].words)[..bytes])
    }

    fn fail_item(&mut self, item: usize, failure: Failure) {
        self.failed.push((item, failure));
    }

    fn cancelled(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_zeroed_and_given_once() {
        let mut outputs = Outputs::default();
        let buffer = outputs.output("y", DType::F32, &[3]).unwrap();
        assert_eq!(buffer, [0; 12]);
        buffer[..4].copy_from_slice(&2.5_f32.to_le_bytes());
        assert_eq!(
            outputs.output("y", DType::F32, &[1]).unwrap_err().code,
            Code::InvalidArgument
        );
        assert_eq!(outputs.get("y").unwrap().as_f32().unwrap(), [2.5, 0.0, 0.0]);
        assert_eq!(outputs.get("z").unwrap_err().code, Code::NotFound);
    }

    #[test]
    fn a_huge_output_is_refused_before_memory_is_taken() {
        let mut outputs = Outputs::default();
        for dims in [&[usize::MAX, 4][..], &[1 << 40][..]] {
            assert_eq!(
                outputs.output("y", DType::I64, dims).unwrap_err().code,
                Code::ResourceExhausted
            );
        }
    }
}
