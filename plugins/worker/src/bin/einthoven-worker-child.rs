//! The child of this crate's own tests and benchmark; the product is its own child.
#![forbid(unsafe_code)]

use einthoven_plugin_host::{Engines, Failure, Plugin};

fn main() -> std::io::Result<()> {
    einthoven_plugin_worker::serve(|setup, _| {
        let mut engines = Engines::default();
        for path in &setup.plugins {
            let plugin = Plugin::unsealed(path).map_err(Failure::internal)?;
            engines.add(plugin, &serde_json::json!({})).map_err(Failure::internal)?;
        }
        Ok(engines)
    })
}
