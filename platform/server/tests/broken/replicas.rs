//! Several servers on one registry in PostgreSQL: what one is told holds on all, and neither the database nor one of them is missed.

use crate::client::{OWNER_KEY, Server, sample};
use crate::postgres::Postgres;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Longer than anything waits for the database: a change twice four seconds, the lease of a job ten.
const OUTAGE: Duration = Duration::from_secs(12);

fn replica(database: &Postgres) -> Server {
    Server::start_with(&["--database-url", &database.url()])
}

/// A recording as one body.
fn form() -> (Vec<u8>, &'static str) {
    let mut body = Vec::new();
    for name in ["100s.hea", "100s.dat"] {
        let head = format!("--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&sample(name));
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    (body, "multipart/form-data; boundary=edge")
}

fn classify(server: &Server, model: &str) -> u16 {
    let (body, kind) = form();
    server.post(&format!("/v1/classify?model={model}"), kind, &body).status
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "{what} took too long");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn while_the_database_is_away_answers_go_on_and_changes_are_refused() {
    let database = Postgres::start();
    let (one, other) = (replica(&database), replica(&database));
    let version = one.get("/v1/models/heartbeat").json()["traffic"]["champion"].clone();
    let pointed = one.json(
        "PUT",
        "/v1/models/heartbeat/aliases/live",
        &[],
        &json!({"version": version}),
    );
    assert!(matches!(pointed.status, 200 | 201), "{}", pointed.json());
    until("the alias on the other server", || {
        classify(&other, "heartbeat@live") == 200
    });

    let acknowledged = one.key("before", &["predict"]);
    until("the key on the other server", || {
        other
            .ask("GET", "/v1/samples", &[("x-api-key", &acknowledged)], b"")
            .status
            == 200
    });

    database.end();
    let since = Instant::now();
    let key = json!({"name": "meanwhile", "grants": ["predict"]});
    let alias = json!({"version": version});
    while since.elapsed() < OUTAGE {
        for server in [&one, &other] {
            assert_eq!(classify(server, "heartbeat@live"), 200);
            for (method, path, body) in [
                ("POST", "/v1/keys", &key),
                ("PUT", "/v1/models/heartbeat/aliases/meanwhile", &alias),
            ] {
                let refused = server.json(method, path, &[], body);
                assert_eq!(refused.status, 503, "{}", refused.json());
                assert_eq!(refused.content_type, "application/problem+json");
            }
            assert_eq!(classify(server, "heartbeat"), 200);
            assert_eq!(server.get("/v1/health/live").status, 200);
            assert_eq!(server.get("/v1/health/ready").status, 200);
            assert_eq!(
                server
                    .ask("GET", "/v1/samples", &[("x-api-key", &acknowledged)], b"")
                    .status,
                200
            );
        }
    }

    database.begin();
    let made = |server: &Server, name: &str| {
        let body = json!({"name": name, "grants": ["predict"]});
        server.json("POST", "/v1/keys", &[], &body)
    };
    until("writing after the outage", || made(&one, "afterwards").status == 201);
    let mut key = String::new();
    until("writing on the other server", || {
        let answer = made(&other, "of-the-other");
        key = answer.json()["key"].as_str().unwrap_or_default().to_owned();
        answer.status == 201
    });
    until("the other server's key on the first", || {
        one.ask("GET", "/v1/samples", &[("x-api-key", &key)], b"").status == 200
    });
    assert_eq!(classify(&one, "heartbeat@live"), 200);
    for server in [&one, &other] {
        assert_eq!(
            server
                .ask("GET", "/v1/samples", &[("x-api-key", &acknowledged)], b"")
                .status,
            200
        );
        let model = server.get("/v1/models/heartbeat").json().to_string();
        assert!(model.contains(r#""live":"#) && !model.contains("meanwhile"), "{model}");
    }
    let names = one.get("/v1/keys?limit=1000").json();
    let names: Vec<_> = names["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["name"].clone())
        .collect();
    assert!(
        !names.contains(&json!("meanwhile")),
        "what was refused was done: {names:?}"
    );
}

/// Deals requests out in turn, and goes on to the next server where one takes no connection.
struct Balancer<'a> {
    servers: &'a [Server],
    turn: AtomicUsize,
}

impl Balancer<'_> {
    /// Which server had it, and what became of it.
    fn ask(&self) -> (usize, Option<u16>) {
        let (body, kind) = form();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        for step in 0..self.servers.len() {
            let which = (turn + step) % self.servers.len();
            let headers = [("x-api-key", OWNER_KEY), ("content-type", kind)];
            match self.servers[which].bare("POST", "/v1/classify", &headers, &body) {
                Ok(answer) => return (which, Some(answer.status)),
                Err(ureq::Error::Io(cause)) if cause.kind() == std::io::ErrorKind::ConnectionRefused => {}
                Err(ureq::Error::ConnectionFailed) => {}
                Err(_) => return (which, None),
            }
        }
        panic!("no server takes connections");
    }
}

#[test]
fn one_of_three_is_killed_under_load_and_only_what_it_had_in_hands_fails() {
    let database = Postgres::start();
    let servers = [replica(&database), replica(&database), replica(&database)];
    let balancer = Balancer {
        servers: &servers,
        turn: AtomicUsize::new(0),
    };
    let (asked, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let enough = |more: usize| {
        let before = asked.load(Ordering::Relaxed);
        until("the load", || asked.load(Ordering::Relaxed) >= before + more);
    };
    let work = || {
        let mut failed = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let (which, status) = balancer.ask();
            asked.fetch_add(1, Ordering::Relaxed);
            if status != Some(200) {
                failed.push((which, status));
            }
        }
        failed
    };
    let failed: Vec<_> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        enough(12);
        let process = rustix::process::Pid::from_raw(servers[1].id() as i32).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        enough(24);
        over.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(
        failed.iter().all(|(which, status)| *which == 1 && status.is_none()),
        "{failed:?}"
    );
    assert!(failed.len() <= 4, "more than it had in hands: {failed:?}");
    assert_eq!(servers[0].get("/v1/health/ready").status, 200);
}
