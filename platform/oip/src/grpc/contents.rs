//! Typed contents to bytes.

use super::pb::InferTensorContents;
use crate::datatype::Datatype;
use crate::element::push_whole;
use crate::tensor::push_string;

/// The elements as bytes.
pub(super) fn bytes(datatype: Datatype, contents: &InferTensorContents) -> Result<Vec<u8>, String> {
    let filled = filled(contents);
    let wanted = field(datatype).ok_or("FP16 has no typed contents; send it as raw_input_contents")?;
    if let Some(other) = filled.iter().find(|name| **name != wanted) {
        return Err(format!("{datatype} belongs into `{wanted}`, `{other}` is filled"));
    }
    let mut out = Vec::new();
    match datatype {
        Datatype::Bool => out.extend(contents.bool_contents.iter().map(|truth| u8::from(*truth))),
        Datatype::Int8 | Datatype::Int16 | Datatype::Int32 => {
            for value in &contents.int_contents {
                push_whole(&mut out, datatype, (*value).into())?;
            }
        }
        Datatype::Uint8 | Datatype::Uint16 | Datatype::Uint32 => {
            for value in &contents.uint_contents {
                push_whole(&mut out, datatype, (*value).into())?;
            }
        }
        Datatype::Int64 => out.extend(contents.int64_contents.iter().flat_map(|value| value.to_le_bytes())),
        Datatype::Uint64 => out.extend(contents.uint64_contents.iter().flat_map(|value| value.to_le_bytes())),
        Datatype::Fp32 => out.extend(contents.fp32_contents.iter().flat_map(|value| value.to_le_bytes())),
        Datatype::Fp64 => out.extend(contents.fp64_contents.iter().flat_map(|value| value.to_le_bytes())),
        Datatype::Bytes => contents
            .bytes_contents
            .iter()
            .for_each(|value| push_string(&mut out, value)),
        Datatype::Fp16 => {}
    }
    Ok(out)
}

fn field(datatype: Datatype) -> Option<&'static str> {
    Some(match datatype {
        Datatype::Bool => "bool_contents",
        Datatype::Int8 | Datatype::Int16 | Datatype::Int32 => "int_contents",
        Datatype::Uint8 | Datatype::Uint16 | Datatype::Uint32 => "uint_contents",
        Datatype::Int64 => "int64_contents",
        Datatype::Uint64 => "uint64_contents",
        Datatype::Fp32 => "fp32_contents",
        Datatype::Fp64 => "fp64_contents",
        Datatype::Bytes => "bytes_contents",
        Datatype::Fp16 => return None,
    })
}

fn filled(contents: &InferTensorContents) -> Vec<&'static str> {
    [
        ("bool_contents", contents.bool_contents.is_empty()),
        ("int_contents", contents.int_contents.is_empty()),
        ("int64_contents", contents.int64_contents.is_empty()),
        ("uint_contents", contents.uint_contents.is_empty()),
        ("uint64_contents", contents.uint64_contents.is_empty()),
        ("fp32_contents", contents.fp32_contents.is_empty()),
        ("fp64_contents", contents.fp64_contents.is_empty()),
        ("bytes_contents", contents.bytes_contents.is_empty()),
    ]
    .into_iter()
    .filter(|(_, empty)| !empty)
    .map(|(name, _)| name)
    .collect()
}
