//! The file: what is multiplied and added.

use einthoven_plugin_sdk::{DType, Failure, Signature, TensorSpec};

/// A model read from its file.
#[derive(Clone)]
pub(crate) struct Gain {
    pub(crate) width: usize,
    pub(crate) scale: f32,
    pub(crate) bias: f32,
    pub(crate) signature: Signature,
}

/// Values of one item above which a file is not believed.
const WIDEST: usize = 65_536;

impl Gain {
    pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::invalid(format!("`{name}`: {what}"));
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("is not UTF-8"))?;
        let number = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
            let value = line.and_then(|value| value.trim().parse::<f32>().ok());
            value
                .filter(|value| value.is_finite())
                .ok_or_else(|| wrong(&format!("there is no line `{key} NUMBER`")))
        };
        let width = number("width")?;
        if width.fract() != 0.0 || !(1.0..=WIDEST as f32).contains(&width) {
            return Err(wrong(&format!("`width` must be a whole number from 1 to {WIDEST}")));
        }
        let width = width as usize;
        let spec = |name: &str| TensorSpec {
            name: name.to_owned(),
            dtype: DType::F32,
            dims: vec![None, Some(width)],
        };
        Ok(Self {
            width,
            scale: number("scale")?,
            bias: number("bias")?,
            signature: Signature {
                inputs: vec![spec("x")],
                outputs: vec![spec("y")],
            },
        })
    }
}
