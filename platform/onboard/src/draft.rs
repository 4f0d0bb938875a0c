//! A manifest drafted from the network itself; what cannot be known is asked for, not guessed.

use crate::candidate::Candidate;
use crate::error::{FieldProblem, OnboardError};
use crate::golden::{self, Input};
use crate::onnx;
use einthoven_classify::{Manifest, Serving};
use einthoven_ecg::beat::BeatClass;
use einthoven_ecg::recipe::{self, Recipe};
use einthoven_plugin_host::{DType, Failure, TensorSpec};
use einthoven_plugin_worker::{Crashes, LoadRequest, Worker};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// A complete manifest with its golden outputs.
pub(crate) struct Drafted {
    pub(crate) manifest: Value,
    /// As JSON, unless the files bring one.
    pub(crate) golden: Option<Value>,
}

/// Completes the manifest of a candidate. The network is opened in a child process alone. Blocks, for seconds where an
/// engine must compute golden outputs.
///
/// # Errors
/// [`OnboardError::Incomplete`] with the draft so far and everything that is missing; others where there is no network, or
/// no engine opens it.
pub(crate) fn draft(
    serving: &Serving,
    candidate: &Candidate,
    example: Option<Vec<Input>>,
) -> Result<Drafted, OnboardError> {
    let mut manifest = stated(candidate)?;
    let tensors_alone = serves_tensors_alone(&mut manifest);
    let variants = networks(serving, candidate, &manifest)?;
    if !manifest.contains_key("variants") && variants.iter().any(|name| !name.starts_with("model.")) {
        let named: Vec<_> = variants.iter().map(|name| json!({"name": name})).collect();
        manifest.insert("variants".to_owned(), named.into());
    }
    let brings_golden = candidate.file("golden.json").is_some();
    let known = ["inputs", "outputs"].iter().all(|field| manifest.contains_key(*field));
    let mut problems = Vec::new();
    let mut made = None;
    if !known || !brings_golden {
        let mut opened = open(serving, candidate, &variants)?;
        let signature = opened.worker.opened().signature.clone();
        if !manifest.contains_key("inputs") {
            manifest.insert("inputs".to_owned(), specs(&signature.inputs));
        }
        let inputs: Vec<TensorSpec> = from(&manifest, "inputs", &mut problems).unwrap_or_default();
        let drawn = match example.and_then(|example| golden::fitting(example, &inputs)) {
            Some(example) => Ok((example, "the maker's example")),
            None => golden::drawn(&inputs).map(|drawn| (drawn, "drawn from a fixed seed")),
        };
        match drawn {
            // Said below, with what to do; an engine would only say that it got something else.
            _ if !tensors_alone && inputs.iter().any(|spec| spec.dtype != DType::F32) => {}
            Err(problem) => problems.push(problem),
            Ok((drawn, origin)) => {
                let computed = golden::computed(&mut opened.worker, &drawn, &inputs, origin, &opened.engine);
                let (golden, outputs) = computed.map_err(|cause| unloadable(&opened.engine, &cause))?;
                if !manifest.contains_key("outputs") {
                    manifest.insert("outputs".to_owned(), specs(&outputs));
                }
                made = (!brings_golden).then_some(golden);
            }
        }
    }
    if !manifest.contains_key("labels")
        && let Some(labels) = labels(candidate, &variants)
    {
        manifest.insert("labels".to_owned(), labels.into());
    }
    if !tensors_alone {
        check(&mut manifest, &mut problems);
    }
    let manifest = Value::Object(manifest);
    if problems.is_empty()
        && let Err(cause) = serde_json::from_value::<Manifest>(manifest.clone())
    {
        problems.push(problem("manifest", format!("the manifest cannot be used: {cause}")));
    }
    if !problems.is_empty() {
        return Err(OnboardError::Incomplete {
            problems,
            draft: manifest,
            files: Vec::new(),
        });
    }
    Ok(Drafted { manifest, golden: made })
}

/// Whether somebody said that there is no recipe, by `none` or null; what is merely missing is asked for. The manifest has no
/// such field then.
fn serves_tensors_alone(manifest: &mut Map<String, Value>) -> bool {
    let none = manifest
        .get("recipe")
        .is_some_and(|recipe| recipe.is_null() || recipe == "none");
    if none {
        manifest.remove("recipe");
    }
    none
}

/// The manifest that came with the files, under what was stated beside them.
fn stated(candidate: &Candidate) -> Result<Map<String, Value>, OnboardError> {
    let mut manifest = match candidate.file("manifest.json") {
        None => Map::new(),
        Some(file) => {
            let unreadable =
                |cause: String| OnboardError::NotAVersion(format!("`manifest.json` cannot be read: {cause}"));
            let bytes = std::fs::read(&file.path).map_err(|cause| unreadable(cause.to_string()))?;
            serde_json::from_slice(&bytes).map_err(|cause| unreadable(cause.to_string()))?
        }
    };
    manifest.extend(candidate.stated.0.clone());
    Ok(manifest)
}

