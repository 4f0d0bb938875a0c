//! The dashboard and the alert rules against a real Prometheus that scrapes a real server.

use crate::client::{Server, borrowed, record_100};
use crate::packages::{numbered, rows_csv};
use crate::series::metrics;
use crate::steps::{ROW, ready};
use serde_json::Value;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ended when dropped.
struct Prometheus {
    child: Child,
    address: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

impl Prometheus {
    /// With the alert rules, scraping the server twice a second with a key of its own.
    fn start(folder: &Path, server: &str, key: &str) -> Self {
        std::fs::write(folder.join("key"), key).unwrap();
        std::fs::copy(deploy().join("prometheus/alerts.yaml"), folder.join("alerts.yaml")).unwrap();
        // The configuration that we ship, with this server and this key, and more often.
        let shipped = std::fs::read_to_string(deploy().join("prometheus/prometheus.yml")).unwrap();
        let configuration = shipped
            .replace("/run/secrets/scrape_key", &folder.join("key").to_string_lossy())
            .replace("einthoven:5000", server)
            .replace(
                "scrape_interval: 15s",
                "scrape_interval: 500ms\n  evaluation_interval: 500ms",
            );
        assert!(configuration.contains(server) && configuration.contains("500ms"));
        std::fs::write(folder.join("prometheus.yml"), configuration).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|cause| panic!("prometheus: {cause}; `cargo xtask setup` installs it"));
        Self { child, address }
    }

    fn ask(&self, path: &str, query: &[(&str, &str)]) -> Option<Value> {
        let mut request = ureq::get(format!("http://{}{path}", self.address));
        for (name, value) in query {
            request = request.query(*name, *value);
        }
        let mut response = request.config().http_status_as_error(false).build().call().ok()?;
        let text = response.body_mut().read_to_string().ok()?;
        serde_json::from_str(&text).ok()
    }

    /// What a query gives; an error of Prometheus's ends the test.
    fn query(&self, query: &str) -> Vec<Value> {
        let answer = self.ask("/api/v1/query", &[("query", query)]).unwrap();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// Waits until a query gives something.
    fn until(&self, query: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let there = self.ask("/api/v1/query", &[("query", query)]);
            if there.is_some_and(|answer| answer["data"]["result"].as_array().is_some_and(|all| !all.is_empty())) {
                return;
            }
            assert!(Instant::now() < end, "Prometheus never saw {query}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// A key that may read metrics and nothing else.
fn scraper(server: &Server) -> String {
    let asked = serde_json::json!({"name": "prometheus", "grants": ["models.read"]});
    let made = server.json("POST", "/v1/keys", &[], &asked);
    assert_eq!(made.status, 201, "{}", made.json());
    made.json()["key"].as_str().unwrap().to_owned()
}

/// Every query of the dashboard, as Grafana would send it.
fn queries_of_the_dashboard() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(deploy().join("grafana/einthoven.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut queries = Vec::new();
    for panel in panels {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().unwrap();
            let expression = expression
                .replace("$job", "einthoven")
                .replace("$__rate_interval", "1m");
            assert!(!expression.contains('$'), "{expression}");
            queries.push((panel["title"].as_str().unwrap().to_owned(), expression));
        }
    }
    queries
}

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics_and_the_rules() {
    let server = Server::start();
    let text = metrics(&server);
    let mut checked = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|cause| panic!("promtool: {cause}; `cargo xtask setup` installs it"));
    checked.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = checked.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
    for (what, file) in [("check", "alerts.yaml"), ("test", "alerts.test.yaml")] {
        let rules = Command::new("promtool")
            .args([what, "rules"])
            .arg(deploy().join("prometheus").join(file))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&rules.stdout).into_owned() + &String::from_utf8_lossy(&rules.stderr);
        assert!(rules.status.success(), "{said}");
    }
}

/// Two versions, of which one computes beside the other, and recordings enough for a reference of drift and a window after it.
fn compare(server: &Server) {
    ready(server, ROW, "2", &numbered(2));
    let experiment = serde_json::json!({"name": "seen", "model": ROW, "shadows": [{"version": "2", "percent": 100}],
        "rules": {"rails": {"p99": null}}});
    let started = server.json("POST", "/v1/experiments", &[], &experiment);
    assert_eq!(started.status, 201, "{}", started.json());
    let rows = rows_csv();
    for number in 0..150 {
        let subject = number.to_string();
        let headers = [("content-type", "text/csv"), ("x-einthoven-subject", subject.as_str())];
        let path = format!("/v1/classify?model={ROW}");
        assert_eq!(server.ask("POST", &path, &headers, rows.as_bytes()).status, 200);
    }
}

#[test]
fn every_query_of_the_dashboard_and_every_alert_finds_what_it_asks_for() {
    let server = Server::start_with(&["--guard-every-s", "1"]);
    let folder = tempfile::tempdir().unwrap();
    let prometheus = Prometheus::start(folder.path(), &server.address, &scraper(&server));
    prometheus.until("up{job=\"einthoven\"} == 1");
    compare(&server);
    let files = record_100();
    // A few of all: answers, refusals of every kind, while Prometheus looks.
    for turn in 0..6 {
        assert_eq!(server.form("/v1/classify", &borrowed(&files), &[]).status, 200);
        assert_eq!(server.get("/v1/models/no-such-model").status, 404);
        assert_eq!(
            server.ask("GET", "/v1/models", &[("x-api-key", "ein_a_b")], b"").status,
            401
        );
        std::thread::sleep(Duration::from_millis(if turn < 5 { 400 } else { 1200 }));
    }
    prometheus.until(r#"rate(einthoven_problems_total{status="401"}[1m]) > 0"#);
    prometheus.until("increase(einthoven_drift_windows_total[1m]) >= 0 and einthoven_drift_windows_total > 0");
    for (panel, query) in queries_of_the_dashboard() {
        assert!(!prometheus.query(&query).is_empty(), "{panel} shows nothing: {query}");
    }
    let latency =
        "histogram_quantile(0.5, sum by (le) (rate(einthoven_stage_duration_seconds_bucket{stage=\"classify\"}[1m])))";
    let value = prometheus.query(latency)[0]["value"][1]
        .as_str()
        .unwrap()
        .parse::<f64>()
        .unwrap();
    assert!(value > 0.0 && value < 60.0, "{value} s");

    let rules = prometheus.ask("/api/v1/rules", &[]).unwrap();
    let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap().clone();
    assert!(rules.len() >= 9, "{} rules", rules.len());
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        assert_ne!(rule["state"], "firing", "{rule}");
        // Each speaks of series that there are: what stands before the comparison gives something, or its series do.
        let query = rule["query"].as_str().unwrap();
        for name in words(query) {
            assert!(
                !prometheus.query(&name).is_empty(),
                "{} asks for {name}, which is not there",
                rule["name"]
            );
        }
    }
}

/// Names of metrics in a query.
fn words(query: &str) -> Vec<String> {
    let all = query.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let ours = all.filter(|word| word.starts_with("einthoven_") || word.starts_with("process_") || *word == "up");
    ours.map(str::to_owned).collect()
}
