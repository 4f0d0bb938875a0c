//! Live samples over a WebSocket, and long answers whose key was revoked.

use crate::client::{OWNER_KEY, Server, borrowed, record_100, sample};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::{Message, WebSocket};

/// Longest wait for a message; far more than any takes.
const PATIENCE: Duration = Duration::from_secs(120);
const RATE: usize = 360;

pub(crate) struct Client(WebSocket<TcpStream>);

impl Client {
    pub(crate) fn connect(server: &Server, key: &str, hello: &Value) -> Self {
        Self::connect_with(server, &[("x-api-key", key)], hello)
    }

    fn connect_with(server: &Server, headers: &[(&'static str, &str)], hello: &Value) -> Self {
        let mut request = format!("ws://{}/v1/stream", server.address)
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = tungstenite::client(request, stream).unwrap();
        let mut client = Self(socket);
        client.0.send(Message::text(hello.to_string())).unwrap();
        client
    }

    fn samples(&mut self, samples: &[i16]) {
        for piece in samples.chunks(RATE / 10) {
            let bytes: Vec<u8> = piece.iter().flat_map(|value| value.to_le_bytes()).collect();
            self.0.send(Message::binary(bytes)).unwrap();
        }
    }

    /// The next thing that is said; the code where the server closes.
    pub(crate) fn said(&mut self) -> Result<Value, u16> {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Message::Close(frame) => return Err(frame.unwrap().code.into()),
                _ => {}
            }
        }
    }
}

/// The first lead of record 100 as its converter's steps, which are 200 to a millivolt around 1024: of format 212.
fn steps(seconds: usize) -> Vec<i16> {
    let bytes = sample("100s.dat");
    let frames = bytes.chunks_exact(3).take(seconds * RATE);
    let twelve = frames.map(|three| i16::from(three[0]) | (i16::from(three[1] & 0x0f) << 8));
    // The sign is the twelfth bit.
    twelve.map(|value| ((value << 4) >> 4) - 1024).collect()
}

pub(crate) fn hello() -> Value {
    json!({"rate": RATE, "unit": "mV", "lead": "MLII", "format": "i16", "counts_per_unit": 200})
}

#[test]
fn samples_in_beats_out_and_a_client_that_comes_back_misses_none() {
    let server = Server::start();
    let key = server.key("monitor", &["predict"]);
    let samples = steps(30);
    let mut client = Client::connect(&server, &key, &hello());
    let session = client.said().unwrap();
    assert_eq!(
        (&session["type"], &session["next_sample"]),
        (&json!("session"), &json!(0))
    );
    let half = samples.len() / 2;
    client.samples(&samples[..half]);
    let mut beats = Vec::new();
    while beats.len() < 5 {
        beats.push(client.said().unwrap());
    }
    assert!(beats.iter().all(|beat| beat["type"] == "beat"), "{beats:?}");
    // Gone without a word; what was said meanwhile comes again.
    drop(client);
    let seen = beats.last().unwrap()["sample"].clone();
    let back = json!({"session": session["session"], "last_sample": seen});
    let mut other = Client::connect(&server, OWNER_KEY, &back);
    assert_eq!(other.said(), Err(1008), "a session is its owner's");
    let mut client = Client::connect(&server, &key, &back);
    let again = client.said().unwrap();
    assert_eq!(again["session"], session["session"]);
    // What had not been read when the connection ended may be lost on the way; the server says from where to go on.
    let next = again["next_sample"].as_u64().unwrap() as usize;
    assert!(next <= half, "{again}");
    client.samples(&samples[next..]);
    client.0.send(Message::text(json!({"end": true}).to_string())).unwrap();
    let end = loop {
        let said = client.said().unwrap();
        if said["type"] == "end" {
            break said;
        }
        beats.push(said);
    };
    assert_eq!(client.said(), Err(1000));
    assert_eq!(end["samples"], samples.len());
    assert_eq!(end["beats"], beats.len());
    let places: Vec<u64> = beats.iter().map(|beat| beat["sample"].as_u64().unwrap()).collect();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
    // The beats of the whole recording in those 30 s, but for what lies at the edges.
    let whole = server.form("/v1/classify", &borrowed(&record_100()), &[]).json();
    let whole: Vec<u64> = whole["beats"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|beat| beat["sample"].as_u64())
        .filter(|place| (RATE..samples.len() - RATE).contains(&(*place as usize)))
        .collect();
    let found = whole
        .iter()
        .filter(|place| places.iter().any(|other| other.abs_diff(**place) < 54))
        .count();
    assert!(
        whole.len() > 25 && found + 1 >= whole.len(),
        "{found} of {}",
        whole.len()
    );
}

