//! Tensors as they travel.

use crate::datatype::Datatype;
use crate::error::OipError;
use bytes::Bytes;

/// A tensor: dense, row-major, little-endian; elements of `BYTES` stand each behind its length of four bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Its name in the model.
    pub name: String,
    /// Element type.
    pub datatype: Datatype,
    /// Dimensions.
    pub shape: Vec<usize>,
    /// The elements.
    pub data: Bytes,
}

impl Tensor {
    /// Elements that the shape asks for; none where that is more than can be counted.
    #[must_use]
    pub fn elements(&self) -> Option<usize> {
        elements(&self.shape)
    }

    /// Compares the bytes with type and shape.
    ///
    /// # Errors
    /// [`OipError::Malformed`] naming the tensor, what it has and what it should have.
    pub fn check(&self) -> Result<(), OipError> {
        let Self {
            name,
            datatype,
            shape,
            data,
        } = self;
        let wrong = |detail: String| OipError::malformed("inputs", format!("tensor `{name}`: {detail}"));
        let wanted = self
            .elements()
            .ok_or_else(|| wrong(format!("shape {shape:?} has more elements than can be counted")))?;
        let Some(size) = datatype.size() else {
            let found = strings(data).count();
            let whole = strings(data).all(|string| string.is_some());
            return match (whole, found == wanted) {
                (false, _) => Err(wrong(
                    "a BYTES element is cut off: each is four bytes of length and then as many bytes".to_owned(),
                )),
                (_, false) => Err(wrong(format!(
                    "it has {found} elements, shape {shape:?} asks for {wanted}"
                ))),
                _ => Ok(()),
            };
        };
        if wanted.checked_mul(size) != Some(data.len()) {
            return Err(wrong(format!(
                "it has {} bytes, shape {shape:?} of {datatype} asks for {wanted} elements of {size}",
                data.len()
            )));
        }
        if *datatype == Datatype::Bool && data.iter().any(|byte| *byte > 1) {
            return Err(wrong("a BOOL is a byte that is 0 or 1".to_owned()));
        }
        Ok(())
    }
}

/// Elements of a shape; none where that is more than can be counted.
#[must_use]
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim))
}

/// The elements of `BYTES`; none in the place of one that is cut off, after which nothing follows.
pub(crate) fn strings(data: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((length, after)) = rest.split_first_chunk::<4>() else {
            rest = &[];
            return Some(None);
        };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length > after.len() {
            rest = &[];
            return Some(None);
        }
        let (string, after) = after.split_at(length);
        rest = after;
        Some(Some(string))
    })
}

/// Appends an element of `BYTES`. One of 4 GiB or more cannot come: bodies are bounded far below.
pub(crate) fn push_string(out: &mut Vec<u8>, string: &[u8]) {
    let length = u32::try_from(string.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(string);
}
