//! A model file, read.

use super::ffi::{self, Handle, RankedTensorType, Status};
use super::{Environment, check, dtype, element_name, text};
use einthoven_plugin_sdk::{Failure, TensorSpec};
use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

/// A model as the file has it, with the file's bytes.
pub struct Graph {
    pub(super) environment: Arc<Environment>,
    pub(super) handle: Handle,
    /// The library reads weights from here as long as the model lives.
    _bytes: Vec<u128>,
}

// SAFETY: the model is only read after it was made, and compiling from it is behind the environment's mutex.
unsafe impl Send for Graph {}
// SAFETY: as above.
unsafe impl Sync for Graph {}

/// One node of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The schema's number.
    pub code: i32,
    /// The name, when it is not one of the schema's.
    pub custom: Option<String>,
    /// The first tensor it writes, by which people find it.
    pub writes: String,
}

impl Graph {
    /// Reads a model; the bytes are copied.
    ///
    /// # Errors
    /// `InvalidArgument` when they are not a model.
    pub fn read(environment: &Arc<Environment>, bytes: &[u8]) -> Result<Self, Failure> {
        // The format aligns buffers to 16 bytes.
        let mut aligned = vec![0_u128; bytes.len().div_ceil(16)];
        let start = aligned.as_mut_ptr().cast::<u8>();
        let mut handle = ptr::null_mut();
        // SAFETY: there is room for all bytes in `aligned`, which the library may read until the model is destroyed.
        let status = unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            (environment.functions.create_model)(environment.handle, start.cast(), bytes.len(), &raw mut handle)
        };
        check(status, "read the model")?;
        Ok(Self {
            environment: Arc::clone(environment),
            handle,
            _bytes: aligned,
        })
    }

    /// The nodes of all subgraphs.
    ///
    /// # Errors
    /// The library's own.
    pub fn operators(&self) -> Result<Vec<Operator>, Failure> {
        let functions = &self.environment.functions;
        let mut operators = Vec::new();
        for index in 0..self.count(self.handle, functions.num_subgraphs)? {
            let subgraph = self.child(self.handle, index, functions.subgraph)?;
            for index in 0..self.count(subgraph, functions.num_ops)? {
                let op = self.child(subgraph, index, functions.op)?;
                let mut code = 0;
                // SAFETY: the node lives as long as the model; there is a place for the code.
                let status = unsafe { (functions.op_code)(op, &raw mut code) };
                check(status, "tell an operator's code")?;
                let custom = (code == ffi::CUSTOM)
                    .then(|| self.own_text(op, functions.custom_code))
                    .transpose()?;
                let writes = if self.count(op, functions.num_op_outputs)? == 0 {
                    String::new()
                } else {
                    self.own_text(self.child(op, 0, functions.op_output)?, functions.tensor_name)?
                };
                operators.push(Operator { code, custom, writes });
            }
        }
        Ok(operators)
    }

    /// The keys of the signatures, at least one; a file without any gets one made of its main subgraph.
    ///
    /// # Errors
    /// The library's own.
    pub fn signatures(&self) -> Result<Vec<String>, Failure> {
        let functions = &self.environment.functions;
        (0..self.count(self.handle, functions.num_signatures)?)
            .map(|index| {
                self.own_text(
                    self.child(self.handle, index, functions.signature)?,
                    functions.signature_key,
                )
            })
            .collect()
    }

    /// Inputs of a signature.
    ///
    /// # Errors
    /// `Unsupported` naming a tensor whose type or rank the contract lacks.
    pub fn inputs(&self, signature: usize) -> Result<Vec<TensorSpec>, Failure> {
        let functions = &self.environment.functions;
        let signature = self.child(self.handle, signature, functions.signature)?;
        (0..self.count(signature, functions.num_inputs)?)
            .map(|index| self.spec(signature, index, functions.input_name, functions.input_tensor))
            .collect()
    }

    /// Outputs of a signature.
    ///
    /// # Errors
    /// As [`Graph::inputs`].
    pub fn outputs(&self, signature: usize) -> Result<Vec<TensorSpec>, Failure> {
        let functions = &self.environment.functions;
        let signature = self.child(self.handle, signature, functions.signature)?;
        (0..self.count(signature, functions.num_outputs)?)
            .map(|index| self.spec(signature, index, functions.output_name, functions.output_tensor))
            .collect()
    }

    fn spec(
        &self,
        signature: Handle,
        index: usize,
        name: unsafe extern "C" fn(Handle, usize, *mut *const c_char) -> Status,
        tensor: unsafe extern "C" fn(Handle, usize, *mut Handle) -> Status,
    ) -> Result<TensorSpec, Failure> {
        let mut place = ptr::null();
        // SAFETY: the signature lives as long as the model; the text is copied at once.
        let name = unsafe {
            check(name(signature, index, &raw mut place), "tell a tensor's name")?;
            text(place)
        };
        let tensor = self.child(signature, index, tensor)?;
        let mut kind = RankedTensorType::default();
        // SAFETY: the tensor lives as long as the model; there is a place for its type.
        let status = unsafe { (self.environment.functions.tensor_type)(tensor, &raw mut kind) };
        check(status, "tell a tensor's type").map_err(|failure| {
            Failure::unsupported(format!("tensor `{name}` has no fixed rank: {}", failure.message))
        })?;
        let dtype = dtype(kind.element).ok_or_else(|| {
            Failure::unsupported(format!(
                "tensor `{name}` holds {}; the contract has f32, f16, i64, i8, u8 and bool, so convert the model with \
                 one of these as the tensor's type",
                element_name(kind.element)
            ))
        })?;
        Ok(TensorSpec {
            dims: dims(&kind.layout, &name)?,
            name,
            dtype,
        })
    }

    fn count(
        &self,
        of: Handle,
        function: unsafe extern "C" fn(Handle, *mut usize) -> Status,
    ) -> Result<usize, Failure> {
        let mut count = 0;
        // SAFETY: `of` is a part of this model or the model; there is a place for the count.
        check(unsafe { function(of, &raw mut count) }, "count a model's parts")?;
        Ok(count)
    }

    fn child(
        &self,
        of: Handle,
        index: usize,
        function: unsafe extern "C" fn(Handle, usize, *mut Handle) -> Status,
    ) -> Result<Handle, Failure> {
        let mut child = ptr::null_mut();
        // SAFETY: as in `count`; the library refuses an index that is too large.
        check(unsafe { function(of, index, &raw mut child) }, "find a model's part")?;
        Ok(child)
    }

    fn own_text(
        &self,
        of: Handle,
        function: unsafe extern "C" fn(Handle, *mut *const c_char) -> Status,
    ) -> Result<String, Failure> {
        let mut place = ptr::null();
        // SAFETY: as in `count`; the text is copied while the model lives.
        unsafe {
            check(function(of, &raw mut place), "tell a name")?;
            Ok(text(place))
        }
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: made by the library; whatever was compiled from it held this value and is gone.
        unsafe { (self.environment.functions.destroy_model)(self.handle) }
    }
}

fn dims(layout: &ffi::Layout, name: &str) -> Result<Vec<Option<usize>>, Failure> {
    let rank = (layout.bits & 0x7f) as usize;
    let dims = layout.dimensions.get(..rank).ok_or_else(|| {
        Failure::unsupported(format!(
            "tensor `{name}` has {rank} dimensions, LiteRT takes {}",
            ffi::MAX_RANK
        ))
    })?;
    Ok(dims.iter().map(|&dim| usize::try_from(dim).ok()).collect())
}
