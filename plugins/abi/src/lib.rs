//! The plugin contract as C sees it: plain structs, status codes and one entry symbol.
//!
//! The headers in `include/` are generated from these files by `cargo xtask header`; [`plugin`] is common to all plugins,
//! [`engine`] and [`reader`] are one kind each. Plugins in Rust are written on `einthoven-plugin-sdk` instead.
//!
//! The rules that hold everywhere:
//!
//! - **Versions.** The major version is in the name of the entry symbol. A minor version only appends fields to structs
//!   that start with `struct_size`, and functions that may be null. Whoever is given such a struct reads no further than
//!   its `struct_size` and treats what lies beyond as null. Structs without `struct_size` never change.
//! - **Memory.** Who allocates frees. What a function is given is valid until it returns, unless it says otherwise. Handles
//!   are the plugin's; the host never looks inside.
//! - **Text** is UTF-8 with a length, without a closing NUL.
//! - **Tensors** are dense, row-major and little-endian.
//! - **Unwinding** must not leave a plugin: no panic, no C++ exception, no `longjmp`.
//! - **Threads.** Calls on one instance come one at a time, from any thread; calls on different instances come at the same
//!   time. A plugin joins its own threads before it closes. It does not install signal handlers, change the locale, the
//!   environment or the working directory, and does not call `exit`.
//! - **Unloading.** Models and instances are freed; the library itself stays until the process ends.

pub mod engine;
pub mod plugin;
pub mod reader;
pub mod view;
