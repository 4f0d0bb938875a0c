//! The table of engines, by name.

use super::functions::Functions;
use super::model::LoadedModel;
use crate::plugin::{Api, Plugin, PluginError};
use crate::report::made;
use einthoven_plugin_abi::engine::{
    EINTHOVEN_CPU, EINTHOVEN_CUDA, EINTHOVEN_PARALLEL_LOAD, EngineApi, ModelFile as RawFile, ModelPackage as RawPackage,
};
use einthoven_plugin_abi::plugin::{EINTHOVEN_ABI_MINOR, Setup};
use einthoven_plugin_abi::view::{self, lend};
use einthoven_plugin_sdk::{Code, DType, Failure, ModelPackage};
use schemars::JsonSchema;
use serde::Serialize;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

/// All engines of this process.
#[derive(Clone, Default)]
pub struct Engines {
    engines: Vec<Arc<EngineSlot>>,
}

/// One engine that was asked for: what it is, and whether it can be used.
struct EngineSlot {
    plugin: Plugin,
    open: Result<OpenEngine, Failure>,
}

/// What people are told about an engine.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EngineState {
    /// `tract`, `onnxruntime`, ...
    pub name: String,
    /// Of the plugin.
    pub version: String,
    /// Version of what runs underneath; empty while it is not usable.
    pub runtime: String,
    /// Endings of the files it loads.
    pub formats: Vec<String>,
    /// Element types it takes and gives.
    #[schemars(with = "Vec<String>")]
    pub dtypes: Vec<DType>,
    /// Kinds of device it can use where they are there.
    pub devices: Vec<&'static str>,
    /// JSON Schema of a model's engine section.
    pub config_schema: serde_json::Value,
    /// Version of the plugin contract it was built with.
    pub abi: String,
    /// SHA-256 of its library; absent when linked in.
    pub sha256: Option<String>,
    /// Why it cannot be used, where it cannot.
    pub unavailable: Option<String>,
}

/// An opened engine; closed when the last model on it is gone.
pub(super) struct OpenEngine {
    pub(super) api: Functions,
    engine: *mut c_void,
    runtime: String,
    loading: Option<Mutex<()>>,
}

// SAFETY: the contract lets the host call an engine from any thread; loads are serialised unless the engine allows more.
unsafe impl Send for OpenEngine {}
// SAFETY: as above.
unsafe impl Sync for OpenEngine {}

impl Drop for OpenEngine {
    fn drop(&mut self) {
        // SAFETY: opened by the same table; every model on it holds the engine alive, so none is left.
        unsafe { (self.api.close)(self.engine) };
    }
}

impl Engines {
    /// Adds and opens an engine. One that cannot be opened stays in the table with its reason.
    ///
    /// `config` is the engine's own section of the server's configuration.
    ///
    /// # Errors
    /// [`PluginError::Contract`] when the plugin is no engine, lacks a function, or has the name of another.
    pub fn add(&mut self, plugin: Plugin, config: &serde_json::Value) -> Result<(), PluginError> {
        let path = plugin
            .library
            .as_ref()
            .map_or("a linked-in plugin".into(), |library| library.path.clone());
        let broken = |cause: String| PluginError::Contract {
            path: path.clone(),
            cause,
        };
        let Api::Engine(api) = plugin.api else {
            return Err(broken("it is no engine".to_owned()));
        };
        if self.slot(&plugin.name).is_some() {
            return Err(broken(format!("there is an engine `{}` already", plugin.name)));
        }
        let functions = Functions::of(&api).map_err(|missing| broken(format!("its function `{missing}` is null")))?;
        let open = OpenEngine::open(functions, &api, &plugin, config);
        self.engines.push(Arc::new(EngineSlot { plugin, open }));
        Ok(())
    }

    /// What is there.
    pub fn states(&self) -> impl Iterator<Item = EngineState> + '_ {
        self.engines.iter().map(|slot| slot.state())
    }

    /// SHA-256 of an engine's library in hexadecimal digits; none where there is no such engine, or it is linked in.
    pub fn sha256(&self, engine: &str) -> Option<&str> {
        let library = self.slot(engine)?.plugin.library.as_ref()?;
        Some(&library.sha256)
    }

    /// Names of the engines that can be used and load files of that ending.
    pub fn accepting<'a>(&'a self, format: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let takes =
            move |slot: &&Arc<EngineSlot>| slot.open.is_ok() && slot.plugin.formats.iter().any(|own| own == format);
        self.engines.iter().filter(takes).map(|slot| slot.plugin.name.as_str())
    }

    /// Loads a model on the engine of that name.
    ///
    /// # Errors
    /// `NotFound` listing the engines there are, `Unavailable` when that engine could not be opened, `InvalidArgument` when
    /// `config` does not fit the engine's schema, or the engine's own failure.
    pub fn load(
        &self,
        engine: &str,
        package: &ModelPackage<'_>,
        config: &serde_json::Value,
    ) -> Result<LoadedModel, Failure> {
        let Some(slot) = self.slot(engine) else {
            let names: Vec<_> = self.engines.iter().map(|slot| slot.plugin.name.as_str()).collect();
            return Err(Failure::new(
                Code::NotFound,
                format!("there is no engine `{engine}`; this server has: {}", names.join(", ")),
            ));
        };
        let open = match &slot.open {
            Ok(open) => open,
            Err(why) => {
                let text = format!("engine `{engine}` cannot be used: {why}");
                return Err(Failure::new(Code::Unavailable, text));
            }
        };
        check_config(&slot.plugin, config)?;
        let model = open.load(package, config)?;
        // SAFETY: the handle is fresh from this engine's `load`.
        unsafe { LoadedModel::new(OpenEngineRef(Arc::clone(slot)), model) }
    }

    fn slot(&self, name: &str) -> Option<&Arc<EngineSlot>> {
        self.engines.iter().find(|slot| slot.plugin.name == name)
    }
}

