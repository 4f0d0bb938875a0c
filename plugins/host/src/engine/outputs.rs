//! Output buffers that the host owns and an engine fills.

use einthoven_plugin_sdk::{Code, DType, Failure, TensorSpec};

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
}

impl Outputs {
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

    /// All outputs, in the order in which the engine gave them.
    #[must_use]
    pub fn all(&self) -> &[Output] {
        &self.outputs
    }

    /// Items of the batch that failed, by position.
    #[must_use]
    pub fn failed(&self) -> &[(usize, Failure)] {
        &self.failed
    }

    /// A zeroed buffer for one output.
    ///
    /// # Errors
    /// `ResourceExhausted` above the bound, `InvalidArgument` for a name that is there already.
    pub fn add(&mut self, name: &str, dtype: DType, dims: &[usize]) -> Result<&mut [u8], Failure> {
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

    /// Marks one item as failed.
    pub fn fail_item(&mut self, item: usize, failure: Failure) {
        self.failed.push((item, failure));
    }

    /// Whether these are the outputs a signature promises for a batch of `rows`.
    pub(super) fn fit(&self, specs: &[TensorSpec], rows: Option<usize>) -> Result<(), Failure> {
        for spec in specs {
            let output = self.get(&spec.name)?;
            let sizes = output.dims.iter().zip(&spec.dims).enumerate();
            // An open first dimension is the batch.
            let fits = output.dtype == spec.dtype
                && output.dims.len() == spec.dims.len()
                && sizes.into_iter().all(|(axis, (have, want))| match (axis, want) {
                    (_, Some(want)) => have == want,
                    (0, None) => rows.is_none_or(|rows| *have == rows),
                    (_, None) => true,
                });
            if !fits {
                let text = format!(
                    "output `{}` came as {} {:?}, the model promised {} {:?}",
                    spec.name, output.dtype, output.dims, spec.dtype, spec.dims
                );
                return Err(Failure::internal(text));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_zeroed_and_given_once() {
        let mut outputs = Outputs::default();
        let buffer = outputs.add("y", DType::F32, &[3]).unwrap();
        assert_eq!(buffer, [0; 12]);
        buffer[..4].copy_from_slice(&2.5_f32.to_le_bytes());
        assert_eq!(
            outputs.add("y", DType::F32, &[1]).unwrap_err().code,
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
                outputs.add("y", DType::I64, dims).unwrap_err().code,
                Code::ResourceExhausted
            );
        }
    }
}
