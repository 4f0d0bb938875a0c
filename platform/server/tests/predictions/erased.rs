//! A person is forgotten.

use crate::client::Server;
use crate::records::{classify, entry, named, pages, refer, send};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[test]
fn everything_about_a_person_goes_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), &["--keep-recordings", "--journal", "audit"]);
    let ana = ["100x", "208x"].map(|record| named(&classify(&server, record, Some("ana"))));
    let bo = named(&classify(&server, "208x", Some("bo")));
    for id in [&ana[1], &bo] {
        assert_eq!(refer(&server, id, "208x").status, 201);
    }
    let pseudonym = entry(&server, &ana[0])["subject"].as_str().unwrap().to_owned();
    assert_eq!(entry(&server, &ana[1])["subject"], pseudonym.as_str());
    let path = format!("/v1/subjects/{pseudonym}");
    let key = server.key("clerk", &["label", "models.write", "predict"]);
    server
        .ask("DELETE", &path, &[("x-api-key", &key)], b"")
        .problem(403, "missing_scope");
    let erased = server.delete(&path);
    assert_eq!(
        (erased.status, erased.json()),
        (
            200,
            json!({"entries": 2, "labels": 1, "recordings": 2, "jobs": 0, "shown": 0, "sessions": 0})
        )
    );
    for id in &ana {
        server.get(&format!("/v1/predictions/{id}")).problem(404, "not_found");
    }
    let left = pages(&server, "/v1/predictions", 10);
    assert_eq!(left.len(), 1);
    let replay = format!("/v1/predictions/{bo}/replay");
    assert_eq!(server.post(&replay, "application/json", b"").json()["outcome"], "same");
    assert_eq!(entry(&server, &bo)["labelled"], true);
    assert_eq!(
        server.delete(&path).json(),
        json!({"entries": 0, "labels": 0, "recordings": 0, "jobs": 0, "shown": 0, "sessions": 0})
    );
    // Also for the next process.
    assert_eq!(server.terminate(), Some(0));
    let server = Server::start_in(folder.path(), &[]);
    assert_eq!(pages(&server, "/v1/predictions", 10).len(), 1);
    let trace = pseudonym.as_bytes();
    let segments = folder.path().join("journal/entries");
    for file in std::fs::read_dir(segments).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(trace.len()).any(|window| window == trace));
    }
}

/// Every file under a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let each = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(each).collect()
}

/// Files that hold these bytes, or bear the name.
fn traces(folder: &Path, trace: &str) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let bytes = match std::fs::read(path) {
            // Whatever is passing may be gone since it was listed.
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return false,
            read => read.unwrap(),
        };
        let named = path.to_string_lossy().contains(trace);
        named || bytes.windows(trace.len()).any(|window| window == trace.as_bytes())
    };
    files(folder).into_iter().filter(holds).collect()
}

#[test]
fn jobs_their_results_and_recordings_that_are_shown_go_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), &["--keep-recordings"]);
    let made = |record: &str, person: &str| {
        let job = send(&server, "/v1/classify?wait=false", record, Some(person));
        assert_eq!(job.status, 202, "{}", job.json());
        job.location.unwrap()
    };
    let shown = |person: &str| send(&server, "/v1/recordings", "208x", Some(person)).location.unwrap();
    let done = made("100x", "ana");
    let until = Instant::now() + Duration::from_secs(120);
    while server.get(&done).json()["state"] != "done" {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(20));
    }
    let (kept, others) = (shown("ana"), shown("bo"));
    let pseudonym = server.get(&done).json()["wish"]["subject"].as_str().unwrap().to_owned();
    assert!(!traces(folder.path(), &pseudonym).is_empty());
    // One runs, and some wait behind it.
    let waiting: Vec<_> = (0..4).map(|_| made("208x", "ana")).collect();
    let theirs = made("100x", "bo");
    let erased = server.delete(&format!("/v1/subjects/{pseudonym}"));
    assert_eq!(erased.status, 200, "{}", erased.json());
    let erased = erased.json();
    assert_eq!((&erased["jobs"], &erased["shown"]), (&json!(5), &json!(1)), "{erased}");

    for job in waiting.iter().chain([&done]) {
        server.get(job).problem(404, "no_such_job");
        server.get(&format!("{job}/result")).problem(404, "no_such_job");
    }
    server.get(&kept).problem(404, "not_found");
    assert!(pages(&server, &format!("/v1/predictions?subject={pseudonym}"), 10).is_empty());
    let left = traces(folder.path(), &pseudonym);
    assert!(left.is_empty(), "{left:?}");
    // What is of others is there.
    assert_eq!(server.get(&others).status, 200);
    while server.get(&theirs).json()["state"] != "done" {
        assert!(Instant::now() < until + Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(20));
    }
    // Nothing comes back, not even after a restart; and who is asked about anew is somebody new.
    assert_eq!(server.terminate(), Some(0));
    let server = Server::start_in(folder.path(), &["--keep-recordings"]);
    assert!(pages(&server, &format!("/v1/predictions?subject={pseudonym}"), 10).is_empty());
    let listed = server.get("/v1/jobs").json();
    assert!(!listed.to_string().contains(&pseudonym), "{listed}");
    assert!(traces(folder.path(), &pseudonym).is_empty());
    let again = named(&classify(&server, "100x", Some("ana")));
    assert_eq!(entry(&server, &again)["subject"], pseudonym.as_str());
}
