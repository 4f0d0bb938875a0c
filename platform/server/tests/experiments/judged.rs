//! The verdict over labelled recordings, what two versions disagree about, and drift.

use crate::client::Server;
use crate::records::{classify, named, refer};
use crate::setup::{HEARTBEAT, here, mislabelled, read, start, until};
use serde_json::{Value, json};

const RECORDS: [&str; 3] = ["100x", "203x", "208x"];

/// Sends each record about so many people; gives the predictions with their records.
fn replay(server: &Server, people: usize) -> Vec<(String, &'static str)> {
    let mut all = Vec::new();
    for person in 0..people {
        for record in RECORDS {
            let name = format!("{record} of {person}");
            all.push((named(&classify(server, record, Some(&name))), record));
        }
    }
    all
}

#[test]
fn the_verdict_is_the_one_an_honest_analyst_reaches() {
    let server = Server::start();
    mislabelled(&server, "2");
    start(
        &server,
        &json!({
            "name": "judged", "model": HEARTBEAT, "shadows": [{"version": "2", "percent": 100}],
            "rules": {"settings": {"primary": "n_f1", "draws": 200}, "rails": {"class_shares": null}},
        }),
    );
    let answers = replay(&server, 6);
    until(&server, "judged", |experiment| {
        here(experiment, "2")["requests"] == answers.len()
    });
    let path = "judged/verdict?challenger=2";
    let unlabelled = until(&server, path, |verdict| verdict["numbers"]["both"] == answers.len());
    assert_eq!(
        (&unlabelled["standing"], &unlabelled["design"]),
        (&json!("unlabelled"), &json!("paired"))
    );
    let sentence = unlabelled["sentence"].as_str().unwrap();
    assert!(
        sentence.starts_with("Which is right only labels can tell"),
        "{sentence}"
    );
    assert!(
        unlabelled["agreement"]["agreed"].as_f64().unwrap() < 0.2,
        "{unlabelled}"
    );
    assert_eq!(unlabelled["primary"], Value::Null);

    for (id, record) in &answers[..5] {
        assert_eq!(refer(&server, id, record).status, 201);
    }
    let early = read(&server, path);
    assert_eq!(early["standing"], "too_early");
    assert_eq!(early["numbers"]["labelled"], 5);
    for (id, record) in &answers[5..] {
        assert_eq!(refer(&server, id, record).status, 201);
    }
    let judged = read(&server, path);
    assert_eq!(judged["standing"], "worse", "{}", judged["sentence"]);
    let sentence = judged["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("`2` is worse than `1.0.0`: -"), "{sentence}");
    assert!(
        sentence.contains("over 18 recordings, 95 % sure at every look"),
        "{sentence}"
    );
    let primary = &judged["primary"];
    assert!(primary["champion"].as_f64().unwrap() > 0.9 && primary["challenger"].as_f64().unwrap() < 0.2);
    assert!(
        judged["labelled"]["mcnemar"]["champion_only"].as_u64()
            > judged["labelled"]["mcnemar"]["challenger_only"].as_u64()
    );
    assert_eq!(judged["labelled"]["figures"].as_array().unwrap().len(), 14);
    assert!(judged["labelled"]["calibration"]["difference"].as_f64().unwrap() > 0.5);
    assert_eq!(judged["labelled"]["recordings"].as_array().unwrap().len(), 18);

    // Where they differ, page by page, with what is true.
    let page = read(&server, "judged/disagreements?limit=50");
    let first = &page["items"][0];
    assert_ne!(first["champion"], first["challenger"]);
    assert!(first["truth"].is_string() && first["time_s"].is_number(), "{first}");
    assert_eq!(first["prediction"], answers.last().unwrap().0);
    let next = page["next"].as_str().unwrap();
    let second = read(&server, &format!("judged/disagreements?limit=50&cursor={next}"));
    assert_ne!(second["items"][0]["prediction"], first["prediction"]);

    // The first nine recordings are the reference: too few to say anything, and said so.
    let drift = read(&server, "judged/drift?first=9&last=9");
    assert_eq!(
        (&drift["reference"]["recordings"], &drift["window"]["recordings"]),
        (&json!(9), &json!(9))
    );
    assert_eq!(drift["alarm"], false);
    assert!(drift["sentence"].as_str().unwrap().starts_with("Too early"), "{drift}");
    assert!(
        drift["figures"]
            .as_array()
            .unwrap()
            .iter()
            .any(|figure| figure["name"] == "share_V")
    );
    assert_eq!(judged["drift"]["alarm"], false);

    // Another experiment's recordings as the reference, of a version that answered nobody there.
    assert_eq!(server.delete("/v1/experiments/judged?reason=judged").status, 200);
    start(
        &server,
        &json!({"name": "again", "model": HEARTBEAT, "shadows": [{"version": "2", "percent": 100}]}),
    );
    classify(&server, "100x", Some("somebody else"));
    until(&server, "again", |experiment| here(experiment, "2")["requests"] == 1);
    let against = "again/drift?version=2&reference=judged";
    let drift = until(&server, against, |drift| drift["window"]["recordings"] == 1);
    assert_eq!(drift["reference"]["recordings"], answers.len());
}

#[test]
fn a_version_is_not_measured_on_what_it_was_trained_on() {
    let server = Server::start();
    let path = "/v1/models/heartbeat/versions/1.0.0/evaluations/seen";
    // Record 201 is among those that the model says it was trained on; of 202, it is the same person.
    let evaluate = |name: &str, query: &str| {
        let files = ["hea", "dat", "atr"].map(|ending| (format!("{name}.{ending}"), renamed(name, ending)));
        let files: Vec<_> = files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        server.form(&format!("{path}{query}"), &files, &[])
    };
    for name in ["201", "202"] {
        let said = evaluate(name, "").problem(422, "leak");
        assert!(said.contains("201") && said.contains("leaks=flag"), "{said}");
    }
    let flagged = evaluate("202", "?leaks=flag");
    assert_eq!(flagged.status, 201, "{}", flagged.json());
    assert_eq!(flagged.json()["evaluation"]["leaks"], json!(["202"]));
    let other = evaluate("100", "");
    assert_eq!(other.status, 201, "{}", other.json());
    assert_eq!(other.json()["evaluation"]["leaks"], Value::Null);
    evaluate("100", "?leaks=no").problem(400, "bad_query");
    evaluate("100", "?version=2").problem(400, "bad_query");
    let stated = [("rate", "360")];
    server
        .form(path, &[("100.hea", &renamed("100", "hea"))], &stated)
        .problem(400, "unknown_field");
}

/// A file of the record 208 under another name.
fn renamed(name: &str, ending: &str) -> Vec<u8> {
    let bytes = crate::records::excerpt(&format!("208x.{ending}"));
    if ending == "hea" {
        return String::from_utf8(bytes).unwrap().replace("208x", name).into();
    }
    bytes
}
