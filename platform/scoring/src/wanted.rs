//! What a model takes.

use einthoven_oip::{Datatype, Tensor};

/// An input of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Element type.
    pub datatype: Datatype,
    /// Dimensions of one row; none where any size goes.
    pub row: Vec<Option<usize>>,
}

impl Wanted {
    /// Values of one row, where every dimension of it is known.
    #[must_use]
    pub fn values(&self) -> Option<usize> {
        self.row
            .iter()
            .try_fold(1_usize, |product, dim| product.checked_mul((*dim)?))
    }

    /// A tensor of so many rows from values of equal rows, each nested as `lengths` says.
    pub(crate) fn tensor(
        &self,
        rows: usize,
        lengths: &[usize],
        data: Vec<u8>,
        elements: usize,
    ) -> Result<Tensor, String> {
        let row = self.shape(lengths, elements.checked_div(rows).unwrap_or_default())?;
        let shape: Vec<usize> = std::iter::once(rows).chain(row).collect();
        let tensor = Tensor {
            name: self.name.clone(),
            datatype: self.datatype,
            shape,
            data: data.into(),
        };
        tensor.check().map_err(|cause| cause.to_string())?;
        Ok(tensor)
    }

    /// The shape of one row: as it is nested where the model takes that, else as the model has it, where there are as many values.
    fn shape(&self, lengths: &[usize], values: usize) -> Result<Vec<usize>, String> {
        let fits = lengths.len() == self.row.len()
            && lengths
                .iter()
                .zip(&self.row)
                .all(|(have, want)| want.is_none_or(|want| want == *have));
        if fits {
            return Ok(lengths.to_vec());
        }
        let known: Option<Vec<usize>> = self.row.iter().copied().collect();
        match known {
            Some(row) if lengths.len() <= 1 && self.values() == Some(values) => Ok(row),
            _ => Err(format!(
                "a row of `{}` is {lengths:?}; the model takes {}",
                self.name,
                self.said()
            )),
        }
    }

    /// `[1,187]`, with `?` where any size goes.
    pub(crate) fn said(&self) -> String {
        let dims: Vec<_> = self
            .row
            .iter()
            .map(|dim| dim.map_or("?".to_owned(), |dim| dim.to_string()))
            .collect();
        format!("[{}]", dims.join(","))
    }
}
