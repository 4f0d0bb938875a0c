//! Misclassified beats by shape, and beats for training with their recordings.

use crate::client::Server;
use crate::records::{classify, entry, excerpt, named, pages, refer};
use einthoven_ecg::annotation::{Mapping, decode};
use einthoven_ecg::readers::{Hints, Input, Limits, NamedFile, read};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;

#[test]
fn beats_of_one_shape_are_one_cluster_and_are_judged_at_once() {
    let server = Server::start_with(&["--keep-recordings"]);
    for (record, person) in [("203x", "ana"), ("208x", "bo")] {
        let id = named(&classify(&server, record, Some(person)));
        assert_eq!(refer(&server, &id, record).status, 201);
    }
    let clusters = server.get("/v1/misclassified/clusters?model=heartbeat");
    assert_eq!(clusters.status, 200, "{}", clusters.json());
    let list = clusters.json();
    let items = list["items"].as_array().unwrap();
    let all = pages(&server, "/v1/misclassified?model=heartbeat", 1000);
    let beats: u64 = items.iter().map(|cluster| cluster["beats"].as_u64().unwrap()).sum();
    assert_eq!(beats + list["without_shape"].as_u64().unwrap(), all.len() as u64);
    assert_eq!((&list["not_kept"], &list["left_out"]), (&0.into(), &false.into()));
    assert!(items.len() > 1 && items.len() < all.len(), "{} clusters", items.len());
    let mut before = u64::MAX;
    for cluster in items {
        let number = cluster["beats"].as_u64().unwrap();
        assert!(number <= before);
        before = number;
        assert_eq!(cluster["members"].as_array().unwrap().len() as u64, number);
        assert_eq!(cluster["shape_mv"].as_array().unwrap().len(), 81);
        for field in ["said", "truth"] {
            let sum: u64 = cluster[field]
                .as_object()
                .unwrap()
                .values()
                .map(|n| n.as_u64().unwrap())
                .sum();
            assert_eq!(sum, number, "{field}");
        }
    }
    // The same beats give the same clusters.
    assert_eq!(
        server.get("/v1/misclassified/clusters?model=heartbeat").bytes,
        clusters.bytes
    );

    // The largest is judged at once: what was said of each is right. None of it is on the list any more.
    let wrong: BTreeMap<_, _> = all
        .iter()
        .map(|beat| {
            (
                (beat["prediction"].clone().to_string(), beat["at"].as_u64().unwrap()),
                beat["said"].clone(),
            )
        })
        .collect();
    let members = items[0]["members"].as_array().unwrap();
    let marks: Vec<_> = members
        .iter()
        .map(|member| {
            let said = &wrong[&(member["prediction"].to_string(), member["at"].as_u64().unwrap())];
            match said.as_str() {
                Some(class) => {
                    json!({"prediction": member["prediction"], "at": member["at"], "is": "class", "class": class})
                }
                None => json!({"prediction": member["prediction"], "at": member["at"], "is": "withdrawn"}),
            }
        })
        .collect();
    let taken = server.json(
        "POST",
        "/v1/labels",
        &[],
        &json!({"why": "seen as one", "marks": marks}),
    );
    assert_eq!(
        (taken.status, &taken.json()["new"]),
        (201, &members.len().into()),
        "{}",
        taken.json()
    );
    let left = pages(&server, "/v1/misclassified?model=heartbeat", 1000);
    for member in members {
        let same = |beat: &&serde_json::Value| beat["prediction"] == member["prediction"] && beat["at"] == member["at"];
        assert!(left.iter().find(same).is_none(), "{member}");
    }
    assert_eq!(left.len() + members.len(), all.len());
    server.get("/v1/misclassified/clusters").problem(422, "missing_field");
}

