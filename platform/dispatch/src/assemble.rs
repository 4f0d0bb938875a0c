//! Rows of several calls put together, and their outputs cut apart.

use crate::pending::Pending;
use crate::schedule::Piece;
use crate::tensor::Tensor;
use bytes::Bytes;
use einthoven_plugin_host::{Failure, Outputs, TensorSpec};
use std::ops::Range;
use std::sync::Arc;

/// Where engines expect their inputs to begin.
const ALIGNED: usize = 8;

/// Bytes that a thread keeps for the next batch.
const KEPT_BYTES: usize = 4 << 20;

/// Memory that inputs are copied together in, and names that were seen; used again and again by one thread.
#[derive(Default)]
pub(crate) struct Scratch {
    inputs: Vec<Words>,
    names: Vec<Arc<str>>,
}

/// Whole words, so that a view of any element type is aligned.
#[derive(Default)]
struct Words {
    words: Vec<u64>,
    bytes: usize,
}

impl Words {
    fn clear(&mut self) {
        if self.words.len() * ALIGNED > KEPT_BYTES {
            self.words = Vec::new();
        }
        self.bytes = 0;
    }

    fn push(&mut self, more: &[u8]) {
        let end = self.bytes + more.len();
        if self.words.len() * ALIGNED < end {
            self.words.resize(end.div_ceil(ALIGNED).next_power_of_two(), 0);
        }
        bytemuck::cast_slice_mut::<u64, u8>(&mut self.words)[self.bytes..end].copy_from_slice(more);
        self.bytes = end;
    }

    fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.bytes]
    }
}

/// One input of a batch.
pub(crate) struct Input<'a> {
    pub(crate) dims: Vec<usize>,
    pub(crate) bytes: &'a [u8],
}

/// The inputs of a batch, in the model's order. A piece that is a batch by itself is not copied, if it is aligned.
pub(crate) fn assemble<'a>(
    specs: &[TensorSpec],
    pieces: &'a [Piece<Arc<Pending>>],
    rows: usize,
    scratch: &'a mut Scratch,
) -> Result<Vec<Input<'a>>, Failure> {
    scratch.inputs.resize_with(specs.len(), Words::default);
    let each = scratch.inputs.iter_mut().enumerate().map(|(index, words)| {
        let missing = || Failure::internal("a call lost one of its inputs");
        let input = |piece: &'a Piece<Arc<Pending>>| piece.payload.inputs.get(index).ok_or_else(missing);
        let first = input(pieces.first().ok_or_else(missing)?)?;
        let mut dims = first.dims.clone();
        if let [only] = pieces
            && let whole = only.rows.len() == only.payload.rows
            && let bytes = if whole {
                &first.data[..]
            } else {
                rows_of(first, &only.rows)?
            }
            && bytes.as_ptr().addr() % ALIGNED == 0
        {
            if !whole && let Some(first) = dims.first_mut() {
                *first = rows;
            }
            return Ok(Input { dims, bytes });
        }
        words.clear();
        for piece in pieces {
            let tensor = input(piece)?;
            let whole = piece.rows.len() == piece.payload.rows;
            words.push(if whole {
                &tensor.data[..]
            } else {
                rows_of(tensor, &piece.rows)?
            });
        }
        if pieces.len() > 1 || pieces.iter().any(|piece| piece.rows.len() != piece.payload.rows) {
            *dims.first_mut().ok_or_else(missing)? = rows;
        }
        Ok(Input {
            dims,
            bytes: words.bytes(),
        })
    });
    each.collect()
}

fn rows_of<'a>(tensor: &'a Tensor, rows: &Range<usize>) -> Result<&'a [u8], Failure> {
    let row = tensor.data.len() / tensor.rows().max(1);
    let bytes = tensor.data.get(rows.start * row..rows.end * row);
    bytes.ok_or_else(|| Failure::internal("rows of a call lie outside its input"))
}

/// One output, kept as long as somebody has rows of it.
struct Filled(Arc<Outputs>, usize);

impl AsRef<[u8]> for Filled {
    fn as_ref(&self) -> &[u8] {
        self.0.all().get(self.1).map_or(&[], |output| output.bytes())
    }
}

/// All outputs of a batch.
pub(crate) fn whole(outputs: &Arc<Outputs>, scratch: &mut Scratch) -> Vec<Tensor> {
    let each = outputs.all().iter().enumerate().map(|(index, output)| Tensor {
        name: scratch.name(&output.name),
        dtype: output.dtype,
        dims: output.dims.clone(),
        data: Bytes::from_owner(Filled(Arc::clone(outputs), index)),
    });
    each.collect()
}

/// Some rows of all outputs, not copied.
pub(crate) fn cut(outputs: &[Tensor], rows: &Range<usize>) -> Vec<Tensor> {
    let each = outputs.iter().map(|output| {
        let mut dims = output.dims.clone();
        if let Some(first) = dims.first_mut() {
            *first = rows.len();
        }
        Tensor {
            name: Arc::clone(&output.name),
            dtype: output.dtype,
            dims,
            data: output.cut(rows),
        }
    });
    each.collect()
}

impl Scratch {
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.iter().find(|known| ***known == *name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        // An engine that makes up a name a batch must not fill the memory.
        if self.names.len() < 1024 {
            self.names.push(Arc::clone(&new));
        }
        new
    }
}