#[test]
fn a_beat_is_told_before_the_second_after_it_is_over() {
    let server = Server::start();
    let samples = steps(30);
    // Where the beats of these samples are, by a client that sends all of them.
    let mut client = Client::connect(&server, OWNER_KEY, &hello());
    client.said().unwrap();
    client.samples(&samples);
    client.0.send(Message::text(json!({"end": true}).to_string())).unwrap();
    let mut beats = Vec::new();
    loop {
        let said = client.said().unwrap();
        if said["type"] == "end" {
            break;
        }
        beats.push(said["sample"].as_u64().unwrap() as usize);
    }
    assert!(beats.len() > 25, "{beats:?}");

    let mut intervals: Vec<usize> = beats.windows(2).map(|pair| pair[1] - pair[0]).collect();
    intervals.sort_unstable();
    let usual = intervals[intervals.len() / 2];
    // Nothing more is sent until the beat two beats ago has come: a server that needs more says nothing for ever. Where the next one comes
    // early, two beats are two of the usual ones; and the first four are told together.
    let mut client = Client::connect(&server, OWNER_KEY, &hello());
    client.said().unwrap();
    let (mut sent, mut told) = (0, 0);
    for (number, beat) in beats.iter().enumerate().take(beats.len() - 2) {
        let over = (beats[number.max(3) + 2] + 1).max(beat + 2 * usual).max(sent);
        client.samples(&samples[sent..over]);
        sent = over;
        while told <= *beat {
            told = client.said().unwrap()["sample"].as_u64().unwrap() as usize + 1;
        }
        assert_eq!(told, beat + 1, "each of them is told, and in order");
    }
}

