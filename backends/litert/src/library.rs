//! Which file is LiteRT, and whether it really is.

use crate::runtime::Environment;
use einthoven_plugin_sdk::{Code, Failure, Setup};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// What the functions are declared for; other versions take other arguments under the same names.
pub(crate) const VERSION: &str = "2.3.0";
/// SHA-256 of `libLiteRt.so` in the Python package `ai-edge-litert` of that version for Linux on x86-64.
const PINNED: &str = "eec47eb35e2924b3166015887e652a58edc9af823ae38e02bf83bef2548300bb";
const FILE: &str = "libLiteRt.so";
const VARIABLE: &str = "EINTHOVEN_LITERT";
const REMEDY: &str = "run `cargo xtask setup`, or take libLiteRt.so out of the Python package ai-edge-litert 2.3.0 and \
                      name it in the plugin's `library` or in EINTHOVEN_LITERT";

/// The plugin's own section of the host's configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Section {
    /// Where LiteRT lies.
    library: Option<PathBuf>,
    /// SHA-256 of a library other than the pinned one, which whoever writes this vouches for to have its interface.
    sha256: Option<String>,
}

/// Finds the library, makes sure of it and opens it.
pub(crate) fn open(setup: &Setup<'_>) -> Result<Environment, Failure> {
    let section = if setup.config.is_null() {
        Section::default()
    } else {
        Section::deserialize(setup.config)
            .map_err(|cause| Failure::invalid(format!("the litert plugin's configuration: {cause}")))?
    };
    let path = locate(
        section.library,
        std::env::var_os(VARIABLE).map(PathBuf::from),
        setup.directory,
    )?;
    let unavailable = |cause: String| Failure::new(Code::Unavailable, format!("{}: {cause}; {REMEDY}", path.display()));
    let content = fs::read(&path).map_err(|cause| {
        let code = if cause.kind() == std::io::ErrorKind::NotFound {
            Code::NotFound
        } else {
            Code::Unavailable
        };
        Failure::new(code, format!("{}: {cause}; {REMEDY}", path.display()))
    })?;
    elf(&content).map_err(unavailable)?;
    let found = hex::encode(Sha256::digest(&content));
    let wanted = section.sha256.as_deref().unwrap_or(PINNED);
    if !found.eq_ignore_ascii_case(wanted) {
        return Err(unavailable(format!(
            "not the LiteRT {VERSION} that this plugin is made for: its SHA-256 is {found}, not {wanted}"
        )));
    }
    open_checked(&path).map_err(|failure| unavailable(failure.message))
}

/// Opens a library whose hash was compared.
#[allow(unsafe_code, reason = "opening a library runs it")]
fn open_checked(path: &Path) -> Result<Environment, Failure> {
    // SAFETY: its SHA-256 is that of LiteRT 2.3.0, or of a file that the configuration vouches for.
    unsafe { Environment::open(path) }
}

/// What is configured counts, even when it is wrong; then the variable; then the plugin's own folder.
fn locate(
    configured: Option<PathBuf>,
    variable: Option<PathBuf>,
    directory: Option<&Path>,
) -> Result<PathBuf, Failure> {
    configured
        .or(variable)
        .or_else(|| directory.map(|folder| folder.join(FILE)))
        .ok_or_else(|| {
            let text = format!(
                "LiteRT is nowhere: the plugin's `library` and the variable {VARIABLE} are not set, and it is linked \
                 into the host, so it has no folder to look in; {REMEDY}"
            );
            Failure::new(Code::NotFound, text)
        })
}

/// Reads enough of the header to say what a file is before the loader is asked, whose own words are obscure.
fn elf(content: &[u8]) -> Result<(), String> {
    if content.is_empty() {
        return Err("the file is empty".to_owned());
    }
    if !content.starts_with(b"\x7fELF") || content.len() < 20 {
        return Err("not a shared library (ELF)".to_owned());
    }
    let (wanted, name) = if cfg!(target_arch = "x86_64") {
        (62, "x86-64")
    } else if cfg!(target_arch = "aarch64") {
        (183, "AArch64")
    } else {
        return Ok(());
    };
    // 2: 64 bits; 1: little-endian. Bytes 18 and 19 are the machine.
    let machine = u16::from_le_bytes([content[18], content[19]]);
    if content[4] == 2 && content[5] == 1 && machine == wanted {
        return Ok(());
    }
    let bits = if content[4] == 1 { 32 } else { 64 };
    Err(format!(
        "made for another processor ({bits} bits, ELF machine {machine}); this server runs on {name}"
    ))
}
