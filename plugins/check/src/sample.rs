//! What the plugin is fed with: a model and batches for it, or recordings.

use crate::Target;
use crate::raw::call::{Batch, Input};
use crate::raw::engine::Spec;
use einthoven_plugin_host::DType;
use half::f16;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Bytes of one file above which it is not read.
const LARGEST: u64 = 1 << 31;

/// What stands for a free dimension other than the batch, where no golden file says better.
const FREE: i64 = 32;

/// A model's files.
pub(crate) struct Package {
    pub(crate) entry: String,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) directory: PathBuf,
}

/// Inputs and outputs that belong together.
#[derive(Deserialize)]
pub(crate) struct Golden {
    pub(crate) inputs: BTreeMap<String, Values>,
    pub(crate) outputs: BTreeMap<String, Values>,
    #[serde(default = "tolerance")]
    pub(crate) tolerance: f64,
}

/// One tensor of it.
#[derive(Deserialize)]
pub(crate) struct Values {
    pub(crate) dims: Vec<i64>,
    pub(crate) values: Vec<f64>,
}

fn tolerance() -> f64 {
    1e-3
}

fn place(target: &Target) -> Result<PathBuf, String> {
    let place = target
        .model
        .clone()
        .unwrap_or_else(|| target.library.with_extension("conformance"));
    if place.exists() {
        return Ok(place);
    }
    Err(format!(
        "there is nothing to try the plugin with at {}; give --model",
        place.display()
    ))
}

/// The files of the folder in which `place` lies or which it is, without the golden file, by name.
fn files(place: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let folder = folder(place);
    let failed = |cause: std::io::Error| format!("{}: {cause}", folder.display());
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let metadata = std::fs::metadata(entry.path()).map_err(failed)?;
        if metadata.is_file() && metadata.len() <= LARGEST && name != "golden.json" {
            files.push((name, std::fs::read(entry.path()).map_err(failed)?));
        }
    }
    files.sort();
    Ok(files)
}

