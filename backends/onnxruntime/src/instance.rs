//! Running batches on a session.

use crate::config::{Arena, Options, Provider};
use crate::session::{Target, exhausted};
use crate::shared::Shared;
use crate::tensors::{Memory, input, output};
use einthoven_plugin_sdk::{Call, Code, DType, Failure, Instance, Signature, TensorView};
use ort::ErrorCode;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{NoSelectedOutputs, RunOptions, Session, SessionInputValue};
use ort::value::DynValue;
use std::sync::Arc;
use std::time::Instant;

/// Bytes of inputs from which a run gives its memory back: what it needed may be hundreds of times as much, and getting it
/// again is nothing beside such a run.
const LARGE: usize = 512 << 10;

/// What an instance runs on.
pub(crate) enum Held {
    /// The model's session on the processor.
    Shared(Shared),
    /// A session of its own: on a GPU, whose providers do not bear two calls at once, and where settings ask for one.
    Own(Session),
}

/// An instance, which runs one batch at a time.
pub(crate) struct OrtInstance {
    held: Held,
    provider: Provider,
    signature: Arc<Signature>,
    /// Where outputs are bound to, with `io_binding`.
    bound: Option<MemoryInfo<'static>>,
    options: RunOptions<NoSelectedOutputs>,
    /// For runs on inputs of [`LARGE`] and more.
    large: RunOptions<NoSelectedOutputs>,
}

impl OrtInstance {
    pub(crate) fn new(
        held: Held,
        target: Target,
        options: &Options,
        signature: Arc<Signature>,
    ) -> Result<Self, Failure> {
        let memory = || MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Device, MemoryType::CPUOutput);
        Ok(Self {
            held,
            provider: target.provider,
            signature,
            bound: options.io_binding.then(memory).transpose().map_err(Failure::internal)?,
            options: run_options(target, options.arena == Arena::Shrink)?,
            large: run_options(
                target,
                match options.arena {
                    Arena::Shrink => true,
                    Arena::Off => false,
                    // A GPU waits for all its work when memory is given back.
                    Arena::On => target.provider == Provider::Cpu,
                },
            )?,
        })
    }
}

/// With `shrinks`, memory that a run took is given back after it.
fn run_options(target: Target, shrinks: bool) -> Result<RunOptions<NoSelectedOutputs>, Failure> {
    let mut run = RunOptions::new().map_err(Failure::internal)?;
    if shrinks {
        let arenas = match target.provider {
            Provider::Cpu => "cpu:0".to_owned(),
            Provider::Cuda | Provider::TensorRt => format!("cpu:0;gpu:{}", target.device),
        };
        run.set("memory.enable_memory_arena_shrinkage", arenas)
            .map_err(Failure::internal)?;
    }
    Ok(run)
}

impl Instance for OrtInstance {
    fn provider(&self) -> String {
        self.provider.name().to_owned()
    }

    /// A run cannot be stopped half-way; one that nobody waits for is not begun.
    fn execute(&mut self, inputs: &[TensorView<'_>], call: &mut dyn Call) -> Result<(), Failure> {
        if call.cancelled() {
            return Err(Failure::new(
                Code::Cancelled,
                "the caller gave up before the batch began",
            ));
        }
        if call.deadline().is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(Failure::new(
                Code::DeadlineExceeded,
                "the deadline passed before the batch began",
            ));
        }
        let memory = if self.bound.is_some() {
            Memory::Owned
        } else {
            Memory::Borrowed
        };
        let values = self
            .signature
            .inputs
            .iter()
            .map(|spec| input(spec.pick(inputs)?, memory))
            .collect::<Result<Vec<SessionInputValue<'_>>, _>>()?;
        let bytes: usize = inputs.iter().map(|input| input.bytes().len()).sum();
        let options = if bytes < LARGE { &self.options } else { &self.large };
        let signature = &self.signature;
        let session = match &mut self.held {
            Held::Shared(shared) => {
                let results = shared.run(&values, options).map_err(failed)?;
                return hand_over(signature, |place, _| results.get(place), call);
            }
            Held::Own(session) => session,
        };
        let Some(bound) = &self.bound else {
            let results = session.run_with_options(values.as_slice(), options).map_err(failed)?;
            return hand_over(signature, |_, name| results.get(name), call);
        };
        // Made for one run, so that it never outlives the host's buffers.
        let mut binding = session.create_binding().map_err(failed)?;
        for (spec, value) in signature.inputs.iter().zip(&values) {
            binding.bind_input(&spec.name, value).map_err(failed)?;
        }
        for spec in &signature.outputs {
            binding.bind_output_to_device(&spec.name, bound).map_err(failed)?;
        }
        let results = session.run_binding_with_options(&binding, options).map_err(failed)?;
        hand_over(signature, |_, name| results.get(name), call)
    }
}

/// Copies the outputs, found by place or by name, into the host's buffers.
fn hand_over<'v>(
    signature: &Signature,
    result: impl Fn(usize, &str) -> Option<&'v DynValue>,
    call: &mut dyn Call,
) -> Result<(), Failure> {
    for (place, spec) in signature.outputs.iter().enumerate() {
        let value = result(place, &spec.name)
            .ok_or_else(|| Failure::internal(format!("output `{}` did not come", spec.name)))?;
        let (dtype, dims, bytes) = output(&spec.name, value)?;
        let buffer = call.output(&spec.name, dtype, &dims)?;
        buffer.copy_from_slice(bytes);
        if dtype == DType::Bool {
            buffer.iter_mut().for_each(|truth| *truth = u8::from(*truth != 0));
        }
    }
    Ok(())
}

fn failed(cause: ort::Error) -> Failure {
    let text = cause.message();
    let code = match cause.code() {
        ErrorCode::InvalidArgument => Code::InvalidArgument,
        _ if exhausted(text) => Code::ResourceExhausted,
        _ => Code::Internal,
    };
    Failure::new(code, format!("ONNX Runtime: {text}"))
}
