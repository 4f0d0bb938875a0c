//! The binary with an environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with a file of settings.
pub(crate) struct Settings {
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) problems: Vec<String>,
}

impl Settings {
    pub(crate) fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("einthoven.toml"), text).unwrap();
        Self { folder }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("einthoven.toml")
    }

    /// With this file.
    pub(crate) fn einthoven(&self, words: &[&str], environment: &[(&str, &str)]) -> Said {
        let mut environment = environment.to_vec();
        let file = self.file();
        environment.push(("EINTHOVEN_CONFIG", file.to_str().unwrap()));
        einthoven(self.folder.path(), words, &environment)
    }
}

/// With these variables and none of whoever runs the tests.
pub(crate) fn einthoven(folder: &Path, words: &[&str], environment: &[(&str, &str)]) -> Said {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_einthoven"))
        .args(words)
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        problems: error
            .lines()
            .map(|line| line.strip_prefix("einthoven: ").unwrap_or(line).to_owned())
            .collect(),
    }
}
