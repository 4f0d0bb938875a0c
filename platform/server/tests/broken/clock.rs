//! A clock that jumps: days ahead, and back to before the server was started.

use crate::client::{Server, borrowed, record_100};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Debian's, which `cargo xtask setup` installs.
fn library() -> PathBuf {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"];
    let found = folders
        .iter()
        .map(|folder| Path::new(folder).join("faketime/libfaketime.so.1"))
        .find(|path| path.exists());
    found.expect("libfaketime; `cargo xtask setup` installs it")
}

/// A server whose clock is as far from the right one as a file says. Time that passes is measured rightly, as on a machine whose clock
/// was set.
struct Shifted {
    folder: tempfile::TempDir,
}

impl Shifted {
    fn new() -> Self {
        let this = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        this.set("+0");
        this
    }

    fn set(&self, shift: &str) {
        // In the place of the old one at once, for the server reads it all the time.
        let (fresh, file) = (self.folder.path().join("fresh"), self.folder.path().join("shift"));
        std::fs::write(&fresh, format!("{shift}\n")).unwrap();
        std::fs::rename(fresh, file).unwrap();
    }

    fn start(&self) -> Server {
        let limits = format!(
            "export FAKETIME_TIMESTAMP_FILE={} FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 LD_PRELOAD={}",
            self.folder.path().join("shift").display(),
            library().display()
        );
        Server::start_under(&limits, &self.folder.path().join("data"), &[])
    }
}

/// Gives the name of its entry in the journal.
fn classified(server: &Server) -> String {
    let answer = server.form("/v1/classify", &borrowed(&record_100()), &[]);
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["prediction"].as_str().unwrap().to_owned()
}

fn done(server: &Server) {
    let made = server.form("/v1/classify?wait=false", &borrowed(&record_100()), &[]);
    assert_eq!(made.status, 202, "{}", made.json());
    let path = made.location.unwrap();
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let job = server.get(&path).json();
        if job["state"] == "done" {
            return;
        }
        assert!(Instant::now() < end && job["state"] != "failed", "{job}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn status(server: &Server, key: &str) -> u16 {
    let bearer = format!("Bearer {key}");
    server
        .ask("GET", "/v1/samples", &[("authorization", &bearer)], b"")
        .status
}

fn token(server: &Server, key: &str) -> String {
    let asked = json!({"grants": ["predict"], "ttl_s": 600});
    let made = server.json("POST", "/v1/auth/token", &[("x-api-key", key)], &asked);
    assert!(matches!(made.status, 200 | 201), "{}", made.json());
    made.json()["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_clock_that_jumps_ends_what_expires_and_loses_nothing() {
    let clock = Shifted::new();
    let server = clock.start();
    let lasting = server.key("lasting", &["predict"]);
    let hour = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let asked = json!({"name": "short", "grants": ["predict"], "expires_at": hour});
    let made = server.json("POST", "/v1/keys", &[], &asked);
    let short = made.json()["key"].as_str().unwrap().to_owned();
    let brief = token(&server, &lasting);
    assert_eq!([&lasting, &short, &brief].map(|key| status(&server, key)), [200; 3]);
    let mut predictions = vec![classified(&server)];

    // Two days ahead: what has expired by then is refused, everything else goes on.
    clock.set("+2d");
    assert_eq!(
        [&lasting, &short, &brief].map(|key| status(&server, key)),
        [200, 401, 401]
    );
    predictions.push(classified(&server));
    done(&server);
    let ahead = server.key("made-ahead", &["predict"]);
    let early = token(&server, &lasting);

    // A day back: what was made in the future holds, but for a token, which says from when on it does.
    clock.set("-1d");
    assert_eq!([&lasting, &short, &ahead].map(|key| status(&server, key)), [200; 3]);
    assert_eq!(status(&server, &early), 401);
    predictions.push(classified(&server));
    done(&server);
    server.key("made-behind", &["predict"]);
    assert_eq!(status(&server, &token(&server, &lasting)), 200);

    // What was written in which order does not hang on what the clock said, and a start finds all of it.
    let check = |server: &Server| {
        let entries = server.get("/v1/audit?limit=1000").json();
        let entries = entries["items"].as_array().unwrap();
        let numbers: Vec<u64> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] > pair[1]), "{numbers:?}");
        let listed = server.get("/v1/predictions?limit=100").json();
        let mut listed: Vec<_> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|item| item["id"].as_str().map(str::to_owned))
            .collect();
        for id in &predictions {
            assert_eq!(server.get(&format!("/v1/predictions/{id}")).status, 200, "{id}");
            assert!(listed.contains(id), "{id} is not among {listed:?}");
        }
        let all = listed.len();
        listed.sort();
        listed.dedup();
        assert_eq!(listed.len(), all, "one id twice");
        let jobs = server.get("/v1/jobs").json();
        assert!(
            jobs["items"]
                .as_array()
                .unwrap()
                .iter()
                .all(|job| job["state"] == "done"),
            "{jobs}"
        );
    };
    check(&server);
    assert_eq!(server.terminate(), Some(0));
    let server = clock.start();
    check(&server);
    predictions.push(classified(&server));
    clock.set("+0");
    let names: Vec<_> = server.get("/v1/keys?limit=1000").json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["name"].as_str().unwrap().to_owned())
        .collect();
    for name in ["lasting", "short", "made-ahead", "made-behind"] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    assert_eq!(status(&server, &brief), 200);
    classified(&server);
}
