//! What the tests of the log share: a real PostgreSQL, and processes to kill.
#![allow(dead_code)]

use anyhow::{Context, ensure};
use einthoven_registry_log::{Entry, FileLog, Head, Log, LogError, PostgresLog};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where a log is kept.
#[derive(Clone)]
pub(crate) enum Place {
    Folder(PathBuf),
    Database(String),
}

impl Place {
    pub(crate) async fn open(&self) -> Log {
        match self {
            Self::Folder(folder) => Log::File(FileLog::open(folder).await.unwrap()),
            Self::Database(url) => Log::Postgres(PostgresLog::connect(url).await.unwrap()),
        }
    }

    /// As another process would see it while one writes.
    pub(crate) async fn other(&self) -> Log {
        match self {
            Self::Folder(folder) => Log::File(FileLog::open_reader(folder).await.unwrap()),
            Self::Database(_) => self.open().await,
        }
    }
}

pub(crate) fn body(text: impl std::fmt::Display) -> String {
    format!("{{\"text\":\"{text}\"}}")
}

/// Reads everything.
pub(crate) async fn all(log: &Log) -> Vec<Entry> {
    log.read(0, usize::MAX).await.unwrap()
}

/// Appends at the head until nobody was quicker.
pub(crate) async fn append(log: &Log, bodies: Vec<String>) -> Vec<Entry> {
    let mut head = log.head().await.unwrap();
    loop {
        match log.append(head, bodies.clone()).await {
            Err(LogError::Moved { head: moved }) => head = moved,
            other => return other.unwrap(),
        }
    }
}

/// Checks that entries are a chain from the first on.
pub(crate) fn is_chain(entries: &[Entry]) {
    let mut at = Head::EMPTY;
    for entry in entries {
        assert_eq!((entry.seq, entry.previous), (at.seq + 1, at.hash));
        at = entry.head();
    }
}

/// Waits until something holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "{what} took too long");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A PostgreSQL of our own, ended at drop.
pub(crate) struct Server {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            let account = fs::read_to_string("/etc/passwd").unwrap();
            let fields: Vec<&str> = account
                .lines()
                .find(|line| line.starts_with("postgres:"))
                .expect("the account postgres; run `cargo xtask setup`")
                .split(':')
                .collect();
            let (user, group) = (fields[2].parse().unwrap(), fields[3].parse().unwrap());
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = folder.path().join("data");
        let made = program("initdb")
            .args([
                "-A",
                "trust",
                "-U",
                "einthoven",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = launch(folder.path(), port);
        let mut server = Self { child, folder, port };
        server.wait().await;
        server
    }

    /// An address that works for as long as the server lives.
    pub(crate) fn url(&self) -> String {
        self.database("postgres")
    }

    fn database(&self, name: &str) -> String {
        format!("postgres://einthoven@127.0.0.1:{}/{name}?sslmode=disable", self.port)
    }

    /// An empty database.
    pub(crate) async fn fresh(&self, name: &str) -> Place {
        self.run(&format!("create database {name}")).await;
        Place::Database(self.database(name))
    }

    pub(crate) async fn run(&self, statement: &str) {
        run(&self.url(), statement).await.unwrap();
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) async fn restart(&mut self) {
        self.child = launch(self.folder.path(), self.port);
        self.wait().await;
    }

    /// Stops every process of it, or lets them go on.
    pub(crate) fn signal_all(&self, signal: rustix::process::Signal) {
        let parent = self.child.id();
        let mut pids = vec![parent];
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let after = stat.rsplit(')').next().unwrap_or_default();
            if after.split_whitespace().nth(1) == Some(&parent.to_string()) {
                pids.extend(entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
            }
        }
        for pid in pids {
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            // One that ended meanwhile needs no signal.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    async fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Err(cause) = run(&self.url(), "select 1").await {
            // The processes of one that was killed hold its memory for a moment.
            if self.child.try_wait().unwrap().is_some() {
                self.child = launch(self.folder.path(), self.port);
            }
            let said = fs::read_to_string(self.folder.path().join("said")).unwrap_or_default();
            assert!(
                Instant::now() < deadline,
                "PostgreSQL does not start: {cause:#}\n{said}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal_all(rustix::process::Signal::CONT);
        let pid = rustix::process::Pid::from_child(&self.child);
        // Fast shutdown, so that no process of it is left.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let deadline = Instant::now() + Duration::from_secs(10);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub(crate) async fn run(url: &str, statement: &str) -> anyhow::Result<()> {
    use sqlx::{Connection, Executor};
    let mut connection = tokio::time::timeout(Duration::from_secs(5), sqlx::PgConnection::connect(url)).await??;
    connection.execute(sqlx::AssertSqlSafe(statement.to_owned())).await?;
    connection.close().await?;
    Ok(())
}

fn launch(folder: &Path, port: u16) -> Child {
    let said = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("said"))
        .unwrap();
    program("postgres")
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", "", "-c", "fsync=on"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said)
        .spawn()
        .unwrap()
}

/// A program of PostgreSQL, under its account when this is root, which it refuses.
fn program(name: &str) -> Command {
    let path = binaries().expect("PostgreSQL; run `cargo xtask setup`").join(name);
    if !rustix::process::geteuid().is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
        .args(["--pdeathsig", "INT"])
        .arg(path);
    command
}

/// The newest version's programs, as Debian lays them out, or those on the path.
fn binaries() -> anyhow::Result<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders
        .into_iter()
        .find(|folder| folder.join("initdb").exists())
        .context("no folder holds initdb")
}

/// Runs the ignored test `child` of this test program, which appends to a log for ever, kills it after it has acknowledged
/// a number of steps, and gives the last number that it acknowledged.
pub(crate) fn kill_after(place: &str, steps: usize, delay: Duration) -> anyhow::Result<u64> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"])
        .env("EINTHOVEN_TEST_LOG", place)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(child.stdout.take().context("standard output")?).lines();
    let (mut acknowledged, mut seen) = (0, 0);
    for line in lines {
        if let Some(seq) = line?.strip_prefix("acknowledged ") {
            acknowledged = seq.parse()?;
            seen += 1;
            if seen == steps {
                // The moment within the next step is what varies.
                std::thread::sleep(delay);
                child.kill()?;
            }
        }
    }
    let output = child.wait_with_output()?;
    ensure!(
        seen >= steps,
        "the child ended by itself: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(acknowledged)
}

/// Steps of one to three entries for ever.
pub(crate) async fn append_for_ever(log: Log) {
    use std::io::Write;
    let mut head = log.head().await.unwrap();
    for step in 0_u64.. {
        let bodies = (0..=step % 3).map(|index| body(format!("{step} {index} of {}", step % 3 + 1)));
        let entries = log.append(head, bodies.collect()).await.unwrap();
        head = entries.last().unwrap().head();
        println!("acknowledged {}", head.seq);
        std::io::stdout().flush().unwrap();
    }
}

/// No step of [`append_for_ever`] is there in part.
pub(crate) fn are_whole_steps(entries: &[Entry]) {
    let mut rest = entries;
    while let Some(first) = rest.first() {
        let value: serde_json::Value = serde_json::from_str(&first.body).unwrap();
        let text = value["text"].as_str().unwrap();
        let count: usize = text.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(rest.len() >= count, "half a step at {}", first.seq);
        assert!(
            text.split(' ').nth(1) == Some("0"),
            "the beginning of a step is missing at {}",
            first.seq
        );
        rest = &rest[count..];
    }
}