impl EngineSlot {
    fn state(&self) -> EngineState {
        let Api::Engine(EngineApi { dtypes, devices, .. }) = self.plugin.api else {
            unreachable!("only engines are added");
        };
        let device = |(kind, name): (u32, _)| (devices & (1 << kind) != 0).then_some(name);
        EngineState {
            name: self.plugin.name.clone(),
            version: self.plugin.version.clone(),
            runtime: self
                .open
                .as_ref()
                .map_or_else(|_| String::new(), |open| open.runtime.clone()),
            formats: self.plugin.formats.clone(),
            dtypes: DType::ALL
                .into_iter()
                .filter(|dtype| dtypes & (1 << dtype.code()) != 0)
                .collect(),
            devices: [(EINTHOVEN_CPU, "cpu"), (EINTHOVEN_CUDA, "cuda")]
                .into_iter()
                .filter_map(device)
                .collect(),
            config_schema: self.plugin.config_schema.clone(),
            abi: format!(
                "{}.{}",
                einthoven_plugin_abi::plugin::EINTHOVEN_ABI_MAJOR,
                self.plugin.abi_minor
            ),
            sha256: self.plugin.library.as_ref().map(|library| library.sha256.clone()),
            unavailable: self.open.as_ref().err().map(ToString::to_string),
        }
    }
}

/// Holds an engine open for a model on it.
#[derive(Clone)]
pub(super) struct OpenEngineRef(Arc<EngineSlot>);

impl OpenEngineRef {
    pub(super) fn name(&self) -> &str {
        &self.0.plugin.name
    }

    pub(super) fn runtime(&self) -> &str {
        self.0.open.as_ref().map_or("", |open| open.runtime.as_str())
    }

    pub(super) fn open(&self) -> Result<&OpenEngine, Failure> {
        self.0.open.as_ref().map_err(Clone::clone)
    }
}

impl OpenEngine {
    fn open(
        functions: Functions,
        api: &EngineApi,
        plugin: &Plugin,
        config: &serde_json::Value,
    ) -> Result<Self, Failure> {
        let directory = plugin
            .directory()
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default();
        let config = config.to_string();
        let setup = Setup {
            struct_size: size_of::<Setup>() as u32,
            abi_minor: EINTHOVEN_ABI_MINOR,
            directory: lend(&directory),
            config: lend(&config),
        };
        // SAFETY: the engine's function; all it is given lives during the call.
        let engine = made("open", |report, out| unsafe {
            (functions.open)(&raw const setup, report, out)
        })?;
        // SAFETY: the engine was just opened; the text lives until it is closed and is copied here.
        let runtime = unsafe { view::borrow((functions.runtime)(engine)) }
            .unwrap_or("")
            .to_owned();
        Ok(Self {
            api: functions,
            engine,
            runtime,
            loading: (api.capabilities & EINTHOVEN_PARALLEL_LOAD == 0).then(|| Mutex::new(())),
        })
    }

    fn load(&self, package: &ModelPackage<'_>, config: &serde_json::Value) -> Result<*mut c_void, Failure> {
        let files: Vec<_> = package
            .files
            .iter()
            .map(|file| RawFile {
                name: lend(file.name),
                data: file.bytes.as_ptr().cast(),
                len: file.bytes.len() as u64,
            })
            .collect();
        let directory = package
            .directory
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default();
        let config = config.to_string();
        let raw = RawPackage {
            struct_size: size_of::<RawPackage>() as u32,
            abi_minor: EINTHOVEN_ABI_MINOR,
            files: files.as_ptr(),
            file_count: files.len() as u64,
            entry: lend(package.entry),
            directory: lend(&directory),
            config: lend(&config),
        };
        let _turn = self.turn();
        // SAFETY: the engine is open; all it is given lives during the call.
        made("load", |report, out| unsafe {
            (self.api.load)(self.engine, &raw const raw, report, out)
        })
    }

    /// Waits for this engine's turn to load or make an instance, unless it takes several at once.
    pub(super) fn turn(&self) -> Option<std::sync::MutexGuard<'_, ()>> {
        self.loading
            .as_ref()
            .map(|one| one.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn check_config(plugin: &Plugin, config: &serde_json::Value) -> Result<(), Failure> {
    if plugin.config_schema.is_null() {
        return Ok(());
    }
    let validator = jsonschema::validator_for(&plugin.config_schema)
        .map_err(|cause| Failure::internal(format!("engine `{}` has a broken config schema: {cause}", plugin.name)))?;
    let wrong: Vec<_> = validator
        .iter_errors(config)
        .map(|error| format!("at `{}`: {error}", error.instance_path))
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "the section for engine `{}` is wrong {}",
        plugin.name,
        wrong.join("; ")
    )))
}
