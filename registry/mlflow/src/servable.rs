//! Which files of a logged model can be served; pickles cannot, for loading one runs what it says.

use crate::{Error, MlModel, RemoteFile};
use std::fmt;

/// The manifest that describes files MLflow has no flavour for.
const MANIFEST: &str = "manifest.json";

/// Files that describe a Python environment; nothing here reads them.
const ENVIRONMENT: [&str; 4] = [
    "conda.yaml",
    "python_env.yaml",
    "requirements.txt",
    "registered_model_meta",
];

/// Endings of files that run code when they are loaded, or that only Python reads.
const PYTHON: [&str; 11] = [
    ".pkl",
    ".pickle",
    ".pth",
    ".pt",
    ".joblib",
    ".py",
    ".pyc",
    ".skops",
    ".keras",
    ".h5",
    ".cloudpickle",
];

/// A model in a format that is not served, with the export that would work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the model's flavours ({}) are not served: {advice}", flavours(.flavors))]
pub struct Refused {
    /// As MLmodel names them.
    pub flavors: Vec<String>,
    /// What to do.
    pub advice: String,
}

struct Flavours<'a>(&'a [String]);

fn flavours(names: &[String]) -> Flavours<'_> {
    Flavours(names)
}

impl fmt::Display for Flavours<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return out.write_str("none");
        }
        out.write_str(&self.0.join(", "))
    }
}

/// The files to download, of those that lie in the model's folder: for the flavour `onnx`, or for any files described
/// by a `manifest.json` among them. Python's environments and pickles are never among them.
///
/// # Errors
///
/// [`Error::Refused`] with the export that would work; [`Error::Path`], [`Error::Malformed`] or [`Error::NotFound`] when
/// MLmodel names a file that is none.
pub fn servable(model: &MlModel, files: &[RemoteFile]) -> Result<Vec<RemoteFile>, Error> {
    let kept = || {
        files
            .iter()
            .filter(|file| !is_python(file.path.as_str()))
            .cloned()
            .collect::<Vec<_>>()
    };
    if let Some(onnx) = model.onnx()? {
        if !files.iter().any(|file| file.path == onnx) {
            return Err(Error::NotFound {
                what: format!("file {onnx}, which MLmodel names as the ONNX model"),
            });
        }
        return Ok(kept());
    }
    if files.iter().any(|file| file.path.as_str() == MANIFEST) {
        let kept = kept();
        if kept.iter().any(|file| is_model(file, model)) {
            return Ok(kept);
        }
    }
    let flavors: Vec<String> = model.flavors.keys().cloned().collect();
    Err(Refused {
        advice: advice(&flavors),
        flavors,
    }
    .into())
}

/// Whether a file can be the model itself rather than what describes it.
fn is_model(file: &RemoteFile, model: &MlModel) -> bool {
    let name = file.path.as_str();
    let is_example = model
        .saved_input_example_info
        .as_ref()
        .is_some_and(|info| info.artifact_path == name || info.serving_input_path.as_deref() == Some(name));
    name != MANIFEST && name != MlModel::FILE && !is_example
}

fn is_python(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or(path);
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    ENVIRONMENT.contains(&first) || PYTHON.iter().any(|ending| name.ends_with(ending))
}

fn advice(flavors: &[String]) -> String {
    let has = |name: &str| flavors.iter().any(|flavor| flavor == name);
    let export = if has("pytorch") {
        "export it with torch.onnx.export(model, inputs, \"model.onnx\") and log that"
    } else if has("sklearn") {
        "convert it with skl2onnx.to_onnx(model, sample, options={\"zipmap\": False}) and log that"
    } else if has("tensorflow") || has("keras") {
        "convert it with tf2onnx.convert.from_keras(model) and log that, or log a .tflite file with a manifest.json \
         beside it"
    } else if has("xgboost") || has("lightgbm") || has("catboost") {
        "convert it with onnxmltools and log that"
    } else if has("transformers") || has("sentence_transformers") {
        "export it with optimum.exporters.onnx and log that"
    } else {
        "it needs Python to run; export the network in it to ONNX and log that, or log a .tflite or .safetensors file \
         with a manifest.json beside it"
    };
    format!("{export}, as mlflow.onnx.log_model(onnx_model=..., save_as_external_data=False)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ArtifactPath;

    fn model(flavours: &str) -> MlModel {
        MlModel::parse(format!("flavors:\n{flavours}").as_bytes()).unwrap()
    }

    fn files(names: &[&str]) -> Vec<RemoteFile> {
        names
            .iter()
            .map(|name| RemoteFile {
                path: ArtifactPath::new(name).unwrap(),
                bytes: 1,
            })
            .collect()
    }

    #[test]
    fn onnx_without_its_python_part() {
        let all = files(&[
            "MLmodel",
            "conda.yaml",
            "model.onnx",
            "weights/part.bin",
            "python_model.pkl",
            "code/x.py",
        ]);
        let kept = servable(&model("  onnx: {data: model.onnx}\n  python_function: {}\n"), &all).unwrap();
        let names: Vec<&str> = kept.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(names, ["MLmodel", "model.onnx", "weights/part.bin"]);
    }

    #[test]
    fn a_missing_or_outside_file_is_no_model() {
        for data in ["gone.onnx", "../model.onnx", "/etc/passwd"] {
            let model = model(&format!("  onnx: {{data: {data}}}\n"));
            assert!(servable(&model, &files(&["MLmodel", "model.onnx"])).is_err(), "{data}");
        }
    }

    #[test]
    fn a_manifest_makes_other_files_servable_but_not_pickles() {
        let flavour = model("  python_function: {}\n");
        let kept = servable(&flavour, &files(&["MLmodel", "manifest.json", "net.tflite"])).unwrap();
        assert_eq!(kept.len(), 3);
        assert!(servable(&flavour, &files(&["MLmodel", "manifest.json", "net.pkl"])).is_err());
        assert!(servable(&flavour, &files(&["MLmodel", "net.tflite"])).is_err());
    }

    #[test]
    fn the_refusal_names_the_export() {
        for (flavour, export) in [
            ("pytorch", "torch.onnx.export"),
            ("sklearn", "skl2onnx"),
            ("keras", "tf2onnx"),
            ("tensorflow", "tf2onnx"),
            ("xgboost", "onnxmltools"),
            ("python_function", "manifest.json"),
        ] {
            let error = servable(&model(&format!("  {flavour}: {{}}\n")), &files(&["MLmodel"])).unwrap_err();
            let text = error.to_string();
            assert!(
                text.contains(export) && text.contains("mlflow.onnx.log_model"),
                "{text}"
            );
        }
    }
}
