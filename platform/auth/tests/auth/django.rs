//! A real issuer: Django OAuth Toolkit, started by `python/issuer.py` from pinned packages.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// On a free port of the loopback; ended when dropped.
pub(crate) struct Django {
    child: Child,
    _folder: tempfile::TempDir,
    /// Its address, without a path.
    pub(crate) root: String,
}

impl Drop for Django {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Django {
    /// One whose clients are sent back to this address.
    pub(crate) fn start(back: &str) -> Self {
        // The path from the package of each test that uses it.
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../auth");
        // The build folder, wherever it lies: this program lies in `<target>/<profile>/deps`.
        let program = std::env::current_exe().unwrap();
        let target = program.ancestors().nth(3).unwrap();
        let places = [target.join("oidc-issuer"), package.join("../../target/oidc-issuer")];
        let python = places
            .iter()
            .map(|place| place.join("bin/python"))
            .find(|python| python.exists());
        let python = python.expect("the issuer's packages; run `cargo xtask setup python`");
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(python)
            .args(["-W", "ignore"])
            .arg(package.join("tests/python/issuer.py"))
            .arg(folder.path())
            .arg(back)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        Self {
            child,
            _folder: folder,
            root: format!("http://127.0.0.1:{}", port.trim()),
        }
    }
}
