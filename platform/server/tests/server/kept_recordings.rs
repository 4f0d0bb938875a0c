//! Recordings kept for looking at.

use crate::client::{Server, borrowed, record_100};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn a_kept_recording_can_be_looked_at_and_forgotten() {
    let server = Server::start();
    let created = server.form("/v1/recordings", &borrowed(&record_100()), &[]);
    assert_eq!(created.status, 201, "{}", created.json());
    let path = created.location.unwrap();
    let document = server.get(&path).json();
    assert_eq!(format!("/v1/recordings/{}", document["id"].as_str().unwrap()), path);
    assert_eq!(server.get("/v1/recordings").json()["items"][0]["id"], document["id"]);

    let close = server.get(&format!("{path}/signal?from=0&to=1&points=2000")).json();
    assert_eq!(close["samples_per_point"], 1);
    assert_eq!(close["min_mv"].as_array().unwrap().len(), 360);
    // First value of record 100's MLII is 995: (995 - 1024) / 200.
    assert!((close["min_mv"][0].as_f64().unwrap() + 0.145).abs() < 1e-6);
    let whole = server.get(&format!("{path}/signal?lead=V5&points=500")).json();
    assert!(whole["max_mv"].as_array().unwrap().len() <= 500);
    server
        .get(&format!("{path}/signal?lead=V9"))
        .problem(404, "no_such_lead");
    server
        .get(&format!("{path}/signal?from=5&to=1"))
        .problem(422, "bad_field");
    server
        .get(&format!("{path}/signal?points=999999999"))
        .problem(422, "bad_field");
    server
        .get(&format!("{path}/signal?nonsense=1"))
        .problem(400, "bad_query");

    let annotations = server.get(&format!("{path}/annotations"));
    assert_eq!(annotations.content_type, "application/octet-stream");
    assert!(
        !einthoven_ecg::annotation::decode(&annotations.bytes)
            .unwrap()
            .is_empty()
    );

    let fhir = server.get(&format!("{path}/fhir"));
    assert_eq!(fhir.content_type, "application/fhir+json; fhirVersion=4.0");
    is_a_report_on(&fhir.json(), &document);

    assert_eq!(server.delete(&path).status, 204);
    server.get(&format!("{path}/fhir")).problem(404, "not_found");
    server.get(&path).problem(404, "not_found");
    server.delete(&path).problem(404, "not_found");
}

/// A bundle that the models of FHIR take, which `cargo xtask setup python` brings.
fn is_valid(bundle: &Value) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("fhir/bin/python");
    assert!(
        python.exists(),
        "{} is missing, run `cargo xtask setup python`",
        python.display()
    );
    let mut checked = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/python/valid.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that ends before it has read all says why.
    let _ = write!(checked.stdin.take().unwrap(), "{bundle}");
    let output = checked.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("valid: 1 Device, 1 DiagnosticReport"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A bundle whose report leads to every figure, says what made it, and names nobody.
fn is_a_report_on(bundle: &Value, document: &Value) {
    assert_eq!(
        (&bundle["resourceType"], &bundle["type"]),
        (&json!("Bundle"), &json!("collection"))
    );
    let entries = bundle["entry"].as_array().unwrap();
    let kinds: Vec<_> = entries
        .iter()
        .map(|entry| entry["resource"]["resourceType"].as_str().unwrap())
        .collect();
    assert_eq!(kinds[..3], ["DiagnosticReport", "Device", "Observation"]);
    let report = &entries[0]["resource"];
    assert_eq!(report["status"], "preliminary");
    assert!(report["conclusion"].as_str().unwrap().contains("Not for diagnosis"));
    let device = &entries[1]["resource"];
    assert_eq!(device["version"][0]["value"], document["model"]["version"]);
    assert_eq!(device["identifier"][0]["value"], document["model"]["digest"]);
    let results: Vec<_> = report["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["reference"])
        .collect();
    let observations: Vec<_> = entries[2..].iter().map(|entry| &entry["fullUrl"]).collect();
    assert_eq!(results, observations);
    let rate = &entries[2]["resource"];
    assert_eq!(rate["code"]["coding"][0]["code"], "8867-4");
    let (said, meant) = (
        rate["valueQuantity"]["value"].as_f64().unwrap(),
        document["summary"]["rate"]["mean_bpm"].as_f64().unwrap(),
    );
    assert!((said - meant).abs() < 1e-3, "{said} {meant}");
    for entry in &entries[2..] {
        let resource = &entry["resource"];
        // Who says it: the model, or a reader.
        assert_eq!(
            resource["device"]["reference"],
            match resource["performer"] {
                Value::Null => entries[1]["fullUrl"].clone(),
                _ => Value::Null,
            }
        );
        assert_ne!(
            resource["valueQuantity"].is_null(),
            resource["dataAbsentReason"].is_null(),
            "{resource}"
        );
    }
    let text = bundle.to_string();
    assert!(!text.contains("null") && !text.contains("subject"), "{text}");
}

/// Every beat is a component, at its time, called as the document calls it.
fn has_the_beats_of(bundle: &Value, document: &Value) {
    let beats = observation(bundle, "as the model classified them");
    assert_eq!(beats["code"]["coding"][0]["code"], "663552");
    let components = beats["component"].as_array().unwrap();
    let answered = document["beats"].as_array().unwrap();
    assert_eq!(components.len(), answered.len());
    for (component, beat) in components.iter().zip(answered) {
        assert_eq!(component["valueQuantity"]["value"], beat["time_s"]);
        assert_eq!(component["valueQuantity"]["code"], "s");
        assert_eq!(component["code"]["coding"][0]["code"], beat["class"]);
    }
}

fn observation<'a>(bundle: &'a Value, named: &str) -> &'a Value {
    let entries = bundle["entry"].as_array().unwrap();
    let mut resources = entries.iter().map(|entry| &entry["resource"]);
    let of = |resource: &&Value| {
        resource["code"]["text"]
            .as_str()
            .is_some_and(|text| text.contains(named))
    };
    resources.find(of).unwrap()
}

