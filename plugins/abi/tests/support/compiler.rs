//! C files of tests, compiled against the headers of the contract.

use std::path::Path;
use std::process::Command;

/// Makes a library of one C file, warnings being errors. False, said aloud, where there is no compiler.
pub(crate) fn compiled(source: &Path, library: &Path, options: &[&str]) -> bool {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let include = crates.map(|folder| folder.join("plugins/abi/include"));
    let output = Command::new("gcc")
        .args(["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC"])
        .args(options)
        .arg("-I")
        .arg(include.into_iter().find(|folder| folder.is_dir()).unwrap())
        .arg("-o")
        .args([library, source])
        .output();
    let Ok(output) = output else {
        eprintln!(
            "SKIPPED: there is no gcc, so nothing was tried with {}",
            source.display()
        );
        return false;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}
