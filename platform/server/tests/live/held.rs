//! A model that computes and loads when the test lets it: what goes first, what does not run, and what is said meanwhile.

use crate::client::{OWNER_KEY, Server, csv};
use crate::engine::sealed;
use crate::frames::{Http2, infer};
use crate::packages::{Package, zip};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Longest wait for something that does come.
const PATIENCE: Duration = Duration::from_secs(120);

/// The engine's plugin, and the marks that hold it.
struct Held {
    folder: tempfile::TempDir,
}

impl Held {
    /// `None`, said aloud, without a compiler.
    fn sealed() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        sealed("live/held.c", &plugins, &folder.path().join("mark")).then_some(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn plugins(&self) -> String {
        self.path("plugins").to_string_lossy().into_owned()
    }

    fn hold(&self, what: &str) {
        fs::write(self.path(&format!("mark-{what}")), b"").unwrap();
    }

    fn let_go(&self, what: &str) {
        fs::remove_file(self.path(&format!("mark-{what}"))).unwrap();
    }

    /// First values of the rows that the engine was given, in this order; those of trials, which are the golden input's, left out.
    fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path("mark-log")).unwrap_or_default();
        log.lines().filter(|line| *line != "1").map(str::to_owned).collect()
    }

    /// Lets the model answer on that server.
    fn bring_in(&self, server: &Server) {
        let tensor = |name: &str| json!([{"name": name, "dtype": "f32", "dims": [null, 2]}]);
        let manifest = json!({"recipe": null, "inputs": tensor("x"), "outputs": tensor("y"), "engine": "gain-c"});
        let values = |by: f32| json!({"dims": [1, 2], "values": [by, 2.0 * by]});
        let golden = json!({"inputs": {"x": values(1.0)}, "outputs": {"y": values(3.0)}, "tolerance": 1e-3});
        let package = Package::from([
            ("manifest.json".to_owned(), manifest.to_string().into()),
            ("golden.json".to_owned(), golden.to_string().into()),
            ("model.gain".to_owned(), "width 2\nscale 3\nbias 0\n".into()),
        ]);
        let path = "/v1/models/held/versions?name=package.zip&version=1&wait_s=120";
        let added = server.post(path, "application/zip", &zip(&package));
        assert_eq!(added.json()["phase"]["state"], "ready", "{}", added.json());
        let traffic = json!({"champion": "1", "reason": "a test"});
        let promoted = server.json("PUT", "/v1/models/held/traffic", &[], &traffic);
        assert_eq!(promoted.status, 200, "{}", promoted.json());
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "it does not come to this: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Calls that wait or run.
fn pending(server: &Server) -> f64 {
    let text = String::from_utf8(server.get("/metrics").bytes).unwrap();
    let of_held = |line: &&str| line.starts_with("einthoven_model_pending_calls{") && line.contains("\"held\"");
    let lines = text.lines().filter(of_held);
    lines
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}

/// Rows that were computed, and calls without an answer.
fn counted(server: &Server) -> (u64, u64) {
    let stats = server.get("/v2/models/held/stats").json()["model_stats"][0].clone();
    let count = |value: &Value| value.as_u64().unwrap();
    let batches = stats["batch_stats"].as_array().unwrap();
    let rows = batches
        .iter()
        .map(|batch| count(&batch["batch_size"]) * count(&batch["compute_infer"]["count"]));
    (rows.sum(), count(&stats["inference_stats"]["fail"]["count"]))
}

fn ask(server: &Server, value: usize, parameters: &Value) -> u16 {
    let body = json!({
        "inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [value, value]}],
        "parameters": parameters,
    });
    let answer = server.json("POST", "/v2/models/held/infer", &[], &body);
    if answer.status == 200 {
        assert_eq!(answer.json()["outputs"][0]["data"][0], 3.0 * value as f64);
    }
    answer.status
}

/// The first processor that this process may use.
fn a_processor() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("Cpus_allowed_list:"));
    let list = line.and_then(|line| line.split_whitespace().nth(1)).unwrap();
    list.split([',', '-']).next().unwrap().to_owned()
}

