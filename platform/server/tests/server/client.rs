//! A running server and a small client for it.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The real binary on a free port, ended when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

/// An answer, its body as JSON where it is JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) location: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
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
        Self::start_with(&[], &std::env::temp_dir().join("einthoven-tests"))
    }

    pub(crate) fn start_with(arguments: &[&str], data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_einthoven"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .split("http://")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .to_owned();
        Self { child, address }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        answer(agent().get(format!("http://{}{path}", self.address)).call())
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        answer(agent().delete(format!("http://{}{path}", self.address)).call())
    }

    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Answer {
        let request = agent()
            .post(format!("http://{}{path}", self.address))
            .header("content-type", content_type);
        answer(request.send(body))
    }

    /// Posts files and text fields as a form.
    pub(crate) fn form(&self, path: &str, files: &[(&str, &[u8])], fields: &[(&str, &str)]) -> Answer {
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
        self.post(path, "multipart/form-data; boundary=edge", &body)
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
    ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build())
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = response.unwrap();
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let (content_type, location) = (header("content-type").unwrap_or_default(), header("location"));
    let bytes = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
    Answer {
        status: response.status().as_u16(),
        content_type,
        location,
        bytes,
    }
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
