//! Slow clients are given up, and who was there before the signal to stop is answered.

use crate::client::{OWNER_KEY, Server, csv};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn five_hundred_requests_in_flight_are_answered_and_the_exit_is_clean() {
    let server = Server::start();
    assert_eq!(server.get("/v1/health/ready").status, 200);
    assert_eq!(server.get("/v1/health/models/heartbeat").status, 200);
    assert_eq!(server.get("/v1/health/models/none").status, 404);
    let body = csv(10, 250, 1.0);
    let length = body.len();
    let request = format!(
        "POST /v1/classify?name=a.csv HTTP/1.1\r\nhost: localhost\r\nx-api-key: {OWNER_KEY}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let mut clients: Vec<TcpStream> = (0..500).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    for client in &mut clients {
        client.write_all(request.as_bytes()).unwrap();
    }
    let told = Instant::now();
    let ended = std::thread::spawn(move || (server.terminate(), told.elapsed()));
    for mut client in clients {
        client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert!(
            answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    let (code, took) = ended.join().unwrap();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(25), "{took:?}");
}

#[test]
fn who_sends_no_request_is_given_up() {
    let server = Server::start_with(&["--client-timeout-s", "1"]);
    for begun in ["", "GET / HTTP/1.1\r\nho", "PRI * H"] {
        let mut client = TcpStream::connect(&server.address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        client.write_all(begun.as_bytes()).unwrap();
        // Closed or refused, but not left open.
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).unwrap();
    }
    assert_eq!(server.get("/v1/health/live").status, 200);
}
