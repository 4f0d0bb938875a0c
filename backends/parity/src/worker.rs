//! The child that tries a model on an engine; tests start it, see `einthoven_plugin_worker`.
#![forbid(unsafe_code)]

fn main() -> std::io::Result<()> {
    einthoven_plugin_worker::serve(|_, engine| einthoven_backend_parity::open(engine))
}
