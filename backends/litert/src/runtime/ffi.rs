//! LiteRT's C interface as version 2.3.0 has it; other versions have other signatures under the same names.

use libloading::Library;
use std::ffi::{c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::path::Path;

/// 0 is success.
pub(crate) type Status = c_int;
/// Any of the library's objects; never looked into.
pub(crate) type Handle = *mut c_void;

/// More dimensions a tensor cannot have.
pub(crate) const MAX_RANK: usize = 8;
/// The processor, in the bit field of accelerators.
pub(crate) const CPU: c_int = 1;
/// A tensor buffer in plain memory.
pub(crate) const HOST_MEMORY: c_int = 1;
/// The operator code under which all custom operators stand.
pub(crate) const CUSTOM: c_int = 32;

/// Options of an environment: which accelerators it looks for, and from which severity on it logs to standard error.
pub(crate) const AUTO_REGISTER_ACCELERATORS: c_int = 24;
/// See [`AUTO_REGISTER_ACCELERATORS`].
pub(crate) const MIN_LOGGER_SEVERITY: c_int = 25;
/// The severity above all messages.
pub(crate) const SILENT: i64 = 4;
/// The value of an option is an integer.
pub(crate) const ANY_INT: c_int = 2;

/// Dimensions; those below zero are open.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Layout {
    /// Bits 0 to 6 the rank, bit 7 whether strides are given.
    pub(crate) bits: u32,
    pub(crate) dimensions: [i32; MAX_RANK],
    pub(crate) strides: [u32; MAX_RANK],
}

/// Element type and dimensions.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RankedTensorType {
    pub(crate) element: c_int,
    pub(crate) layout: Layout,
}

/// A value of one of several types; only integers are used here.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Any {
    pub(crate) kind: c_int,
    pub(crate) integer: i64,
}

/// One option of an environment.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnvironmentOption {
    pub(crate) tag: c_int,
    pub(crate) value: Any,
}

const _: () = {
    assert!(size_of::<Layout>() == 68);
    assert!(size_of::<RankedTensorType>() == 72);
    assert!(size_of::<EnvironmentOption>() == 24);
};

/// Declares the table of functions and how it is filled.
macro_rules! functions {
    ($($field:ident = $symbol:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions used, all there.
        pub(crate) struct Functions {
            $(pub(crate) $field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
            /// Never closed: the library keeps threads and thread-locals.
            _library: ManuallyDrop<Library>,
        }

        impl Functions {
            /// Opens the library and looks every function up.
            ///
            /// # Safety
            /// The file is LiteRT 2.3.0: its initialisers run, and its functions have the signatures declared here.
            pub(crate) unsafe fn open(path: &Path) -> Result<Self, libloading::Error> {
                // SAFETY: the caller vouches for the file.
                let library = ManuallyDrop::new(unsafe { Library::new(path) }?);
                Ok(Self {
                    // SAFETY: the signatures are those of the version that the caller vouches for.
                    $($field: *unsafe { library.get(concat!($symbol, "\0").as_bytes()) }?,)*
                    _library: library,
                })
            }
        }
    };
}

functions! {
    create_environment = "LiteRtCreateEnvironment": fn(c_int, *const EnvironmentOption, *mut Handle) -> Status;
    destroy_environment = "LiteRtDestroyEnvironment": fn(Handle);

    create_model = "LiteRtCreateModelFromBuffer": fn(Handle, *const c_void, usize, *mut Handle) -> Status;
    destroy_model = "LiteRtDestroyModel": fn(Handle);
    num_subgraphs = "LiteRtGetNumModelSubgraphs": fn(Handle, *mut usize) -> Status;
    subgraph = "LiteRtGetModelSubgraph": fn(Handle, usize, *mut Handle) -> Status;
    num_ops = "LiteRtGetNumSubgraphOps": fn(Handle, *mut usize) -> Status;
    op = "LiteRtGetSubgraphOp": fn(Handle, usize, *mut Handle) -> Status;
    op_code = "LiteRtGetOpCode": fn(Handle, *mut c_int) -> Status;
    custom_code = "LiteRtGetCustomCode": fn(Handle, *mut *const c_char) -> Status;
    num_op_outputs = "LiteRtGetNumOpOutputs": fn(Handle, *mut usize) -> Status;
    op_output = "LiteRtGetOpOutput": fn(Handle, usize, *mut Handle) -> Status;
    num_signatures = "LiteRtGetNumModelSignatures": fn(Handle, *mut usize) -> Status;
    signature = "LiteRtGetModelSignature": fn(Handle, usize, *mut Handle) -> Status;
    signature_key = "LiteRtGetSignatureKey": fn(Handle, *mut *const c_char) -> Status;
    num_inputs = "LiteRtGetNumSignatureInputs": fn(Handle, *mut usize) -> Status;
    input_name = "LiteRtGetSignatureInputName": fn(Handle, usize, *mut *const c_char) -> Status;
    input_tensor = "LiteRtGetSignatureInputTensorByIndex": fn(Handle, usize, *mut Handle) -> Status;
    num_outputs = "LiteRtGetNumSignatureOutputs": fn(Handle, *mut usize) -> Status;
    output_name = "LiteRtGetSignatureOutputName": fn(Handle, usize, *mut *const c_char) -> Status;
    output_tensor = "LiteRtGetSignatureOutputTensorByIndex": fn(Handle, usize, *mut Handle) -> Status;
    tensor_name = "LiteRtGetTensorName": fn(Handle, *mut *const c_char) -> Status;
    tensor_type = "LiteRtGetRankedTensorType": fn(Handle, *mut RankedTensorType) -> Status;

    create_options = "LiteRtCreateOptions": fn(*mut Handle) -> Status;
    destroy_options = "LiteRtDestroyOptions": fn(Handle);
    set_accelerators = "LiteRtSetOptionsHardwareAccelerators": fn(Handle, c_int) -> Status;
    create_opaque = "LiteRtCreateOpaqueOptions":
        fn(*const c_char, *mut c_void, unsafe extern "C" fn(*mut c_void), *mut Handle) -> Status;
    add_opaque = "LiteRtAddOpaqueOptions": fn(Handle, Handle) -> Status;

    create_compiled = "LiteRtCreateCompiledModel": fn(Handle, Handle, Handle, *mut Handle) -> Status;
    destroy_compiled = "LiteRtDestroyCompiledModel": fn(Handle);
    resize_input = "LiteRtCompiledModelResizeInputTensorNonStrict":
        fn(Handle, usize, usize, *const c_int, usize) -> Status;
    output_layouts = "LiteRtGetCompiledModelOutputTensorLayouts":
        fn(Handle, usize, usize, *mut Layout, bool) -> Status;
    run = "LiteRtRunCompiledModel": fn(Handle, usize, usize, *mut Handle, usize, *mut Handle) -> Status;
    error_messages = "LiteRtCompiledModelGetErrorMessages": fn(Handle, *mut *mut c_char) -> Status;
    clear_errors = "LiteRtCompiledModelClearErrors": fn(Handle) -> Status;

    create_buffer = "LiteRtCreateManagedTensorBuffer":
        fn(Handle, c_int, *const RankedTensorType, usize, *mut Handle) -> Status;
    buffer_memory = "LiteRtGetTensorBufferHostMemory": fn(Handle, *mut *mut c_void) -> Status;
    destroy_buffer = "LiteRtDestroyTensorBuffer": fn(Handle);

    // Of the C library that LiteRT itself is linked with, so that it is the right one.
    free = "free": fn(*mut c_void);
}
