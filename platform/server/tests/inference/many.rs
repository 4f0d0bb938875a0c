//! Many callers at once over HTTP: whatever is batched with whatever, each has its own answer.

use crate::client::{OWNER_KEY, Server};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

const REQUESTS: usize = 10_000;
const CONNECTIONS: usize = 64;
/// Rows that differ from each other; a request holds some that follow each other.
const DISTINCT: usize = 251;
const MOST_ROWS: usize = 5;
const COLUMNS: usize = 187;
/// Longest wait for an answer; far more than any takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Of a batch and of one row alone, on the one engine that this server has.
const TOLERANCE: f32 = 1e-6;

/// Its number is in its samples: a pulse that lies and rises by it.
fn row(number: usize) -> impl Iterator<Item = f32> {
    let (at, height) = (number % COLUMNS, 0.3 + number as f32 / DISTINCT as f32);
    (0..COLUMNS).map(move |place| height / (1.0 + (place.abs_diff(at) as f32 / 4.0).powi(2)))
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    /// The probabilities of so many rows from `first` on; what the request is called comes back with them.
    fn ask(&mut self, id: &str, first: usize, rows: usize) -> Vec<f32> {
        let json = json!({
            "id": id,
            "inputs": [{
                "name": "row", "shape": [rows, 1, COLUMNS], "datatype": "FP32",
                "parameters": {"binary_data_size": rows * COLUMNS * 4},
            }],
        })
        .to_string();
        let values = (first..first + rows).flat_map(|number| row(number % DISTINCT));
        let data: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
        let head = format!(
            "POST /v2/models/heartbeat-row/infer HTTP/1.1\r\nhost: localhost\r\nx-api-key: {OWNER_KEY}\r\n\
             inference-header-content-length: {}\r\ncontent-length: {}\r\n\r\n{json}",
            json.len(),
            json.len() + data.len()
        );
        self.0.get_mut().write_all(&[head.as_bytes(), &data].concat()).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        self.0.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{id}: {line}");
        while !line.trim_end().is_empty() {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer["id"], id);
        let data = answer["outputs"][0]["data"].as_array().unwrap();
        data.iter().map(|value| value.as_f64().unwrap() as f32).collect()
    }
}

#[test]
fn ten_thousand_requests_over_64_connections_have_each_its_own_answer() {
    let server = Server::start();
    let mut one = Connection::open(&server.address);
    let alone: Arc<Vec<Vec<f32>>> = Arc::new((0..DISTINCT).map(|number| one.ask("alone", number, 1)).collect());
    // Else one's answer could pass for another's.
    let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).any(|(a, b)| (a - b).abs() > 10.0 * TOLERANCE);
    let pairs = (1..DISTINCT).filter(|number| apart(&alone[*number], &alone[number - 1]));
    assert!(pairs.count() + 5 > DISTINCT);
    let callers: Vec<_> = (0..CONNECTIONS)
        .map(|caller| {
            let (address, alone) = (server.address.clone(), Arc::clone(&alone));
            std::thread::spawn(move || {
                let mut connection = Connection::open(&address);
                for number in (caller..REQUESTS).step_by(CONNECTIONS) {
                    let (first, rows) = (number * 7 % DISTINCT, 1 + number % MOST_ROWS);
                    let said = connection.ask(&number.to_string(), first, rows);
                    let expected = (first..first + rows).flat_map(|one| &alone[one % DISTINCT]);
                    assert_eq!(said.len(), rows * alone[0].len());
                    for (said, expected) in said.iter().zip(expected) {
                        assert!(
                            (said - expected).abs() <= TOLERANCE,
                            "request {number} of {rows} rows: {said} where one row alone gets {expected}"
                        );
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().unwrap();
    }
}
