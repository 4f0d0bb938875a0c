//! Making sessions, and saying in our words why one cannot be made.

use crate::config::{Arena, Optimization, Options, Provider};
use crate::graph::{NodeName, Source};
use einthoven_plugin_sdk::{Code, Failure};
use ort::ErrorCode;
use ort::environment::Environment;
use ort::ep::{self, ExecutionProvider, ExecutionProviderDispatch};
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::{AutoDevicePolicy, GraphOptimizationLevel};
use std::sync::Arc;

/// A provider, on one of its devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) provider: Provider,
    /// Number of the GPU; 0 for the processor.
    pub(crate) device: u32,
}

impl Target {
    pub(crate) const CPU: Self = Self {
        provider: Provider::Cpu,
        device: 0,
    };
}

/// Makes a session with threads and memory of its own.
pub(crate) fn make(
    environment: &Environment,
    source: &Source,
    options: &Options,
    target: Target,
) -> ort::Result<Session> {
    let lifted = source.lifted.as_ref().filter(|_| target == Target::CPU);
    // What ONNX Runtime has against a graph is to be told of the one that people know.
    match lifted.map(|graph| make_of(environment, graph, source, options, target)) {
        Some(Ok(session)) => Ok(session),
        Some(Err(_)) | None => make_of(environment, &source.graph, source, options, target),
    }
}

fn make_of(
    environment: &Environment,
    graph: &[u8],
    source: &Source,
    options: &Options,
    target: Target,
) -> ort::Result<Session> {
    let mut builder = Session::builder(environment)?
        .with_log_level(LogLevel::Fatal)?
        // The graph's bytes alone would let ONNX Runtime's own format in, which was not looked through.
        .with_config_entry("session.load_model_format", "ONNX")?
        .with_optimization_level(match options.graph_optimization {
            Optimization::Off => GraphOptimizationLevel::Disable,
            Optimization::Basic => GraphOptimizationLevel::Level1,
            Optimization::Extended => GraphOptimizationLevel::Level2,
            Optimization::Layout => GraphOptimizationLevel::Level3,
            Optimization::All => GraphOptimizationLevel::All,
        })?
        .with_intra_threads(options.intra_threads())?
        .with_inter_threads(options.interop_threads)?
        .with_parallel_execution(options.interop_threads > 1)?
        .with_intra_op_spinning(options.spinning)?
        .with_inter_op_spinning(options.spinning)?
        // Only what is asked for below: no provider that ONNX Runtime would choose by itself.
        .with_auto_device(AutoDevicePolicy::PreferCPU)?
        .with_execution_providers(providers(options, target))?;
    for (name, bytes) in &source.weights {
        builder = builder.with_external_initializer_file_in_memory(name, Arc::clone(bytes))?;
    }
    builder.commit_from_memory(graph)
}

fn providers(options: &Options, target: Target) -> Vec<ExecutionProviderDispatch> {
    let device = i32::try_from(target.device).unwrap_or(i32::MAX);
    let mut providers = Vec::new();
    if target.provider == Provider::TensorRt {
        let mut tensorrt = ep::TensorRT::default()
            .with_device_id(device)
            .with_fp16(options.fp16.unwrap_or(false));
        if let Some(limit) = options.memory_limit_bytes {
            tensorrt = tensorrt.with_max_workspace_size(limit);
        }
        providers.push(tensorrt.build());
    }
    if target.provider != Provider::Cpu {
        let mut cuda = ep::CUDA::default()
            .with_device_id(device)
            // Off unless asked for, so that the same model gives the same answers as on the processor.
            .with_tf32(options.tf32.unwrap_or(false))
            // Batches come in many sizes; an exhaustive search would start again at each.
            .with_conv_algorithm_search(ep::cuda::ConvAlgorithmSearch::Heuristic);
        if let Some(limit) = options.memory_limit_bytes {
            cuda = cuda.with_memory_limit(limit);
        }
        if options.arena == Arena::Shrink {
            cuda = cuda.with_arena_extend_strategy(ep::ArenaExtendStrategy::SameAsRequested);
        }
        providers.push(cuda.build());
    }
    providers.push(
        ep::CPU::default()
            .with_arena_allocator(options.arena != Arena::Off)
            .build(),
    );
    providers
        .into_iter()
        .map(ExecutionProviderDispatch::error_on_failure)
        .collect()
}

/// Whether the library was built with the provider; whether there is a device shows only when a session is made.
pub(crate) fn built_with(provider: Provider) -> bool {
    match provider {
        Provider::Cpu => Ok(true),
        Provider::Cuda => ep::CUDA::is_available(),
        Provider::TensorRt => ep::TensorRT::is_available(),
    }
    .unwrap_or(false)
}

/// Why a graph was refused. Files are checked before; what is left is an operator that ONNX Runtime lacks, or a graph that
/// contradicts itself.
pub(crate) fn refused(entry: &str, nodes: &[NodeName], cause: &ort::Error) -> Failure {
    let text = cause.message();
    let lacks_operator = cause.code() == ErrorCode::NotImplemented
        || [
            "is not a registered function/op",
            "No Op registered for",
            "Could not find an implementation for",
        ]
        .iter()
        .any(|phrase| text.contains(phrase));
    if lacks_operator {
        let node = nodes
            .iter()
            .filter(|node| has_word(text, &node.operator))
            .max_by_key(|node| {
                (
                    has_word(text, &node.name),
                    !node.domain.is_empty() && text.contains(&node.domain),
                )
            });
        let node = node.map_or_else(String::new, |node| {
            let domain = if node.domain.is_empty() {
                String::new()
            } else {
                format!(" of `{}`", node.domain)
            };
            format!(
                "node `{}` needs the operator `{}`{domain}, which ONNX Runtime lacks: ",
                node.name, node.operator
            )
        });
        return Failure::unsupported(format!("`{entry}`: {node}{text}"));
    }
    if ["Unsupported model IR version", "is under development"]
        .iter()
        .any(|phrase| text.contains(phrase))
    {
        return Failure::unsupported(format!("`{entry}` is newer than this ONNX Runtime: {text}"));
    }
    if exhausted(text) {
        return Failure::new(Code::ResourceExhausted, format!("`{entry}`: {text}"));
    }
    Failure::invalid(format!("`{entry}`: {text}"))
}

/// Whether the message tells of memory that could not be had.
pub(crate) fn exhausted(text: &str) -> bool {
    [
        "bad_alloc",
        "bad allocation",
        "Failed to allocate memory",
        "out of memory",
    ]
    .iter()
    .any(|phrase| text.contains(phrase))
}

/// Whether the name stands in the text by itself: `Conv`, but not inside `ConvTranspose`.
fn has_word(text: &str, name: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    !name.is_empty()
        && text
            .match_indices(name)
            .any(|(start, _)| !text[..start].ends_with(inside) && !text[start + name.len()..].starts_with(inside))
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn a_word_is_not_part_of_another() {
        assert!(has_word("No Op registered for Conv with", "Conv"));
        assert!(has_word("x:Conv(-1)", "Conv"));
        assert!(!has_word("ConvTranspose(1)", "Conv"));
        assert!(!has_word("anything", ""));
    }
}
