//! Whatever is answered has an entry that says what it was made from.

use crate::client::Server;
use crate::records::{classify, entry, named, pages, send};
use serde_json::Value;
use std::time::{Duration, Instant};

#[test]
fn an_answer_names_its_entry_which_says_what_made_it() {
    let server = Server::start();
    let answer = classify(&server, "208x", Some("Erika Mustermann"));
    let kept = entry(&server, &named(&answer));
    for (field, there) in [
        ("model", &answer["model"]["name"]),
        ("version", &answer["model"]["version"]),
        ("recipe", &answer["model"]["recipe"]),
        ("engine", &answer["model"]["engine"]),
        ("device", &answer["model"]["device"]),
        ("provider", &answer["model"]["provider"]),
        ("sampling_rate_hz", &answer["recording"]["sampling_rate_hz"]),
    ] {
        assert_eq!(&kept[field], there, "{field}");
    }
    assert_eq!(kept["digests"]["model"], answer["model"]["digest"]);
    for digest in ["input", "model", "recipe", "answer"] {
        let text = kept["digests"][digest].as_str().unwrap();
        assert!(text.len() == 71 && text.starts_with("sha256:"), "{digest}: {text}");
    }
    assert_eq!(kept["parameters"]["lead"], answer["lead"]);
    let latency = &kept["latency"];
    for part in ["total_us", "read_us", "prepare_us", "compute_us"] {
        assert!(latency[part].as_u64().unwrap() > 0, "{latency}");
    }
    assert_eq!(kept["unit"], "beats");
    let (said, told) = (answer["beats"].as_array().unwrap(), kept["beats"].as_array().unwrap());
    assert_eq!(said.len(), told.len());
    for (said, told) in said.iter().zip(told) {
        assert_eq!(
            (&said["sample"], &said["class"], &said["time_s"]),
            (&told["at"], &told["class"], &told["time_s"])
        );
        if !said["class"].is_null() {
            assert_eq!(said["probabilities"], told["probabilities"]);
        }
        assert!(told["truth"].is_null());
    }
    // What it was like, for whoever watches whether recordings change.
    let figures = &kept["quality"]["figures"];
    let height = figures["qrs_MLII_mv"].as_f64().unwrap();
    assert!((0.2..5.0).contains(&height), "{figures}");
    for name in [
        "net_MLII_mv",
        "mains_50_db",
        "mains_60_db",
        "lead_set",
        "rate_bpm",
        "k_sqi",
    ] {
        assert!(figures[name].is_number(), "{name}: {figures}");
    }
    let mut summary = answer["summary"].clone();
    summary.as_object_mut().unwrap().remove("definitions");
    assert_eq!(kept["summary"], summary);
    // Neither the person's name nor the record's is in it.
    let text = kept.to_string();
    assert!(!text.contains("Mustermann") && !text.contains("208x"), "{text}");
    assert!(kept["subject"].as_str().unwrap().starts_with("s_"));
    assert!(kept["record"].as_str().unwrap().starts_with("r_"));
}

#[test]
fn every_way_to_an_answer_leads_to_an_entry() {
    let server = Server::start();
    let row: Vec<_> = (0..187).map(|i| if i == 90 { "1.0" } else { "0.1" }).collect();
    let rows = format!("{}\n", row.join(","));
    let samples = server.get("/v1/samples").json();
    let sample = format!("/v1/samples/{}", samples["items"][0]["id"].as_str().unwrap());
    let mut ids = vec![
        named(&classify(&server, "100x", None)),
        named(&send(&server, "/v1/recordings", "100x", None).json()),
        named(&send(&server, "/upload", "100x", None).json()),
        named(&server.form("/upload", &[("beats.csv", rows.as_bytes())], &[]).json()),
        named(
            &server
                .form("/v1/classify", &[("beats.csv", rows.as_bytes())], &[])
                .json(),
        ),
        named(&server.post(&sample, "application/json", b"").json()),
    ];
    let job = send(&server, "/v1/classify?wait=false", "100x", None);
    assert_eq!(job.status, 202, "{}", job.json());
    let path = job.location.unwrap();
    let until = Instant::now() + Duration::from_secs(120);
    while server.get(&path).json()["state"] != "done" {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(20));
    }
    ids.push(named(&server.get(&format!("{path}/result")).json()));
    for id in &ids {
        assert_eq!(entry(&server, id)["principal"], "key:owner");
    }
    let listed = pages(&server, "/v1/predictions", 3);
    // Newest first.
    let listed: Vec<_> = listed.iter().map(|item| item["id"].as_str().unwrap()).collect();
    ids.reverse();
    assert_eq!(listed, ids);
    // The same bytes have the same digest, whichever way they came.
    let inputs = |way: &str| entry(&server, way)["digests"]["input"].clone();
    assert_eq!(inputs(&ids[0]), inputs(&ids[6]));
    assert_eq!(inputs(&ids[2]), inputs(&ids[3]));
    let answers = |way: &str| entry(&server, way)["digests"]["answer"].clone();
    assert_eq!(answers(&ids[0]), answers(&ids[6]));
    let counts = server.get("/v1/journal").json()["counts"].clone();
    assert_eq!(counts["received"], 7, "{counts}");
    assert_eq!((&counts["dropped"], &counts["unsampled"]), (&0.into(), &0.into()));
}

