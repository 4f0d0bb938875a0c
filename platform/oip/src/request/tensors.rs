//! The inputs of a request in JSON. Data goes straight into bytes where its type stands before it, as clients write it;
//! where it does not, it is kept until the type is known.

use crate::data::{Data, Seed};
use crate::datatype::Datatype;
use crate::parameter::Parameters;
use crate::tensor::{Tensor, elements};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Bytes that are made room for beforehand, over all tensors of a request: what a shape says may be a lie.
const RESERVED: usize = 1 << 20;

/// Where the elements of a tensor are.
pub(super) enum Place {
    /// In the tensor.
    Here,
    /// So many bytes behind the JSON.
    Behind(usize),
}

/// The inputs, in their order.
pub(super) struct Inputs(pub(super) Vec<(Tensor, Place)>);

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(List)
    }
}

struct List;

impl<'de> Visitor<'de> for List {
    type Value = Inputs;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("`inputs`, a list of tensors")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Inputs, A::Error> {
        let (mut inputs, mut left) = (Vec::new(), RESERVED);
        while let Some(input) = list.next_element_seed(Input { left: &mut left })? {
            inputs.push(input);
        }
        Ok(Inputs(inputs))
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Name,
    Shape,
    Datatype,
    Parameters,
    Data,
    #[serde(other)]
    Other,
}

struct Input<'l> {
    left: &'l mut usize,
}

impl<'de> serde::de::DeserializeSeed<'de> for Input<'_> {
    type Value = (Tensor, Place);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Input<'_> {
    type Value = (Tensor, Place);

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a tensor: an object of name, shape, datatype and data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut name, mut shape, mut datatype) = (None::<String>, None::<Vec<usize>>, None::<Datatype>);
        let (mut data, mut kept, mut parameters) = (None::<Data>, None::<&RawValue>, Parameters::new());
        while let Some(field) = map.next_key()? {
            match field {
                Field::Name => name = Some(map.next_value()?),
                Field::Shape => shape = Some(map.next_value()?),
                Field::Datatype => datatype = Some(map.next_value()?),
                Field::Parameters => parameters = map.next_value()?,
                Field::Data if data.is_some() || kept.is_some() => return Err(A::Error::duplicate_field("data")),
                Field::Data => match datatype {
                    Some(datatype) => {
                        let reserve = asked(datatype, shape.as_deref().unwrap_or_default()).min(*self.left);
                        *self.left -= reserve;
                        data = Some(map.next_value_seed(Seed { datatype, reserve })?);
                    }
                    None => kept = Some(map.next_value()?),
                },
                Field::Other => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        let name = name.ok_or_else(|| A::Error::missing_field("name"))?;
        let of = |why: &dyn fmt::Display| A::Error::custom(format_args!("tensor `{name}`: {why}"));
        let shape = shape.ok_or_else(|| of(&"`shape` is missing"))?;
        let datatype = datatype.ok_or_else(|| of(&"`datatype` is missing"))?;
        if let Some(text) = kept {
            let text = text.get();
            // A request cannot have more made room for than it sent.
            let reserve = asked(datatype, &shape).min(text.len());
            data = Some(Seed { datatype, reserve }.parse(text).map_err(|cause| of(&cause))?);
        }
        if parameters.contains_key("shared_memory_region") {
            return Err(of(&"shared memory is not offered; send the data in the body"));
        }
        let behind = match parameters.get("binary_data_size") {
            None => None,
            Some(size) => {
                let size = size.count().and_then(|size| usize::try_from(size).ok());
                Some(size.ok_or_else(|| of(&"`binary_data_size` must be a whole number of bytes"))?)
            }
        };
        let (bytes, place) = match (data, behind) {
            (Some(_), Some(_)) => return Err(of(&"it has `data` and `binary_data_size`; leave one of them out")),
            (None, None) => return Err(of(&"`data` is missing")),
            (None, Some(size)) => (Vec::new(), Place::Behind(size)),
            (Some(data), None) => {
                fits(&data, &shape).map_err(|why| of(&why))?;
                (data.bytes, Place::Here)
            }
        };
        let data = bytes.into();
        Ok((
            Tensor {
                name,
                datatype,
                shape,
                data,
            },
            place,
        ))
    }
}

/// Bytes that a shape asks for; of strings it is not known.
fn asked(datatype: Datatype, shape: &[usize]) -> usize {
    let wanted = elements(shape).unwrap_or(usize::MAX);
    wanted.saturating_mul(datatype.size().unwrap_or(8))
}

/// Compares the lists of `data` with the shape; a flat one needs as many elements.
fn fits(data: &Data, shape: &[usize]) -> Result<(), String> {
    let wanted = elements(shape).ok_or_else(|| format!("shape {shape:?} has more elements than can be counted"))?;
    if data.elements != wanted {
        return Err(format!(
            "`data` has {} elements, shape {shape:?} asks for {wanted}",
            data.elements
        ));
    }
    if data.lengths.len() > 1 && wanted > 0 && data.lengths != shape {
        return Err(format!(
            "`data` is nested as {:?}, `shape` says {shape:?}",
            data.lengths
        ));
    }
    Ok(())
}
