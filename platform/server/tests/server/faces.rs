//! The main job over each face: the API, the earlier Flask route, the command line.

use crate::client::{Server, borrowed, record_100, sample};
use serde_json::Value;
use std::process::Command;

fn class_counts(document: &Value) -> Vec<(String, u64)> {
    let counts = document["summary"]["counts"].as_object().unwrap();
    counts
        .iter()
        .map(|(class, count)| (class.clone(), count.as_u64().unwrap()))
        .collect()
}

#[test]
fn a_record_dropped_as_files_gets_every_beat_classified() {
    let server = Server::start();
    let answer = server.form("/v1/classify", &borrowed(&record_100()), &[]);
    assert_eq!(answer.status, 200, "{}", answer.json());
    let document = answer.json();
    assert_eq!(document["recording"]["name"], "100s");
    assert_eq!(document["recording"]["sampling_rate_hz"], 360.0);
    assert_eq!(document["lead"], "MLII");
    assert!(document["notice"].as_str().unwrap().starts_with("Research use only"));
    assert!(document["model"]["digest"].as_str().unwrap().starts_with("sha256:"));
    // The reference has 371 beats in these five minutes, 4 of them atrial premature; the last may lie on the edge.
    let beats = document["beats"].as_array().unwrap();
    assert!((369..=373).contains(&beats.len()), "{} beats", beats.len());
    for beat in beats {
        let total: f64 = beat["probabilities"]
            .as_object()
            .unwrap()
            .values()
            .map(|p| p.as_f64().unwrap())
            .sum();
        assert!((total - 1.0).abs() < 1e-3, "{beat}");
    }
    let normal = class_counts(&document)
        .into_iter()
        .find(|(class, _)| class == "N")
        .unwrap()
        .1;
    assert!(normal >= 360, "{:?}", class_counts(&document));
}

#[test]
fn an_archive_gives_the_same_answer_as_its_files() {
    let server = Server::start();
    let files = record_100();
    let mut tar = Vec::new();
    for (name, content) in &files {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.extend([0; 1024]);
    let dropped = server.form("/v1/classify", &borrowed(&files), &[]);
    let packed = server.post("/v1/classify", "application/x-tar", &tar);
    assert_eq!(packed.status, 200, "{}", packed.json());
    assert_eq!(packed.json()["beats"], dropped.json()["beats"]);
}

#[test]
fn the_flask_route_answers_rows_with_predictions() {
    let server = Server::start();
    let row = |peak: usize| {
        let values: Vec<_> = (0..187)
            .map(|i| if i == peak { "1.0".into() } else { format!("{}", 0.1) })
            .collect();
        values.join(",")
    };
    let csv = format!("{}\n{}\n", row(0), row(90));
    let answer = server.form("/upload", &[("beats.csv", csv.as_bytes())], &[]);
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(answer.json()["predictions"].as_array().unwrap().len(), 2);
    let rows = server
        .form("/v1/classify", &[("beats.csv", csv.as_bytes())], &[])
        .json();
    assert_eq!(rows["recording"]["format"], "kaggle-rows");
    assert_eq!(rows["rows"][1]["row"], 2);
}

#[test]
fn the_command_line_writes_annotations_that_name_the_model() {
    let directory = std::env::temp_dir().join(format!("einthoven-cli-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    for name in ["100s.hea", "100s.dat"] {
        std::fs::write(directory.join(name), sample(name)).unwrap();
    }
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_einthoven"))
            .arg("classify")
            .args(arguments)
            .current_dir(&directory)
            .output();
        output.unwrap()
    };
    let table = run(&["100s.hea", "--atr", "out"]);
    assert!(table.status.success(), "{}", String::from_utf8_lossy(&table.stderr));
    assert!(String::from_utf8_lossy(&table.stdout).contains("Research use only"));
    let document: Value = serde_json::from_slice(&run(&["100s", "--json"]).stdout).unwrap();
    let bytes = std::fs::read(directory.join("out/100s.ein")).unwrap();
    let annotations = einthoven_ecg::annotation::decode(&bytes).unwrap();
    let note = String::from_utf8_lossy(&annotations[0].aux).into_owned();
    assert!(note.contains(document["model"]["digest"].as_str().unwrap()), "{note}");
    let classified = document["beats"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|beat| !beat["class"].is_null())
        .count();
    let beats = annotations
        .iter()
        .filter(|a| einthoven_ecg::annotation::Mapping::default().class(a.code).is_some());
    assert_eq!(beats.count(), classified);
    let missing = run(&["nothing.csv"]);
    assert!(!missing.status.success());
    assert!(String::from_utf8_lossy(&missing.stderr).contains("nothing.csv"));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn it_stops_when_told_and_serves_only_this_machine() {
    let server = Server::start();
    assert_eq!(server.get("/v1/health/ready").status, 200);
    assert_eq!(server.get("/v1/system").json()["name"], "einthoven");
    assert_eq!(server.terminate(), Some(0));
    let open = Command::new(env!("CARGO_BIN_EXE_einthoven"))
        .args(["serve", "--listen", "0.0.0.0:0", "--data"])
        .arg(tempfile::tempdir().unwrap().path())
        .output()
        .unwrap();
    assert!(!open.status.success());
    assert!(String::from_utf8_lossy(&open.stderr).contains("127.0.0.1"));
}

/// Whatever a header says of a person stays outside.
#[test]
fn names_and_birth_dates_never_come_out() {
    let server = Server::start();
    let secrets = ["Erika Mustermann", "1960-02-01", "MRN-4711"];
    let mut header = String::from_utf8(sample("100s.hea")).unwrap();
    header += "# Name: Erika Mustermann\n# Born: 1960-02-01, MRN-4711\n";
    let wfdb = server.form(
        "/v1/recordings",
        &[("100s.hea", header.as_bytes()), ("100s.dat", &sample("100s.dat"))],
        &[],
    );
    assert_eq!(wfdb.status, 201, "{}", wfdb.json());
    let mut watch = "Name,Erika Mustermann\nDate of Birth,1960-02-01\nSymptoms,MRN-4711\nSample Rate,512 hertz\nLead,Lead I\nUnit,mV\n\n".to_owned();
    watch += &"0.1\n0.2\n".repeat(4000);
    let apple = server.form("/v1/recordings", &[("ecg.csv", watch.as_bytes())], &[]);
    assert_eq!(apple.status, 201, "{}", apple.json());
    let broken = server.form(
        "/v1/recordings",
        &[("ecg.csv", (watch.clone() + "Erika Mustermann\n").as_bytes())],
        &[],
    );
    for answer in [&wfdb, &apple, &broken, &server.get("/v1/recordings")] {
        let text = String::from_utf8_lossy(&answer.bytes);
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
