//! Answers made again.

use crate::client::{OWNER_KEY, Server};
use crate::records::{classify, entry, excerpt, named, send};
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

fn replay(server: &Server, id: &str) -> Value {
    let said = server.post(&format!("/v1/predictions/{id}/replay"), "application/json", b"");
    assert_eq!(said.status, 200, "{}", said.json());
    said.json()
}

#[test]
fn a_kept_recording_gives_the_same_answer_byte_for_byte_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--keep-recordings"];
    let server = Server::start_in(folder.path(), &arguments);
    let mut ids = vec![
        named(&classify(&server, "208x", Some("ana"))),
        named(&send(&server, "/v1/recordings", "100x", None).json()),
    ];
    // What the request said about the file is kept with it.
    let mut table = String::from("V9\n");
    for sample in excerpt("100x.dat").chunks_exact(3).take(4000) {
        let value = i16::from(sample[0]) | (i16::from(sample[1] & 15) << 8);
        table += &format!("{}\n", f64::from(if value > 2047 { value - 4096 } else { value }) * 5.0);
    }
    let path = "/v1/classify?name=Mustermann.csv&rate=360&unit=uV";
    let stated = server.post(path, "text/csv", table.as_bytes());
    assert_eq!(stated.status, 200, "{}", stated.json());
    ids.push(named(&stated.json()));
    let rows = format!("{}\n", vec!["0.5"; 187].join(","));
    ids.push(named(
        &server.form("/upload", &[("beats.csv", rows.as_bytes())], &[]).json(),
    ));
    // A job's answer, and one about a sample of the server's own.
    let job = send(&server, "/v1/classify?wait=false", "100x", Some("ana"));
    let job = job.location.unwrap();
    let until = Instant::now() + Duration::from_secs(120);
    while server.get(&job).json()["state"] != "done" {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(20));
    }
    ids.push(named(&server.get(&format!("{job}/result")).json()));
    let sample = "/v1/samples/normal-rhythm";
    ids.push(named(&server.post(sample, "application/json", b"").json()));
    for id in &ids {
        assert_eq!(entry(&server, id)["recording_kept"], true, "{id}");
        assert_eq!(replay(&server, id), serde_json::json!({"outcome": "same"}), "{id}");
    }
    let parameters = entry(&server, &ids[2])["parameters"].clone();
    assert_eq!(
        (&parameters["rate"], &parameters["unit"]),
        (&"360".into(), &"uV".into())
    );
    // Encrypted: neither the file's name nor its text lies in the folder.
    let kept = files(&folder.path().join("journal"));
    assert!(
        kept.iter()
            .any(|path| path.extension().is_some_and(|ending| ending == "enc"))
    );
    for path in kept {
        let bytes = std::fs::read(&path).unwrap();
        for text in [
            "Mustermann".as_bytes(),
            &table.as_bytes()[..200],
            &excerpt("208x.dat")[..64],
        ] {
            assert!(
                !bytes.windows(text.len()).any(|window| window == text),
                "{}",
                path.display()
            );
        }
    }
    assert_eq!(server.terminate(), Some(0));

    let server = Server::start_in(folder.path(), &[]);
    for id in &ids {
        assert_eq!(replay(&server, id)["outcome"], "same", "{id}");
    }
    let command = |id: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_einthoven"))
            .args(["replay", id, "--server", &format!("http://{}", server.address)])
            .env("EINTHOVEN_KEY", OWNER_KEY)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = command(&ids[0]);
    assert!(code == Some(0) && said.contains("\"same\""), "{code:?} {said}");
    // Of what was not kept the input is gone.
    let unkept = named(&classify(&server, "208x", None));
    let gone = replay(&server, &unkept);
    assert_eq!(gone["outcome"], "gone");
    let pieces = gone["pieces"].as_array().unwrap();
    assert_eq!(pieces.len(), 1, "{gone}");
    assert_eq!(
        (&pieces[0]["kind"], &pieces[0]["digest"]),
        (&"input".into(), &entry(&server, &unkept)["digests"]["input"])
    );
    let (code, said) = command(&unkept);
    assert!(code == Some(1) && said.contains("\"gone\""), "{code:?} {said}");
    // A version that serves no more is gone too.
    for (path, body) in [("traffic", r#"{"champion": null}"#), ("versions/1.0.0/retire", "{}")] {
        let method = if path == "traffic" { "PUT" } else { "POST" };
        let path = format!("/v1/models/heartbeat/{path}");
        let done = server.json(method, &path, &[], &serde_json::from_str(body).unwrap());
        assert!(done.status < 300, "{}", done.json());
    }
    let gone = replay(&server, &ids[0]);
    assert_eq!(
        (&gone["outcome"], &gone["pieces"][0]["kind"]),
        (&"gone".into(), &"model".into()),
        "{gone}"
    );
    assert_eq!(gone["pieces"][0]["name"], "heartbeat/1.0.0");
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let each = |path: std::path::PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(each).collect()
}