#[test]
fn entries_are_found_by_what_they_say() {
    let server = Server::start();
    let ana = named(&classify(&server, "208x", Some("ana")));
    let bo = named(&classify(&server, "100x", Some("bo")));
    let rows = format!("{}\n", vec!["0.5"; 187].join(","));
    let row = named(
        &server
            .form("/v1/classify", &[("beats.csv", rows.as_bytes())], &[])
            .json(),
    );
    let found = |query: &str| -> Vec<String> {
        let items = pages(&server, &format!("/v1/predictions{query}"), 1);
        items
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(found(""), [&row, &bo, &ana].map(String::clone));
    assert_eq!(found("?model=heartbeat"), [&bo, &ana].map(String::clone));
    assert_eq!(found("?model=heartbeat&version=1.0.0&labelled=false").len(), 2);
    assert_eq!(found("?model=heartbeat&class=V"), std::slice::from_ref(&ana));
    let subject = entry(&server, &bo)["subject"].as_str().unwrap().to_owned();
    assert_eq!(found(&format!("?subject={subject}")), std::slice::from_ref(&bo));
    let at = entry(&server, &bo)["at"].as_str().unwrap().to_owned();
    assert_eq!(found(&format!("?from={at}")), [&row, &bo].map(String::clone));
    assert_eq!(found(&format!("?until={at}")), std::slice::from_ref(&ana));
    assert!(found("?experiment=none").is_empty() && found("?labelled=true").is_empty());
    // Whoever has the person's name need not know what stands for it.
    let by_name = server
        .ask("GET", "/v1/predictions", &[("x-einthoven-subject", "ana")], b"")
        .json();
    assert_eq!(by_name["items"].as_array().unwrap().len(), 1);
    assert_eq!(by_name["items"][0]["id"], ana.as_str());

    server.get("/v1/predictions?colour=red").problem(400, "bad_query");
    server.get("/v1/predictions?limit=0").problem(422, "bad_field");
    server.get("/v1/predictions?cursor=none").problem(400, "bad_cursor");
    server.get("/v1/predictions/none").problem(404, "not_found");
    let nobodys = "/v1/predictions/01938f6e-7a3b-7c10-8d55-0d3c2b1a0f9e";
    server.get(nobodys).problem(404, "not_found");

    // What somebody may not see is not there.
    let key = server.key("rows-only", &["models.read:heartbeat-row", "label:heartbeat-row"]);
    let ask = |method: &str, path: &str, body: &[u8]| {
        server.ask(
            method,
            path,
            &[("x-api-key", &key), ("content-type", "application/json")],
            body,
        )
    };
    let seen = ask("GET", "/v1/predictions", b"").json();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1, "{seen}");
    assert_eq!(seen["items"][0]["id"], row.as_str());
    ask("GET", &format!("/v1/predictions/{ana}"), b"").problem(404, "not_found");
    let label = br#"{"marks": [{"at": 1, "is": "withdrawn"}]}"#;
    ask("POST", &format!("/v1/predictions/{ana}/labels"), label).problem(404, "not_found");
    let table = String::from_utf8(ask("GET", "/v1/predictions/export", b"").bytes).unwrap();
    assert!(table.contains(&row) && !table.contains(&ana), "{table}");
}

/// A share of the answers is remembered; those that are not name no entry.
#[test]
fn sampling_leaves_out_whole_answers_and_counts_them() {
    let server = Server::start_with(&["--journal-share", "0"]);
    let answer = classify(&server, "100x", None);
    assert!(answer.get("prediction").is_none(), "{}", answer["prediction"]);
    let counts = server.get("/v1/journal").json();
    assert_eq!(counts["share"], 0.0);
    assert_eq!(
        (&counts["counts"]["unsampled"], &counts["counts"]["received"]),
        (&1.into(), &0.into())
    );
    assert_eq!(server.get("/v1/predictions").json()["items"], Value::Array(Vec::new()));
}

#[test]
fn a_server_without_a_journal_says_so_and_answers_all_the_same() {
    let server = Server::start_with(&["--journal", "off"]);
    let answer = classify(&server, "100x", None);
    assert!(answer.get("prediction").is_none());
    for path in ["/v1/predictions", "/v1/journal", "/v1/misclassified?model=heartbeat"] {
        let said = server.get(path).problem(404, "no_journal");
        assert!(said.contains("--journal"), "{said}");
    }
    assert!(!server.data.join("journal").exists());
}

/// In `audit` an answer that cannot be written down is not given.
#[test]
fn audit_gives_no_answer_that_it_cannot_write_down() {
    let server = Server::start_with(&["--journal", "audit"]);
    // Where segments would be made there is no folder any more.
    let entries = server.data.join("journal/entries");
    std::fs::remove_dir_all(&entries).unwrap();
    std::fs::write(&entries, b"").unwrap();
    let refused = send(&server, "/v1/classify", "100x", None);
    refused.problem(503, "journal");
    assert_eq!(refused.header("retry-after"), "5");
    send(&server, "/upload", "100x", None).problem(503, "journal");
    let counts = server.get("/v1/journal").json()["counts"].clone();
    assert_eq!(
        (&counts["received"], &counts["dropped"]),
        (&2.into(), &2.into()),
        "{counts}"
    );
    std::fs::remove_file(&entries).unwrap();
    std::fs::create_dir(&entries).unwrap();
    let said = classify(&server, "100x", None);
    let written = entry(&server, &named(&said));
    assert_eq!(written["beat_count"], said["beats"].as_array().unwrap().len());
}
