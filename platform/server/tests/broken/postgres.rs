//! A PostgreSQL of our own, which can be away for a while.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Ended when dropped.
pub(crate) struct Postgres {
    folder: tempfile::TempDir,
    port: u16,
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            let owned = Command::new("chown")
                .arg("postgres:")
                .arg(folder.path())
                .status()
                .unwrap();
            assert!(owned.success(), "the account postgres; run `cargo xtask setup`");
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let this = Self { folder, port };
        let mut made = program("initdb");
        made.args([
            "-A",
            "trust",
            "-U",
            "einthoven",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ]);
        this.run(made.arg(this.data()));
        this.begin();
        this
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://einthoven@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    pub(crate) fn begin(&self) {
        let options = format!("-h 127.0.0.1 -p {} -k ''", self.port);
        let mut started = program("pg_ctl");
        started
            .args(["-w", "-t", "120", "-o", &options, "-l"])
            .arg(self.folder.path().join("said"));
        self.run(started.arg("-D").arg(self.data()).arg("start"));
    }

    /// As a crash would end it.
    pub(crate) fn end(&self) {
        let mut ended = program("pg_ctl");
        self.run(ended.args(["-w", "-m", "immediate", "-D"]).arg(self.data()).arg("stop"));
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, command: &mut Command) {
        // Not piped: the server keeps what it inherits, and reading would wait for its end.
        let said = self.folder.path().join("command");
        let file = std::fs::File::create(&said).unwrap();
        let (copy, null) = (file.try_clone().unwrap(), std::process::Stdio::null());
        let status = command
            .current_dir(self.folder.path())
            .stdin(null)
            .stdout(file)
            .stderr(copy)
            .status();
        assert!(status.unwrap().success(), "{}", std::fs::read_to_string(said).unwrap());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut ended = program("pg_ctl");
        let _ = ended
            .args(["-m", "immediate", "-D"])
            .arg(self.data())
            .arg("stop")
            .output();
    }
}

/// A program of PostgreSQL, under its account when this is root, which it refuses.
fn program(name: &str) -> Command {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = folders
        .last()
        .map_or(Path::new(name).to_owned(), |folder| folder.join(name));
    if !rustix::process::geteuid().is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
        .arg(path);
    command
}