#[test]
fn records_for_training_hold_the_recording_and_what_holds_of_it() {
    let server = Server::start_with(&["--keep-recordings"]);
    let id = named(&classify(&server, "208x", Some("ana")));
    let unlabelled = named(&classify(&server, "100x", Some("bo")));
    assert_eq!(refer(&server, &id, "208x").status, 201);
    let answer = server.get("/v1/labels/export?format=wfdb&model=heartbeat");
    assert_eq!(
        (answer.status, answer.content_type.as_str()),
        (200, "application/x-tar")
    );
    let mut files = unpacked(&answer.bytes);
    let manifest: Value = serde_json::from_slice(&files.remove("manifest.json").unwrap()).unwrap();
    let name = id.replace('-', "");
    assert_eq!(files.len(), 3, "{:?}", files.keys());
    let folder = files.keys().next().unwrap().split('/').next().unwrap().to_owned();
    assert!(["train", "validation", "test"].contains(&folder.as_str()), "{folder}");
    assert!(!files.keys().any(|path| path.contains(&unlabelled.replace('-', ""))));
    let kept = entry(&server, &id);
    let told = &manifest["records"][0];
    assert_eq!(
        (&told["path"], &told["split"]),
        (&json!(format!("{folder}/{name}")), &json!(folder))
    );
    assert_eq!((&told["group"], &told["record"]), (&kept["subject"], &kept["record"]));
    assert_eq!((&manifest["not_kept"], &manifest["left_out"]), (&json!(0), &json!([])));
    let named: Vec<_> = ["hea", "dat"]
        .iter()
        .map(|ending| (format!("{name}.{ending}"), &files[&format!("{folder}/{name}.{ending}")]))
        .collect();
    let named: Vec<_> = named.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
    let original = [("208x.hea", excerpt("208x.hea")), ("208x.dat", excerpt("208x.dat"))];
    let original: Vec<_> = original.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
    let recording = |files: &[NamedFile<'_>]| match read(files, &Hints::default(), &Limits::default()).unwrap().input {
        Input::Recording(recording) => recording,
        Input::BeatRows(_) => panic!("rows"),
    };
    let (was, is) = (recording(&original), recording(&named));
    assert_eq!(
        (was.sampling_rate_hz, was.len(), was.leads.len()),
        (is.sampling_rate_hz, is.len(), is.leads.len())
    );
    for (was, is) in was.leads.iter().zip(&is.leads) {
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 0.001 || a.is_nan() && b.is_nan();
        assert!(was.samples_mv.iter().zip(&is.samples_mv).all(near), "{}", was.name);
    }
    // Its beats are those that hold, at the samples of the answer.
    let mut expected: Vec<_> = kept["beats"]
        .as_array()
        .unwrap()
        .iter()
        .chain(kept["missed"].as_array().unwrap())
        .filter_map(|beat| {
            Some((
                beat["at"].as_u64().unwrap(),
                beat["truth"]["class"].as_str()?.to_owned(),
            ))
        })
        .collect();
    expected.sort_unstable();
    let annotations = decode(&files[&format!("{folder}/{name}.atr")]).unwrap();
    let beats: Vec<_> = annotations
        .iter()
        .filter_map(|beat| Some((beat.sample, Mapping::default().class(beat.code)?.letter().to_string())))
        .collect();
    assert_eq!(beats, expected);
    server
        .get("/v1/labels/export?format=wfdb&wrong=true")
        .problem(422, "bad_field");
}

fn unpacked(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let mut files = BTreeMap::new();
    for file in archive.entries().unwrap() {
        let mut file = file.unwrap();
        let path = file.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(path, bytes);
    }
    files
}

#[test]
fn a_recording_that_cannot_be_opened_any_more_is_named_and_the_rest_is_there() {
    let server = Server::start_with(&["--keep-recordings", "--journal", "audit"]);
    let ids = [("208x", "ana"), ("203x", "bo")].map(|(record, person)| {
        let id = named(&classify(&server, record, Some(person)));
        assert_eq!(refer(&server, &id, record).status, 201);
        // The first one's file is damaged before there is a second.
        if person == "ana" {
            let people = std::fs::read_dir(server.data.join("journal/recordings/data")).unwrap();
            let folder = people.map(|folder| folder.unwrap().path()).next().unwrap();
            let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
            std::fs::write(file, b"not what was written").unwrap();
        }
        id
    });
    let clusters = server.get("/v1/misclassified/clusters?model=heartbeat");
    assert_eq!(clusters.status, 200, "{}", clusters.json());
    let list = clusters.json();
    let unreadable = list["unreadable"].as_array().unwrap();
    assert_eq!(
        (unreadable.len(), &unreadable[0]["prediction"]),
        (1, &json!(ids[0])),
        "{list}"
    );
    assert!(!unreadable[0]["why"].as_str().unwrap().is_empty());
    let members = |cluster: &Value| cluster["members"].as_array().unwrap().clone();
    let shown: Vec<_> = list["items"].as_array().unwrap().iter().flat_map(members).collect();
    assert!(!shown.is_empty() && shown.iter().all(|member| member["prediction"] == json!(ids[1])));

    let answer = server.get("/v1/labels/export?format=wfdb&model=heartbeat");
    let mut files = unpacked(&answer.bytes);
    let manifest: Value = serde_json::from_slice(&files.remove("manifest.json").unwrap()).unwrap();
    assert_eq!(manifest["left_out"][0]["prediction"], json!(ids[0]), "{manifest}");
    assert_eq!(manifest["records"].as_array().unwrap().len(), 1);
    assert!(files.len() == 3 && files.keys().all(|path| path.contains(&ids[1].replace('-', ""))));
}

#[test]
fn a_prediction_with_more_wrong_beats_than_there_is_room_for_is_shown_in_part() {
    const ROWS: u64 = 2_300;
    let server = Server::start_with(&["--keep-recordings"]);
    let row = format!("{}\n", vec!["0.5"; 187].join(","));
    let rows = row.repeat(usize::try_from(ROWS).unwrap());
    let id = named(
        &server
            .form("/v1/classify", &[("beats.csv", rows.as_bytes())], &[])
            .json(),
    );
    let said = entry(&server, &id)["beats"][0]["class"].as_str().unwrap().to_owned();
    let other = if said == "V" { "N" } else { "V" };
    let marks: Vec<_> = (1..=ROWS)
        .map(|at| json!({"at": at, "is": "class", "class": other}))
        .collect();
    let path = format!("/v1/predictions/{id}/labels");
    assert_eq!(server.json("POST", &path, &[], &json!({"marks": marks})).status, 201);
    let list = server.get("/v1/misclassified/clusters?model=heartbeat-row").json();
    // Rows are looked at as beats are, and have no shape.
    assert_eq!(
        (&list["without_shape"], &list["left_out_beats"]),
        (&json!(2_000), &json!(300)),
        "{list}"
    );
    assert_eq!(list["left_out"], json!(true));
}
