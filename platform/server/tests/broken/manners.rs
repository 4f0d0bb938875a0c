//! Clients that do not do their part.

use crate::client::{OWNER_KEY, Server};
use std::io::Write;
use std::net::TcpStream;

/// A client that asks and asks and never reads has the only place; it loses it, and the next one is answered.
#[test]
fn a_client_that_never_reads_loses_its_place() {
    let server = Server::start_with(&["--max-connections", "1", "--client-timeout-s", "1"]);
    let mut deaf = TcpStream::connect(&server.address).unwrap();
    deaf.set_write_timeout(Some(std::time::Duration::from_millis(200)))
        .unwrap();
    let ask = format!("GET /v1/system HTTP/1.1\r\nhost: localhost\r\nx-api-key: {OWNER_KEY}\r\n\r\n");
    // Until neither side takes any more, or the server has had enough.
    for _ in 0..100_000 {
        if deaf.write_all(ask.as_bytes()).is_err() {
            break;
        }
    }
    assert_eq!(server.get("/v1/health/live").status, 200);
    drop(deaf);
}

/// A client that sends the body's bytes one after the other, each within the time: what it may send is bounded all the same.
#[test]
fn a_body_of_endless_chunks_ends_at_the_bound() {
    let server = Server::start_with(&["--max-upload-mib", "1"]);
    let mut request = format!(
        "POST /v1/classify HTTP/1.1\r\nhost: localhost\r\nx-api-key: {OWNER_KEY}\r\nconnection: close\r\n\
         content-type: text/csv\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for _ in 0..3000 {
        request.extend_from_slice(b"400\r\n");
        request.extend_from_slice(&[b'1'; 0x400]);
        request.extend_from_slice(b"\r\n");
    }
    let answer = server.raw(&request);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

/// Headers beyond all measure are refused by the connection, and the next one is served.
#[test]
fn headers_are_bounded() {
    let server = Server::start();
    let long = "x".repeat(1 << 20);
    let answer = server.raw(format!("GET / HTTP/1.1\r\nhost: localhost\r\nx-long: {long}\r\n\r\n").as_bytes());
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
        "{}",
        &answer[..answer.len().min(200)]
    );
    let many: String = (0..10_000).map(|number| format!("x-{number}: 1\r\n")).collect();
    let answer = server.raw(format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n").as_bytes());
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
        "{}",
        &answer[..answer.len().min(200)]
    );
    assert_eq!(server.get("/v1/health/live").status, 200);
}
