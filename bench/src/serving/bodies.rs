//! The same numbers in the words of every server.

use serde_json::json;

/// How a request says its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// The Open Inference Protocol, in JSON.
    V2,
    /// The same with the tensor as bytes behind the JSON.
    V2Binary,
    /// Bytes of `f32` alone.
    Raw,
    /// `{"input": [...]}`.
    Input,
    /// `{"inputs": {"x": [...]}}`, as MLflow's scoring has it.
    Named,
    /// A CSV file in a form.
    Form,
}

/// What is asked: `rows` items of `[leads, samples]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) model: &'static str,
    pub(crate) rows: usize,
    pub(crate) leads: usize,
    pub(crate) samples: usize,
}

/// A request's body with the headers that belong to it.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Item {
    /// Values between 0 and 1 with six digits, as exports have them; always the same.
    fn values(&self) -> Vec<f64> {
        let mut state = 1_u64;
        let next = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % 1_000_000) as f64 / 1e6
        };
        (0..self.rows * self.leads * self.samples).map(next).collect()
    }

    pub(crate) fn body(&self, encoding: Encoding) -> Body {
        let values = self.values();
        let shape = [self.rows, self.leads, self.samples];
        let bytes = || {
            values
                .iter()
                .flat_map(|value| (*value as f32).to_le_bytes())
                .collect::<Vec<u8>>()
        };
        let nested = || -> Vec<Vec<&[f64]>> {
            let rows = values.chunks(self.leads * self.samples);
            rows.map(|row| row.chunks(self.samples).collect()).collect()
        };
        let json = |document: serde_json::Value| (document.to_string().into_bytes(), "application/json");
        let (bytes, content_type) = match encoding {
            Encoding::V2 => {
                json(json!({"inputs": [{"name": "x", "datatype": "FP32", "shape": shape, "data": values}]}))
            }
            Encoding::V2Binary => return binary(shape, &bytes()),
            Encoding::Raw => (bytes(), "application/octet-stream"),
            Encoding::Input => json(json!({"input": nested()})),
            Encoding::Named => json(json!({"inputs": {"x": nested()}})),
            Encoding::Form => (form(&values, self.samples), "multipart/form-data; boundary=edge"),
        };
        Body {
            bytes,
            headers: vec![("content-type", content_type.to_owned())],
        }
    }
}

fn binary(shape: [usize; 3], tensor: &[u8]) -> Body {
    let head = json!({
        "inputs": [{"name": "x", "datatype": "FP32", "shape": shape, "parameters": {"binary_data_size": tensor.len()}}],
        "outputs": [{"name": "probabilities", "parameters": {"binary_data": true}}],
    })
    .to_string()
    .into_bytes();
    let length = head.len();
    let mut bytes = head;
    bytes.extend_from_slice(tensor);
    Body {
        bytes,
        headers: vec![
            ("content-type", "application/octet-stream".to_owned()),
            ("inference-header-content-length", length.to_string()),
        ],
    }
}

fn form(values: &[f64], samples: usize) -> Vec<u8> {
    let line = |row: &[f64]| row.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
    let csv: Vec<String> = values.chunks(samples).map(line).collect();
    let head = "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"beats.csv\"\r\n\r\n";
    format!("{head}{}\r\n--edge--\r\n", csv.join("\n")).into_bytes()
}
