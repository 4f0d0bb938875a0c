//! Real servers on free ports of the loopback, with what `log_models.py` logged.

use einthoven_registry_mlflow::{Client, Credentials, Source};
use serde::Deserialize;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Until a server answers and until its models are logged, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) const PASSWORD: &str = "correct horse battery";

/// What `log_models.py` made.
#[derive(Debug, Deserialize)]
pub(crate) struct Logged {
    pub(crate) run: String,
    pub(crate) model_id: Option<String>,
    pub(crate) version: String,
}

pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) logged: Logged,
    pub(crate) folder: PathBuf,
    /// Its standard input stays open as long as this process lives; the server ends with it.
    _keeper: Child,
}

impl Server {
    pub(crate) fn source(&self) -> Source {
        source(&format!("http://127.0.0.1:{}", self.port))
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.source()).unwrap()
    }
}

pub(crate) fn source(url: &str) -> Source {
    let mut source = Source::new(url.parse().unwrap());
    source.retries = 2;
    source
}

/// MLflow 3 that serves artifacts.
pub(crate) fn three() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start("mlflow-3", "three", &["--serve-artifacts"], &[], true))
}

/// MLflow 2 that serves artifacts.
pub(crate) fn two() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start("mlflow-2", "two", &["--serve-artifacts"], &[], true))
}

/// MLflow 3 whose artifacts lie in a folder.
pub(crate) fn plain() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start("mlflow-3", "plain", &["--no-serve-artifacts"], &[], true))
}

/// MLflow 3 that asks for user and password; nothing is logged there.
pub(crate) fn guarded() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = folder("guarded");
        let settings = folder.join("auth.ini");
        let database = folder.join("auth.db");
        std::fs::write(
            &settings,
            format!(
                "[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{}\nadmin_username = admin\n\
                 authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n",
                database.display()
            ),
        )
        .unwrap();
        let settings = settings.display().to_string();
        let environment = [
            ("MLFLOW_AUTH_CONFIG_PATH", settings.as_str()),
            ("MLFLOW_FLASK_SERVER_SECRET_KEY", "for the tests"),
            ("MLFLOW_AUTH_ADMIN_PASSWORD", PASSWORD),
        ];
        start(
            "mlflow-3",
            "guarded",
            &["--app-name", "basic-auth"],
            &environment,
            false,
        )
    })
}

/// MLflow 3 behind TLS that asks for a client certificate; certificates lie in its folder, nothing is logged there.
pub(crate) fn sealed() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = folder("sealed");
        let made = Command::new(python("mlflow-3"))
            .arg(script("certificates.py"))
            .arg(&folder)
            .status();
        assert!(made.unwrap().success());
        let at = |name: &str| folder.join(name).display().to_string();
        let options = format!(
            "--ssl-certfile {} --ssl-keyfile {} --ssl-ca-certs {} --ssl-cert-reqs 2",
            at("server.pem"),
            at("server.key"),
            at("authority.pem")
        );
        start("mlflow-3", "sealed", &["--uvicorn-opts", &options], &[], false)
    })
}

pub(crate) fn client_certificate(folder: &Path) -> Credentials {
    Credentials::Certificate {
        certificate_file: folder.join("client.pem"),
        key_file: folder.join("client.key"),
    }
}

fn start(version: &str, name: &str, options: &[&str], environment: &[(&str, &str)], log: bool) -> Server {
    let python = python(version);
    assert!(
        python.exists(),
        "{} is missing, run `cargo xtask setup python`",
        python.display()
    );
    let folder = folder(name);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = File::create(folder.join("server.log")).unwrap();
    let artifacts = if options.contains(&"--no-serve-artifacts") {
        "--default-artifact-root"
    } else {
        "--artifacts-destination"
    };
    let mut keeper = Command::new(&python)
        .arg(script("keep.py"))
        .arg(&python)
        .args([
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--workers",
            "1",
            "--port",
        ])
        .arg(port.to_string())
        .arg("--backend-store-uri")
        .arg(format!("sqlite:///{}", folder.join("mlflow.db").display()))
        .arg(artifacts)
        .arg(folder.join("artifacts"))
        .args(options)
        .envs(environment.iter().copied())
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        // Eight more processes for work that no test asks for.
        .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap();
    let began = Instant::now();
    while !answers(port, name == "sealed") {
        let said = || std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
        assert!(keeper.try_wait().unwrap().is_none(), "MLflow ended: {}", said());
        assert!(began.elapsed() < PATIENCE, "MLflow does not answer: {}", said());
        std::thread::sleep(Duration::from_millis(200));
    }
    let logged = if log {
        let made = Command::new(&python)
            .arg(script("log_models.py"))
            .arg(format!("http://127.0.0.1:{port}"))
            .current_dir(&folder)
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&made.stdout);
        let line = text.lines().rev().find(|line| line.starts_with('{'));
        let line = line.unwrap_or_else(|| panic!("logging failed: {}", String::from_utf8_lossy(&made.stderr)));
        serde_json::from_str(line).unwrap()
    } else {
        Logged {
            run: String::new(),
            model_id: None,
            version: String::new(),
        }
    };
    Server {
        port,
        logged,
        folder,
        _keeper: keeper,
    }
}

/// Whether `/health` is good; behind TLS, whether the port is open.
fn answers(port: u16, sealed: bool) -> bool {
    let Ok(mut connection) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    if sealed {
        return true;
    }
    let mut answer = [0; 12];
    connection.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    connection
        .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .and_then(|()| connection.read_exact(&mut answer))
        .is_ok_and(|()| answer.ends_with(b"200"))
}

fn python(version: &str) -> PathBuf {
    let target = option_env!("CARGO_TARGET_TMPDIR").map(|folder| Path::new(folder).parent().unwrap().to_owned());
    target.unwrap().join(version).join("bin/python")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name)
}

/// Emptied at the start, because a static's folder is never dropped.
fn folder(name: &str) -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("registry-mlflow");
        if root.exists() {
            std::fs::remove_dir_all(&root).unwrap();
        }
        root
    });
    let folder = root.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
