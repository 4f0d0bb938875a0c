//! Finding the shared library of ONNX Runtime, and checking it before the loader sees it.

use crate::config::PluginConfig;
use einthoven_plugin_sdk::{Code, Failure, Setup};
use std::ffi::{CStr, c_char, c_void};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Environment variables that name the library, ours first.
const VARIABLES: [&str; 2] = ["EINTHOVEN_ONNXRUNTIME", "ORT_DYLIB_PATH"];
const FILE: &str = "libonnxruntime.so";
/// What to do about a library that is not there or no good.
const REMEDY: &str = "install ONNX Runtime 1.24 or newer for this machine and set `library` in the engine's configuration \
                      or EINTHOVEN_ONNXRUNTIME to its path";

/// The path by configuration, else by environment, else beside the plugin (or the program that it is linked into).
pub(crate) fn find(setup: &Setup<'_>, config: &PluginConfig) -> Result<PathBuf, Failure> {
    if let Some(path) = &config.library {
        return Ok(path.clone());
    }
    for variable in VARIABLES {
        if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) {
            return Ok(path.into());
        }
    }
    let program = std::env::current_exe().ok();
    let folder = setup.directory.or_else(|| program.as_deref().and_then(Path::parent));
    let places: Vec<PathBuf> = folder
        .into_iter()
        .flat_map(|folder| {
            [
                folder.join(FILE),
                folder.join("libraries").join(FILE),
                folder.join("../libraries").join(FILE),
            ]
        })
        .collect();
    places.iter().find(|path| path.exists()).cloned().ok_or_else(|| {
        let places: Vec<_> = places.iter().map(|path| path.display().to_string()).collect();
        Failure::new(
            Code::NotFound,
            format!("no library of ONNX Runtime; looked for {}; {REMEDY}", places.join(", ")),
        )
    })
}

/// Checks the file, and loads it to ask its version: `1.32.0`.
///
/// The handle keeps it loaded until ONNX Runtime's own bindings have opened it too.
pub(crate) fn check(path: &Path) -> Result<(libloading::Library, String), Failure> {
    let wrong = |code, what: String| Failure::new(code, format!("`{}` {what}; {REMEDY}", path.display()));
    header(path).map_err(|(code, what)| wrong(code, what))?;
    let unavailable = |what: String| wrong(Code::Unavailable, what);
    // SAFETY: runs the file's initialisers. The file is the one that the operator named, and a whole library by its header.
    let library =
        unsafe { libloading::Library::new(path) }.map_err(|cause| unavailable(format!("cannot be loaded: {cause}")))?;
    let version = version(&library).map_err(unavailable)?;
    Ok((library, version))
}

/// Reads what the loader would read first. A file that is cut short would kill the process with SIGBUS.
fn header(path: &Path) -> Result<(), (Code, String)> {
    let unreadable = |cause: std::io::Error| {
        let code = if cause.kind() == std::io::ErrorKind::NotFound {
            Code::NotFound
        } else {
            Code::Unavailable
        };
        (code, format!("cannot be read: {cause}"))
    };
    let bad = |what: String| Err((Code::Unavailable, what));
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return bad("is not a file".to_owned());
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let mut start = Vec::new();
    file.by_ref()
        .take(1 << 16)
        .read_to_end(&mut start)
        .map_err(unreadable)?;
    if start.is_empty() {
        return bad("is empty".to_owned());
    }
    if !start.starts_with(b"\x7fELF") {
        return bad("is no shared library: it does not start with the mark of ELF".to_owned());
    }
    let cut = || bad(format!("is cut short at {} bytes", metadata.len()));
    let (Some(&class), Some(machine)) = (start.get(4), number(&start, 18, 2)) else {
        return cut();
    };
    if class != 2 {
        return bad("is a library for 32 bits, this machine needs 64".to_owned());
    }
    if machine != MACHINE.0 {
        let machine = match machine {
            3 => "x86".to_owned(),
            40 => "arm".to_owned(),
            62 => "x86_64".to_owned(),
            183 => "aarch64".to_owned(),
            243 => "riscv".to_owned(),
            other => format!("machine {other}"),
        };
        return bad(format!("is a library for {machine}, this machine is {}", MACHINE.1));
    }
    if number(&start, 16, 2) != Some(3) {
        return bad("is an ELF file but no shared library".to_owned());
    }
    // Program headers: their number, and in each where its bytes lie in the file.
    let (Some(table), Some(size), Some(count)) = (number(&start, 32, 8), number(&start, 54, 2), number(&start, 56, 2))
    else {
        return cut();
    };
    for index in 0..count {
        let entry = table.saturating_add(index.saturating_mul(size));
        let field = |offset: u64| number(&start, usize::try_from(entry.saturating_add(offset)).ok()?, 8);
        match (field(8), field(32)) {
            (Some(offset), Some(length)) if offset.saturating_add(length) <= metadata.len() => {}
            _ => return cut(),
        }
    }
    Ok(())
}

/// ELF's number and the name of the machine this was built for.
const MACHINE: (u64, &str) = (
    if cfg!(target_arch = "aarch64") { 183 } else { 62 },
    std::env::consts::ARCH,
);

/// A little-endian number in the file's start.
fn number(bytes: &[u8], offset: usize, size: usize) -> Option<u64> {
    let field = bytes.get(offset..offset.checked_add(size)?)?;
    Some(
        field
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u64::from(byte)),
    )
}

/// The start of the C interface, as every version has it; pointers that a broken library may leave null.
#[repr(C)]
struct ApiBase {
    api: Option<unsafe extern "C" fn(u32) -> *const c_void>,
    version: Option<unsafe extern "C" fn() -> *const c_char>,
}

/// Asks the library what it is. The bindings would panic, or abort, on some of what is refused here.
fn version(library: &libloading::Library) -> Result<String, String> {
    // SAFETY: the symbol has had this type in every version of ONNX Runtime.
    let base = unsafe { library.get::<unsafe extern "C" fn() -> *const ApiBase>(b"OrtGetApiBase\0") }
        .map_err(|_| "is no ONNX Runtime: it does not export `OrtGetApiBase`".to_owned())?;
    // SAFETY: takes nothing; what comes back is null or lives as long as the library.
    let base = unsafe { base().as_ref() };
    let Some(&ApiBase {
        api: Some(api),
        version: Some(version),
    }) = base
    else {
        return Err("is no ONNX Runtime: `OrtGetApiBase` gives nothing".to_owned());
    };
    // SAFETY: takes nothing; gives null or a string that lives as long as the library.
    let text = unsafe { version() };
    if text.is_null() {
        return Err("is no ONNX Runtime: it tells no version".to_owned());
    }
    // SAFETY: not null, and ends with a zero byte by the interface's contract.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    let mut parts = text.split('.').map(str::parse::<u32>);
    if !matches!((parts.next(), parts.next()), (Some(Ok(1)), Some(Ok(minor))) if minor >= ort::MINOR_VERSION) {
        return Err(format!(
            "is ONNX Runtime {text}, 1.{} or newer is needed",
            ort::MINOR_VERSION
        ));
    }
    // SAFETY: any number may be asked for; an interface that is not there is null.
    if unsafe { api(ort::MINOR_VERSION) }.is_null() {
        return Err(format!(
            "is ONNX Runtime {text} without the interface of version {}",
            ort::MINOR_VERSION
        ));
    }
    Ok(text)
}
