//! No file descriptors left.

use crate::client::{OWNER_KEY, Server, borrowed, record_100};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// Asks over a connection that stays open, and gives the status.
fn ask(stream: &mut TcpStream, path: &str) -> u16 {
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {OWNER_KEY}\r\n\r\n"
    )
    .unwrap();
    let mut reader = BufReader::new(stream);
    let (mut line, mut status, mut length) = (String::new(), 0, 0);
    while line != "\r\n" {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the server closed");
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().unwrap();
        }
        if let Some(rest) = line.strip_prefix("content-length: ") {
            length = rest.trim().parse().unwrap();
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).unwrap();
    status
}

/// More clients than there are file descriptors: those that are connected are answered, the others wait, and when they have gone all
/// is as before.
#[test]
fn more_clients_than_file_descriptors_hurt_nobody_who_is_connected() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_under("ulimit -n 128", folder.path(), &["--client-timeout-s", "60"]);
    let mut connected = TcpStream::connect(&server.address).unwrap();
    assert_eq!(ask(&mut connected, "/v1/system"), 200);
    let idle: Vec<_> = (0..100).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    for _ in 0..20 {
        assert_eq!(ask(&mut connected, "/v1/models"), 200);
    }
    drop(idle);
    for _ in 0..3 {
        assert_eq!(server.form("/v1/classify", &borrowed(&record_100()), &[]).status, 200);
    }
    server.key("after", &["predict"]);
}
