//! Whether a graph can be resized to any batch, found out by trying.

use crate::runtime::Graph;
use crate::session::Session;
use einthoven_plugin_sdk::{DType, Failure, Signature, TensorSpec};
use std::sync::Arc;

/// How batches are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batching {
    /// Inputs are resized to what comes.
    Resize,
    /// Row by row: the graph is made for one row.
    Rows,
}

/// An output as it came: shape and bytes.
type Output = (Vec<usize>, Vec<u8>);

/// The signature with an open batch where the graph can have one, and how.
///
/// Two made-up rows are run alone and then together. Equal answers prove that the graph does not mix rows and has no
/// fixed batch inside, which the converter leaves in many a file that declares an open one.
pub(crate) fn batching(
    graph: &Arc<Graph>,
    index: usize,
    declared: Signature,
) -> Result<(Signature, Batching), Failure> {
    let one_row = declared
        .inputs
        .iter()
        .all(|spec| matches!(spec.dims.first(), Some(None | Some(1))) && spec.dims[1..].iter().all(Option::is_some));
    if !one_row {
        return Ok((declared, Batching::Resize));
    }
    let declared = Arc::new(declared);
    // As many threads as it takes: this is not measured.
    let mut session = Session::new(graph, index, 1, Arc::clone(&declared))?;
    let rows = [made_up(&declared, 1), made_up(&declared, 2)];
    let alone = [
        run(&mut session, &declared, &rows[..1])?,
        run(&mut session, &declared, &rows[1..])?,
    ];
    let together = run(&mut session, &declared, &rows).ok();
    let batching = match together {
        Some(together) if agrees(&declared, &alone, &together) => Batching::Resize,
        _ if alone[0].iter().all(|(dims, _)| dims.first() == Some(&1)) => Batching::Rows,
        _ => {
            // One row, and outputs that are not per row: it is served as what it is.
            let mut signature = (*declared).clone();
            for spec in &mut signature.inputs {
                spec.dims[0] = Some(1);
            }
            return Ok((signature, Batching::Resize));
        }
    };
    let mut signature = (*declared).clone();
    for spec in &mut signature.inputs {
        spec.dims[0] = None;
    }
    for (spec, (dims, _)) in signature.outputs.iter_mut().zip(&alone[0]) {
        spec.dims = dims.iter().map(|&dim| Some(dim)).collect();
        spec.dims[0] = None;
    }
    Ok((signature, batching))
}

/// One row for every input, each other for another `seed`.
fn made_up(signature: &Signature, seed: u64) -> Vec<Vec<u8>> {
    let mut state = seed;
    let mut next = move || {
        // A linear congruential generator; its upper bits are good enough here.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as u32
    };
    let row = |spec: &TensorSpec| {
        let count: usize = spec.dims[1..].iter().flatten().product();
        let mut bytes = Vec::with_capacity(count * spec.dtype.size());
        for _ in 0..count {
            let value = next();
            match spec.dtype {
                DType::F32 => bytes.extend(((value as f32 / 8_388_608.0) - 1.0).to_le_bytes()),
                // 0.5 to 1 with a sign: exponent 14, any mantissa.
                DType::F16 => bytes.extend((((value & 0x83ff) | 0x3800) as u16).to_le_bytes()),
                // Indices and flags more often than quantities.
                DType::I64 => bytes.extend(i64::from(value & 1).to_le_bytes()),
                DType::I8 | DType::U8 => bytes.push(value as u8),
                DType::Bool => bytes.push((value & 1) as u8),
            }
        }
        bytes
    };
    signature.inputs.iter().map(row).collect()
}

fn run(session: &mut Session, signature: &Signature, rows: &[Vec<Vec<u8>>]) -> Result<Vec<Output>, Failure> {
    let shapes: Vec<Vec<usize>> = signature
        .inputs
        .iter()
        .map(|spec| {
            std::iter::once(rows.len())
                .chain(spec.dims[1..].iter().flatten().copied())
                .collect()
        })
        .collect();
    session.shape(shapes.iter().map(Vec::as_slice))?;
    for input in 0..shapes.len() {
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row[input].iter().copied()).collect();
        session.input(input).copy_from_slice(&bytes);
    }
    session.run()?;
    Ok((0..signature.outputs.len())
        .map(|index| {
            let (dims, bytes) = session.output(index);
            (dims.to_vec(), bytes.to_vec())
        })
        .collect())
}

/// Whether both rows together gave what they gave alone.
fn agrees(signature: &Signature, alone: &[Vec<Output>; 2], together: &[Output]) -> bool {
    signature.outputs.iter().enumerate().all(|(index, spec)| {
        let ((dims, first), (_, second), (both, bytes)) = (&alone[0][index], &alone[1][index], &together[index]);
        dims.first() == Some(&1)
            && both.first() == Some(&2)
            && dims[1..] == both[1..]
            && same(spec.dtype, &[first.as_slice(), second].concat(), bytes)
    })
}

/// Equal up to what another order of summing, or of rounding to 8 bits, makes of it.
fn same(dtype: DType, left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    match dtype {
        DType::F32 => left.as_chunks().0.iter().zip(right.as_chunks().0).all(|(left, right)| {
            let (left, right) = (f32::from_le_bytes(*left), f32::from_le_bytes(*right));
            (left.is_nan() && right.is_nan()) || left == right || (left - right).abs() <= 1e-4 * left.abs().max(1.0)
        }),
        // Neighbours among 16-bit floats of one sign are neighbours among integers.
        DType::F16 => left
            .as_chunks()
            .0
            .iter()
            .zip(right.as_chunks().0)
            .all(|(left, right)| u16::from_le_bytes(*left).abs_diff(u16::from_le_bytes(*right)) <= 8),
        DType::I8 => left
            .iter()
            .zip(right)
            .all(|(left, right)| left.cast_signed().abs_diff(right.cast_signed()) <= 1),
        DType::U8 => left.iter().zip(right).all(|(left, right)| left.abs_diff(*right) <= 1),
        DType::I64 | DType::Bool => left == right,
    }
}
