//! A model on its engine.

use super::engines::OpenEngineRef;
use super::runner::Runner;
use crate::report::made;
use einthoven_plugin_abi::engine::{
    Device as RawDevice, EINTHOVEN_CPU, EINTHOVEN_CUDA, Signature as RawSignature, TensorSpec as RawSpec,
};
use einthoven_plugin_abi::plugin::EINTHOVEN_ABI_MINOR;
use einthoven_plugin_abi::view;
use einthoven_plugin_sdk::{DType, Device, Failure, Signature, TensorSpec};
use std::ffi::c_void;
use std::sync::Arc;

/// Tensors of one model, and dimensions of one tensor, above which a signature is not believed.
const MOST_TENSORS: u64 = 1024;
const MOST_DIMS: u32 = 16;

/// A model on its engine. Unloaded when it and all its runners are gone.
pub struct LoadedModel {
    handle: Arc<ModelHandle>,
    signature: Arc<Signature>,
}

pub(super) struct ModelHandle {
    engine: OpenEngineRef,
    model: *mut c_void,
}

// SAFETY: the contract lets the host use a model from any thread; making instances is serialised by the engine's turn.
unsafe impl Send for ModelHandle {}
// SAFETY: as above.
unsafe impl Sync for ModelHandle {}

impl ModelHandle {
    pub(super) fn engine(&self) -> &OpenEngineRef {
        &self.engine
    }
}

impl Drop for ModelHandle {
    fn drop(&mut self) {
        if let Ok(open) = self.engine.open() {
            // SAFETY: loaded by this engine; every instance holds the model alive, so none is left.
            unsafe { (open.api.unload)(self.model) };
        }
    }
}

impl LoadedModel {
    /// # Safety
    /// `model` was just made by this engine's `load`.
    pub(super) unsafe fn new(engine: OpenEngineRef, model: *mut c_void) -> Result<Self, Failure> {
        let handle = ModelHandle { engine, model };
        let api = handle.engine.open()?.api;
        // SAFETY: the model is loaded; the signature lives until it is unloaded.
        let signature = unsafe { read_signature((api.signature)(model)) }?;
        Ok(Self {
            handle: Arc::new(handle),
            signature: Arc::new(signature),
        })
    }

    /// Name of the engine it is on.
    #[must_use]
    pub fn engine(&self) -> &str {
        self.handle.engine.name()
    }

    /// Version of what runs underneath that engine.
    #[must_use]
    pub fn runtime(&self) -> &str {
        self.handle.engine.runtime()
    }

    /// Inputs and outputs as the file declares them.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// One more instance on a device.
    ///
    /// # Errors
    /// The engine's own, when the device cannot be had.
    pub fn runner(&self, device: &Device) -> Result<Runner, Failure> {
        let (kind, ordinal) = match device {
            Device::Cpu => (EINTHOVEN_CPU, 0),
            Device::Cuda(ordinal) => (EINTHOVEN_CUDA, *ordinal),
        };
        let raw = RawDevice {
            struct_size: size_of::<RawDevice>() as u32,
            abi_minor: EINTHOVEN_ABI_MINOR,
            kind,
            ordinal,
        };
        let open = self.handle.engine.open()?;
        let instance = {
            let _turn = open.turn();
            // SAFETY: the model is loaded; all it is given lives during the call.
            made("instance", |report, out| unsafe {
                (open.api.instance)(self.handle.model, &raw const raw, report, out)
            })?
        };
        // SAFETY: the handle is fresh from this engine's `instance`.
        Ok(unsafe {
            Runner::new(
                open.api,
                instance,
                Arc::clone(&self.handle),
                Arc::clone(&self.signature),
            )
        })
    }
}

/// Copies a signature, believing nothing.
///
/// # Safety
/// `raw` is null or leads to a signature of the contract.
unsafe fn read_signature(raw: *const RawSignature) -> Result<Signature, Failure> {
    // SAFETY: the caller's promise.
    let raw = unsafe { view::known_part(raw) }.ok_or_else(|| Failure::internal("the model gave no signature"))?;
    if raw.input_count > MOST_TENSORS || raw.output_count > MOST_TENSORS {
        return Err(Failure::internal("the model's signature claims too many tensors"));
    }
    // SAFETY: as above; the counts are bounded.
    let (inputs, outputs) = unsafe {
        (
            view::slice(raw.inputs, raw.input_count),
            view::slice(raw.outputs, raw.output_count),
        )
    };
    let specs = |specs: &[RawSpec]| specs.iter().map(read_spec).collect::<Result<Vec<_>, _>>();
    Ok(Signature {
        inputs: specs(inputs)?,
        outputs: specs(outputs)?,
    })
}

fn read_spec(raw: &RawSpec) -> Result<TensorSpec, Failure> {
    // SAFETY: a spec's texts and dimensions live as long as the model.
    let name = unsafe { view::borrow(raw.name) }.map_err(|_| Failure::internal("a tensor's name is not UTF-8"))?;
    if raw.rank > MOST_DIMS {
        return Err(Failure::internal(format!(
            "tensor `{name}` claims {} dimensions",
            raw.rank
        )));
    }
    // SAFETY: as above; the rank is bounded.
    let dims = unsafe { view::slice(raw.dims, u64::from(raw.rank)) };
    Ok(TensorSpec {
        name: name.to_owned(),
        dtype: DType::from_code(raw.dtype)
            .ok_or_else(|| Failure::internal(format!("tensor `{name}` has the unknown element type {}", raw.dtype)))?,
        dims: dims.iter().map(|&dim| usize::try_from(dim).ok()).collect(),
    })
}