fn folder(place: &Path) -> &Path {
    if place.is_dir() {
        return place;
    }
    match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn has_ending(name: &str, formats: &[String]) -> bool {
    formats
        .iter()
        .any(|format| name.to_lowercase().ends_with(&format!(".{format}")))
}

impl Package {
    /// The model that the target names; in a folder the file with the shortest name among those of the engine's formats.
    pub(crate) fn of(target: &Target, formats: &[String]) -> Result<Self, String> {
        let place = place(target)?;
        let files = files(&place)?;
        let entry = if place.is_dir() {
            let known = files
                .iter()
                .map(|(name, _)| name)
                .filter(|name| has_ending(name, formats));
            known.min_by_key(|name| name.len()).cloned()
        } else {
            place.file_name().map(|name| name.to_string_lossy().into_owned())
        };
        let entry = entry.ok_or_else(|| {
            format!(
                "no file in {} has an ending of the engine: {}",
                place.display(),
                formats.join(", ")
            )
        })?;
        let directory = folder(&place).to_owned();
        Ok(Self {
            entry,
            files,
            directory,
        })
    }

    /// Bytes of all files.
    pub(crate) fn size(&self) -> usize {
        self.files.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// The same with other bytes as its first file.
    pub(crate) fn with_entry(&self, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let mut files = self.files.clone();
        if let Some((_, bytes)) = files.iter_mut().find(|(name, _)| *name == self.entry) {
            *bytes = change(bytes);
        }
        Self {
            entry: self.entry.clone(),
            files,
            // Somewhere without the true files, so that an engine that reads paths gets none.
            directory: PathBuf::new(),
        }
    }
}

/// The recordings that the target names.
pub(crate) fn recordings(target: &Target, formats: &[String]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let place = place(target)?;
    let mut files = files(&place)?;
    if place.is_dir() {
        files.retain(|(name, _)| has_ending(name, formats));
    } else {
        files.retain(|(name, _)| place.file_name().is_some_and(|file| file.to_string_lossy() == *name));
    }
    if files.is_empty() {
        return Err(format!("there is no file to read at {}", place.display()));
    }
    Ok(files)
}

impl Golden {
    /// The target's golden file, or that of the model's folder; `None` when there is none.
    pub(crate) fn of(target: &Target) -> Result<Option<Self>, String> {
        let path = match &target.golden {
            Some(path) => path.clone(),
            None => {
                let path = folder(&place(target)?).join("golden.json");
                if !path.exists() {
                    return Ok(None);
                }
                path
            }
        };
        let failed = |cause: String| format!("{}: {cause}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|cause| failed(cause.to_string()))?;
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|cause| failed(cause.to_string()))
    }

    /// Its inputs as a batch.
    pub(crate) fn batch(&self, specs: &[Spec]) -> Result<Batch, String> {
        let input = |spec: &Spec| {
            let values = self.inputs.get(&spec.name);
            let values = values.ok_or_else(|| format!("the golden file has no input `{}`", spec.name))?;
            Ok(Input::new(
                &spec.name,
                spec.dtype,
                values.dims.clone(),
                &encoded(spec.dtype, &values.values),
            ))
        };
        Ok(Batch {
            inputs: specs.iter().map(input).collect::<Result<_, String>>()?,
        })
    }
}

/// A batch of `rows` items with values between -1 and 1, another for every `seed`.
pub(crate) fn batch(specs: &[Spec], golden: Option<&Golden>, rows: i64, seed: u64) -> Batch {
    let mut drawn = drawn(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut next = || (drawn() >> 7) as f64 / f64::from(1 << 23) - 1.0;
    let input = |spec: &Spec| {
        let dims = dims(spec, golden, rows);
        let count = dims.iter().product::<i64>().max(0);
        let values: Vec<f64> = (0..count).map(|_| next()).collect();
        Input::new(&spec.name, spec.dtype, dims, &encoded(spec.dtype, &values))
    };
    Batch {
        inputs: specs.iter().map(input).collect(),
    }
}

/// Numbers of 31 bits as if by chance, the same at every run.
pub(crate) fn drawn(seed: u64) -> impl FnMut() -> usize {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    }
}

/// The shape of an input with so many items.
fn dims(spec: &Spec, golden: Option<&Golden>, rows: i64) -> Vec<i64> {
    let known = golden.and_then(|golden| golden.inputs.get(&spec.name));
    let dim = |(at, &dim): (usize, &i64)| match dim {
        0.. => dim,
        _ if at == 0 => rows,
        _ => known.and_then(|known| known.dims.get(at).copied()).unwrap_or(FREE),
    };
    spec.dims.iter().enumerate().map(dim).collect()
}

/// Values as bytes of an element type; integers are made of what lies in -1..1 by scaling.
pub(crate) fn encoded(dtype: DType, values: &[f64]) -> Vec<u8> {
    let whole = |value: f64| if value.fract() == 0.0 { value } else { value * 100.0 };
    let one = |&value: &f64| match dtype {
        DType::F32 => (value as f32).to_le_bytes().to_vec(),
        DType::F16 => f16::from_f64(value).to_le_bytes().to_vec(),
        DType::I64 => (whole(value) as i64).to_le_bytes().to_vec(),
        DType::I8 => (whole(value) as i8).to_le_bytes().to_vec(),
        DType::U8 => vec![whole(value) as u8],
        DType::Bool => vec![u8::from(value > 0.0)],
    };
    values.iter().flat_map(one).collect()
}

/// Bytes of an element type as values.
pub(crate) fn decoded(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    let one = |bytes: &[u8]| match (dtype, bytes) {
        (DType::F32, &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])),
        (DType::F16, &[a, b]) => f16::from_le_bytes([a, b]).to_f64(),
        (DType::I64, &[a, b, c, d, e, f, g, h]) => i64::from_le_bytes([a, b, c, d, e, f, g, h]) as f64,
        (DType::I8, &[a]) => f64::from(a as i8),
        (_, &[a]) => f64::from(a),
        _ => f64::NAN,
    };
    bytes.chunks_exact(dtype.size()).map(one).collect()
}
