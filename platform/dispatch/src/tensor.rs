//! Tensors on their way through a queue: shared bytes, cut by rows without copying.

use bytes::Bytes;
use einthoven_plugin_host::{DType, Failure, TensorView};
use std::ops::Range;
use std::sync::Arc;

/// A tensor: dense, row-major, little-endian; the first of `dims` is the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// The name the model gives it.
    pub name: Arc<str>,
    /// Element type.
    pub dtype: DType,
    /// Dimensions; the first is the rows.
    pub dims: Vec<usize>,
    /// The elements.
    pub data: Bytes,
}

impl Tensor {
    /// Rows: the first dimension, one where there is none.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.dims.first().copied().unwrap_or(1)
    }

    /// Bytes that the dimensions and the type ask for; none where that is more than can be counted.
    #[must_use]
    pub fn wanted_bytes(&self) -> Option<usize> {
        self.dims
            .iter()
            .try_fold(self.dtype.size(), |product, &dim| product.checked_mul(dim))
    }

    /// As an engine sees it.
    ///
    /// # Errors
    /// `InvalidArgument` when the bytes are not as many as the dimensions say.
    pub fn view(&self) -> Result<TensorView<'_>, Failure> {
        TensorView::new(&self.name, self.dtype, &self.dims, &self.data)
    }

    /// The bytes of some rows, not copied. The rows and the bytes must be what the dimensions say.
    pub(crate) fn cut(&self, rows: &Range<usize>) -> Bytes {
        let row = self.data.len() / self.rows().max(1);
        self.data.slice(rows.start * row..rows.end * row)
    }
}
