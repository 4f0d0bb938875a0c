//! Bodies that come too slowly, break off or are too large: each is refused for what it is.

use crate::client::{OWNER_KEY, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// An address, the type of what it takes, and how such a body begins. A message of gRPC begins with its length.
const BODIES: [(&str, &str, &str); 6] = [
    ("/v1/classify?name=a.csv", "text/csv", "1"),
    (
        "/v1/classify",
        "multipart/form-data; boundary=edge",
        "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n1",
    ),
    ("/v1/keys", "application/json", "{"),
    ("/v1/models/cut/versions?name=a.onnx", "application/octet-stream", "1"),
    ("/v2/models/heartbeat/infer", "application/json", "{"),
    (GRPC, "application/grpc", "\0\0\x0f\0\0"),
];

const GRPC: &str = "/inference.GRPCInferenceService/ModelInfer";

/// A request whose body has begun and is not whole.
fn begun(server: &Server, (path, kind, begun): (&str, &str, &str)) -> TcpStream {
    let mut client = TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {OWNER_KEY}\r\ncontent-type: {kind}\r\n\
         content-length: 1000000\r\n\r\n{begun}"
    );
    client.write_all(head.as_bytes()).unwrap();
    client
}

/// What such a request is answered while a byte of it is sent now and then, or none.
fn given_up(mut client: TcpStream, drips: bool) -> String {
    client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    loop {
        match client.read(&mut part) {
            Ok(0) => break,
            Ok(length) => answer.extend(&part[..length]),
            Err(cause) if matches!(cause.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
        assert!(Instant::now() < until, "its place is still held");
        if drips && answer.is_empty() && client.write_all(b"1").is_err() {
            break;
        }
    }
    String::from_utf8(answer).unwrap()
}

#[test]
fn whose_body_drips_or_stalls_is_given_up() {
    let server = Server::start_with(&["--client-timeout-s", "1"]);
    std::thread::scope(|scope| {
        for body in BODIES {
            for drips in [true, false] {
                let server = &server;
                scope.spawn(move || {
                    let answer = given_up(begun(server, body), drips);
                    let (status, code) = match body.0 {
                        GRPC => ("HTTP/1.1 200", "slowly"),
                        _ => ("HTTP/1.1 408", "/problems/too_slow"),
                    };
                    assert!(answer.starts_with(status), "{body:?}, {drips}: {answer}");
                    assert!(
                        answer.contains(code) && answer.contains("slowly"),
                        "{body:?}, {drips}: {answer}"
                    );
                });
            }
        }
    });
    assert_eq!(server.get("/v1/health/live").status, 200);
}

#[test]
fn whose_body_breaks_off_is_told_so_and_whose_is_too_large_too() {
    let server = Server::start();
    for body in BODIES.into_iter().filter(|(path, ..)| *path != GRPC) {
        let mut client = begun(&server, body);
        client.shutdown(Shutdown::Write).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        let code = if body.0.contains("/versions") {
            "upload_cut"
        } else {
            "cut_off"
        };
        assert!(answer.starts_with("HTTP/1.1 400"), "{body:?}: {answer}");
        assert!(answer.contains(&format!("/problems/{code}")), "{body:?}: {answer}");
    }
    let large = format!("{{\"name\": \"{}\"}}", "a".repeat(1 << 20));
    let answer = server.post("/v1/keys", "application/json", large.as_bytes());
    let said = answer.problem(413, "too_large");
    assert!(said.contains("larger than 1048576 bytes"), "{said}");
}
