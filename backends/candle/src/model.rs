//! A loaded network and its instances.

use crate::network::{Described, Network};
use candle_core::Tensor;
use einthoven_plugin_sdk::{Call, Code, DType, Device, Failure, Instance, Model, Signature, TensorView};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::time::Instant as Time;

/// Bytes that the layers of one pass may take; longer batches are run in parts. On the processor a part that stays in
/// the caches is faster than a large one.
const PASS_BYTES_CPU: usize = 1 << 20;
const PASS_BYTES_CUDA: usize = 1 << 30;

pub(crate) struct CandleModel {
    described: Described,
    threads: usize,
}

impl CandleModel {
    pub(crate) fn new(described: Described, threads: usize) -> Self {
        Self { described, threads }
    }
}

impl Model for CandleModel {
    fn signature(&self) -> &Signature {
        &self.described.signature
    }

    fn instance(&self, device: &Device) -> Result<Box<dyn Instance>, Failure> {
        let candle = open(device)?;
        let pass_bytes = if candle.is_cpu() {
            PASS_BYTES_CPU
        } else {
            PASS_BYTES_CUDA
        };
        let unavailable = |cause| Failure::new(Code::Unavailable, format!("{device}: {cause}"));
        let pool = ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .thread_name(|index| format!("candle-{index}"))
            .build()
            .map_err(|cause| Failure::new(Code::ResourceExhausted, format!("{} threads: {cause}", self.threads)))?;
        Ok(Box::new(CandleInstance {
            pool,
            network: self.described.network.to_device(&candle).map_err(unavailable)?,
            signature: self.described.signature.clone(),
            rows: (pass_bytes / self.described.item_bytes.max(1)).max(1),
            device: candle,
            provider: device.to_string(),
        }))
    }
}

fn open(device: &Device) -> Result<candle_core::Device, Failure> {
    match device {
        Device::Cpu => Ok(candle_core::Device::Cpu),
        Device::Cuda(_) if !cfg!(feature = "cuda") => Err(Failure::new(
            Code::Unavailable,
            format!(
                "{device}: this candle engine is built without CUDA; choose `cpu`, or build it with the feature `cuda`"
            ),
        )),
        Device::Cuda(id) => candle_core::Device::new_cuda(*id as usize).map_err(|cause| {
            let text = format!("{device}: {cause}; check that the driver lists this device, or choose `cpu`");
            Failure::new(Code::Unavailable, text)
        }),
    }
}

struct CandleInstance {
    /// Candle's loops run in the pool of the thread that calls it.
    pool: ThreadPool,
    network: Network,
    signature: Signature,
    /// Items of one pass.
    rows: usize,
    device: candle_core::Device,
    provider: String,
}

impl Instance for CandleInstance {
    fn provider(&self) -> String {
        self.provider.clone()
    }

    fn execute(&mut self, inputs: &[TensorView<'_>], call: &mut dyn Call) -> Result<(), Failure> {
        let mut picked = Vec::with_capacity(self.signature.inputs.len());
        for spec in &self.signature.inputs {
            let view = spec.pick(inputs)?;
            picked.push((view.dims(), view.as_f32()?));
        }
        let batch = picked
            .first()
            .and_then(|(dims, _)| dims.first())
            .copied()
            .unwrap_or_default();
        if picked.iter().any(|(dims, _)| dims.first() != Some(&batch)) {
            let text = "the inputs differ in their first dimension, the batch";
            return Err(Failure::invalid(text));
        }
        let mut values = Vec::new();
        for start in (0..batch).step_by(self.rows) {
            check(call)?;
            let end = batch.min(start + self.rows);
            let tensors = picked
                .iter()
                .map(|(dims, data)| {
                    let item: usize = dims[1..].iter().product();
                    let mut shape = dims.to_vec();
                    shape[0] = end - start;
                    Tensor::from_slice(&data[start * item..end * item], shape, &self.device)
                })
                .collect::<Result<Vec<_>, _>>()
                .map_err(Failure::internal)?;
            let network = &self.network;
            let part = self
                .pool
                .install(|| network.forward(&tensors).and_then(|y| y.flatten_all()?.to_vec1()));
            values.append(&mut part.map_err(Failure::internal)?);
        }
        for spec in &self.signature.outputs {
            let dims: Vec<_> = spec.dims.iter().map(|dim| dim.unwrap_or(batch)).collect();
            let buffer = call.output(&spec.name, DType::F32, &dims)?;
            let bytes = bytemuck::cast_slice::<f32, u8>(&values);
            if buffer.len() != bytes.len() {
                return Err(Failure::internal(format!(
                    "the buffer for `{}` has {} bytes, the output {}",
                    spec.name,
                    buffer.len(),
                    bytes.len()
                )));
            }
            buffer.copy_from_slice(bytes);
        }
        Ok(())
    }
}

/// Whether anybody still waits.
fn check(call: &dyn Call) -> Result<(), Failure> {
    if call.cancelled() {
        return Err(Failure::new(Code::Cancelled, "the call was cancelled"));
    }
    if call.deadline().is_some_and(|deadline| Time::now() >= deadline) {
        let text = "the deadline passed between two parts of the batch";
        return Err(Failure::new(Code::DeadlineExceeded, text));
    }
    Ok(())
}
