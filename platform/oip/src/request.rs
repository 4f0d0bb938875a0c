//! Requests for outputs, from JSON with or without binary tensors behind it.

mod tensors;

use crate::error::OipError;
use crate::parameter::{Parameter, Parameters};
use crate::tensor::Tensor;
use bytes::Bytes;
use serde::Deserialize;
use std::collections::HashSet;
use std::time::Duration;
use tensors::{Inputs, Place};

/// A request for outputs; `I` borrows nothing, tensors that came as bytes share the body.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InferRequest {
    /// The caller's name for it, given back.
    pub id: Option<String>,
    /// What it says beside its tensors.
    pub parameters: Parameters,
    /// Its tensors, compared with their shapes.
    pub inputs: Vec<Tensor>,
    /// The outputs that are wanted; all where it names none.
    pub outputs: Vec<RequestedOutput>,
}

/// An output that is wanted.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct RequestedOutput {
    /// Its name in the model.
    pub name: String,
    /// How it is wanted.
    #[serde(default)]
    pub parameters: Parameters,
}

/// As it lies in JSON.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    parameters: Option<Parameters>,
    inputs: Inputs,
    #[serde(default)]
    outputs: Option<Vec<RequestedOutput>>,
}

impl InferRequest {
    /// Reads a body. `header_length` is what the header [`crate::HEADER_LENGTH`] says: so many bytes of JSON, then tensors.
    ///
    /// # Errors
    /// [`OipError`] saying which field was wrong.
    pub fn parse(body: &Bytes, header_length: Option<usize>) -> Result<Self, OipError> {
        let length = header_length.unwrap_or(body.len());
        if length > body.len() {
            let detail = format!("the header says {length} bytes of JSON; the body has {}", body.len());
            return Err(OipError::malformed("inference-header-content-length", detail));
        }
        if length == 0 && !body.is_empty() {
            let detail = "tensors without JSON before them are not taken; say name, shape and datatype in JSON";
            return Err(OipError::unsupported("inference-header-content-length", detail));
        }
        let document: Document = serde_json::from_slice(&body[..length])
            .map_err(|cause| OipError::malformed("body", format!("the body is not a request for outputs: {cause}")))?;
        let mut behind = body.slice(length..);
        let mut inputs = Vec::with_capacity(document.inputs.0.len());
        for (mut tensor, place) in document.inputs.0 {
            if let Place::Behind(bytes) = place {
                if bytes > behind.len() {
                    let detail = format!(
                        "tensor `{}`: `binary_data_size` is {bytes}, {} bytes are left of the body",
                        tensor.name,
                        behind.len()
                    );
                    return Err(OipError::malformed("inputs", detail));
                }
                tensor.data = behind.split_to(bytes);
            }
            tensor.check()?;
            inputs.push(tensor);
        }
        if !behind.is_empty() {
            let detail = format!(
                "{} bytes follow the last tensor; `binary_data_size` says whose bytes are whose",
                behind.len()
            );
            return Err(OipError::malformed("body", detail));
        }
        let request = Self {
            id: document.id,
            parameters: document.parameters.unwrap_or_default(),
            inputs,
            outputs: document.outputs.unwrap_or_default(),
        };
        request.check()?;
        Ok(request)
    }

    /// Refuses what is asked for and not offered, however it was sent.
    ///
    /// # Errors
    /// [`OipError::Unsupported`] naming it.
    pub fn check(&self) -> Result<(), OipError> {
        let asked = |parameters: &Parameters, name: &str| {
            let nothing = |value: &Parameter| {
                matches!(value, Parameter::Truth(false) | Parameter::Whole(0))
                    || matches!(value, Parameter::Text(text) if text.is_empty())
            };
            parameters.get(name).is_some_and(|value| !nothing(value))
        };
        for name in ["sequence_id", "sequence_start", "sequence_end"] {
            if asked(&self.parameters, name) {
                let detail = format!("`{name}`: models here keep nothing between two requests");
                return Err(OipError::unsupported("parameters", detail));
            }
        }
        for output in &self.outputs {
            if asked(&output.parameters, "classification") {
                let detail = format!(
                    "output `{}`: `classification` is not offered; ask for the tensor and take the largest of it",
                    output.name
                );
                return Err(OipError::unsupported("outputs", detail));
            }
            if asked(&output.parameters, "shared_memory_region") {
                let detail = format!(
                    "output `{}`: shared memory is not offered; leave `shared_memory_region` out",
                    output.name
                );
                return Err(OipError::unsupported("outputs", detail));
            }
        }
        let mut before = HashSet::new();
        if let Some(input) = self.inputs.iter().find(|input| !before.insert(input.name.as_str())) {
            let detail = format!("input `{}` is there twice", input.name);
            return Err(OipError::malformed("inputs", detail));
        }
        self.timeout().map(|_| ())
    }

    /// How long the caller waits: the parameter `timeout`, in microseconds; zero means as long as it takes.
    ///
    /// # Errors
    /// [`OipError::Malformed`] where it is no such number.
    pub fn timeout(&self) -> Result<Option<Duration>, OipError> {
        let Some(value) = self.parameters.get("timeout") else {
            return Ok(None);
        };
        let microseconds = value.count().ok_or_else(|| {
            let detail = "`timeout` must be a whole number of microseconds, zero for none";
            OipError::malformed("parameters", detail)
        })?;
        Ok((microseconds > 0).then(|| Duration::from_micros(microseconds)))
    }

    /// Whether an output is wanted as bytes: as it says itself, or as the request says of all.
    #[must_use]
    pub fn wants_binary(&self, output: &str) -> bool {
        let own = self.outputs.iter().find(|wanted| wanted.name == output);
        let own = own.and_then(|wanted| wanted.parameters.get("binary_data")?.truth());
        own.or_else(|| self.parameters.get("binary_data_output")?.truth())
            .unwrap_or(false)
    }

    /// Whether an output is wanted at all.
    #[must_use]
    pub fn wants(&self, output: &str) -> bool {
        self.outputs.is_empty() || self.outputs.iter().any(|wanted| wanted.name == output)
    }
}
