//! Golden inputs and outputs for a network that brought none: inputs from its maker's example or drawn from a fixed seed,
//! outputs as one engine computes them. They prove that engines agree, and that the version computes later what it did
//! when it came; not that it was exported rightly, which only its maker's own outputs prove.

use crate::error::FieldProblem;
use einthoven_classify::{from_bytes, to_bytes};
use einthoven_plugin_host::{DType, Failure, TensorSpec, TensorView, Until};
use einthoven_plugin_worker::Worker;
use serde_json::{Value, json};

/// Rows of an example that are kept.
const MOST_ROWS: usize = 16;

/// Values of one input that are drawn at most.
const MOST_VALUES: usize = 1 << 24;

/// Rows that are drawn.
const ROWS: usize = 4;

/// One input: name, shape with the batch first, values row by row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) dtype: DType,
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// The example as inputs of the network, its first rows; none where it is not one tensor for each input with rows of the
/// input's size.
pub(crate) fn fitting(mut example: Vec<Input>, specs: &[TensorSpec]) -> Option<Vec<Input>> {
    if let ([only], [spec]) = (example.as_mut_slice(), specs) {
        // MLflow need not name a model's only input.
        only.name.clone_from(&spec.name);
    }
    let fit = |spec: &TensorSpec| {
        let mut input = example.iter().find(|input| input.name == spec.name)?.clone();
        let same = input.dtype == spec.dtype
            && input.dims.len() == spec.dims.len()
            && spec
                .dims
                .iter()
                .zip(&input.dims)
                .skip(1)
                .all(|(wanted, is)| wanted.is_none_or(|wanted| wanted == *is));
        let rows = input.dims.first().copied().filter(|rows| *rows > 0 && same)?;
        let kept = rows.min(MOST_ROWS);
        input.values.truncate(input.values.len() / rows * kept);
        input.dims[0] = kept;
        Some(input)
    };
    specs.iter().map(fit).collect()
}

/// Draws inputs between 0 and 1, the same for the same shapes.
///
/// # Errors
/// The input whose rows have no fixed size.
pub(crate) fn drawn(specs: &[TensorSpec]) -> Result<Vec<Input>, FieldProblem> {
    // Knuth's MMIX generator: no more than a fixed, well mixed sequence is needed.
    let mut state: u64 = 0x1903;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let draw = |spec: &TensorSpec| {
        let row: Option<Vec<usize>> = spec.dims.iter().skip(1).copied().collect();
        let row = row.ok_or_else(|| FieldProblem {
            pointer: "inputs".to_owned(),
            detail: format!(
                "the rows of input `{}` have no fixed size, {:?}; give `inputs` with the sizes, or a golden.json",
                spec.name, spec.dims
            ),
        })?;
        // A network may fix the rows of its batches, or take an input that has none.
        let rows = spec.dims.first().map(|rows| rows.unwrap_or(ROWS));
        let dims: Vec<usize> = rows.into_iter().chain(row).collect();
        let count = dims.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
        let count = count.filter(|count| *count <= MOST_VALUES).ok_or_else(|| FieldProblem {
            pointer: "inputs".to_owned(),
            detail: format!(
                "{ROWS} rows of input `{}` have more than {MOST_VALUES} values, {:?}; give a golden.json with fewer rows",
                spec.name, spec.dims
            ),
        })?;
        Ok(Input {
            name: spec.name.clone(),
            dtype: spec.dtype,
            values: std::iter::repeat_with(&mut next)
                .map(|value| if floats(spec.dtype) { value } else { value.round() })
                .take(count)
                .collect(),
            dims,
        })
    };
    specs.iter().map(draw).collect()
}

fn floats(dtype: DType) -> bool {
    matches!(dtype, DType::F32 | DType::F16)
}

/// `golden.json` with what the worker's engine computes for these inputs, and the outputs' shapes.
///
/// # Errors
/// The engine's failure.
pub(crate) fn computed(
    worker: &mut Worker,
    inputs: &[Input],
    takes: &[TensorSpec],
    origin: &str,
    engine: &str,
) -> Result<(Value, Vec<TensorSpec>), Failure> {
    let wide = |input: &Input| input.values.iter().copied().map(f64::from).collect::<Vec<_>>();
    let data: Vec<_> = inputs.iter().map(|input| to_bytes(input.dtype, &wide(input))).collect();
    let views = inputs
        .iter()
        .zip(&data)
        .map(|(input, data)| TensorView::new(&input.name, input.dtype, &input.dims, data))
        .collect::<Result<Vec<_>, _>>()?;
    let outputs = worker.run(&views, &Until::default())?;
    if let Some((_, failure)) = outputs.failed().first() {
        return Err(failure.clone());
    }
    let rows = inputs.first().and_then(|input| input.dims.first().copied());
    let open = takes.iter().all(|spec| spec.dims.first() == Some(&None));
    let (mut golden, mut specs) = (serde_json::Map::new(), Vec::new());
    for output in outputs.all() {
        let values = if output.dtype == DType::F32 {
            json!({"dims": output.dims, "values": output.as_f32()?})
        } else {
            let values = from_bytes(output.dtype, output.bytes());
            json!({"dims": output.dims, "dtype": output.dtype, "values": values})
        };
        golden.insert(output.name.clone(), values);
        let rows_open = open && output.dims.first() == rows.as_ref();
        let sizes = output.dims.iter().enumerate();
        specs.push(TensorSpec {
            name: output.name.clone(),
            dtype: output.dtype,
            dims: sizes
                .map(|(index, size)| (index > 0 || !rows_open).then_some(*size))
                .collect(),
        });
    }
    let given: serde_json::Map<_, _> = inputs
        .iter()
        .map(|input| {
            let mut given = json!({"dims": input.dims, "values": input.values});
            if input.dtype != DType::F32 {
                given["dtype"] = json!(input.dtype);
            }
            (input.name.clone(), given)
        })
        .collect();
    let made =
        json!({"inputs": given, "outputs": golden, "made": {"inputs": origin, "outputs": format!("by {engine}")}});
    Ok((made, specs))
}
