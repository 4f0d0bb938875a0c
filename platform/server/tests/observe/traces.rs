//! Traces, as a collector gets them: a real one listens here, and reads protobuf.

use crate::client::{OWNER_KEY, Server, borrowed, record_100};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// Takes spans by OTLP over HTTP.
struct Collector {
    address: String,
    bodies: Receiver<Vec<u8>>,
    /// Everything that came, as it came.
    seen: Vec<u8>,
    spans: Vec<Span>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (send, bodies) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let send = send.clone();
                std::thread::spawn(move || take(&stream, &send));
            }
        });
        Self {
            address,
            bodies,
            seen: Vec::new(),
            spans: Vec::new(),
        }
    }

    /// Waits until there is a span that is asked for.
    fn until(&mut self, wanted: impl Fn(&[Span]) -> bool) {
        let end = Instant::now() + Duration::from_secs(120);
        while !wanted(&self.spans) {
            let left = end.saturating_duration_since(Instant::now());
            let body = self.bodies.recv_timeout(left);
            let body = body.unwrap_or_else(|_| panic!("the span never came; there are {:?}", names(&self.spans)));
            let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
            self.seen.extend(body);
            for resource in request.resource_spans {
                self.spans
                    .extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
    }
}

/// Requests of one connection, each with `Content-Length`.
fn take(stream: &TcpStream, bodies: &Sender<Vec<u8>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut protobuf, mut line) = (0, false, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let text = line.trim().to_ascii_lowercase();
            if let Some(value) = text.strip_prefix("content-length: ") {
                length = value.parse().ok()?;
            }
            protobuf |= text == "content-type: application/x-protobuf";
            if text.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let status = if protobuf {
            "200 OK"
        } else {
            "415 Unsupported Media Type"
        };
        let mut stream = stream;
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").ok()?;
        if protobuf {
            bodies.send(body).ok()?;
        }
    }
}

fn names(spans: &[Span]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn took(span: &Span) -> f64 {
    span.end_time_unix_nano.checked_sub(span.start_time_unix_nano).unwrap() as f64 / 1e9
}

fn below<'a>(spans: &'a [Span], above: &Span) -> Vec<&'a Span> {
    spans
        .iter()
        .filter(|span| span.parent_span_id == above.span_id)
        .collect()
}

fn named<'a>(spans: &'a [Span], name: &str) -> Option<&'a Span> {
    spans.iter().find(|span| span.name == name)
}

#[test]
fn a_call_is_the_time_it_waited_was_put_together_and_computed() {
    let mut collector = Collector::start();
    let server = Server::start_with(&["--otlp-endpoint", &collector.address]);
    // Enough rows that computing takes long against what lies between the parts.
    let rows = 256;
    let mut body = json!({"inputs": [{"datatype": "FP32", "data": vec![0.25; rows * 187]}]});
    let about = server.get("/v2/models/heartbeat-row").json();
    let input = &about["inputs"][0];
    body["inputs"][0]["name"] = input["name"].clone();
    let mut shape = vec![json!(rows)];
    shape.extend(input["shape"].as_array().unwrap().iter().skip(1).cloned());
    body["inputs"][0]["shape"] = json!(shape);
    let parent = format!("00-{TRACE}-{CALLER}-01");
    for _ in 0..5 {
        let headers = [("traceparent", parent.as_str())];
        let answer = server.json("POST", "/v2/models/heartbeat-row/infer", &headers, &body);
        assert_eq!(answer.status, 200, "{}", answer.json());
    }
    let name = "POST /v2/models/{model}/infer";
    collector.until(|spans| spans.iter().filter(|span| span.name == name).count() == 5);
    let spans = &collector.spans;
    let mut shares = Vec::new();
    for request in spans.iter().filter(|span| span.name == name) {
        assert_eq!(hex(&request.trace_id), TRACE);
        assert_eq!(hex(&request.parent_span_id), CALLER);
        let calls = below(spans, request);
        assert_eq!(calls.len(), 1, "{:?}", names(spans));
        let parts = below(spans, calls[0]);
        let mut found: Vec<_> = parts.iter().map(|span| span.name.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, ["batch", "compute", "queue"]);
        assert!(took(calls[0]) <= took(request));
        shares.push(parts.iter().map(|part| took(part)).sum::<f64>() / took(calls[0]));
    }
    // A busy machine may put anything between two looks at the clock, but not five times.
    assert!(shares.iter().all(|share| *share <= 1.0 + 1e-6), "{shares:?}");
    assert!(shares.iter().any(|share| *share >= 0.95), "{shares:?}");
}

#[test]
fn a_classification_shows_its_stages_and_nothing_of_who_asked() {
    const PLANTED: [&str; 3] = ["Quartermain", "MRN-774190352816", "1931-07-23"];
    let [name, number, birth] = PLANTED;
    let mut collector = Collector::start();
    let server = Server::start_with(&["--otlp-endpoint", &collector.address]);
    let files = record_100();
    assert_eq!(server.form("/v1/classify", &borrowed(&files), &[]).status, 200);
    let sent = [(name, b"x".as_slice())];
    let refused = server.form("/v1/classify", &sent, &[("model", number)]);
    assert!((400..500).contains(&refused.status), "{}", refused.json());
    for path in [
        format!("/v1/models/{name}"),
        format!("/{number}?{birth}"),
        format!("/v1/recordings/{birth}"),
    ] {
        let headers = [
            ("x-api-key", OWNER_KEY),
            ("x-request-id", number),
            ("tracestate", "a=Quartermain"),
            ("user-agent", name),
        ];
        assert_eq!(server.ask("GET", &path, &headers, b"").status, 404);
    }
    collector.until(|spans| named(spans, "GET /v1/recordings/{id}").is_some());
    let spans = &collector.spans;
    let request = named(spans, "POST /v1/classify").unwrap();
    let parts = below(spans, request);
    for stage in ["receive", "read", "resolve", "classify", "call"] {
        assert!(
            parts.iter().any(|part| part.name == stage),
            "{stage}: {:?}",
            names(spans)
        );
    }
    for part in &parts {
        assert!(
            part.start_time_unix_nano >= request.start_time_unix_nano,
            "{}",
            part.name
        );
        assert!(part.end_time_unix_nano <= request.end_time_unix_nano, "{}", part.name);
    }
    assert!(named(spans, "other other").is_some(), "{:?}", names(spans));
    let seen = String::from_utf8_lossy(&collector.seen);
    for planted in PLANTED {
        assert!(!seen.contains(planted), "{planted}");
    }
}

#[test]
fn a_caller_that_does_not_record_is_not_recorded() {
    let mut collector = Collector::start();
    let server = Server::start_with(&["--otlp-endpoint", &collector.address]);
    let silent = format!("00-{TRACE}-{CALLER}-00");
    assert_eq!(
        server.ask("GET", "/v1/system", &[("traceparent", &silent)], b"").status,
        200
    );
    assert_eq!(server.get("/v1/samples").status, 200);
    collector.until(|spans| named(spans, "GET /v1/samples").is_some());
    assert!(named(&collector.spans, "GET /v1/system").is_none());
    // What was not sent yet is sent before the process ends.
    assert_eq!(server.get("/v1/keys").status, 200);
    assert_eq!(server.terminate(), Some(0));
    collector.until(|spans| named(spans, "GET /v1/keys").is_some());
}
