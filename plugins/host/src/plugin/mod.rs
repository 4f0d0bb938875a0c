//! A plugin, found and checked: from a linked-in entry or from a library with its sidecar.

mod library;
mod services;
mod sidecar;

pub use library::{Library, platform};
pub use sidecar::Sidecar;

use einthoven_plugin_abi::engine::EngineApi;
use einthoven_plugin_abi::plugin::{
    EINTHOVEN_ABI_MAJOR, EINTHOVEN_ABI_MINOR, EINTHOVEN_KIND_ENGINE, EINTHOVEN_KIND_READER, EINTHOVEN_OK, Entry,
    Plugin as Description, Str,
};
use einthoven_plugin_abi::reader::ReaderApi;
use einthoven_plugin_abi::view;
use einthoven_plugin_sdk::export::{linked_engine, linked_reader};
use einthoven_plugin_sdk::{Engine, Reader};
use std::path::{Path, PathBuf};

/// Why a plugin is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// A file cannot be read.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: String,
    },
    /// The sidecar is not what it should be.
    #[error("{path}: {cause}; `einthoven plugin seal` writes a sidecar")]
    Sidecar {
        /// The sidecar.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The library is not the one the sidecar was written for.
    #[error(
        "{path} has the SHA-256 {found}, its sidecar says {stated}; if you changed it, run `einthoven plugin seal` again"
    )]
    Digest {
        /// The library.
        path: PathBuf,
        /// Of the file.
        found: String,
        /// In the sidecar.
        stated: String,
    },
    /// It was built for another machine.
    #[error("{path} is for {stated}, this is {here}")]
    Platform {
        /// The library.
        path: PathBuf,
        /// In the sidecar.
        stated: String,
        /// This host.
        here: String,
    },
    /// It speaks another version of the contract.
    #[error("{path} speaks version {stated} of the plugin contract, this host speaks {here}; {remedy}")]
    Version {
        /// The library.
        path: PathBuf,
        /// The plugin's.
        stated: String,
        /// The host's.
        here: String,
        /// Which of both to replace.
        remedy: &'static str,
    },
    /// Others may change the file.
    #[error("{path} {cause}; plugins run inside the server and must be writable by its owner only")]
    Permissions {
        /// The library.
        path: PathBuf,
        /// What is open.
        cause: &'static str,
    },
    /// The library does not keep to the contract.
    #[error("{path}: {cause}")]
    Contract {
        /// The library.
        path: PathBuf,
        /// What is missing or wrong.
        cause: String,
    },
}

/// A plugin's own words about itself, checked.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Lower-case letters, digits and `-`.
    pub name: String,
    /// Of the plugin.
    pub version: String,
    /// Minor version of the contract it was built with.
    pub abi_minor: u32,
    /// Endings of the files it takes.
    pub formats: Vec<String>,
    /// JSON Schema of a model's engine section; `Null` for a reader.
    pub config_schema: serde_json::Value,
    /// Its functions.
    pub(crate) api: Api,
    /// Its entry.
    entry: Entry,
    /// The library it came from; `None` when linked in.
    pub library: Option<Library>,
}

/// The functions of a plugin's kind, as far as this host knows them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Api {
    Engine(EngineApi),
    Reader(ReaderApi),
}

impl Plugin {
    /// An engine that is linked into this binary, without an exported symbol that another plugin could have too.
    ///
    /// # Errors
    /// [`PluginError`] when it does not keep to the contract.
    pub fn linked_engine<E: Engine>() -> Result<Self, PluginError> {
        Self::linked(Some(linked_engine::<E>))
    }

    /// A plugin by its entry.
    ///
    /// # Errors
    /// [`PluginError`] when it does not keep to the contract.
    pub fn linked(entry: Entry) -> Result<Self, PluginError> {
        Self::describe(entry, Path::new("a linked-in plugin"), None)
    }

    /// A reader that is linked into this binary.
    ///
    /// # Errors
    /// [`PluginError`] when it does not keep to the contract.
    pub fn linked_reader<R: Reader>() -> Result<Self, PluginError> {
        Self::linked(Some(linked_reader::<R>))
    }

    /// Checks a library against its sidecar and opens it. `path` is that of the library or of the sidecar.
    ///
    /// # Errors
    /// [`PluginError`] saying which check failed. The library was opened only if all those before it passed.
    pub fn loaded(path: &Path) -> Result<Self, PluginError> {
        let (sidecar, library) = Library::checked(path)?;
        let entry = library.open()?;
        let file = library.path.clone();
        let plugin = Self::describe(entry, &file, Some(library))?;
        sidecar.agrees(&plugin)?;
        Ok(plugin)
    }

    /// Opens a library that has no sidecar yet, to write one for it.
    ///
    /// # Errors
    /// [`PluginError`] when it cannot be opened or does not keep to the contract.
    pub fn unsealed(path: &Path) -> Result<Self, PluginError> {
        let library = Library::unchecked(path)?;
        let entry = library.open()?;
        let file = library.path.clone();
        Self::describe(entry, &file, Some(library))
    }

