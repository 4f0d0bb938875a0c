//! Requests and answers.

use super::contents;
use super::pb;
use crate::answer::Answer;
use crate::error::OipError;
use crate::parameter::{Parameter, Parameters};
use crate::request::{InferRequest, RequestedOutput};
use crate::tensor::Tensor;
use bytes::Bytes;
use pb::infer_parameter::ParameterChoice;
use pb::model_infer_response::InferOutputTensor;
use std::collections::HashMap;

/// What a message asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The model.
    pub model: String,
    /// Its version; empty for the one that the traffic policy says.
    pub version: String,
    /// The request.
    pub request: InferRequest,
}

impl TryFrom<pb::ModelInferRequest> for Asked {
    type Error = OipError;

    fn try_from(message: pb::ModelInferRequest) -> Result<Self, OipError> {
        let raw = message.raw_input_contents;
        if !raw.is_empty() && raw.len() != message.inputs.len() {
            let detail = format!("{} raw_input_contents for {} inputs", raw.len(), message.inputs.len());
            return Err(OipError::malformed("raw_input_contents", detail));
        }
        let mut raw = raw.into_iter();
        let mut inputs = Vec::with_capacity(message.inputs.len());
        for input in message.inputs {
            let name = input.name;
            let wrong = |detail: String| OipError::malformed("inputs", format!("tensor `{name}`: {detail}"));
            if input.parameters.contains_key("shared_memory_region") {
                let detail = "shared memory is not offered; send the data in the message";
                return Err(OipError::unsupported("inputs", format!("tensor `{name}`: {detail}")));
            }
            let datatype = input.datatype.parse().map_err(wrong)?;
            let shape = input
                .shape
                .iter()
                .map(|dim| usize::try_from(*dim))
                .collect::<Result<Vec<_>, _>>();
            let shape = shape.map_err(|_| wrong(format!("shape {:?} has a dimension below zero", input.shape)))?;
            let data: Bytes = match (raw.next(), input.contents) {
                (Some(_), Some(_)) => {
                    return Err(wrong(
                        "it has contents and raw_input_contents; leave one of them out".to_owned(),
                    ));
                }
                (Some(data), None) => data,
                (None, contents) => contents::bytes(datatype, &contents.unwrap_or_default())
                    .map_err(wrong)?
                    .into(),
            };
            let tensor = Tensor {
                name,
                datatype,
                shape,
                data,
            };
            tensor.check()?;
            inputs.push(tensor);
        }
        let request = InferRequest {
            id: Some(message.id).filter(|id| !id.is_empty()),
            parameters: parameters(message.parameters),
            inputs,
            outputs: message
                .outputs
                .into_iter()
                .map(|output| RequestedOutput {
                    name: output.name,
                    parameters: parameters(output.parameters),
                })
                .collect(),
        };
        request.check()?;
        Ok(Self {
            model: message.model_name,
            version: message.model_version,
            request,
        })
    }
}

fn parameters(map: HashMap<String, pb::InferParameter>) -> Parameters {
    let each = |(name, value): (String, pb::InferParameter)| {
        let value = match value.parameter_choice? {
            ParameterChoice::BoolParam(value) => Parameter::Truth(value),
            ParameterChoice::Int64Param(value) => Parameter::Whole(value),
            ParameterChoice::StringParam(value) => Parameter::Text(value),
            ParameterChoice::DoubleParam(value) => Parameter::Number(value),
            ParameterChoice::Uint64Param(value) => Parameter::Large(value),
        };
        Some((name, value))
    };
    map.into_iter().filter_map(each).collect()
}

/// An answer as a message; its tensors as raw bytes, and `more` as texts among its parameters.
#[must_use]
pub fn answer(answer: &Answer<'_>, more: &[(&str, &str)]) -> pb::ModelInferResponse {
    let text = |value: &str| pb::InferParameter {
        parameter_choice: Some(ParameterChoice::StringParam(value.to_owned())),
    };
    pb::ModelInferResponse {
        model_name: answer.model_name.to_owned(),
        model_version: answer.model_version.to_owned(),
        id: answer.id.unwrap_or_default().to_owned(),
        parameters: more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), text(value)))
            .collect(),
        outputs: answer
            .outputs
            .iter()
            .map(|output| InferOutputTensor {
                name: output.name.to_owned(),
                datatype: output.datatype.name().to_owned(),
                shape: output
                    .shape
                    .iter()
                    .map(|dim| i64::try_from(*dim).unwrap_or(i64::MAX))
                    .collect(),
                ..InferOutputTensor::default()
            })
            .collect(),
        raw_output_contents: answer.outputs.iter().map(|output| output.data.clone()).collect(),
    }
}
