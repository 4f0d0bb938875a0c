//! Later truth: by beat, by several readers, from a reference file; never a change of what was answered.

use crate::client::{Answer, Server};
use crate::records::{classify, entry, named, refer};
use serde_json::{Value, json};

fn say(server: &Server, id: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    server.json("POST", &format!("/v1/predictions/{id}/labels"), headers, body)
}

fn mark(at: u64, class: &str) -> Value {
    json!({"at": at, "is": "class", "class": class})
}

fn at(kept: &Value, place: usize) -> u64 {
    kept["beats"][place]["at"].as_u64().unwrap()
}

#[test]
fn a_reader_says_what_beats_are_and_the_answer_stays() {
    let server = Server::start();
    let id = named(&classify(&server, "100x", None));
    let before = entry(&server, &id);
    let (first, second) = (at(&before, 5), at(&before, 6));
    let body = json!({
        "why": "wide QRS", "source": "page",
        "marks": [mark(first, "V"), {"at": second, "is": "not_a_beat"}, {"at": first + 20, "is": "missed", "class": "N"}],
    });
    let key = [("idempotency-key", "k1")];
    let taken = say(&server, &id, &key, &body);
    assert_eq!(taken.status, 201, "{}", taken.json());
    let expected = json!({"prediction": id, "reader": "key:owner", "key": "k1", "new": 3, "repeated": 0});
    assert_eq!(taken.json(), expected);
    // The same again is no new label; another thing under the same key is refused.
    let again = say(&server, &id, &key, &body);
    assert_eq!(
        (again.status, &again.json()["new"], &again.json()["repeated"]),
        (200, &0.into(), &3.into())
    );
    say(&server, &id, &key, &json!({"marks": [mark(first, "S")]})).problem(409, "key_reused");
    let there_is_none = say(&server, &id, &[], &json!({"marks": [mark(first + 1, "V")]}));
    there_is_none.problem(422, "no_such_beat");
    say(&server, &id, &[], &json!({"marks": []})).problem(422, "bad_label");
    say(&server, &id, &[], &json!({"mark": []})).problem(422, "bad_body");
    say(&server, &id, &[("idempotency-key", "")], &body).problem(400, "bad_header");
    say(&server, "none", &[], &body).problem(404, "not_found");

    let after = entry(&server, &id);
    assert_eq!(after["labelled"], true);
    assert_eq!(after["counts"], before["counts"]);
    assert_eq!(after["beats"][5]["class"], before["beats"][5]["class"]);
    assert_eq!(after["beats"][5]["truth"], json!({"is": "class", "class": "V"}));
    assert_eq!(after["beats"][5]["readers"]["key:owner"]["class"], "V");
    assert_eq!(after["beats"][6]["truth"], json!({"is": "not_a_beat"}));
    assert_eq!(after["missed"][0]["at"], first + 20);
    assert_eq!(after["labels"][0]["why"], "wide QRS");
    assert_eq!(after["labels"][0]["source"], "page");

    // Taken back, it was not said; what is said stays to be read.
    say(&server, &id, &[], &json!({"marks": [{"at": first, "is": "withdrawn"}]}));
    let withdrawn = entry(&server, &id);
    assert!(withdrawn["beats"][5]["truth"].is_null());
    assert_eq!(withdrawn["labels"].as_array().unwrap().len(), 2);
    // It is on disk before it is acknowledged.
    let listed = server.get("/v1/predictions?labelled=true").json();
    assert_eq!(listed["items"][0]["id"], id.as_str());
}

#[test]
fn readers_disagree_until_somebody_settles_it() {
    let server = Server::start();
    let id = named(&classify(&server, "208x", None));
    let kept = entry(&server, &id);
    let beats: Vec<u64> = (0..8).map(|place| at(&kept, place)).collect();
    let readers = ["ana", "bo"].map(|name| server.key(name, &["label", "models.read"]));
    for (reader, key) in readers.iter().enumerate() {
        let class = |place: usize| {
            if place == 0 && reader == 1 || place >= 4 {
                "V"
            } else {
                "N"
            }
        };
        let marks: Vec<_> = (0..8).map(|place| mark(beats[place], class(place))).collect();
        let taken = say(&server, &id, &[("x-api-key", key)], &json!({"marks": marks}));
        assert_eq!(taken.status, 201, "{}", taken.json());
    }
    let labels = server.get(&format!("/v1/predictions/{id}/labels")).json();
    let readers_of_first = labels["beats"][0]["readers"].as_object().unwrap();
    assert_eq!(readers_of_first.len(), 2);
    assert!(labels["beats"][0]["truth"].is_null());
    assert_eq!(labels["beats"][1]["truth"]["class"], "N");
    let pair = &labels["agreement"]["pairs"][0];
    assert_eq!((&pair["beats"], &pair["agreed"]), (&8.into(), &7.into()));
    // Seven of eight agree; by chance (4/8 * 3/8) + (4/8 * 5/8) do.
    let kappa = pair["kappa"].as_f64().unwrap();
    assert!((kappa - (7.0 / 8.0 - 0.5) / 0.5).abs() < 1e-12, "{kappa}");
    assert_eq!(labels["agreement"]["fleiss"]["readers"], 2);
    let over_all = server.get("/v1/labels/agreement?model=heartbeat").json();
    assert_eq!(
        (&over_all["predictions"], &over_all["pairs"]),
        (&1.into(), &labels["agreement"]["pairs"])
    );

    let settled = json!({"adjudication": true, "why": "both seen", "marks": [mark(beats[0], "F")]});
    assert_eq!(say(&server, &id, &[], &settled).status, 201);
    let now = entry(&server, &id);
    assert_eq!(
        (&now["beats"][0]["truth"]["class"], &now["beats"][0]["adjudicated"]),
        (&"F".into(), &true.into())
    );
    // Who may not label does not.
    let key = server.key("looks", &["models.read", "predict"]);
    say(&server, &id, &[("x-api-key", &key)], &settled).problem(403, "missing_scope");
}

