//! The set of series is what the server is, not what it is asked.

use crate::client::{OWNER_KEY, Server, borrowed, record_100};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// Everything that the server counted.
pub(crate) fn metrics(server: &Server) -> String {
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.bytes));
    assert!(answer.content_type.starts_with("text/plain"), "{}", answer.content_type);
    String::from_utf8(answer.bytes).unwrap()
}

/// The series, without their values.
fn series(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

/// The sum over the series that begin so.
pub(crate) fn sum(text: &str, beginning: &str) -> f64 {
    let lines = text.lines().filter(|line| line.starts_with(beginning));
    lines
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum()
}

/// One connection that is used again and again.
struct Kept {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Kept {
    fn new(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        let answers = BufReader::new(stream.try_clone().unwrap());
        Self { stream, answers }
    }

    fn ask(&mut self, method: &str, path: &str, key: &str) -> u16 {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {key}\r\nx-request-id: {key}\r\ncontent-length: 0\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).unwrap();
        let (mut line, mut status, mut length) = (String::new(), 0, 0);
        loop {
            line.clear();
            assert!(
                self.answers.read_line(&mut line).unwrap() > 0,
                "the server closed after {method} {path}"
            );
            let text = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = text.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap();
            }
            if let Some(rest) = text.strip_prefix("content-length: ") {
                length = rest.parse().unwrap();
            }
            assert!(!text.starts_with("transfer-encoding"), "no length: {path}");
            if text.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if method != "HEAD" {
            self.answers.read_exact(&mut body).unwrap();
        }
        status
    }
}

/// 10,000 paths, models, versions, methods and keys that differ, over HTTP; the layer itself gets 90,000 more in
/// einthoven-telemetry's own tests.
#[test]
fn no_request_makes_a_series() {
    let server = Server::start();
    let mut kept = Kept::new(&server.address);
    let turn = |kept: &mut Kept, number: u64| {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        let path = match number % 6 {
            0 => format!("/v1/models/m{mixed:x}"),
            1 => format!("/v1/models/m{mixed:x}/versions/{number}"),
            2 => format!("/{mixed:x}/{number}"),
            3 => format!("/v1/recordings/{mixed:x}?x={number}"),
            4 => format!("/v1/models/heartbeat/versions/v{mixed:x}/files/f{number}"),
            _ => format!("/x{mixed:x}.js"),
        };
        let key = if number.is_multiple_of(3) {
            format!("ein_{mixed:x}")
        } else {
            OWNER_KEY.to_owned()
        };
        let method = ["GET", "HEAD", "GET", "PURGE"][(mixed >> 7) as usize % 4];
        let status = kept.ask(method, &path, &key);
        assert!((400..500).contains(&status), "{status} {method} {path}");
    };
    // Each kind once, so that every type of problem that they lead to has its series.
    (0..100).for_each(|number| turn(&mut kept, number));
    metrics(&server);
    let before = series(&metrics(&server));
    (100..10_100).for_each(|number| turn(&mut kept, number));
    let text = metrics(&server);
    assert_eq!(series(&text), before);
    let counted = sum(&text, "einthoven_http_requests_total");
    assert!((10_100.0..10_110.0).contains(&counted), "{counted}");
    assert!(before.len() < 5000, "{} series", before.len());
    // What a label can say is a word of the program's, or a version that is loaded, of which 64 are told apart.
    let closed = [
        "le", "method", "model", "outcome", "part", "route", "stage", "state", "status", "type", "version",
    ];
    for one in &before {
        let labels = one.split_once('{').map_or("", |(_, labels)| labels);
        let names = labels.split("=\"").filter_map(|text| text.rsplit(['{', ',']).next());
        for name in names.filter(|name| name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')) {
            assert!(name.is_empty() || closed.contains(&name), "{name} in {one}");
        }
    }
}

#[test]
fn a_classification_is_counted_and_measured() {
    let server = Server::start();
    let files = record_100();
    let before = metrics(&server);
    assert!(sum(&before, "einthoven_models_loaded") >= 1.0);
    let answer = server.form("/v1/classify", &borrowed(&files), &[]);
    assert_eq!(answer.status, 200);
    assert_eq!(server.get("/v1/models/no-such-model").status, 404);
    let after = metrics(&server);
    let grown = |beginning: &str| sum(&after, beginning) - sum(&before, beginning);
    let route = r#"method="POST",route="/v1/classify""#;
    assert_eq!(
        grown(&format!("einthoven_http_requests_total{{{route},status=\"2xx\"}}")),
        1.0
    );
    assert_eq!(
        grown(&format!("einthoven_http_request_duration_seconds_count{{{route}}}")),
        1.0
    );
    let sent: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(grown(&format!("einthoven_http_request_bytes_total{{{route}}}")) > sent as f64);
    for stage in ["receive", "read", "resolve", "classify"] {
        assert_eq!(
            grown(&format!("einthoven_stage_duration_seconds_count{{stage=\"{stage}\"}}")),
            1.0,
            "{stage}"
        );
    }
    assert_eq!(
        grown(r#"einthoven_problems_total{status="404",type="no_such_model"}"#),
        1.0
    );
    // The stages are within the request.
    let stages = grown("einthoven_stage_duration_seconds_sum");
    let whole = grown(&format!("einthoven_http_request_duration_seconds_sum{{{route}}}"));
    assert!(stages <= whole && stages > 0.5 * whole, "{stages} of {whole} s");
}

#[test]
fn metrics_need_their_scope() {
    let server = Server::start();
    let nobody = server.ask("GET", "/metrics", &[("x-api-key", "ein_nobody_nothing")], b"");
    assert_eq!(nobody.status, 401);
    let made = server.json(
        "POST",
        "/v1/keys",
        &[],
        &serde_json::json!({"name": "scraper", "grants": ["models.read"]}),
    );
    assert_eq!(made.status, 201, "{}", made.json());
    let key = made.json()["key"].as_str().unwrap_or_default().to_owned();
    let scraped = server.ask("GET", "/metrics", &[("x-api-key", &key)], b"");
    assert_eq!(scraped.status, 200, "{}", made.json());
}
