//! Versions change under steady load: nothing fails, no answer mixes two, another model notices nothing.

use crate::client::Server;
use crate::packages::labelled;
use crate::steps::{assert_right, classify, labels, promote, ready};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SWAPS: usize = 200;
const CLIENTS: usize = 3;

/// What one client saw: times of its requests, and the versions that answered.
#[derive(Default)]
struct Seen {
    times: Vec<Duration>,
    versions: BTreeSet<String>,
}

/// Classifies until told to stop; every answer must be of one version, whole.
fn client(server: &Server, model: &str, versions: &HashMap<String, (String, Vec<String>)>, stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        let start = Instant::now();
        let answer = classify(server, &format!("model={model}"));
        seen.times.push(start.elapsed());
        let document: Value = answer.json();
        assert_eq!(answer.status, 200, "{document}");
        let version = document["model"]["version"].as_str().unwrap();
        let (digest, expected) = &versions[version];
        assert_eq!(document["model"]["digest"], **digest);
        assert_eq!(&labels(&document), expected);
        assert_right(&document, expected, 1e-4);
        seen.versions.insert(version.to_owned());
    }
    seen
}

fn print(what: &str, seen: &[Seen]) -> f64 {
    let mut all: Vec<_> = seen
        .iter()
        .flat_map(|seen| &seen.times)
        .map(Duration::as_secs_f64)
        .collect();
    all.sort_by(f64::total_cmp);
    let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize] * 1e3;
    eprintln!(
        "{what}: {} requests, p50 {:.2} ms, p99 {:.2} ms",
        all.len(),
        at(0.5),
        at(0.99)
    );
    at(0.99)
}

#[test]
fn two_hundred_swaps_under_load_fail_nothing_and_mix_nothing() {
    let server = Server::start();
    let mut versions = HashMap::new();
    for (name, labels) in [
        ("plain", ["N", "S", "V", "F", "Q"]),
        ("turned", ["Q", "F", "V", "S", "N"]),
    ] {
        let digest = ready(&server, "swapped", name, &labelled(labels));
        versions.insert(name.to_owned(), (digest, labels.map(str::to_owned).to_vec()));
    }
    let other = ready(&server, "other", "1", &labelled(["S", "N", "V", "F", "Q"]));
    let others = HashMap::from([(
        "1".to_owned(),
        (other, ["S", "N", "V", "F", "Q"].map(str::to_owned).to_vec()),
    )]);
    assert_eq!(promote(&server, "swapped", "plain").status, 200);
    assert_eq!(promote(&server, "other", "1").status, 200);

    let load = |change: &dyn Fn()| {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let swapped: Vec<_> = (0..CLIENTS)
                .map(|_| scope.spawn(|| client(&server, "swapped", &versions, &stop)))
                .collect();
            let beside = scope.spawn(|| client(&server, "other", &others, &stop));
            change();
            stop.store(true, Ordering::Relaxed);
            let swapped: Vec<_> = swapped.into_iter().map(|client| client.join().unwrap()).collect();
            (swapped, beside.join().unwrap())
        })
    };
    let pause = Duration::from_millis(20);
    // The same requests and pauses, so that promoting is all that differs.
    let (still, beside) = load(&|| {
        for _ in 0..SWAPS {
            assert_eq!(classify(&server, "model=swapped").status, 200);
            std::thread::sleep(pause);
        }
    });
    let before = print("without swaps", &still);
    print("another model beside it", &[beside]);
    let (swapped, beside) = load(&|| {
        for swap in 0..SWAPS {
            let version = if swap % 2 == 0 { "turned" } else { "plain" };
            let done = promote(&server, "swapped", version);
            assert_eq!(done.status, 200, "{}", done.json());
            // What is acknowledged answers from the next request on.
            let next = classify(&server, "model=swapped").json();
            assert_eq!(next["model"]["version"], version);
            std::thread::sleep(pause);
        }
    });
    let after = print("with 200 swaps", &swapped);
    print("another model beside it", &[beside]);
    eprintln!("p99 with swaps is {:.2} times that without", after / before);
    for seen in &swapped {
        assert_eq!(seen.versions.len(), 2, "each client saw both");
    }
    let history = server.get("/v1/models/swapped/history").json();
    assert_eq!(history["items"].as_array().unwrap().len(), SWAPS + 1);
}
