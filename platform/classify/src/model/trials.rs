//! Every engine on a version, each in a child of its own.

use super::golden::Golden;
use super::loading::{LoadError, Serving, content, load_request};
use super::manifest::{EngineWish, Manifest, PackageFile, Variant, digest};
use super::table::{EngineRow, EngineTable, TrialStep};
use einthoven_plugin_host::{Code, Failure};
use einthoven_plugin_worker::{Crashes, LoadRequest, Worker, trial};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of the batches that are measured.
pub const BATCHES: [usize; 4] = [1, 8, 32, 128];

/// Runs a version on every engine that might load one of its files, and measures those that give the golden outputs.
///
/// Everything runs in child processes: an engine that crashes or hangs on it is a row with that reason.
///
/// # Errors
/// [`LoadError`] when manifest or golden outputs cannot be read, or when it was given up.
pub fn measure(serving: &Serving, files: &[PackageFile<'_>]) -> Result<EngineTable, LoadError> {
    let manifest: Manifest = serde_json::from_slice(content(files, "manifest.json"))?;
    let golden: Golden = serde_json::from_slice(content(files, "golden.json")).map_err(LoadError::GoldenFile)?;
    let mut engines = Vec::new();
    for variant in manifest.variants(files) {
        let format = variant.name.rsplit('.').next().unwrap_or_default();
        for engine in serving.engines.accepting(format) {
            if matches!(&manifest.engine, EngineWish::Named { name, .. } if name != engine) {
                continue;
            }
            engines.push(row(serving, files, &manifest, &golden, &variant, engine));
            // What an ended child says of an engine is not true of it.
            if serving.is_cancelled() {
                return Err(LoadError::GivenUp);
            }
        }
    }
    Ok(EngineTable {
        digest: digest(files),
        machine: serving.machine(),
        engines,
    })
}

fn row(
    serving: &Serving,
    files: &[PackageFile<'_>],
    manifest: &Manifest,
    golden: &Golden,
    variant: &Variant,
    engine: &str,
) -> EngineRow {
    let mut row = EngineRow {
        engine: engine.to_owned(),
        file: variant.name.clone(),
        accepted: false,
        reason: None,
        failed_at: None,
        runtime: None,
        provider: None,
        max_difference: None,
        tolerance: variant.tolerance,
        batch_us: BTreeMap::new(),
    };
    if let Err((step, failure)) = attempt(serving, files, manifest, golden, &mut row) {
        row.reason = Some(failure.to_string());
        row.failed_at = Some(step);
    }
    row
}

fn attempt(
    serving: &Serving,
    files: &[PackageFile<'_>],
    manifest: &Manifest,
    golden: &Golden,
    row: &mut EngineRow,
) -> Result<(), (TrialStep, Failure)> {
    let at = |step| move |failure| (step, failure);
    let request = load_request(manifest, files, &row.engine, &row.file).map_err(at(TrialStep::Load))?;
    let inputs = golden.inputs().map_err(at(TrialStep::Golden))?;
    // A network that fixes the rows of its batches runs no others.
    let batches = manifest.fixed_rows().map_or(BATCHES.to_vec(), |rows| vec![rows]);
    let done = match trial(&serving.workers, &request, &inputs, &batches) {
        Ok(done) => done,
        // Golden inputs that the file does not take fail before anybody compares names and shapes.
        Err(failure) => match mismatch(serving, request, manifest) {
            Some(mismatch) => return Err((TrialStep::Signature, mismatch)),
            None => return Err((TrialStep::Load, failure)),
        },
    };
    row.runtime = Some(done.opened.runtime);
    row.provider = Some(done.opened.provider);
    manifest
        .check(&done.opened.signature)
        .map_err(at(TrialStep::Signature))?;
    let difference = golden
        .difference(&done.outputs, &manifest.outputs)
        .map_err(at(TrialStep::Golden))?;
    row.max_difference = Some(difference.largest).filter(|largest| largest.is_finite());
    if difference.largest > row.tolerance {
        let text = format!(
            "golden row {} differs by {} from what the model gave when it was made; {} is allowed",
            difference.row, difference.largest, row.tolerance
        );
        return Err((TrialStep::Golden, Failure::new(Code::InvalidArgument, text)));
    }
    row.accepted = true;
    let us = |(rows, time): (usize, std::time::Duration)| (rows, time.as_secs_f64() * 1e6);
    row.batch_us = done.times.into_iter().map(us).collect();
    Ok(())
}

/// How a file's inputs and outputs differ from the manifest's, where it opens and they do.
fn mismatch(serving: &Serving, request: LoadRequest, manifest: &Manifest) -> Option<Failure> {
    let worker = Worker::start(Arc::clone(&serving.workers), Arc::new(request), Crashes::default()).ok()?;
    manifest.check(&worker.opened().signature).err()
}
