//! The candle engine: networks that ECG people publish, from safetensors weights and a `config.json`.
//!
//! A package holds one `*.safetensors` file, its entry, and a `config.json` beside it that names the architecture and
//! its sizes. Tensors have the names of the PyTorch `state_dict`, so weights of a published network only change their
//! container: `safetensors.torch.save_file(state_dict, "model.safetensors")`. Weights are f32, f16, bf16 or f64; all are
//! converted to f32 at load and computed in f32, and normalisation is folded into the convolutions before it. What the
//! file has and the network has not is an error, since it means that the config is wrong; only `num_batches_tracked`
//! is ignored.
//!
//! | `architecture` | of | further keys |
//! |---|---|---|
//! | `einthoven-heartbeat`, `einthoven-heartbeat-row` | `models/` of this repository | `inputs`, `networks`, `parameters`, `convolutions`, `layers`, `note` |
//! | `ribeiro2020-resnet1d` | Ribeiro et al. 2020, the authors' PyTorch port | `input`, `filters`, `lengths`, `kernel_size` |
//! | `xresnet1d101` | the PTB-XL benchmark, Strodthoff et al. 2020 | `input`, `kernel_size`, `hidden` |
//! | `inception1d` | the same | `input`, `kernel_size`, `depth`, `bottleneck`, `filters`, `hidden` |
//!
//! Every config has `output`: its `name`, the number of `classes`, and the `activation` that ends the network (`none`,
//! `sigmoid` or `softmax`). A key that is not known is refused.
//!
//! Every instance on the processor has its own `threads`, a key of the model's engine section, 1 if it does not say.
#![deny(unsafe_code)]

mod architectures;
mod config;
mod engine;
mod layer;
mod model;
mod network;
mod product;
mod weights;

pub use engine::CandleEngine;

#[cfg(feature = "plugin")]
einthoven_plugin_sdk::export_engine!(CandleEngine);
