//! Write a plugin: an engine that runs networks, or a reader of a file format, as a small synchronous trait.
//!
//! An engine loads models, a model makes instances, an instance runs batches. Queues, batching, metrics and time-outs
//! live with the host. Start reading at [`Engine`] or [`Reader`].

mod engine;
#[doc(hidden)]
pub mod export;
mod failure;
mod reader;
mod setup;
mod tensor;

pub use engine::{Call, Device, Engine, EngineInfo, Instance, Model, ModelFile, ModelPackage};
pub use failure::{Code, Failure};
pub use reader::{InputFile, ReadHints, Reader, ReaderInfo, RecordingSink};
pub use setup::Setup;
pub use tensor::{DType, Signature, TensorSpec, TensorView};

/// Makes a plugin of a type that is an [`Engine`]: exports `einthoven_plugin_entry_v1`.
///
/// The crate's type is `cdylib`; to be linked into a host as well, also `rlib`. A panic in the engine becomes a failure and
/// never leaves the library, which therefore must not be built with `panic = "abort"`.
///
/// A crate that is also linked into a host exports only when it is built as a library of its own, behind a feature, since a
/// binary would hold the symbol of two such crates twice. The host then uses its `Plugin::linked_engine`.
#[macro_export]
macro_rules! export_engine {
    ($engine:ty) => {
        $crate::export_plugin!($crate::export::engine_entry::<$engine>);
    };
}

/// Makes a plugin of a type that is a [`Reader`], as [`export_engine!`] does of an engine.
#[macro_export]
macro_rules! export_reader {
    ($reader:ty) => {
        $crate::export_plugin!($crate::export::reader_entry::<$reader>);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! export_plugin {
    ($body:expr) => {
        /// Describes the plugin to the host: the only symbol it exports.
        ///
        /// # Safety
        /// `out` is null or may be written to; `host` is null or lives until the process ends.
        #[allow(unsafe_code, reason = "the plugin's entry is C")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn einthoven_plugin_entry_v1(
            host: *const $crate::export::Host,
            out: *mut *const $crate::export::Plugin,
        ) -> i32 {
            static DESCRIPTION: $crate::export::Cell = $crate::export::Cell::new();
            // SAFETY: the host's own pointers are passed on.
            unsafe { $body(&DESCRIPTION, host, out) }
        }
    };
}