#[test]
fn on_one_core_one_instance_takes_what_cannot_wait_first_and_never_what_was_cancelled() {
    let Some(held) = Held::sealed() else { return };
    let bound = format!("taskset -pc {} $$ > /dev/null", a_processor());
    let server = Server::start_under(&bound, &held.path("data"), &["--plugins", &held.plugins()]);
    held.bring_in(&server);
    assert_eq!(ask(&server, 10, &json!({})), 200);
    let (rows, failed) = counted(&server);
    let given = |value: &str| held.log().iter().position(|one| one == value);

    held.hold("run");
    let server = &server;
    std::thread::scope(|scope| {
        let mut callers = vec![scope.spawn(move || ask(server, 11, &json!({})))];
        until("the instance is at the first", || given("11").is_some());
        for value in 21..24 {
            callers.push(scope.spawn(move || ask(server, value, &json!({"priority": 2}))));
        }
        until("three wait", || pending(server) == 4.0);
        let stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut grpc = Http2::open(stream);
        let path = "/inference.GRPCInferenceService/ModelInfer";
        let headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("x-api-key", OWNER_KEY),
        ];
        let cancelled = grpc.ask(&headers, &infer("held", 30.0, 2));
        until("a call of gRPC waits", || pending(server) == 5.0);
        grpc.cancel(cancelled);
        until("it is forgotten", || pending(server) == 4.0);
        let kept = grpc.ask(&headers, &infer("held", 31.0, 2));
        until("another waits", || pending(server) == 5.0);
        callers.push(scope.spawn(move || ask(server, 40, &json!({"priority": 1}))));
        until("one that cannot wait is there", || pending(server) == 6.0);
        held.let_go("run");
        for caller in callers {
            assert_eq!(caller.join().unwrap(), 200);
        }
        assert!(grpc.answer(kept).is_ok());
    });

    let first = given("40").unwrap();
    for later in ["21", "22", "23", "31"] {
        assert!(given(later).unwrap() > first, "{:?}", held.log());
    }
    assert_eq!(given("30"), None, "{:?}", held.log());
    assert_eq!(counted(server), (rows + 6, failed + 1));
    let config = server.get("/v2/models/held/config").json();
    assert_eq!(config["instance_group"][0]["count"], 1, "{config}");
}

/// Status and header of an answer, in lower case.
fn look(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {OWNER_KEY}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.to_ascii_lowercase())
}

/// Asserts what health says where; a 503 says when to ask again.
fn told(address: &str, table: &[(&str, u16)]) {
    for (path, expected) in table {
        let (status, answer) = look(address, path);
        assert_eq!(status, *expected, "{path}: {answer}");
        assert_eq!(answer.contains("\r\nretry-after: "), status == 503, "{path}: {answer}");
    }
}

fn kill(server: &Server) {
    let told = Command::new("kill").arg(server.id().to_string()).status().unwrap();
    assert!(told.success());
}

#[test]
fn while_a_version_loads_and_while_the_server_drains_health_says_so() {
    let Some(held) = Held::sealed() else { return };
    let (data, plugins): (&Path, String) = (&held.path("data"), held.plugins());
    let server = Server::start_in(data, &["--plugins", &plugins]);
    held.bring_in(&server);
    assert_eq!(server.terminate(), Some(0));

    held.hold("load");
    let server = Server::start_in(data, &["--plugins", &plugins, "--drain-delay-s", "120"]);
    let address = &server.address;
    told(
        address,
        &[
            ("/v1/health/live", 200),
            ("/v1/health/ready", 503),
            ("/v1/health/models/held", 503),
            ("/v1/health/models/heartbeat", 200),
            ("/v2/health/live", 200),
            ("/v2/health/ready", 503),
            ("/v2/models/held/ready", 503),
            ("/v2/models/held/versions/1/ready", 503),
            ("/v2/models/heartbeat/ready", 200),
        ],
    );
    held.let_go("load");
    until("all is loaded", || look(address, "/v1/health/ready").0 == 200);
    let all = [
        "/v1/health/ready",
        "/v1/health/models/held",
        "/v2/health/ready",
        "/v2/models/held/ready",
        "/v2/models/held/versions/1/ready",
        "/v2/models/heartbeat/ready",
    ];
    told(address, &all.map(|path| (path, 200)));

    kill(&server);
    until("it drains", || look(address, "/v1/health/ready").0 == 503);
    told(address, &all.map(|path| (path, 503)));
    told(address, &[("/v1/health/live", 200), ("/v2/health/live", 200)]);
    // Whoever comes is answered all the same, until balancers know.
    assert_eq!(ask(&server, 50, &json!({})), 200);
    let answer = server.post("/v1/classify?name=a.csv", "text/csv", csv(10, 250, 1.0).as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.json());
    // A second signal ends the wait.
    assert_eq!(server.terminate(), Some(0));
}
