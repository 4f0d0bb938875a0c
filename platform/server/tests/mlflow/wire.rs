//! A wire to an MLflow server that cuts, dawdles and lies where a network is downloaded.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens to the download of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    Whole,
    /// The connection ends when this many percent of the file have passed.
    Cut(usize),
    /// Half of the file, then nothing for longer than anybody waits.
    Stalled,
    /// All of it, over a second.
    Slow,
    /// Content-Length says one byte more than there is, or one less.
    Longer,
    Shorter,
}

pub(crate) struct Wire {
    pub(crate) url: String,
    fault: Arc<Mutex<Fault>>,
}

impl Wire {
    /// One request for each connection, so that every answer ends where its connection does.
    pub(crate) fn to(far: u16, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fault = Arc::new(Mutex::new(fault));
        let shared = Arc::clone(&fault);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let fault = *shared.lock().unwrap();
                std::thread::spawn(move || {
                    // A client that goes away is no failure of the wire's.
                    let _ = pass(near, far, fault);
                });
            }
        });
        Self { url, fault }
    }

    pub(crate) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }
}

fn pass(mut near: TcpStream, far: u16, fault: Fault) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        near.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let mut far = TcpStream::connect(("127.0.0.1", far))?;
    far.write_all(request.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes())?;
    let mut answer = Vec::new();
    far.read_to_end(&mut answer)?;
    let path = request.split(' ').nth(1).unwrap_or_default();
    if !path.ends_with(".onnx") {
        return near.write_all(&answer);
    }
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or_default()
        + 4;
    let (head, body) = answer.split_at(end);
    let head = String::from_utf8_lossy(head).into_owned();
    // Where the rest of a file is asked for, the cut is still where it was.
    let start = header(&head, "content-range:").and_then(|range| {
        let (start, _) = range.trim().strip_prefix("bytes ")?.split_once('-')?;
        start.parse().ok()
    });
    let start: usize = start.unwrap_or(0);
    let upto = |percent: usize| {
        ((start + body.len()) * percent / 100)
            .saturating_sub(start)
            .min(body.len())
    };
    match fault {
        Fault::Whole => near.write_all(&answer),
        Fault::Cut(percent) => {
            near.write_all(head.as_bytes())?;
            near.write_all(&body[..upto(percent)])
        }
        Fault::Stalled => {
            near.write_all(head.as_bytes())?;
            near.write_all(&body[..upto(50)])?;
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        Fault::Slow => {
            near.write_all(head.as_bytes())?;
            for piece in body.chunks(body.len().div_ceil(20).max(1)) {
                near.write_all(piece)?;
                std::thread::sleep(Duration::from_millis(50));
            }
            Ok(())
        }
        Fault::Longer => near.write_all(&relabelled(&head, body, body.len() + 1)),
        Fault::Shorter => near.write_all(&relabelled(&head, body, body.len() - 1)),
    }
}

/// The value of a header; its name in small letters with the colon.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let line = head
        .split("\r\n")
        .find(|line| line.to_ascii_lowercase().starts_with(name))?;
    Some(&line[name.len()..])
}

fn relabelled(head: &str, body: &[u8], length: usize) -> Vec<u8> {
    let kept = head.trim_end().split("\r\n");
    let kept: Vec<_> = kept
        .filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"))
        .collect();
    let head = format!("{}\r\nContent-Length: {length}\r\n\r\n", kept.join("\r\n"));
    [head.as_bytes(), body].concat()
}
