//! Entries and labels as tables.

use crate::client::{OWNER_KEY, Server};
use crate::records::{classify, entry, named, refer};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

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

/// Begins an export and reads nothing of it but that it began.
fn begun(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let path = "/v1/predictions/export?format=csv";
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {OWNER_KEY}\r\n\r\n"
    )
    .unwrap();
    let mut start = [0; 15];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    stream
}

#[test]
fn exports_that_nobody_reads_take_no_more_than_their_places() {
    let server = Server::start();
    // More than sockets hold: some megabytes.
    let rows = format!("{}\n", vec!["0.5"; 187].join(",")).repeat(20_000);
    for _ in 0..2 {
        let answer = server.post("/v1/classify?name=beats.csv", "text/csv", rows.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.json());
    }
    let unread = [begun(&server), begun(&server)];
    let refused = server.get("/v1/labels/export?format=wfdb");
    refused.problem(503, "busy");
    assert!(!refused.header("retry-after").is_empty());
    server
        .get("/v1/misclassified/clusters?model=heartbeat")
        .problem(503, "busy");
    // Pages and answers go on.
    let id = named(&classify(&server, "100x", None));
    assert_eq!(entry(&server, &id)["labelled"], false);
    // Whoever leaves makes room.
    drop(unread);
    let until = Instant::now() + Duration::from_secs(60);
    while server.get("/v1/labels/export").status != 200 {
        assert!(Instant::now() < until);
    }
}