/// The files that hold the network: those the manifest names, else those that an engine here takes.
fn networks(
    serving: &Serving,
    candidate: &Candidate,
    manifest: &Map<String, Value>,
) -> Result<Vec<String>, OnboardError> {
    if let Some(variants) = manifest.get("variants").and_then(Value::as_array) {
        let names = variants.iter().filter_map(|variant| variant["name"].as_str());
        let names: Vec<String> = names.map(str::to_owned).collect();
        return match names.iter().find(|name| candidate.file(name).is_none()) {
            Some(missing) => Err(OnboardError::NotAVersion(format!(
                "the manifest names the file `{missing}`, which is not there"
            ))),
            None => Ok(names),
        };
    }
    let format = |name: &str| name.rsplit_once('.').map(|(_, format)| format.to_owned());
    let taken = |name: &&str| format(name).is_some_and(|format| serving.engines.accepting(&format).next().is_some());
    let names = candidate.files.iter().map(|file| file.name.as_str());
    let found: Vec<_> = names.clone().filter(taken).map(str::to_owned).collect();
    if found.is_empty() {
        let sent: Vec<_> = names.collect();
        return Err(OnboardError::NotAVersion(format!(
            "none of {} is a network that an engine here opens; send .onnx, .tflite with the engine litert, or .safetensors \
             with a config.json and the engine candle",
            sent.join(", ")
        )));
    }
    Ok(found)
}

struct Opened {
    engine: String,
    worker: Worker,
}

/// The network in a child process, on the first engine that opens it.
fn open(serving: &Serving, candidate: &Candidate, variants: &[String]) -> Result<Opened, OnboardError> {
    let mut files = Vec::new();
    for file in &candidate.files {
        let content = std::fs::read(&file.path).map_err(|cause| OnboardError::Read {
            name: file.name.clone(),
            cause: cause.to_string(),
        })?;
        files.push((file.name.clone(), content));
    }
    // One copy of the files for all who try them.
    let mut request = LoadRequest {
        engine: String::new(),
        config: json!({}),
        device: "cpu".parse().map_err(|cause| unloadable("cpu", &cause))?,
        entry: String::new(),
        files,
        directory: None,
    };
    let mut reasons = Vec::new();
    for entry in variants {
        let format = entry.rsplit('.').next().unwrap_or_default();
        for engine in serving.engines.accepting(format) {
            (request.engine, request.entry) = (engine.to_owned(), entry.clone());
            let shared = Arc::new(request);
            match Worker::start(Arc::clone(&serving.workers), Arc::clone(&shared), Crashes::default()) {
                Ok(worker) => {
                    return Ok(Opened {
                        engine: engine.to_owned(),
                        worker,
                    });
                }
                Err(cause) => reasons.push(format!("{engine} with {entry}: {cause}")),
            }
            request = Arc::unwrap_or_clone(shared);
        }
    }
    let mut reasons = reasons.join("; ");
    // What an engine says of it helps nobody who exported with the defaults of a large model.
    if reasons.contains("external data") {
        reasons.push_str(
            "; its weights lie in a file beside it: save it whole, as with onnx.save(model, \"model.onnx\", \
             save_as_external_data=False)",
        );
    }
    Err(OnboardError::Unloadable(reasons))
}

fn unloadable(engine: &str, cause: &Failure) -> OnboardError {
    OnboardError::Unloadable(format!("{engine}: {cause}"))
}

fn labels(candidate: &Candidate, variants: &[String]) -> Option<Vec<String>> {
    let onnx = variants.iter().find(|name| name.ends_with(".onnx"))?;
    onnx::labels(&std::fs::read(&candidate.file(onnx)?.path).ok()?)
}

