//! Names, record numbers and birth dates, planted in everything that can be sent: none of them is in the logs, the metrics, or what
//! anybody else is told.

use crate::client::{FORM, OWNER_KEY, csv, form_of, sample};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What must not be found, in the spellings that it is sent in: each too long to stand by chance among the digits of a
/// measured time.
const PLANTED: [&str; 6] = [
    "Quartermain",
    "quartermain",
    "QUARTERMAIN",
    "774190352816",
    "1931-07",
    "JUL-1931",
];
const NAME: &str = "Zebulon-Quartermain";
const NUMBER: &str = "MRN-774190352816";
const BIRTH: &str = "1931-07-23";

/// A server that logs everything there is to log, as JSON, into a file.
struct Logging {
    child: Child,
    address: String,
    log: PathBuf,
    folder: tempfile::TempDir,
}

impl Drop for Logging {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Logging {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut child = Command::new(env!("CARGO_BIN_EXE_einthoven"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data"])
            .arg(folder.path().join("data"))
            .env("EINTHOVEN_OWNER_KEY", OWNER_KEY)
            .env("EINTHOVEN_LOG", "debug")
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let after = line.split("http://").nth(1);
        let address = after.and_then(|rest| rest.split([' ', '/']).next()).unwrap().to_owned();
        Self {
            child,
            address,
            log,
            folder,
        }
    }

    /// Sends a request whose head is `lines`, and gives the whole answer.
    fn send(&self, first: &str, lines: &[String], body: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut head = format!(
            "{first} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        for line in lines {
            head += line;
            head += "\r\n";
        }
        let has = |name: &str| lines.iter().any(|line| line.starts_with(name));
        if !has("host:") {
            head += "host: localhost\r\n";
        }
        if !has("x-api-key:") && !has("authorization:") && !has("cookie:") {
            head += &format!("x-api-key: {OWNER_KEY}\r\n");
        }
        head += "\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        // What is refused early is not read to its end.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn form(&self, path: &str, files: &[(&str, &[u8])], fields: &[(&str, &str)]) -> String {
        let head = [format!("content-type: {FORM}")];
        self.send(&format!("POST {path}"), &head, &form_of(files, fields))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

/// An EDF of ten seconds, with the patient in every field that EDF has for it.
fn edf() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut field = |text: &str, width: usize| bytes.extend_from_slice(format!("{text:<width$.width$}").as_bytes());
    field("0", 8);
    field(&format!("{NUMBER} M 23-JUL-1931 Zebulon_Quartermain"), 80);
    field(&format!("Startdate 02-MAR-2020 {NUMBER} Dr_Quartermain {NAME}"), 80);
    field("02.03.20", 8);
    field("08.00.00", 8);
    field("512", 8);
    field("", 44);
    field("10", 8);
    field("1", 8);
    field("1", 4);
    field("ECG II", 16);
    field(NAME, 80);
    field("mV", 8);
    field("-5", 8);
    field("5", 8);
    field("-32768", 8);
    field("32767", 8);
    field(NUMBER, 80);
    field("250", 8);
    field(BIRTH, 32);
    for index in 0..2500 {
        let beat = if index % 250 == 100 { 9000_i16 } else { 0 };
        bytes.extend_from_slice(&beat.to_le_bytes());
    }
    bytes
}

fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive
        .start_file(name, zip::write::SimpleFileOptions::default())
        .unwrap();
    archive.write_all(content).unwrap();
    archive.finish().unwrap().into_inner()
}

/// Everything that can be sent with a person in it.
fn plant(server: &Logging) {
    let header = String::from_utf8(sample("100s.hea")).unwrap() + &format!("# {NAME} {NUMBER}\n# born {BIRTH}\n");
    let signal = sample("100s.dat");
    let recording: [(&str, &[u8]); 2] = [("100s.hea", header.as_bytes()), ("100s.dat", &signal)];
    for (field, value) in [
        ("rate", NAME),
        ("unit", NUMBER),
        ("lead", NAME),
        ("record", BIRTH),
        ("model", NAME),
        ("model", "zebulon-quartermain"),
        ("version", BIRTH),
        (NAME, NUMBER),
    ] {
        server.form("/v1/classify", &recording, &[(field, value)]);
        server.send(&format!("POST /v1/classify?{field}={value}"), &[], &signal);
    }
    let table = csv(10, 250, 1.0).replace("II (mV)", &format!("{NAME} {BIRTH}"));
    for (name, content) in [
        (format!("{NAME}-{NUMBER}.csv"), table.as_bytes()),
        (
            format!("{NAME}.hea"),
            format!("{NAME} 1 x\n{NUMBER}.dat {BIRTH}\n").as_bytes(),
        ),
        (format!("../{NAME}/{BIRTH}.dat"), b"nothing".as_slice()),
        (
            format!("{NAME}.zip"),
            &zip(&format!("{NAME}/{NUMBER}.csv"), table.as_bytes()),
        ),
        (
            format!("{NAME}.zip"),
            &zip(&format!("../../{NUMBER}.csv"), NAME.as_bytes()),
        ),
        (format!("{NAME}.edf"), &edf()),
        (
            format!("{NAME}.json"),
            format!("{{\"patient\": \"{NAME}\", \"born\": \"{BIRTH}\"").as_bytes(),
        ),
    ] {
        for path in [
            "/v1/classify",
            "/v1/recordings",
            "/upload",
            "/v1/models/heartbeat/versions",
        ] {
            server.form(path, &[(&name, content)], &[]);
        }
        server.send(&format!("POST /v1/classify?name={name}"), &[], content);
    }
    for path in [
        format!("/v1/models/{NAME}"),
        format!("/v1/models/zebulon-quartermain/versions/{NUMBER}"),
        format!("/v1/models/heartbeat/versions/{NUMBER}/files/{NAME}"),
        format!("/v1/models/heartbeat/aliases/{NAME}"),
        format!("/v1/recordings/{NUMBER}/signal?from={BIRTH}"),
        format!("/v1/samples/{NAME}"),
        format!("/v1/sources/{NAME}/test"),
        format!("/v1/webhooks/mlflow/{NAME}"),
        format!("/v1/auth/link?token={NAME}"),
        format!("/v1/users/{NAME}"),
        format!("/v1/keys/{NUMBER}"),
        format!("/{NAME}/{BIRTH}?{NUMBER}"),
        format!("/%2e%2e/{NAME}"),
        format!("/v2/models/{NAME}/infer"),
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "QUARTERMAIN"] {
            server.send(
                &format!("{method} {path}"),
                &[],
                format!("{{\"{NAME}\": \"{BIRTH}\"}}").as_bytes(),
            );
        }
    }
    for (path, body) in [
        ("/v1/models", format!("{{\"name\": \"{NAME} {BIRTH}\"}}")),
        ("/v1/models", format!("{{\"{NAME}\": 1}}")),
        ("/v1/keys", format!("{{\"name\": \"x\", \"grants\": [\"{NAME}\"]}}")),
        (
            "/v1/users",
            format!("{{\"name\": \"{NAME} {NUMBER}\", \"password\": \"{BIRTH}\"}}"),
        ),
        (
            "/v1/auth/session",
            format!("{{\"name\": \"{NAME}\", \"password\": \"{NUMBER}\"}}"),
        ),
        ("/v1/auth/token", format!("{{\"grants\": [\"{NAME}\"]}}")),
        (
            "/v2/models/heartbeat/infer",
            format!("{{\"id\": \"{NUMBER}\", \"inputs\": [{{\"name\": \"{NAME}\"}}]}}"),
        ),
        ("/invocations", format!("{{\"inputs\": \"{NAME}\"}}")),
        ("/v1/classify", format!("{NAME},{BIRTH}\n{NUMBER}\n")),
        (
            "/v1/experiments",
            format!("{{\"model\": \"heartbeat\", \"challenger\": \"{NUMBER}\", \"name\": \"{NAME}\"}}"),
        ),
        (
            "/v1/labels",
            format!("[{{\"prediction\": \"{NUMBER}\", \"labels\": {{\"{NAME}\": \"N\"}}}}]"),
        ),
    ] {
        server.send(
            &format!("POST {path}"),
            &["content-type: application/json".to_owned()],
            body.as_bytes(),
        );
    }
    for line in [
        "x-request-id",
        "user-agent",
        "referer",
        "traceparent",
        "tracestate",
        "baggage",
        "if-match",
        "origin",
        "forwarded",
        "x-forwarded-for",
        "content-type",
        "accept",
        "x-patient",
        "x-einthoven-subject",
        "x-einthoven-model",
        "timeout",
        "from",
        "x-api-key",
        "authorization",
    ] {
        for value in [NAME, NUMBER, BIRTH] {
            server.send("GET /v1/models", &[format!("{line}: {value}")], b"");
            server.send("POST /v1/classify", &[format!("{line}: {value}")], b"x");
        }
    }
    // What is remembered of a person says nobody's name.
    for who in [NAME, NUMBER, BIRTH] {
        let lines = [format!("x-einthoven-subject: {who}"), format!("content-type: {FORM}")];
        let answer = server.send("POST /v1/classify", &lines, &form_of(&recording, &[]));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    server.send(
        "GET /v1/models",
        &[format!("authorization: Bearer {NAME}.{NUMBER}.{BIRTH}")],
        b"",
    );
    server.send("GET /v1/models", &[format!("authorization: Basic {NAME}")], b"");
    server.send("GET /v1/models", &[format!("cookie: einthoven_session={NAME}")], b"");
    server.send("GET /v1/models", &[format!("host: {NAME}.example.org")], b"");
    // A head that is none.
    server.send(&format!("GET /{NAME} {BIRTH}"), &[format!("{NAME}\0: {NUMBER}")], b"");
}

fn clean(what: &str, text: &str) {
    for planted in PLANTED {
        if let Some(at) = text.find(planted) {
            let from = text[..at].rfind('\n').map_or(0, |at| at + 1);
            let line: String = text[from..]
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(600)
                .collect();
            panic!("{what} holds {planted:?}: {line}");
        }
    }
}

#[test]
fn nobody_is_found_in_logs_metrics_and_answers_to_others() {
    let server = Logging::start();
    plant(&server);
    let metrics = server.send("GET /metrics", &[], b"");
    assert!(metrics.contains("einthoven_problems_total"), "{metrics}");
    clean("the metrics", &metrics);
    for path in [
        "/v1/models",
        "/v1/system",
        "/v1/instances",
        "/v1/audit",
        "/v1/health/ready",
        "/v1/keys",
        "/v1/users",
        "/v1/predictions",
        "/v1/experiments",
        "/v1/jobs",
    ] {
        clean(path, &server.send(&format!("GET {path}"), &[], b""));
    }
    let log = server.log();
    clean("the log", &log);
    let mut routes = BTreeSet::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|cause| panic!("{cause}: {line}"));
        if line["target"] == "einthoven::requests" {
            let id = line["span"]["request_id"].as_str().unwrap_or_default();
            assert_eq!(id.len(), 36, "{line}");
            routes.insert(line["span"]["route"].as_str().unwrap().to_owned());
        }
    }
    assert!(
        routes.contains("/v1/classify") && routes.contains("other"),
        "{routes:?}"
    );
    clean("the data folder", &names(server.folder.path()));
}

