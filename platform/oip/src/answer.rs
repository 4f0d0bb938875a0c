//! Answers: outputs as JSON, or as bytes behind JSON.

use crate::data::write_data;
use crate::datatype::Datatype;
use bytes::Bytes;

/// Outputs of a request, on their way out.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// The model.
    pub model_name: &'a str,
    /// Its version that computed.
    pub model_version: &'a str,
    /// The caller's name for the request.
    pub id: Option<&'a str>,
    /// The outputs that were wanted.
    pub outputs: Vec<Output<'a>>,
}

/// One output.
#[derive(Debug, Clone)]
pub struct Output<'a> {
    /// Its name in the model.
    pub name: &'a str,
    /// Element type.
    pub datatype: Datatype,
    /// Dimensions.
    pub shape: &'a [usize],
    /// The elements, as [`crate::Tensor`] has them.
    pub data: &'a Bytes,
    /// Whether it goes out as bytes.
    pub binary: bool,
}

/// A body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// All of it.
    pub body: Bytes,
    /// Bytes of JSON at its beginning, where tensors follow.
    pub header_length: Option<usize>,
}

impl Answer<'_> {
    /// The body.
    #[must_use]
    pub fn write(&self) -> Written {
        let size = |output: &Output<'_>| 128 + output.data.len() * if output.binary { 1 } else { 4 };
        let mut out = Vec::with_capacity(160 + self.outputs.iter().map(size).sum::<usize>());
        out.extend_from_slice(b"{\"model_name\":");
        text(&mut out, self.model_name);
        out.extend_from_slice(b",\"model_version\":");
        text(&mut out, self.model_version);
        if let Some(id) = self.id {
            out.extend_from_slice(b",\"id\":");
            text(&mut out, id);
        }
        out.extend_from_slice(b",\"outputs\":[");
        for (index, output) in self.outputs.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            output.write(&mut out);
        }
        out.extend_from_slice(b"]}");
        let behind = self.outputs.iter().any(|output| output.binary);
        let header_length = behind.then_some(out.len());
        for output in self.outputs.iter().filter(|output| output.binary) {
            out.extend_from_slice(output.data);
        }
        Written {
            body: out.into(),
            header_length,
        }
    }
}

impl Output<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"name\":");
        text(out, self.name);
        out.extend_from_slice(b",\"datatype\":\"");
        out.extend_from_slice(self.datatype.name().as_bytes());
        out.extend_from_slice(b"\",\"shape\":");
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(&mut *out, self.shape);
        if self.binary {
            out.extend_from_slice(b",\"parameters\":{\"binary_data_size\":");
            let _ = serde_json::to_writer(&mut *out, &self.data.len());
            out.extend_from_slice(b"}}");
        } else {
            out.extend_from_slice(b",\"data\":");
            write_data(out, self.datatype, self.data);
            out.push(b'}');
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(out, text);
}