/// What cannot be read from a network: which recipe feeds it, and what its columns mean. Checks what is said against it.
fn check(manifest: &mut Map<String, Value>, problems: &mut Vec<FieldProblem>) {
    let inputs: Vec<TensorSpec> = from(manifest, "inputs", problems).unwrap_or_default();
    let outputs: Vec<TensorSpec> = from(manifest, "outputs", problems).unwrap_or_default();
    for spec in inputs.iter().chain(&outputs).filter(|spec| spec.dtype != DType::F32) {
        let detail = format!(
            "`{}` holds {:?}; a model that classifies beats takes and gives 32-bit floats, export it so",
            spec.name, spec.dtype
        );
        problems.push(problem("inputs", detail));
    }
    if outputs.len() > 1 {
        let names: Vec<_> = outputs.iter().map(|spec| spec.name.as_str()).collect();
        let detail = format!("it gives {}; export it with its probabilities alone", names.join(", "));
        problems.push(problem("outputs", detail));
    }
    match from::<Vec<String>>(manifest, "labels", problems) {
        None if manifest.contains_key("labels") => {}
        None => {
            let detail = "`labels` is missing: give the class of each output column in order, such as N,S,V,F";
            problems.push(problem("labels", detail.to_owned()));
        }
        Some(labels) => {
            let width = outputs.first().and_then(|spec| spec.dims.last().copied().flatten());
            if let Some(width) = width.filter(|width| *width != labels.len()) {
                let detail = format!(
                    "`labels` names {} classes, the network gives {width} columns",
                    labels.len()
                );
                problems.push(problem("labels", detail));
            }
            problems.extend(unusable(&labels));
        }
    }
    let known: Vec<_> = Recipe::ALL.iter().map(|recipe| recipe.name()).collect();
    match manifest.get("recipe").and_then(Value::as_str).map(str::to_owned) {
        None => problems.push(problem(
            "recipe",
            format!(
                "`recipe` is missing: say how a recording becomes its input, one of {}, or `none` for a model that is to take \
                 tensors alone",
                known.join(", ")
            ),
        )),
        Some(name) => match recipe::by_name(&name) {
            None => problems.push(problem(
                "recipe",
                format!("this build has no recipe `{name}`; it has {}", known.join(", ")),
            )),
            Some(recipe) => feed(recipe, &inputs, manifest, problems),
        },
    }
}

/// A column is found by its label, and answers hold what is one of the standard's classes.
fn unusable(labels: &[String]) -> Option<FieldProblem> {
    let mut seen = HashSet::new();
    if let Some(twice) = labels.iter().find(|label| !seen.insert(*label)) {
        return Some(problem("labels", format!("`labels` names the class `{twice}` twice")));
    }
    let known = BeatClass::ALL.map(|class| class.letter().to_string());
    let detail = format!(
        "`labels` names no class that answers can hold, which are {}; call the columns by these",
        known.join(", ")
    );
    (!labels.iter().any(|label| known.contains(label))).then(|| problem("labels", detail))
}

/// Each input must get a tensor of the recipe with as many values a row. One tensor and one input belong together whatever
/// their names.
fn feed(recipe: Recipe, inputs: &[TensorSpec], manifest: &mut Map<String, Value>, problems: &mut Vec<FieldProblem>) {
    let tensors = recipe.inputs();
    if let ([input], [(tensor, _)]) = (inputs, tensors.as_slice())
        && !manifest.contains_key("feeds")
        && input.name != *tensor
    {
        manifest.insert("feeds".to_owned(), json!({&input.name: tensor}));
    }
    for input in inputs {
        let fed = manifest
            .get("feeds")
            .and_then(|feeds| feeds.get(&input.name))
            .and_then(Value::as_str);
        let wanted = fed.unwrap_or(&input.name).to_owned();
        let Some((_, row)) = tensors.iter().find(|(name, _)| *name == wanted) else {
            let made: Vec<_> = tensors.iter().map(|(name, row)| format!("{name} {row:?}")).collect();
            let detail = format!(
                "the recipe {} makes no tensor `{wanted}` for the input `{}`; it makes {}: say in `feeds` which goes where",
                recipe.name(),
                input.name,
                made.join(", ")
            );
            problems.push(problem("feeds", detail));
            continue;
        };
        let takes: usize = input.dims.iter().skip(1).map(|size| size.unwrap_or(1)).product();
        let makes: usize = row.iter().product();
        if takes != makes {
            let detail = format!(
                "the input `{}` takes {takes} values a row, the recipe {} makes {makes}; another recipe may fit",
                input.name,
                recipe.name()
            );
            problems.push(problem("recipe", detail));
        }
    }
}

fn specs(specs: &[TensorSpec]) -> Value {
    serde_json::to_value(specs).unwrap_or_default()
}

fn from<T: serde::de::DeserializeOwned>(
    manifest: &Map<String, Value>,
    field: &str,
    problems: &mut Vec<FieldProblem>,
) -> Option<T> {
    let value = manifest.get(field)?;
    serde_json::from_value(value.clone())
        .map_err(|cause| problems.push(problem(field, format!("`{field}` is not what it should be: {cause}"))))
        .ok()
}

fn problem(pointer: &str, detail: String) -> FieldProblem {
    FieldProblem {
        pointer: pointer.to_owned(),
        detail,
    }
}