/// What a file says of the patient does not come back either; its name on the caller's disk may.
#[test]
fn what_stands_in_a_header_is_dropped_where_it_is_read() {
    let server = Logging::start();
    let answer = server.form("/v1/classify", &[("recording.edf", &edf())], &[]);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    clean("the answer", &answer);
    let header = String::from_utf8(sample("100s.hea")).unwrap() + &format!("# {NAME} {NUMBER} {BIRTH}\n");
    let signal = sample("100s.dat");
    let answer = server.form(
        "/v1/classify",
        &[("100s.hea", header.as_bytes()), ("100s.dat", &signal)],
        &[],
    );
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    clean("the answer", &answer);
    clean("the log", &server.log());
}

/// A request's own id is kept where it is random, and only there.
#[test]
fn only_random_ids_name_a_request() {
    let server = Logging::start();
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let head = [
        format!("x-request-id: {id}"),
        format!("traceparent: 00-{trace}-b7ad6b7169203331-01"),
    ];
    assert!(
        server
            .send("GET /v1/models/none", &head, b"")
            .contains(&format!("x-request-id: {id}"))
    );
    let replaced = server.send("GET /v1/models/none", &[format!("x-request-id: {NAME}")], b"");
    assert!(
        replaced.contains("x-request-id: ") && !replaced.contains(NAME),
        "{replaced}"
    );
    let log = server.log();
    let line = log.lines().find(|line| line.contains(id)).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["span"]["trace_id"], trace, "{line}");
}

/// Names of all files below a folder.
fn names(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        all += &entry.file_name().to_string_lossy();
        all.push('\n');
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            all += &names(&entry.path());
        }
    }
    all
}
