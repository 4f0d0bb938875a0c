//! Entries and labels as tables.

use crate::client::Server;
use crate::records::{classify, entry, named, refer};

#[test]
fn every_beat_is_a_row_with_its_truth() {
    let server = Server::start();
    let ids = [
        named(&classify(&server, "208x", Some("ana"))),
        named(&classify(&server, "100x", Some("bo"))),
    ];
    let beats: usize = ids
        .iter()
        .map(|id| entry(&server, id)["beats"].as_array().unwrap().len())
        .sum();
    let table = server.get("/v1/predictions/export?format=csv");
    assert_eq!(
        (table.status, table.content_type.as_str()),
        (200, "text/csv; charset=utf-8")
    );
    let text = String::from_utf8(table.bytes).unwrap();
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().unwrap().split(',').collect();
    assert!(
        names.contains(&"prediction") && names.contains(&"p_V") && names.contains(&"truth"),
        "{names:?}"
    );
    assert_eq!(lines.count(), beats);
    let part = server.get(&format!(
        "/v1/predictions/export?subject={}",
        entry(&server, &ids[1])["subject"].as_str().unwrap()
    ));
    let part = String::from_utf8(part.bytes).unwrap();
    assert!(part.contains(&ids[1]) && !part.contains(&ids[0]));

    let parquet = server.get("/v1/predictions/export?format=parquet");
    assert_eq!(parquet.content_type, "application/vnd.apache.parquet");
    assert!(parquet.bytes.starts_with(b"PAR1") && parquet.bytes.ends_with(b"PAR1"));
    server
        .get("/v1/predictions/export?format=xml")
        .problem(422, "bad_field");

    assert_eq!(
        String::from_utf8(server.get("/v1/labels/export").bytes)
            .unwrap()
            .lines()
            .count(),
        1
    );
    for (id, record) in ids.iter().zip(["208x", "100x"]) {
        assert_eq!(refer(&server, id, record).status, 201);
    }
    let labelled = String::from_utf8(server.get("/v1/labels/export?model=heartbeat").bytes).unwrap();
    let wrong = String::from_utf8(server.get("/v1/labels/export?wrong=true").bytes).unwrap();
    let rows = |text: &str| text.lines().count() - 1;
    assert!(rows(&labelled) >= beats, "{} of {beats}", rows(&labelled));
    let misclassified = crate::records::pages(&server, "/v1/misclassified?model=heartbeat", 1000);
    assert_eq!(rows(&wrong), misclassified.len());
    // All beats of a person are in one part.
    let header: Vec<_> = labelled.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let (split, group) = (column("split"), column("group"));
    let mut parts = std::collections::BTreeMap::new();
    for line in labelled.lines().skip(1) {
        let values: Vec<_> = line.split(',').collect();
        let part = parts
            .entry(values[group].to_owned())
            .or_insert_with(|| values[split].to_owned());
        assert_eq!(part, values[split]);
    }
    assert_eq!(parts.len(), 2);
}
