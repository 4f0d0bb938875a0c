//! A version that takes for ever to load: nothing else waits for it, and whoever began it can give it up.

use crate::client::{OWNER_KEY, Server};
use crate::engine::sealed;
use crate::packages::{Package, zip};
use crate::steps::{ROW, champion, classify, promote, versions};
use serde_json::json;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest wait for something that does come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A network of the slow engine's, like no other of another scale.
fn package(scale: u8) -> Package {
    let tensor = |name: &str| json!([{"name": name, "dtype": "f32", "dims": [null, 2]}]);
    let manifest = json!({"recipe": null, "inputs": tensor("x"), "outputs": tensor("y"), "engine": "gain-c"});
    let values = |by: f32| json!({"dims": [1, 2], "values": [by, 2.0 * by]});
    let golden = json!({
        "inputs": {"x": values(1.0)}, "outputs": {"y": values(f32::from(scale))}, "tolerance": 1e-3,
    });
    Package::from([
        ("manifest.json".to_owned(), manifest.to_string().into()),
        ("golden.json".to_owned(), golden.to_string().into()),
        (
            "model.gain".to_owned(),
            format!("width 2\nscale {scale}\nbias 0\n").into(),
        ),
    ])
}

fn state(server: &Server, version: &str, package: &Package, wait_s: u32) -> String {
    let path = format!("/v1/models/slow/versions?name=package.zip&version={version}&wait_s={wait_s}");
    let answer = server.post(&path, "application/zip", &zip(package));
    assert!((200..300).contains(&answer.status), "{}", answer.json());
    answer.json()["phase"]["state"].as_str().unwrap_or_default().to_owned()
}

/// Whether a child of the server has the slow engine open. Others may live, too: what comes with the server is tried at its
/// start.
fn loads(server: &Server, plugins: &Path) -> bool {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    let of_each = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let children: Vec<String> = of_each
        .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    children.iter().any(|child| {
        let maps = fs::read_to_string(format!("/proc/{child}/maps")).unwrap_or_default();
        maps.contains(&*plugins.to_string_lossy())
    })
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "it does not come to this: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_load_that_hangs_holds_up_nobody_and_can_be_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let plugins = folder.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    if !sealed("registry/slow.c", &plugins, &mark) {
        return;
    }
    let server = Server::start_with(&["--plugins", &plugins.to_string_lossy()]);

    // Its trial hangs in a child; meanwhile others are answered and changed.
    fs::write(&mark, b"").unwrap();
    assert_eq!(state(&server, "1", &package(3), 0), "verifying");
    until("the engine loads it in a child", || loads(&server, &plugins));
    assert_eq!(classify(&server, &format!("model={ROW}")).status, 200);
    let answer = server.json("POST", "/v1/models", &[], &json!({"name": "beside"}));
    assert_eq!(answer.status, 201, "{}", answer.json());
    // Whoever deletes it ends the child too, so that the next one has its turn.
    assert_eq!(server.delete("/v1/models/slow/versions/1").status, 204);
    until("that child is gone", || !loads(&server, &plugins));
    fs::remove_file(&mark).unwrap();
    assert_eq!(state(&server, "2", &package(4), 120), "ready");
    assert_eq!(state(&server, "3", &package(5), 120), "ready");
    assert_eq!(versions(&server, "slow"), ["2", "3"]);

    // A promotion that hangs: who asked for it hangs up, and what answered goes on.
    assert_eq!(promote(&server, "slow", "2").status, 200);
    fs::write(&mark, b"").unwrap();
    let body = json!({"champion": "3", "reason": "a test"}).to_string();
    let mut asking = TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "PUT /v1/models/slow/traffic HTTP/1.1\r\nhost: localhost\r\nx-api-key: {OWNER_KEY}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    asking.write_all(head.as_bytes()).unwrap();
    asking.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    // Nothing comes, as the load hangs.
    assert!(std::io::Read::read(&mut asking, &mut [0]).is_err());
    assert_eq!(classify(&server, &format!("model={ROW}")).status, 200);
    assert_eq!(champion(&server, "slow"), "2");
    drop(asking);
    until("the server knows that nobody asks any more", || {
        let metrics = String::from_utf8(server.get("/metrics").bytes).unwrap();
        let in_flight = metrics
            .lines()
            .find(|line| line.starts_with("einthoven_http_requests_in_flight "));
        in_flight.is_some_and(|line| line.ends_with(" 1"))
    });
    fs::remove_file(&mark).unwrap();
    // Its load may well be done later; it was given up all the same.
    until("the load is done", || {
        let loaded = server.get("/v1/instances").json();
        let of_slow = |one: &&serde_json::Value| one["model"] == "slow";
        loaded["items"].as_array().unwrap().iter().filter(of_slow).count() == 2
    });
    assert_eq!(champion(&server, "slow"), "2");
    assert_eq!(promote(&server, "slow", "3").status, 200);
}
