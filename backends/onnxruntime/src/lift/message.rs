//! A protobuf message as its fields, so that it can be changed in one place and keep all the rest, known here or not.

use prost::{decode_length_delimiter, encode_length_delimiter};

/// One field as it stands in a message.
pub(super) struct Field<'a> {
    pub(super) tag: usize,
    /// The whole field.
    pub(super) bytes: &'a [u8],
    /// What it holds, where that is a text, bytes or a message.
    pub(super) content: &'a [u8],
}

/// The fields of a message in their order; none where it is damaged, or holds groups, which ONNX has none of.
pub(super) fn fields(message: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut rest = message;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let start = rest;
        // A key is a number like a length.
        let key = number(&mut rest)?;
        let size = match key & 7 {
            0 => {
                number(&mut rest)?;
                0
            }
            1 => 8,
            2 => number(&mut rest)?,
            5 => 4,
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(size)?;
        rest = after;
        fields.push(Field {
            tag: key >> 3,
            bytes: &start[..start.len() - rest.len()],
            content,
        });
    }
    Some(fields)
}

fn number(bytes: &mut &[u8]) -> Option<usize> {
    decode_length_delimiter(bytes).ok()
}

/// Adds a field that holds a text, bytes or a message.
pub(super) fn put(message: &mut Vec<u8>, tag: usize, content: &[u8]) {
    put_number(message, tag << 3 | 2);
    put_number(message, content.len());
    message.extend_from_slice(content);
}

fn put_number(message: &mut Vec<u8>, value: usize) {
    // A vector takes as much as is put into it.
    let _ = encode_length_delimiter(value, message);
}
