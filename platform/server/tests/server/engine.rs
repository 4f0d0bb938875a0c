//! Engines of tests: the example in C, made to misbehave.

#[path = "../../../../plugins/abi/tests/support/compiler.rs"]
mod compiler;

use std::path::Path;
use std::process::Command;

/// A C file beside these tests as a sealed plugin in that folder; it misbehaves while `mark` is there. False, said aloud, without a
/// compiler.
pub(crate) fn sealed(source: &str, folder: &Path, mark: &Path) -> bool {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(source);
    let library = folder.join("libmisbehaving.so");
    if !compiler::compiled(&source, &library, &[&format!("-DMARK=\"{}\"", mark.display())]) {
        return false;
    }
    let mut seal = Command::new(env!("CARGO_BIN_EXE_einthoven"));
    let sealed = seal.args(["plugin", "seal"]).arg(&library).output().unwrap();
    assert!(sealed.status.success(), "{}", String::from_utf8_lossy(&sealed.stderr));
    true
}