#[test]
fn a_fhir_bundle_says_what_readers_said_and_when_to_who_may_read_it() {
    let server = Server::start();
    let created = server.form("/v1/recordings", &borrowed(&record_100()), &[]);
    let path = created.location.unwrap();
    let document = server.get(&path).json();
    let labels = format!("/v1/predictions/{}/labels", document["prediction"].as_str().unwrap());
    let sample = |at: usize| document["beats"][at]["sample"].clone();
    let (said, later) = ("2026-05-04T08:30:00Z", "2026-05-04T08:31:00Z");
    for label in [
        json!({"at": said, "why": "wide and early", "marks": [
            {"at": sample(4), "is": "class", "class": "V"}, {"at": sample(5), "is": "not_a_beat"}, {"at": sample(6), "is": "class", "class": "S"},
        ]}),
        json!({"at": later, "marks": [{"at": sample(6), "is": "withdrawn"}]}),
    ] {
        let taken = server.json("POST", &labels, &[], &label);
        assert_eq!(taken.status, 201, "{}", taken.json());
    }
    let bundle = server.get(&format!("{path}/fhir")).json();
    is_valid(&bundle);
    is_a_report_on(&bundle, &document);
    has_the_beats_of(&bundle, &document);
    let label = observation(&bundle, "as a reader labelled them");
    assert_eq!((&label["status"], &label["issued"]), (&json!("final"), &json!(said)));
    let who = server.get(&labels).json()["items"][0]["reader"].clone();
    assert_eq!(label["performer"][0]["identifier"]["value"], who);
    assert_eq!(label["note"][0]["text"], "wide and early");
    let beats = bundle["entry"].as_array().unwrap().iter();
    let about = beats.filter(|entry| entry["fullUrl"] == label["derivedFrom"][0]["reference"]);
    assert_eq!(about.count(), 1);
    // What was taken back is not there, nor that it was.
    let marks: Vec<_> = label["component"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mark| {
            (
                &mark["code"]["text"],
                &mark["code"]["coding"][0]["code"],
                &mark["valueQuantity"]["value"],
            )
        })
        .collect();
    let time = |at: usize| &document["beats"][at]["time_s"];
    assert_eq!(
        marks,
        [
            (&json!("V"), &json!("V"), time(4)),
            (&json!("not a beat"), &Value::Null, time(5))
        ]
    );
    assert_eq!(bundle.to_string().matches("as a reader labelled them").count(), 1);

    let key = server
        .json(
            "POST",
            "/v1/keys",
            &[],
            &json!({"name": "reader", "grants": ["predict"]}),
        )
        .json();
    let asked = server.ask(
        "GET",
        &format!("{path}/fhir"),
        &[("x-api-key", key["key"].as_str().unwrap())],
        b"",
    );
    has_the_beats_of(&asked.json(), &document);
    assert!(!asked.json().to_string().contains("as a reader labelled them"));
}

#[test]
fn the_samples_work_with_nothing_at_hand() {
    let server = Server::start();
    let samples = server.get("/v1/samples").json();
    let items = samples["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    for item in items {
        let answer = server.post(
            &format!("/v1/samples/{}", item["id"].as_str().unwrap()),
            "application/json",
            b"",
        );
        assert_eq!(answer.status, 201, "{}", answer.json());
        assert!(answer.json()["beats"].as_array().unwrap().len() > 200);
    }
    server
        .post("/v1/samples/none", "application/json", b"")
        .problem(404, "not_found");
}

/// Nothing of a recording is found on disk, not even while the server runs; the journal holds what was answered, and no samples.
#[test]
fn kept_samples_leave_no_file_behind() {
    let server = Server::start();
    // What the server keeps for itself may come at any time: its registry, its signing key, and what engines were measured to do.
    let others = || {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&server.data).unwrap() {
            let path = entry.unwrap().path();
            match path.file_name().unwrap().to_str().unwrap() {
                "registry" | "engines" | "auth" => {}
                "files" | "jobs" => files.extend(below(&path)),
                "journal" => {
                    let inside = std::fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().file_name());
                    let mut inside: Vec<_> = inside.map(|name| name.into_string().unwrap()).collect();
                    inside.sort();
                    assert_eq!(inside, ["entries", "labels", "pseudonyms.key"]);
                }
                other => panic!("{other} in the data folder"),
            }
        }
        files.sort();
        files
    };
    let before = others();
    assert!(!before.is_empty());
    server.form("/v1/recordings", &borrowed(&record_100()), &[]);
    assert_eq!(others(), before);
}

fn below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let each = |path: std::path::PathBuf| if path.is_dir() { below(&path) } else { vec![path] };
    entries.flat_map(each).collect()
}
