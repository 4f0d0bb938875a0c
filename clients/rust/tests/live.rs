//! The client against the real server, the binary that `EINTHOVEN_BIN` names.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "its main is for whoever runs it")]
#[path = "../../../examples/wfdb/classify.rs"]
mod example;

use einthoven_client::{Answer, Einthoven, Failure, File, Paged as _, Stated, files, record, types};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for what happens beside requests.
const PATIENCE: Duration = Duration::from_secs(120);

const OWNER_KEY: &str = "the-owners-key-in-tests";

/// A server with a data folder of its own, ended when dropped.
struct Server {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program =
            std::env::var_os("EINTHOVEN_BIN").expect("EINTHOVEN_BIN names the server; `cargo xtask sdk` sets it");
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .env("EINTHOVEN_OWNER_KEY", OWNER_KEY)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let after = line.split("http://").nth(1).unwrap();
        Self {
            child,
            address: after.split([' ', '/']).next().unwrap().to_owned(),
            _folder: folder,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn client(server: &Server) -> Einthoven {
    let url = format!("http://{}", server.address);
    Einthoven::new(&url).unwrap().with_key(OWNER_KEY)
}

/// A model of the repository with some of its manifest replaced.
fn package(model: &str, fields: &Value) -> Vec<File> {
    let folder = root("models").join(model);
    let mut package = files(["golden.json", "model.onnx"].map(|name| folder.join(name))).unwrap();
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        manifest[name] = value.clone();
    }
    package.push(File::new("manifest.json", manifest.to_string()));
    package
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Failure>, status: u16, code: &str) -> types::Problem {
    let failure = answer.unwrap_err();
    assert_eq!(failure.code(), Some(code), "{failure}");
    let problem = failure.problem().unwrap().clone();
    assert_eq!(problem.status, status);
    problem
}

#[tokio::test]
async fn a_recording_is_classified_at_once_and_as_a_job_that_is_followed() {
    let server = Server::start();
    let client = client(&server);
    let sample = record(root("platform/server/samples/100s")).unwrap();
    let answer = client.classify(&sample, &Stated::default()).await.unwrap();
    assert!(matches!(&answer, Answer::Beats(found) if found.recording.sampling_rate_hz == 360.0));
    assert!(answer.beats().len() > 300);

    let job = client.submit(&sample, &Stated::default()).await.unwrap();
    let mut seen = Vec::new();
    let again = client.wait(&job.id, |event| seen.push(event.clone())).await.unwrap();
    assert!(seen.last().unwrap().ends(), "{seen:?}");
    let samples = |answer: &Answer| answer.beats().iter().map(|beat| beat.sample).collect::<Vec<_>>();
    assert_eq!(samples(&again), samples(&answer));
    let said = example::classified(&client, root("platform/server/samples/100s").to_str().unwrap())
        .await
        .unwrap();
    assert!(said.starts_with("100s: ") && said.contains("\n  N "), "{said}");
    let jobs = client.list_jobs().send().await.unwrap().into_inner();
    assert_eq!(jobs.items[0].id, job.id);
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let server = Server::start();
    let client = client(&server);
    let values = File::new("a.csv", "II\n".to_owned() + &"0.1\n".repeat(2000));
    let stated = Stated {
        unit: Some("mV".to_owned()),
        ..Stated::default()
    };
    let problem = refused(client.classify(&[values], &stated).await, 422, "missing_field");
    assert_eq!(problem.errors[0].pointer, "sampling_rate");
    let stranger = client.clone().with_key("no-such-key");
    refused(stranger.list_models().all().await, 401, "credential_refused");
    let nobody = client.clone().with_key("");
    refused(nobody.list_models().all().await, 401, "not_signed_in");
    let nowhere = Einthoven::new("http://127.0.0.1:9").unwrap();
    let silent = nowhere.list_models().all().await.unwrap_err();
    assert!(matches!(silent, Failure::Transport(_)), "{silent}");
}

#[tokio::test]
async fn a_version_is_brought_in_promoted_and_taken_back() {
    let server = Server::start();
    let client = client(&server);
    let model = types::NewModel::builder().name("from-rust");
    client.create_model().body(model).send().await.unwrap();
    for version in ["1", "2"] {
        let package = package("heartbeat-row", &json!({"description": format!("number {version}")}));
        let added = client
            .add_version("from-rust", &package, &[("version", version)])
            .await
            .unwrap();
        assert!(matches!(added.phase, types::VersionPhase::Ready { .. }), "{added:?}");
        let traffic = client.promote("from-rust", version, "a test").await.unwrap();
        assert_eq!(traffic.champion.as_deref(), Some(version));
    }
    let traffic = client.take_back("from-rust", "a test").await.unwrap();
    assert_eq!(traffic.champion.as_deref(), Some("1"));

    let models = client.list_models().limit(1_u64).all().await.unwrap();
    let names: BTreeSet<_> = models.iter().map(|model| model.name.as_str()).collect();
    assert!(
        models.len() == names.len() && names.len() > 2 && names.contains("from-rust"),
        "{names:?}"
    );
    let entries = client
        .list_entries()
        .model("from-rust")
        .limit(2_u64)
        .all()
        .await
        .unwrap();
    assert!(entries.len() > 4, "{entries:?}");
}

#[tokio::test]
async fn answers_are_labelled_and_two_versions_compared() {
    let server = Server::start();
    let client = client(&server);
    let package = package("heartbeat", &json!({"labels": ["V", "S", "N", "F"]}));
    client
        .add_version("heartbeat", &package, &[("version", "2")])
        .await
        .unwrap();
    let begun: types::NewExperiment = serde_json::from_value(json!({
        "name": "from-rust", "model": "heartbeat", "shadows": [{"version": "2", "percent": 100}], "reason": "a test",
    }))
    .unwrap();
    client.start_experiment().body(begun).send().await.unwrap();

    let records = ["100x", "203x", "208x"];
    for name in records {
        let path = root("ecg/tests/fixtures/mitdb-excerpts").join(name);
        let stated = Stated {
            subject: Some(name.to_owned()),
            ..Stated::default()
        };
        let answer = client.classify(&record(&path).unwrap(), &stated).await.unwrap();
        let prediction = answer.prediction().unwrap();
        let taken = client
            .refer(prediction, std::fs::read(path.with_extension("atr")).unwrap())
            .await
            .unwrap();
        assert!(taken.matched.unwrap() > 30, "{taken:?}");
        let kept = client.get_prediction().id(prediction).send().await.unwrap();
        assert_eq!(kept.id, prediction);
    }
    let end = Instant::now() + PATIENCE;
    let verdict = loop {
        let verdict = client
            .get_verdict()
            .name("from-rust")
            .challenger("2")
            .send()
            .await
            .unwrap();
        if verdict.numbers.both == records.len() as u64 {
            break verdict;
        }
        assert!(Instant::now() < end, "{verdict:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(verdict.numbers.labelled, 3, "{verdict:?}");
    assert!(verdict.sentence.contains("Too early"), "{}", verdict.sentence);
    let stopped = client
        .stop_experiment()
        .name("from-rust")
        .reason("seen")
        .send()
        .await
        .unwrap();
    assert_eq!(stopped.name, "from-rust");
    let wrong = client
        .list_misclassified()
        .model("heartbeat")
        .limit(5_u64)
        .all()
        .await
        .unwrap();
    assert!(wrong.len() < 20, "the champion is right nearly everywhere");
}

/// A key that may be used once in two seconds is told to come later, and comes; the token is asked for each time.
#[tokio::test]
async fn it_comes_later_where_it_is_asked_to() {
    let server = Server::start();
    let client = client(&server);
    let slow: types::NewApiKey = serde_json::from_value(
        json!({"name": "slow", "grants": ["models.read"], "rate": {"per_second": 0.5, "burst": 1}}),
    )
    .unwrap();
    let key = client
        .create_key()
        .body(slow)
        .send()
        .await
        .unwrap()
        .key
        .clone()
        .unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let token = key.clone();
    let patient = client.clone().with_tokens(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(token.clone())
    });
    for _ in 0..2 {
        patient.list_models().send().await.unwrap();
    }
    assert!(asked.load(Ordering::Relaxed) >= 2);
    let hasty = client.clone().with_key(key).with_retries(0);
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.extend(
            hasty
                .list_models()
                .all()
                .await
                .err()
                .and_then(|refused| refused.code().map(str::to_owned)),
        );
    }
    assert!(codes.iter().any(|code| code == "too_many_requests"), "{codes:?}");
}
