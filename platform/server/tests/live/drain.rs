//! Who sends no request is given up, and who was there before the signal to stop is answered.

use crate::client::{OWNER_KEY, Server, csv};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
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

/// A recording's key that is a pipe: whoever reads it waits, for as long as the test likes.
#[test]
fn told_to_stop_while_it_changes_the_master_key_it_stops_and_goes_on_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let key = |name: &str, digits: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, digits.repeat(32)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (old, new, data) = (key("old", "a1"), key("new", "b2"), folder.path().join("data"));
    let server = Server::start_in(
        &data,
        &["--keep-recordings", "--master-key", &old, "--journal", "audit"],
    );
    let answer = server.post("/v1/classify?name=a.csv", "text/csv", csv(10, 250, 1.0).as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.json());
    let replay = format!(
        "/v1/predictions/{}/replay",
        answer.json()["prediction"].as_str().unwrap()
    );
    assert_eq!(server.terminate(), Some(0));
    let keys = data.join("journal/recordings/keys");
    let pipe = keys.join("somebody/waits.key");
    std::fs::create_dir_all(pipe.parent().unwrap()).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let options = ["--keep-recordings", "--master-key", &new, "--previous-master-key", &old];
    let mut child = Command::new(env!("CARGO_BIN_EXE_einthoven"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .args(options)
        .env("EINTHOVEN_OWNER_KEY", OWNER_KEY)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Opened when the server opens it.
    let held = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    assert!(
        Command::new("kill")
            .arg(child.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), said.as_str()),
        (Some(0), ""),
        "it never opened its port"
    );
    drop(held);
    std::fs::remove_dir_all(pipe.parent().unwrap()).unwrap();
    let server = Server::start_in(&data, &options);
    assert_eq!(server.post(&replay, "application/json", b"").json()["outcome"], "same");
    assert_eq!(server.terminate(), Some(0));
    let new_alone = Server::start_in(&data, &options[..3]);
    assert_eq!(
        new_alone.post(&replay, "application/json", b"").json()["outcome"],
        "same"
    );
}
