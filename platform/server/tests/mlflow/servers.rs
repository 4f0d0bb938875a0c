//! The servers, started once for all tests of this process, and what is asked of them.

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Until something that is on its way is there, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Fields that no file of the row model tells.
pub(crate) const LABELS: &str = "N,S,V,F,Q";
pub(crate) const RECIPE: &str = "kaggle-heartbeat-v1";

/// Of the webhooks; MLflow keeps them encrypted with a key that only these tests know.
const WEBHOOK_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// Tests share servers and two cores, so they take turns.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server in a process group of its own. Its keeper ends the group when its standard input closes, which it does however
/// the test ends.
struct Kept {
    keeper: Child,
}

impl Kept {
    fn start(command: &mut Command, log: &Path, stdout: Stdio) -> Self {
        let log = File::options().create(true).append(true).open(log).unwrap();
        let keeper = command.stdin(Stdio::piped()).stdout(stdout).stderr(log).spawn();
        Self {
            keeper: keeper.unwrap(),
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

pub(crate) struct Mlflow {
    pub(crate) port: u16,
    version: &'static str,
    folder: PathBuf,
    kept: Option<Kept>,
}

impl Mlflow {
    pub(crate) fn start(version: &'static str, name: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self {
            port,
            version,
            folder: folder(name),
            kept: None,
        };
        server.start_again();
        server
    }

    /// Starts it on the same port with the same content.
    pub(crate) fn start_again(&mut self) {
        let python = python(self.version);
        let log = self.folder.join("server.log");
        let port = self.port.to_string();
        let mut command = Command::new(&python);
        command.arg(keeper()).arg(&python);
        command.args("-m mlflow server --host 127.0.0.1 --workers 1 --serve-artifacts --port".split(' '));
        command.arg(port).arg("--backend-store-uri");
        command.arg(format!("sqlite:///{}", self.folder.join("mlflow.db").display()));
        command
            .arg("--artifacts-destination")
            .arg(self.folder.join("artifacts"));
        command
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .current_dir(&self.folder);
        command.env("MLFLOW_WEBHOOK_ALLOWED_SCHEMES", "http");
        command.env("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", "true");
        command.env("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", WEBHOOK_KEY);
        // Else it remembers for a minute that there is no webhook.
        command.env("MLFLOW_WEBHOOK_CACHE_TTL", "1");
        let output = File::options().create(true).append(true).open(&log).unwrap();
        self.kept = Some(Kept::start(&mut command, &log, output.into()));
        let healthy = || ureq::get(format!("{}/health", self.url())).call().ok();
        until("MLflow answers", || healthy().map(drop));
    }

    pub(crate) fn stop(&mut self) {
        self.kept = None;
        until("the port is closed", || {
            TcpStream::connect(("127.0.0.1", self.port)).err().map(drop)
        });
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// One step of `steps.py`; gives its last line.
    pub(crate) fn step(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(python(self.version));
        command.arg(here("tests/mlflow/python/steps.py")).arg(self.url());
        let output = command.args(arguments).env("MLFLOW_DISABLE_TELEMETRY", "true").output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().last().unwrap_or_default().to_owned()
    }

    /// The example that users copy: logs a model, sets the alias, watches it go live.
    pub(crate) fn example(&self, model: &Path, name: &str, more: &[&str]) -> Output {
        let mut command = Command::new(python(self.version));
        command.arg(here("../../examples/mlflow/log_and_go_live.py")).arg(model);
        command.args(["--mlflow", &self.url(), "--name", name]);
        command.args(["--einthoven", &einthoven().url]).args(more);
        command
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("EINTHOVEN_KEY", OWNER_KEY);
        command.output().unwrap()
    }

    /// The example, which succeeds; what it says is shown.
    pub(crate) fn goes_live(&self, model: &Path, name: &str) {
        let output = self.example(model, name, &[]);
        let said = String::from_utf8_lossy(&output.stdout);
        print!("{said}");
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// The one MLflow 3 that most tests share.
pub(crate) fn lab() -> &'static Mlflow {
    static LAB: OnceLock<Mlflow> = OnceLock::new();
    LAB.get_or_init(|| Mlflow::start("mlflow-3", "lab"))
}

/// The owner's key of every Einthoven here.
pub(crate) const OWNER_KEY: &str = "the-owners-key-in-tests";

pub(crate) struct Einthoven {
    pub(crate) url: String,
    pub(crate) folder: PathBuf,
    _kept: Kept,
    _output: BufReader<ChildStdout>,
}

/// The one server that all tests but one share.
pub(crate) fn einthoven() -> &'static Einthoven {
    static SERVER: OnceLock<Einthoven> = OnceLock::new();
    SERVER.get_or_init(|| Einthoven::start("einthoven"))
}

impl Einthoven {
    /// On the folder of that name, as an earlier one left it.
    pub(crate) fn start(name: &str) -> Self {
        let folder = folder(name);
        let mut command = Command::new(python("mlflow-3"));
        command.arg(keeper()).arg(env!("CARGO_BIN_EXE_einthoven"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&folder)
            .env("EINTHOVEN_OWNER_KEY", OWNER_KEY);
        let mut kept = Kept::start(&mut command, &folder.join("server.log"), Stdio::piped());
        let mut output = BufReader::new(kept.keeper.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.split("open ").nth(1).and_then(|rest| rest.split(' ').next());
        Self {
            url: address.unwrap().to_owned(),
            folder,
            _kept: kept,
            _output: output,
        }
    }

    /// Status and body of an answer.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Value) {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE));
        let agent: ureq::Agent = config.build().into();
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        request = request.header("x-api-key", OWNER_KEY);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = if matches!(method, "GET" | "DELETE") {
            agent.run(request.body(()).unwrap()).unwrap()
        } else {
            agent.run(request.body(body).unwrap()).unwrap()
        };
        let content = answer.body_mut().read_to_vec().unwrap();
        let json = serde_json::from_slice(&content).unwrap_or_default();
        (answer.status().as_u16(), json)
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &[], b"").1
    }

    /// Sends JSON; the answer is a success.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let json = [("content-type", "application/json")];
        let (status, answer) = self.ask(method, path, &json, body.to_string().as_bytes());
        assert!((200..300).contains(&status), "{method} {path}: {answer}");
        answer
    }

    pub(crate) fn champion(&self, model: &str) -> Option<String> {
        let traffic = self.get(&format!("/v1/models/{model}/traffic"));
        traffic["champion"].as_str().map(str::to_owned)
    }

    pub(crate) fn becomes_champion(&self, model: &str, version: &str) {
        until(&format!("{model}/{version} answers"), || {
            (self.champion(model).as_deref() == Some(version)).then_some(())
        });
    }

    /// The version once it is as far as that.
    pub(crate) fn becomes(&self, model: &str, version: &str, state: &str) -> Value {
        let path = format!("/v1/models/{model}/versions/{version}");
        until(&format!("{model}/{version} is {state}"), || {
            let version = self.get(&path);
            let now = version["phase"]["state"].as_str().unwrap_or_default();
            assert!(now != "rejected" || state == "rejected", "{version}");
            (now == state).then_some(version)
        })
    }

    /// What a look at a source last found.
    pub(crate) fn status(&self, source: &str) -> Value {
        self.get(&format!("/v1/sources/{source}"))["status"].clone()
    }

    /// Classifies the rows of a Kaggle file by a model; says what answered.
    pub(crate) fn answered_by(&self, model: &str) -> Value {
        let rows = std::fs::read(here("../../ecg/tests/fixtures/kaggle.csv")).unwrap();
        let path = format!("/v1/classify?model={model}&name=kaggle.csv");
        let (status, document) = self.ask("POST", &path, &[("content-type", "text/csv")], &rows);
        assert_eq!(status, 200, "{document}");
        assert_eq!(document["rows"].as_array().unwrap().len(), 20, "{document}");
        document["model"].clone()
    }
}

/// Asks until there is an answer.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A path below the crate.
pub(crate) fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The row model's network, or its smaller sister.
pub(crate) fn network(name: &str) -> PathBuf {
    here("../../models/heartbeat-row").join(name)
}

fn keeper() -> PathBuf {
    here("../../registry/mlflow/tests/python/keep.py")
}

fn python(version: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join(version).join("bin/python");
    assert!(
        python.exists(),
        "{} is missing, run `cargo xtask setup python`",
        python.display()
    );
    python
}

/// Emptied at the start, because a static's folder is never dropped.
fn folder(name: &str) -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mlflow-followed");
        if root.exists() {
            std::fs::remove_dir_all(&root).unwrap();
        }
        root
    });
    let folder = root.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