    /// `engine` or `reader`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.api {
            Api::Engine(_) => "engine",
            Api::Reader(_) => "reader",
        }
    }

    /// The folder of its library; `None` when linked in.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.library.as_ref().and_then(|library| library.path.parent())
    }

    /// Its entry, for who wants to look at the plugin itself and not through this crate's checks.
    #[must_use]
    pub fn entry(&self) -> Entry {
        self.entry
    }

    /// Its functions when it is an engine, as [`Plugin::entry`].
    #[must_use]
    pub fn engine_api(&self) -> Option<EngineApi> {
        match self.api {
            Api::Engine(api) => Some(api),
            Api::Reader(_) => None,
        }
    }

    /// Its functions when it is a reader, as [`Plugin::entry`].
    #[must_use]
    pub fn reader_api(&self) -> Option<ReaderApi> {
        match self.api {
            Api::Engine(_) => None,
            Api::Reader(api) => Some(api),
        }
    }

    fn describe(entry: Entry, path: &Path, library: Option<Library>) -> Result<Self, PluginError> {
        let broken = |cause: String| PluginError::Contract {
            path: path.to_owned(),
            cause,
        };
        let call = entry.ok_or_else(|| broken("its entry is null".to_owned()))?;
        let mut description = std::ptr::null();
        // SAFETY: the entry's signature is fixed by its name; both pointers are ours and live long enough.
        let status = unsafe { call(services::HOST.get(), &raw mut description) };
        if status != EINTHOVEN_OK {
            return Err(broken(format!("its entry refused this host with status {status}")));
        }
        // SAFETY: a plugin's description starts with its size and lives until the process ends.
        let Some(description) = (unsafe { view::known_part::<Description>(description) }) else {
            return Err(broken("its entry gave no description".to_owned()));
        };
        if description.requires_host_minor > EINTHOVEN_ABI_MINOR {
            return Err(PluginError::Version {
                path: path.to_owned(),
                stated: format!("{EINTHOVEN_ABI_MAJOR}.{}", description.requires_host_minor),
                here: here(),
                remedy: "use a newer server",
            });
        }
        if (description.struct_size as usize) < std::mem::size_of::<Description>() {
            let text = "its description is shorter than version 1.0 of the contract says";
            return Err(broken(text.to_owned()));
        }
        let text = |text: Str, what: &str| {
            // SAFETY: the description's texts live until the process ends.
            let text = unsafe { view::borrow(text) };
            text.map(str::to_owned)
                .map_err(|_| broken(format!("its {what} is not UTF-8")))
        };
        let name = text(description.name, "name")?;
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
            return Err(broken(format!(
                "its name `{name}` is not made of 1 to 64 lower-case letters, digits and `-`"
            )));
        }
        if description.format_count > 64 {
            return Err(broken(format!("it claims {} formats", description.format_count)));
        }
        // SAFETY: as above, bounded.
        let formats = unsafe { view::slice(description.formats, description.format_count) };
        let formats = formats
            .iter()
            .map(|format| text(*format, "format"))
            .collect::<Result<_, _>>()?;
        let schema = text(description.config_schema, "config schema")?;
        let config_schema = if schema.is_empty() {
            serde_json::Value::Null
        } else {
            serde_json::from_str(&schema).map_err(|cause| broken(format!("its config schema is no JSON: {cause}")))?
        };
        let short = |kind| {
            broken(format!(
                "its table of {kind} functions is null or shorter than version 1.0 says"
            ))
        };
        let api = match description.kind {
            EINTHOVEN_KIND_ENGINE => {
                // SAFETY: the table of this kind starts with its size and lives until the process ends.
                let api = unsafe { view::known_part(description.api.cast::<EngineApi>()) };
                let api = api.filter(|api| api.struct_size as usize >= std::mem::size_of::<EngineApi>());
                Api::Engine(api.ok_or_else(|| short("engine"))?)
            }
            EINTHOVEN_KIND_READER => {
                // SAFETY: as above.
                let api = unsafe { view::known_part(description.api.cast::<ReaderApi>()) };
                let api = api.filter(|api| api.struct_size as usize >= std::mem::size_of::<ReaderApi>());
                Api::Reader(api.ok_or_else(|| short("reader"))?)
            }
            other => return Err(broken(format!("its kind {other} is not known to this host"))),
        };
        Ok(Self {
            name,
            version: text(description.version, "version")?,
            abi_minor: description.abi_minor,
            formats,
            config_schema,
            api,
            entry,
            library,
        })
    }
}

/// The contract's version that this host speaks.
#[must_use]
pub fn here() -> String {
    format!("{EINTHOVEN_ABI_MAJOR}.{EINTHOVEN_ABI_MINOR}")
}
