//! A model made ready to run, and the memory it reads and writes.

use super::ffi::{self, Handle, Layout, RankedTensorType};
use super::{Environment, Graph, check, element, text};
use einthoven_plugin_sdk::{Code, DType, Failure};
use std::ffi::{CString, c_int, c_void};
use std::ptr;
use std::sync::{Arc, PoisonError};

/// A model with its kernels chosen, its weights packed and its scratch memory laid out. Runs one batch at a time.
pub struct CompiledModel {
    graph: Arc<Graph>,
    handle: Handle,
    signature: usize,
}

// SAFETY: the library does not tie it to a thread, and all use needs `&mut`.
unsafe impl Send for CompiledModel {}

impl CompiledModel {
    /// Compiles one signature of a model for the CPU, to run on `threads` threads.
    ///
    /// # Errors
    /// The library's own, mostly an operator that it lacks.
    pub fn new(graph: &Arc<Graph>, signature: usize, threads: u32) -> Result<Self, Failure> {
        let environment = &graph.environment;
        let options = Options::new(environment, threads)?;
        let _one = environment.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        let mut handle = ptr::null_mut();
        // SAFETY: all three handles live; there is a place for the new one.
        let status = unsafe {
            (environment.functions.create_compiled)(environment.handle, graph.handle, options.handle, &raw mut handle)
        };
        check(status, "compile the model")?;
        Ok(Self {
            graph: Arc::clone(graph),
            handle,
            signature,
        })
    }

    /// Gives an input another shape; [`CompiledModel::layout`] must follow when all have theirs.
    ///
    /// # Errors
    /// `InvalidArgument` for a dimension of zero or above 2^31, or the library's own.
    pub fn resize(&mut self, input: usize, dims: &[usize]) -> Result<(), Failure> {
        let dims = dims
            .iter()
            .map(|&dim| c_int::try_from(dim))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Failure::invalid(format!("shape {dims:?} is larger than LiteRT takes")))?;
        let functions = &self.graph.environment.functions;
        // SAFETY: the model lives, and the dimensions are read during the call.
        let status = unsafe { (functions.resize_input)(self.handle, self.signature, input, dims.as_ptr(), dims.len()) };
        self.check(status, "resize an input")
    }

    /// Lays the memory out for the inputs' shapes and tells the shapes of all `outputs` outputs.
    ///
    /// # Errors
    /// When the graph does not allow these shapes.
    pub fn layout(&mut self, outputs: usize) -> Result<Vec<Vec<usize>>, Failure> {
        // Eight to spare: the library writes more dimensions than a layout has if a graph computes a tensor that has.
        let mut layouts = vec![Layout::default(); outputs + 8];
        let functions = &self.graph.environment.functions;
        // SAFETY: the model lives, and there is room for more layouts than asked for.
        let status =
            unsafe { (functions.output_layouts)(self.handle, self.signature, outputs, layouts.as_mut_ptr(), true) };
        self.check(status, "lay out memory for these shapes")?;
        layouts[..outputs]
            .iter()
            .map(|layout| {
                let rank = (layout.bits & 0x7f) as usize;
                layout
                    .dimensions
                    .get(..rank)
                    .and_then(|dims| dims.iter().map(|&dim| usize::try_from(dim).ok()).collect())
                    .ok_or_else(|| Failure::unsupported("an output's shape is known only after it was computed"))
            })
            .collect()
    }

    /// Memory for a tensor of this type, zeroed.
    ///
    /// # Errors
    /// `ResourceExhausted` when there is not enough.
    pub fn buffer(&self, dtype: DType, dims: &[usize]) -> Result<TensorBuffer, Failure> {
        TensorBuffer::new(&self.graph.environment, dtype, dims)
    }

    /// Runs once. The buffers must be those for the shapes set last, in the signature's order; the library checks it.
    ///
    /// # Errors
    /// The library's own.
    pub fn run(&mut self, inputs: &mut [TensorBuffer], outputs: &mut [TensorBuffer]) -> Result<(), Failure> {
        let mut from: Vec<_> = inputs.iter().map(|buffer| buffer.handle).collect();
        let mut to: Vec<_> = outputs.iter().map(|buffer| buffer.handle).collect();
        let functions = &self.graph.environment.functions;
        // SAFETY: all handles live, and the buffers are borrowed so that nobody else looks at their memory.
        let status = unsafe {
            (functions.run)(
                self.handle,
                self.signature,
                from.len(),
                from.as_mut_ptr(),
                to.len(),
                to.as_mut_ptr(),
            )
        };
        self.check(status, "run the model")
    }

    /// Adds what the library says about a failure.
    fn check(&self, status: ffi::Status, what: &str) -> Result<(), Failure> {
        check(status, what).map_err(|failure| {
            let functions = &self.graph.environment.functions;
            let mut place = ptr::null_mut();
            // SAFETY: the model lives; the text is ours to free, with the allocator it came from.
            let messages = unsafe {
                let told = (functions.error_messages)(self.handle, &raw mut place) == 0;
                let messages = if told { text(place) } else { String::new() };
                if told {
                    (functions.free)(place.cast());
                }
                (functions.clear_errors)(self.handle);
                messages
            };
            let lines: Vec<_> = messages
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect();
            if lines.is_empty() {
                return failure;
            }
            Failure::new(failure.code, format!("{}: {}", failure.message, lines.join("; ")))
        })
    }
}

