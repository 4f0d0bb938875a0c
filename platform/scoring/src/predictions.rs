//! Answers.

use einthoven_oip::{Datatype, write_data};

/// One output.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// Its name in the model.
    pub name: &'a str,
    /// Element type.
    pub datatype: Datatype,
    /// Dimensions; the first is the rows.
    pub shape: &'a [usize],
    /// The elements, little-endian.
    pub data: &'a [u8],
}

/// `{"predictions": ...}`: the nested list of a single output, or an object with one for each.
#[must_use]
pub fn write_predictions(columns: &[Column<'_>]) -> Vec<u8> {
    let mut out = b"{\"predictions\":".to_vec();
    if let [column] = columns {
        column.write(&mut out);
    } else {
        out.push(b'{');
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            // Writing to memory does not fail.
            let _ = serde_json::to_writer(&mut out, column.name);
            out.push(b':');
            column.write(&mut out);
        }
        out.push(b'}');
    }
    out.push(b'}');
    out
}

impl Column<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        nested(out, self.datatype, self.shape, self.data);
    }
}

fn nested(out: &mut Vec<u8>, datatype: Datatype, shape: &[usize], data: &[u8]) {
    // Elements of varying length are not cut by counting; engines have none.
    let [first, rest @ ..] = shape else {
        return write_data(out, datatype, data);
    };
    if rest.is_empty() || datatype.size().is_none() {
        return write_data(out, datatype, data);
    }
    out.push(b'[');
    let each = data.len().checked_div(*first).unwrap_or_default();
    for index in 0..*first {
        if index > 0 {
            out.push(b',');
        }
        nested(
            out,
            datatype,
            rest,
            data.get(index * each..(index + 1) * each).unwrap_or_default(),
        );
    }
    out.push(b']');
}