#[test]
fn a_reference_file_labels_every_beat_once() {
    let server = Server::start();
    let id = named(&classify(&server, "208x", None));
    let taken = refer(&server, &id, "208x");
    assert_eq!(taken.status, 201, "{}", taken.json());
    let taken = taken.json();
    let kept = entry(&server, &id);
    let beats = kept["beats"].as_array().unwrap();
    let number = |field: &str| usize::try_from(taken[field].as_u64().unwrap()).unwrap();
    assert_eq!(number("matched") + number("not_a_beat"), beats.len());
    assert!(number("matched") > beats.len() * 9 / 10, "{taken}");
    assert_eq!(number("missed"), kept["missed"].as_array().unwrap().len());
    assert!(beats.iter().all(|beat| !beat["truth"].is_null()));
    assert!(beats.iter().any(|beat| beat["truth"]["class"] == "V"));
    assert_eq!(kept["labels"][0]["source"], "reference");
    let again = refer(&server, &id, "208x");
    assert_eq!((again.status, &again.json()["new"]), (200, &0.into()));
    let path = format!("/v1/predictions/{id}/labels");
    let nothing = server.post(&path, "application/octet-stream", b"not annotations at all");
    nothing.problem(422, "bad_annotations");
    server
        .post(&format!("{path}?mapping=mine"), "application/octet-stream", b"")
        .problem(422, "bad_field");
}

/// Labels that were acknowledged are there after the process was killed.
#[test]
fn labels_outlive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), &["--journal", "audit"]);
    let id = named(&classify(&server, "100x", None));
    let beat = at(&entry(&server, &id), 3);
    assert_eq!(say(&server, &id, &[], &json!({"marks": [mark(beat, "S")]})).status, 201);
    drop(server);
    let server = Server::start_in(folder.path(), &["--journal", "audit"]);
    assert_eq!(entry(&server, &id)["beats"][3]["truth"]["class"], "S");
}

#[test]
fn a_reference_file_is_bounded_as_uploads_are() {
    let server = Server::start_with(&["--max-upload-mib", "1"]);
    let id = named(&classify(&server, "100x", None));
    let path = format!("/v1/predictions/{id}/labels");
    let large = server.post(&path, "application/octet-stream", &vec![0; (1 << 20) + 1]);
    large.problem(413, "too_large");
}

#[test]
fn labels_of_several_predictions_are_taken_together_or_not_at_all() {
    let server = Server::start();
    let ids = ["100x", "208x"].map(|record| named(&classify(&server, record, None)));
    let beats = ids.each_ref().map(|id| at(&entry(&server, id), 0));
    let key = [("idempotency-key", "once")];
    // Under this key something else was said about one of them, whichever of the two comes first.
    for (one, other) in [(0, 1), (1, 0)] {
        let said = json!({"marks": [mark(beats[one], "V")]});
        let reader = server.key(&format!("reader-{one}"), &["label", "models.read"]);
        let headers = [key[0], ("x-api-key", reader.as_str())];
        assert_eq!(say(&server, &ids[one], &headers, &said).status, 201);
        let marks = [one, other]
            .map(|place| json!({"prediction": ids[place], "at": beats[place], "is": "class", "class": "F"}));
        let refused = server.json("POST", "/v1/labels", &headers, &json!({"marks": marks}));
        refused.problem(409, "key_reused");
        let labels = server.get(&format!("/v1/predictions/{}/labels", ids[other])).json();
        let by = format!("key:reader-{one}");
        let its = labels["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|label| label["reader"] == by);
        assert_eq!(its.count(), 0, "{labels}");
    }
}