#[test]
fn a_client_that_never_reads_is_given_up_and_what_it_missed_is_kept() {
    let server = Server::start();
    let mut hello = hello();
    hello["rate"] = json!(100);
    let mut client = Client::connect(&server, OWNER_KEY, &hello);
    let session = client.said().unwrap();
    // What was sent is computed before it is found that nobody reads.
    client.0.get_ref().set_write_timeout(Some(3 * PATIENCE)).unwrap();
    // Two hundred beats a minute: the system takes some megabytes of them that nobody reads.
    let samples: Vec<i16> = (0..3000).map(|at| if at % 30 < 2 { 300 } else { at % 7 }).collect();
    client.samples(&samples);
    for _ in 0..50 {
        assert_eq!(client.said().unwrap()["type"], "beat");
    }
    let before = server.resident_bytes();
    // Nothing is read from here on: when no more beats go out no more samples are taken, and then the connection ends.
    let pieces = samples.iter().copied().cycle();
    let mut pieces = pieces.take(10_000 * samples.len());
    let end = loop {
        let piece: Vec<u8> = pieces.by_ref().take(4096).flat_map(i16::to_le_bytes).collect();
        assert!(!piece.is_empty(), "hours of beats went out to a client that reads none");
        if let Err(cause) = client.0.send(Message::binary(piece)) {
            break cause;
        }
    };
    let tungstenite::Error::Io(cause) = &end else {
        panic!("{end}")
    };
    assert!(
        matches!(cause.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        "{cause}"
    );
    assert!(server.resident_bytes() < before + (32 << 20));
    let back = json!({"session": session["session"], "last_sample": 0});
    let mut client = Client::connect(&server, OWNER_KEY, &back);
    let again = client.said().unwrap();
    assert_eq!(again["session"], session["session"]);
    assert_eq!(client.said().unwrap()["type"], "beat");
}

#[test]
fn what_is_said_live_is_remembered_before_it_is_said_and_erased_with_the_person() {
    let server = Server::start_with(&["--journal", "audit"]);
    let headers = [("x-api-key", OWNER_KEY), ("x-einthoven-subject", "Erika Mustermann")];
    let mut client = Client::connect_with(&server, &headers, &hello());
    let session = client.said().unwrap();
    client.samples(&steps(20));
    let mut digests = std::collections::BTreeSet::new();
    let mut kept = Value::Null;
    for _ in 0..8 {
        let beat = client.said().unwrap();
        let id = beat["prediction"].as_str().unwrap();
        kept = server.get(&format!("/v1/predictions/{id}")).json();
        let told = kept["beats"].as_array().unwrap();
        let same = told.iter().find(|told| told["at"] == beat["sample"]);
        let same = same.unwrap_or_else(|| panic!("{beat} is not in {kept}"));
        assert_eq!((&same["class"], &same["time_s"]), (&beat["class"], &beat["time_s"]));
        assert_eq!(
            (&kept["unit"], &kept["sampling_rate_hz"]),
            (&json!("beats"), &json!(360.0))
        );
        assert_eq!(kept["parameters"], json!({"lead": "MLII", "protocol": "stream"}));
        assert_eq!(kept["digests"]["model"], session["model"]["digest"]);
        digests.insert(kept["digests"]["input"].to_string());
        assert!(!kept.to_string().contains("Mustermann"));
    }
    assert!(digests.len() > 1, "what came is not the same each time");
    // Samples are not kept: that they are gone is said, and nothing else is.
    let path = format!("/v1/predictions/{}/replay", kept["id"].as_str().unwrap());
    let again = server.post(&path, "application/json", b"").json();
    let pieces: Vec<_> = again["pieces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|piece| &piece["kind"])
        .collect();
    assert_eq!((&again["outcome"], pieces), (&json!("gone"), vec![&json!("input")]));
    let subject = kept["subject"].as_str().unwrap();
    let list = server.get(&format!("/v1/predictions?subject={subject}")).json();
    let records = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["record"].to_string());
    // A session is one record.
    assert_eq!(records.collect::<std::collections::BTreeSet<_>>().len(), 1);

    let erased = server.delete(&format!("/v1/subjects/{subject}"));
    assert_eq!(
        (erased.status, &erased.json()["sessions"]),
        (200, &json!(1)),
        "{}",
        erased.json()
    );
    let end = loop {
        if let Err(code) = client.said() {
            break code;
        }
    };
    assert_eq!(end, 4001);
    let left = server.get(&format!("/v1/predictions?subject={subject}")).json();
    assert_eq!(left["items"], json!([]));
    let back = json!({"session": session["session"], "last_sample": 0});
    assert_eq!(Client::connect_with(&server, &headers, &back).said(), Err(1008));
}

#[test]
fn a_first_message_that_leaves_something_out_is_refused() {
    let server = Server::start();
    for left_out in ["rate", "unit", "lead", "counts_per_unit"] {
        let mut hello = hello();
        hello.as_object_mut().unwrap().remove(left_out);
        assert_eq!(
            Client::connect(&server, OWNER_KEY, &hello).said(),
            Err(1008),
            "{left_out}"
        );
    }
    assert_eq!(server.get("/v1/stream").status, 426);
}

#[test]
fn long_answers_end_when_their_key_is_revoked() {
    let server = Server::start();
    let body = json!({"name": "leaver", "grants": ["predict"]});
    let made = server.json("POST", "/v1/keys", &[], &body).json();
    let key = made["key"].as_str().unwrap();
    let mut client = Client::connect(&server, key, &hello());
    assert_eq!(client.said().unwrap()["type"], "session");
    let revoked = server.delete(&format!("/v1/keys/{}", made["id"].as_str().unwrap()));
    assert!((200..300).contains(&revoked.status), "{}", revoked.json());
    // Long before a silent client is given up: that says something else, a minute later.
    let begun = std::time::Instant::now();
    assert_eq!(client.said(), Err(1008));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_events_of_a_job_are_followed_to_its_end() {
    let server = Server::start();
    let made = server.form("/v1/classify?wait=false", &borrowed(&record_100()), &[]);
    assert_eq!(made.status, 202);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {}/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-api-key: {OWNER_KEY}\r\n\r\n",
        made.location.unwrap()
    )
    .unwrap();
    let lines: Vec<String> = BufReader::new(stream).lines().map_while(Result::ok).collect();
    assert!(lines[0].starts_with("HTTP/1.1 200"), "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("data:") && line.contains("\"done\"")),
        "{lines:?}"
    );
}
