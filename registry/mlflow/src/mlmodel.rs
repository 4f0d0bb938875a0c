//! The file `MLmodel` in a model's folder.

use crate::{ArtifactPath, Error, Signature};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What `MLmodel` says; unknown fields are ignored, for every MLflow adds some.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MlModel {
    /// How the model can be loaded: the flavour's name and its settings.
    pub flavors: BTreeMap<String, Value>,
    /// What it takes and gives, where logged.
    #[serde(default)]
    pub signature: Option<Signature>,
    /// Where its input example lies, where logged.
    #[serde(default)]
    pub saved_input_example_info: Option<InputExample>,
    /// An identifier that every log call makes anew.
    #[serde(default)]
    pub model_uuid: Option<String>,
    /// Since MLflow 3: `m-ID`, the logged model.
    #[serde(default)]
    pub model_id: Option<String>,
    /// The run that logged it.
    #[serde(default)]
    pub run_id: Option<String>,
    /// The MLflow that wrote it.
    #[serde(default)]
    pub mlflow_version: Option<String>,
    /// UTC, as `2026-01-31 12:00:00.123456`.
    #[serde(default)]
    pub utc_time_created: Option<String>,
    /// Bytes, as MLflow counted them when it was logged.
    #[serde(default)]
    pub model_size_bytes: Option<u64>,
    /// What the author added.
    #[serde(default)]
    pub metadata: Option<Value>,
}

/// Where an input example lies and in which form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InputExample {
    /// The example as the author gave it.
    pub artifact_path: String,
    /// The same as a request of a scoring server; newer MLflow write both.
    #[serde(default)]
    pub serving_input_path: Option<String>,
    /// `ndarray`, `dataframe`, `json_object`, `sparse_matrix_csc`, `sparse_matrix_csr`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

impl MlModel {
    /// The name of the file.
    pub const FILE: &'static str = "MLmodel";
    /// Bytes of the file at most; real ones have about 1 kB.
    pub const LONGEST: usize = 1 << 20;

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] says where.
    pub fn parse(content: &[u8]) -> Result<Self, Error> {
        let wrong = |why: String| Error::Malformed { file: Self::FILE, why };
        if content.len() > Self::LONGEST {
            return Err(wrong(format!("it has more than {} bytes", Self::LONGEST)));
        }
        let text = std::str::from_utf8(content).map_err(|cause| wrong(cause.to_string()))?;
        serde_saphyr::from_str(text).map_err(|cause| wrong(cause.to_string()))
    }

    /// The file of the flavour `onnx`; `None` without that flavour.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] or [`Error::Malformed`] when its name is not one.
    pub fn onnx(&self) -> Result<Option<ArtifactPath>, Error> {
        let Some(flavour) = self.flavors.get("onnx") else {
            return Ok(None);
        };
        match flavour.get("data").and_then(Value::as_str) {
            Some(path) => ArtifactPath::new(path).map(Some),
            None => Err(Error::Malformed {
                file: Self::FILE,
                why: "the flavour onnx names no file in `data`".to_owned(),
            }),
        }
    }

    /// The file of the input example that [`crate::example()`] reads best; `None` without one.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] when its name is not one.
    pub fn example_path(&self) -> Result<Option<ArtifactPath>, Error> {
        self.saved_input_example_info
            .as_ref()
            .map(|info| ArtifactPath::new(info.serving_input_path.as_deref().unwrap_or(&info.artifact_path)))
            .transpose()
    }
}