impl Drop for CompiledModel {
    fn drop(&mut self) {
        // SAFETY: made by the library and used by nobody else.
        unsafe { (self.graph.environment.functions.destroy_compiled)(self.handle) }
    }
}

/// Memory of the library's for one tensor.
pub struct TensorBuffer {
    environment: Arc<Environment>,
    handle: Handle,
    start: *mut u8,
    length: usize,
}

// SAFETY: plain memory with one owner.
unsafe impl Send for TensorBuffer {}

impl TensorBuffer {
    fn new(environment: &Arc<Environment>, dtype: DType, dims: &[usize]) -> Result<Self, Failure> {
        let too_large = || {
            Failure::new(
                Code::ResourceExhausted,
                format!("a tensor of shape {dims:?} is too large"),
            )
        };
        let length = dims
            .iter()
            .try_fold(dtype.size(), |size, &dim| size.checked_mul(dim))
            .ok_or_else(too_large)?;
        let mut layout = Layout {
            bits: dims.len() as u32,
            ..Layout::default()
        };
        if dims.len() > ffi::MAX_RANK {
            return Err(too_large());
        }
        for (to, &dim) in layout.dimensions.iter_mut().zip(dims) {
            *to = i32::try_from(dim).map_err(|_| too_large())?;
        }
        let kind = RankedTensorType {
            element: element(dtype),
            layout,
        };
        let functions = &environment.functions;
        let mut handle = ptr::null_mut();
        // SAFETY: the environment lives, the type is read during the call, and there is a place for the handle.
        let status = unsafe {
            (functions.create_buffer)(
                environment.handle,
                ffi::HOST_MEMORY,
                &raw const kind,
                length,
                &raw mut handle,
            )
        };
        check(status, &format!("have memory for a tensor of shape {dims:?}"))
            .map_err(|failure| Failure::new(Code::ResourceExhausted, failure.message))?;
        let mut buffer = Self {
            environment: Arc::clone(environment),
            handle,
            start: ptr::null_mut(),
            length,
        };
        let mut start: *mut c_void = ptr::null_mut();
        // SAFETY: the buffer was just made, in plain memory of `length` bytes; the library leaves it uninitialised.
        unsafe {
            check(
                (functions.buffer_memory)(handle, &raw mut start),
                "give a tensor's memory",
            )?;
            start.cast::<u8>().write_bytes(0, length);
        }
        buffer.start = start.cast();
        Ok(buffer)
    }

    /// The elements' bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `length` initialised bytes, which live as long as the buffer and change only through `&mut`.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    /// The elements' bytes, to be filled.
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

impl Drop for TensorBuffer {
    fn drop(&mut self) {
        // SAFETY: made by the library. A compiled model that still points here does not look before it got other
        // buffers: every run brings its own.
        unsafe { (self.environment.functions.destroy_buffer)(self.handle) }
    }
}

/// How a model is compiled.
struct Options<'a> {
    environment: &'a Environment,
    handle: Handle,
}

impl<'a> Options<'a> {
    fn new(environment: &'a Environment, threads: u32) -> Result<Self, Failure> {
        let mut handle = ptr::null_mut();
        // SAFETY: there is a place for the handle.
        let status = unsafe { (environment.functions.create_options)(&raw mut handle) };
        check(status, "make options")?;
        let options = Self { environment, handle };
        // SAFETY: the options were just made.
        let status = unsafe { (environment.functions.set_accelerators)(handle, ffi::CPU) };
        check(status, "choose the processor")?;
        options.add("xnnpack", &format!("num_threads = {threads}\n"))?;
        // Messages are kept with the model, from where `CompiledModel::check` takes them.
        options.add("runtime_options_string", "error_reporter_mode = 2\n")?;
        Ok(options)
    }

    /// Adds a section, which the library reads as TOML.
    fn add(&self, name: &str, toml: &str) -> Result<(), Failure> {
        let functions = &self.environment.functions;
        let name = CString::new(name).map_err(Failure::internal)?;
        let payload = CString::new(toml).map_err(Failure::internal)?.into_raw();
        let mut section = ptr::null_mut();
        // SAFETY: the name is copied; the payload is freed by `free_payload`, which the section calls when it goes.
        let status =
            unsafe { (functions.create_opaque)(name.as_ptr(), payload.cast(), free_payload, &raw mut section) };
        check(status, "make an option")?;
        // SAFETY: both live, and the options own the section from here on.
        check(unsafe { (functions.add_opaque)(self.handle, section) }, "add an option")
    }
}

impl Drop for Options<'_> {
    fn drop(&mut self) {
        // SAFETY: made by the library; the compiled model has taken what it needs.
        unsafe { (self.environment.functions.destroy_options)(self.handle) }
    }
}

/// Frees what [`Options::add`] gave away.
unsafe extern "C" fn free_payload(payload: *mut c_void) {
    // SAFETY: it came out of `CString::into_raw`.
    drop(unsafe { CString::from_raw(payload.cast()) });
}
