//! The native libraries of engines, pinned: taken from Python wheels, kept in the user's cache, found by tests and server
//! at `<target>/libraries/`.

use crate::shell::{self, command, target};
use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// A library inside a wheel; the one place that pins its version and its content.
struct Library {
    /// As pip takes it.
    requirement: &'static str,
    /// SHA-256 of the wheel for `PYTHON` on `PLATFORM`.
    wheel: &'static str,
    /// The file to take out of the wheel.
    member: &'static str,
    /// SHA-256 of that file.
    content: &'static str,
    /// What tests and server look for.
    name: &'static str,
}

const LIBRARIES: [Library; 2] = [
    Library {
        requirement: "onnxruntime==1.32.0",
        wheel: "5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d",
        member: "onnxruntime/capi/libonnxruntime.so.1.32.0",
        content: "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
        name: "libonnxruntime.so",
    },
    Library {
        requirement: "ai-edge-litert==2.3.0",
        wheel: "1f15078a6725d2357d9de9221664c29afa0545d807559c5f7199ce5e40b96b23",
        member: "ai_edge_litert/libLiteRt.so",
        content: "eec47eb35e2924b3166015887e652a58edc9af823ae38e02bf83bef2548300bb",
        name: "libLiteRt.so",
    },
];

/// The wheels are chosen for these, whatever Python runs pip: the libraries inside do not depend on Python.
const PYTHON: &str = "3.11";
const PLATFORMS: [&str; 2] = ["manylinux_2_27_x86_64", "manylinux_2_28_x86_64"];

pub(crate) fn run() -> anyhow::Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!(
            "the pinned engine libraries are for Linux on x86-64, this is {} on {}; the tests of the engines \
             onnxruntime and litert cannot run here",
            std::env::consts::OS,
            std::env::consts::ARCH
        );
    }
    let folder = target().join("libraries");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for library in &LIBRARIES {
        let kept = super::cache()
            .join("libraries")
            .join(library.content)
            .join(library.name);
        if checksum(&kept).is_none_or(|found| found != library.content) {
            fetch(library, &kept)?;
        }
        super::place(&kept, &folder.join(library.name))?;
        eprintln!("{} ({})", folder.join(library.name).display(), library.requirement);
    }
    Ok(())
}

/// Downloads the wheel and keeps the one library; the name appears only when the content is right.
fn fetch(library: &Library, kept: &Path) -> anyhow::Result<()> {
    let folder = kept.parent().context("a kept library lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let work = tempfile::tempdir_in(folder)?;
    let list = work.path().join("requirements.txt");
    fs::write(
        &list,
        format!("{} --hash=sha256:{}\n", library.requirement, library.wheel),
    )?;
    let mut pip = command("python3", &["-m", "pip", "--disable-pip-version-check", "download"]);
    pip.args(["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]);
    pip.args(["--python-version", PYTHON]);
    for platform in PLATFORMS {
        pip.args(["--platform", platform]);
    }
    pip.arg("--dest").arg(work.path()).arg("--requirement").arg(&list);
    shell::run(pip)?;
    let wheel = fs::read_dir(work.path())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|ending| ending == "whl"))
        .with_context(|| format!("pip brought no wheel of {}", library.requirement))?;
    let taken = work.path().join(library.name);
    let mut archive = zip::ZipArchive::new(File::open(&wheel)?)?;
    let mut member = archive
        .by_name(library.member)
        .with_context(|| format!("{} holds no {}", wheel.display(), library.member))?;
    io::copy(&mut member, &mut File::create(&taken)?)?;
    let found = checksum(&taken).unwrap_or_default();
    ensure!(
        found == library.content,
        "{} of {} has the SHA-256 {found}, pinned is {}",
        library.member,
        library.requirement,
        library.content
    );
    fs::rename(&taken, kept).with_context(|| format!("cannot write {}", kept.display()))
}

/// SHA-256 of a file in hexadecimal; `None` when it cannot be read.
fn checksum(path: &Path) -> Option<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path).ok()?, &mut hasher).ok()?;
    Some(hex::encode(hasher.finalize()))
}
