//! A running server and a small client for it.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for an answer; one that waits for a trial takes the longest.
const PATIENCE: Duration = Duration::from_secs(180);

/// The owner's key of every server here.
pub(crate) const OWNER_KEY: &str = "the-owners-key-in-tests";

/// The real binary on a free port with a data folder of its own, ended when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    /// What it says when it is ready.
    pub(crate) line: String,
    pub(crate) data: PathBuf,
    /// From the call to the line that says that it is ready.
    pub(crate) started_in: Duration,
    /// Goes with the server; none where the caller chose the folder.
    _folder: Option<tempfile::TempDir>,
}

/// An answer, its body as JSON where it is JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) location: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// A line of its header; empty where it has none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// Asserts a problem document of that status and code, and gives its detail.
    pub(crate) fn problem(&self, status: u16, code: &str) -> String {
        let body = self.json();
        assert_eq!(self.status, status, "{body}");
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(body["type"], format!("/problems/{code}"), "{body}");
        assert_eq!(body["status"], status);
        body["detail"].as_str().unwrap().to_owned()
    }
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With a data folder that goes when the server does.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self::start_in(folder.path(), arguments);
        server._folder = Some(folder);
        server
    }

    pub(crate) fn start_in(data: &Path, arguments: &[&str]) -> Self {
        Self::start_as(data, arguments, Some(OWNER_KEY))
    }

    /// With another owner's key, or none.
    pub(crate) fn start_as(data: &Path, arguments: &[&str], owner_key: Option<&str>) -> Self {
        Self::started(
            Command::new(env!("CARGO_BIN_EXE_einthoven")),
            data,
            arguments,
            owner_key,
        )
    }

    /// Under limits that a shell sets first, such as `ulimit -n 64`.
    pub(crate) fn start_under(limits: &str, data: &Path, arguments: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        let program = env!("CARGO_BIN_EXE_einthoven");
        shell.args(["-c", &format!("{limits} && exec \"$0\" \"$@\""), program]);
        Self::started(shell, data, arguments, Some(OWNER_KEY))
    }

    fn started(mut command: Command, data: &Path, arguments: &[&str], owner_key: Option<&str>) -> Self {
        let start = Instant::now();
        let elsewhere = arguments.contains(&"--listen");
        let listen: &[&str] = if elsewhere { &[] } else { &["--listen", "127.0.0.1:0"] };
        let child = command
            .args(["serve", "--data"])
            .arg(data)
            .args(listen)
            .args(arguments)
            .env("EINTHOVEN_OWNER_KEY", owner_key.unwrap_or_default())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Self {
            child,
            address: String::new(),
            line: String::new(),
            data: data.to_owned(),
            started_in: Duration::ZERO,
            _folder: None,
        };
        BufReader::new(server.child.stdout.take().unwrap())
            .read_line(&mut server.line)
            .unwrap();
        server.started_in = start.elapsed();
        let after = server.line.split("://").nth(1);
        server.address = after.and_then(|rest| rest.split([' ', '/']).next()).unwrap().to_owned();
        server
    }

    /// What a series without labels says.
    pub(crate) fn counted(&self, name: &str) -> f64 {
        let text = String::from_utf8(self.get("/metrics").bytes).unwrap();
        let line = text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
        line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Answer {
        self.ask("POST", path, &[("content-type", content_type)], body)
    }

    /// Sends JSON by any method.
    pub(crate) fn json(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.ask(method, path, &all, body.to_string().as_bytes())
    }

    /// Sends a request and waits for its answer. It is the owner's unless its headers prove somebody else.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_ask(method, path, headers, body).unwrap()
    }

    /// The same, where the server may be gone.
    pub(crate) fn try_ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let proves = |(name, _): &(&str, &str)| ["authorization", "x-api-key", "cookie"].contains(name);
        let mut all = headers.to_vec();
        if !headers.iter().any(proves) {
            all.push(("x-api-key", OWNER_KEY));
        }
        self.bare(method, path, &all, body)
    }

    /// A key that may do that, as the value of `X-Api-Key`.
    pub(crate) fn key(&self, name: &str, grants: &[&str]) -> String {
        let body = serde_json::json!({"name": name, "grants": grants});
        let made = self.json("POST", "/v1/keys", &[], &body);
        assert_eq!(made.status, 201, "{}", made.json());
        made.json()["key"].as_str().unwrap().to_owned()
    }

    /// Sends what is said and nothing beside it.
    pub(crate) fn bare(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let uri = format!("http://{}{path}", self.address);
        let mut request = ureq::http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = if matches!(method, "GET" | "HEAD" | "DELETE") {
            agent().run(request.body(()).unwrap())
        } else {
            agent().run(request.body(body).unwrap())
        };
        answer(response?)
    }

    /// Posts files and text fields as a form.
    pub(crate) fn form(&self, path: &str, files: &[(&str, &[u8])], fields: &[(&str, &str)]) -> Answer {
        self.form_as(OWNER_KEY, path, files, fields)
    }

    /// The same by another key.
    pub(crate) fn form_as(&self, key: &str, path: &str, files: &[(&str, &[u8])], fields: &[(&str, &str)]) -> Answer {
        let headers = [("x-api-key", key), ("content-type", FORM)];
        self.ask("POST", path, &headers, &form_of(files, fields))
    }

    /// Sends bytes as they are and reads what comes back until the server closes.
    pub(crate) fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        // A server that refuses early closes while we still send; what it said is read all the same.
        let _ = stream.write_all(request);
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in bytes.
    pub(crate) fn resident_bytes(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }

    /// Asks it to stop as an operator would, and gives the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(PATIENCE));
    config.build().into()
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let (content_type, location) = (header("content-type").unwrap_or_default(), header("location"));
    let etag = header("etag");
    let bytes = response.body_mut().with_config().limit(1 << 30).read_to_vec()?;
    Ok(Answer {
        status: response.status().as_u16(),
        content_type,
        location,
        etag,
        headers: response.headers().clone(),
        bytes,
    })
}

/// The content type of [`form_of`].
pub(crate) const FORM: &str = "multipart/form-data; boundary=edge";

/// Files and text fields as the body of a form.
pub(crate) fn form_of(files: &[(&str, &[u8])], fields: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        write!(
            body,
            "--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
        .unwrap();
    }
    for (name, content) in files {
        write!(
            body,
            "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        )
        .unwrap();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

/// A file of the sample recordings.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)).unwrap()
}

/// Record 100's first five minutes as one would drop them.
pub(crate) fn record_100() -> Vec<(&'static str, Vec<u8>)> {
    vec![("100s.hea", sample("100s.hea")), ("100s.dat", sample("100s.dat"))]
}

/// Borrowed, as [`Server::form`] takes them.
pub(crate) fn borrowed<'a>(files: &'a [(&'static str, Vec<u8>)]) -> Vec<(&'a str, &'a [u8])> {
    files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect()
}

/// A CSV of one lead with a time column: a synthetic trace with one sharp beat a second.
pub(crate) fn csv(seconds: usize, rate: usize, amplitude: f64) -> String {
    let mut text = String::from("time (s),II (mV)\n");
    for i in 0..seconds * rate {
        let phase = (i % rate) as f64 / rate as f64 - 0.5;
        let wave = amplitude * ((-(phase / 0.012).powi(2)).exp() + 0.2 * (-((phase - 0.25) / 0.05).powi(2)).exp());
        text += &format!("{:.6},{wave:.5}\n", i as f64 / rate as f64);
    }
    text
}
