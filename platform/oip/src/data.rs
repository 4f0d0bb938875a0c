//! `data` of JSON, nested or flat, straight to bytes and back.

use crate::datatype::Datatype;
use crate::element::{push_float, push_text, push_truth, push_whole};
use crate::tensor::strings;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::io::Write;

/// Lists in lists at most.
const DEEPEST: usize = 16;

/// What a `data` holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Data {
    /// The elements, as [`crate::Tensor`] has them.
    pub bytes: Vec<u8>,
    /// Lengths of the lists, the outermost first.
    pub lengths: Vec<usize>,
    /// How many elements.
    pub elements: usize,
}

/// Reads a `data` of JSON.
///
/// # Errors
/// Says which element is wrong, or that lists of one level differ in length.
pub fn parse_data(datatype: Datatype, json: &str) -> Result<Data, serde_json::Error> {
    Seed { datatype, reserve: 0 }.parse(json)
}

/// Reads a `data` where it stands; room for `reserve` bytes is made beforehand.
pub(crate) struct Seed {
    pub(crate) datatype: Datatype,
    pub(crate) reserve: usize,
}

impl Seed {
    /// Reads a `data` that stands by itself.
    pub(crate) fn parse(self, json: &str) -> Result<Data, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let data = self.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(data)
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Data;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Data, D::Error> {
        let mut sink = Sink {
            datatype: self.datatype,
            data: Data {
                bytes: Vec::with_capacity(self.reserve),
                ..Data::default()
            },
            leaves_at: None,
        };
        deserializer.deserialize_seq(Level {
            sink: &mut sink,
            depth: 0,
        })?;
        // Levels below an empty list are not known.
        sink.data.lengths.truncate(sink.leaves_at.unwrap_or(usize::MAX));
        Ok(sink.data)
    }
}

struct Sink {
    datatype: Datatype,
    data: Data,
    /// Lists around each element, once there is one.
    leaves_at: Option<usize>,
}

impl Sink {
    #[inline]
    fn leaf<E: Error>(&mut self, depth: usize, pushed: Result<(), String>) -> Result<(), E> {
        let element = self.data.elements;
        pushed.map_err(|why| E::custom(format_args!("element {element}: {why}")))?;
        if *self.leaves_at.get_or_insert(depth) != depth {
            return Err(E::custom(format_args!(
                "element {element} stands in more or fewer lists than those before it"
            )));
        }
        self.data.elements += 1;
        Ok(())
    }
}

/// One element or list within `depth` lists.
struct Level<'s> {
    sink: &'s mut Sink,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.sink.datatype == Datatype::Fp64 {
            // The quick way may be off by the last bit of a double.
            let text = <&RawValue as serde::Deserialize>::deserialize(deserializer)?.get();
            if text.starts_with('[') {
                let mut nested = serde_json::Deserializer::from_str(text);
                return nested.deserialize_seq(self).map_err(D::Error::custom);
            }
            let pushed = match text.parse::<f64>() {
                Ok(value) if value.is_finite() => push_float(&mut self.sink.data.bytes, Datatype::Fp64, value),
                Ok(_) => Err(format!("{text} is beyond FP64")),
                Err(_) => Err("not a number where FP64 was to be".to_owned()),
            };
            return self.sink.leaf(self.depth, pushed);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.depth == 0 {
            out.write_str("a list")
        } else {
            write!(out, "elements of {} in lists of equal lengths", self.sink.datatype)
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let pushed = push_float(&mut self.sink.data.bytes, self.sink.datatype, value);
        self.sink.leaf(self.depth, pushed)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        let pushed = push_whole(&mut self.sink.data.bytes, self.sink.datatype, value.into());
        self.sink.leaf(self.depth, pushed)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        let pushed = push_whole(&mut self.sink.data.bytes, self.sink.datatype, value.into());
        self.sink.leaf(self.depth, pushed)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        let pushed = push_truth(&mut self.sink.data.bytes, self.sink.datatype, value);
        self.sink.leaf(self.depth, pushed)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        let pushed = push_text(&mut self.sink.data.bytes, self.sink.datatype, value.as_bytes());
        self.sink.leaf(self.depth, pushed)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        let why = "null is no number; what is not a number can be sent as binary data".to_owned();
        self.sink.leaf(self.depth, Err(why))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { sink, depth } = self;
        if depth == DEEPEST {
            return Err(A::Error::custom(format_args!("more than {DEEPEST} lists in lists")));
        }
        if sink.leaves_at.is_some_and(|at| at <= depth) {
            return Err(A::Error::custom(format_args!(
                "after element {} comes a list where an element was to be",
                sink.data.elements
            )));
        }
        let mut length = 0;
        while list
            .next_element_seed(Level {
                sink: &mut *sink,
                depth: depth + 1,
            })?
            .is_some()
        {
            length += 1;
        }
        match sink.data.lengths.get(depth) {
            Some(before) if *before == usize::MAX => sink.data.lengths[depth] = length,
            Some(before) if *before != length => {
                return Err(A::Error::custom(format_args!(
                    "lists of one level have different lengths: {before} and {length}"
                )));
            }
            Some(_) => {}
            None => {
                // The inner lists end first.
                sink.data.lengths.resize(depth, usize::MAX);
                sink.data.lengths.push(length);
            }
        }
        Ok(())
    }
}

/// Writes a flat `data` of JSON. JSON has neither "not a number" nor infinity: `null` stands in their place.
pub fn write_data(out: &mut Vec<u8>, datatype: Datatype, data: &[u8]) {
    out.push(b'[');
    let start = out.len();
    macro_rules! each {
        ($kind:ty) => {
            for chunk in data.as_chunks::<{ size_of::<$kind>() }>().0 {
                // Writing to memory does not fail; numbers that are not finite are written as null.
                let _ = serde_json::to_writer(&mut *out, &<$kind>::from_le_bytes(*chunk));
                out.push(b',');
            }
        };
    }
    match datatype {
        Datatype::Bool => {
            for byte in data {
                let _ = write!(out, "{},", *byte != 0);
            }
        }
        Datatype::Int8 => each!(i8),
        Datatype::Int16 => each!(i16),
        Datatype::Int32 => each!(i32),
        Datatype::Int64 => each!(i64),
        Datatype::Uint8 => each!(u8),
        Datatype::Uint16 => each!(u16),
        Datatype::Uint32 => each!(u32),
        Datatype::Uint64 => each!(u64),
        Datatype::Fp32 => each!(f32),
        Datatype::Fp64 => each!(f64),
        Datatype::Fp16 => {
            for chunk in data.as_chunks::<2>().0 {
                let _ = serde_json::to_writer(&mut *out, &half::f16::from_le_bytes(*chunk).to_f32());
                out.push(b',');
            }
        }
        Datatype::Bytes => {
            for string in strings(data).flatten() {
                let _ = serde_json::to_writer(&mut *out, &String::from_utf8_lossy(string));
                out.push(b',');
            }
        }
    }
    if out.len() > start {
        out.pop();
    }
    out.push(b']');
}
