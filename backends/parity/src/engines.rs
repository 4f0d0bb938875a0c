//! The engines that are compared.

use einthoven_plugin_host::{Engines, Failure, Plugin};
use serde_json::json;
use std::path::PathBuf;

/// All engines, each with the ending of the files it loads.
pub const ENGINES: [(&str, &str); 4] = [
    ("tract", "onnx"),
    ("onnxruntime", "onnx"),
    ("litert", "tflite"),
    ("candle", "safetensors"),
];

/// A table with the one engine of that name, linked in.
///
/// # Errors
/// What to run, when the engine or the library it needs is not there.
pub fn open(name: &str) -> Result<Engines, Failure> {
    let plugin = match name {
        "tract" => Plugin::linked_engine::<einthoven_backend_tract::TractEngine>(),
        "onnxruntime" => Plugin::linked_engine::<einthoven_backend_onnxruntime::OnnxRuntimeEngine>(),
        "litert" => Plugin::linked_engine::<einthoven_backend_litert::LiteRtEngine>(),
        "candle" => Plugin::linked_engine::<einthoven_backend_candle::CandleEngine>(),
        _ => return Err(Failure::invalid(format!("`{name}` is none of the engines compared"))),
    };
    let config = libraries(name);
    let mut engines = Engines::default();
    engines
        .add(plugin.map_err(Failure::internal)?, &config)
        .map_err(Failure::internal)?;
    let unavailable = engines.states().find_map(|state| state.unavailable);
    match unavailable {
        Some(why) => Err(Failure::internal(format!(
            "engine `{name}` cannot be used: {why}; run `cargo xtask setup`"
        ))),
        None => Ok(engines),
    }
}

/// The server's section for an engine: where the library it needs lies.
#[must_use]
pub fn libraries(name: &str) -> serde_json::Value {
    match name {
        "onnxruntime" => json!({"library": library("libonnxruntime.so")}),
        "litert" => json!({"library": library("libLiteRt.so")}),
        _ => json!({}),
    }
}

/// An engine's own library, where `cargo xtask setup` lays it: `libraries` in cargo's target folder.
fn library(file: &str) -> Option<PathBuf> {
    let this = std::env::current_exe().ok()?;
    let found = this.ancestors().map(|folder| folder.join("libraries").join(file));
    found.into_iter().find(|path| path.exists())
}
