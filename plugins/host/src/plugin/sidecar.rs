//! The file beside a library that says what it is, so that it can be judged before any of its code runs.

use super::{Plugin, PluginError, here, platform};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// `NAME.plugin.toml` beside the library.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sidecar {
    /// The plugin's name.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// `engine` or `reader`.
    pub kind: String,
    /// Version of the contract, such as `1.0`: the major one must be ours, the minor one at most ours.
    pub abi: String,
    /// Processor, system and C library it was built for, such as `x86_64-linux-gnu`.
    pub platform: String,
    /// File name of the library, in the same folder.
    pub library: String,
    /// SHA-256 of the library, 64 hexadecimal digits.
    pub sha256: String,
    /// JSON Schema of a model's engine section, as text; absent for a reader.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub config_schema: String,
    /// Where it lies.
    #[serde(skip)]
    path: PathBuf,
}

impl Sidecar {
    /// The sidecar's place for a library: `libx.so` has `libx.plugin.toml`.
    #[must_use]
    pub fn beside(library: &Path) -> PathBuf {
        library.with_extension("plugin.toml")
    }

    /// Reads a sidecar and checks all of it that can be judged without the library.
    ///
    /// # Errors
    /// [`PluginError::Sidecar`], [`PluginError::Version`] or [`PluginError::Platform`].
    pub fn read(path: &Path) -> Result<Self, PluginError> {
        let text = std::fs::read_to_string(path).map_err(|cause| PluginError::File {
            path: path.to_owned(),
            cause: cause.to_string(),
        })?;
        let mut sidecar: Self = toml::from_str(&text).map_err(|cause| wrong(path, cause.to_string()))?;
        path.clone_into(&mut sidecar.path);
        sidecar.check()?;
        Ok(sidecar)
    }

    /// The sidecar of a plugin that was opened without one.
    #[must_use]
    pub fn of(plugin: &Plugin) -> Option<Self> {
        let library = plugin.library.as_ref()?;
        Some(Self {
            name: plugin.name.clone(),
            version: plugin.version.clone(),
            kind: plugin.kind().to_owned(),
            abi: format!(
                "{}.{}",
                einthoven_plugin_abi::plugin::EINTHOVEN_ABI_MAJOR,
                plugin.abi_minor
            ),
            platform: platform(),
            library: library.path.file_name()?.to_str()?.to_owned(),
            sha256: library.sha256.clone(),
            config_schema: schema_text(plugin),
            path: Self::beside(&library.path),
        })
    }

    /// Writes it to its place.
    ///
    /// # Errors
    /// [`PluginError::File`].
    pub fn write(&self) -> Result<&Path, PluginError> {
        let failed = |cause: String| PluginError::File {
            path: self.path.clone(),
            cause,
        };
        let text = toml::to_string(self).map_err(|cause| failed(cause.to_string()))?;
        std::fs::write(&self.path, text).map_err(|cause| failed(cause.to_string()))?;
        Ok(&self.path)
    }

    fn check(&self) -> Result<(), PluginError> {
        let library = self.library_path();
        let plain = Path::new(&self.library)
            .file_name()
            .is_some_and(|name| name == self.library.as_str());
        if !plain {
            let text = format!(
                "`library` must be a file name in the same folder, not `{}`",
                self.library
            );
            return Err(wrong(&self.path, text));
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong(&self.path, "`sha256` must be 64 hexadecimal digits".to_owned()));
        }
        if !matches!(self.kind.as_str(), "engine" | "reader") {
            let text = format!("`kind` must be `engine` or `reader`, not `{}`", self.kind);
            return Err(wrong(&self.path, text));
        }
        self.check_version(&library)?;
        if self.platform != platform() {
            return Err(PluginError::Platform {
                path: library,
                stated: self.platform.clone(),
                here: platform(),
            });
        }
        if !self.config_schema.is_empty() {
            let schema = serde_json::from_str(&self.config_schema)
                .map_err(|cause| wrong(&self.path, format!("`config_schema` is no JSON: {cause}")))?;
            jsonschema::validator_for(&schema)
                .map_err(|cause| wrong(&self.path, format!("`config_schema` is no JSON Schema: {cause}")))?;
        }
        Ok(())
    }

    fn check_version(&self, library: &Path) -> Result<(), PluginError> {
        let parts = self
            .abi
            .split_once('.')
            .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        let Some((major, minor)) = parts else {
            let text = format!("`abi` must be a version such as `{}`, not `{}`", here(), self.abi);
            return Err(wrong(&self.path, text));
        };
        let (our_major, our_minor) = (
            einthoven_plugin_abi::plugin::EINTHOVEN_ABI_MAJOR,
            einthoven_plugin_abi::plugin::EINTHOVEN_ABI_MINOR,
        );
        let fits: bool = major == our_major && minor <= our_minor;
        if fits {
            return Ok(());
        }
        let newer = (major, minor) > (our_major, our_minor);
        Err(PluginError::Version {
            path: library.to_owned(),
            stated: self.abi.clone(),
            here: here(),
            remedy: if newer {
                "use a newer server"
            } else {
                "use a newer plugin"
            },
        })
    }

    /// The library it speaks of.
    #[must_use]
    pub fn library_path(&self) -> PathBuf {
        self.path.with_file_name(&self.library)
    }

    /// Whether the opened library says of itself what the sidecar says of it.
    pub(super) fn agrees(&self, plugin: &Plugin) -> Result<(), PluginError> {
        let schema = schema_text(plugin);
        let same_schema = serde_json::from_str::<serde_json::Value>(&self.config_schema).unwrap_or_default()
            == serde_json::from_str::<serde_json::Value>(&schema).unwrap_or_default();
        for (field, stated, found) in [
            ("name", self.name.as_str(), plugin.name.as_str()),
            ("version", &self.version, &plugin.version),
            ("kind", &self.kind, plugin.kind()),
        ] {
            if stated != found {
                let text = format!("`{field}` is `{stated}`, but the library says `{found}`");
                return Err(wrong(&self.path, text));
            }
        }
        if !same_schema {
            return Err(wrong(&self.path, "`config_schema` is not the library's".to_owned()));
        }
        Ok(())
    }
}

fn schema_text(plugin: &Plugin) -> String {
    match &plugin.config_schema {
        serde_json::Value::Null => String::new(),
        schema => schema.to_string(),
    }
}

fn wrong(path: &Path, cause: String) -> PluginError {
    PluginError::Sidecar {
        path: path.to_owned(),
        cause,
    }
}
