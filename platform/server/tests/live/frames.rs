//! HTTP/2 frame by frame, and the messages of gRPC for it.

use std::io::{Read, Write};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
/// Bytes of a frame that every server takes.
const LONGEST: usize = 16_384;
/// The reason of a reset by who does not want the answer any more.
const CANCEL: u32 = 8;

/// A connection whose requests are asked one after the other; their bodies must fit the window that there is at first.
pub(crate) struct Http2<S> {
    stream: S,
    next: u32,
}

/// An answer whose header is as it was packed.
pub(crate) struct Answered {
    header: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Answered {
    /// Whether its status is 200, which stands first, and as one byte.
    pub(crate) fn is_ok(&self) -> bool {
        self.header.first() == Some(&0x88)
    }
}

impl<S: Read + Write> Http2<S> {
    pub(crate) fn open(mut stream: S) -> Self {
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        let mut this = Self { stream, next: 1 };
        this.send(SETTINGS, 0, 0, &[]);
        this
    }

    fn send(&mut self, kind: u8, flags: u8, id: u32, content: &[u8]) {
        let length = &(content.len() as u32).to_be_bytes()[1..];
        let frame = [length, &[kind, flags], &id.to_be_bytes(), content].concat();
        self.stream.write_all(&frame).unwrap();
        self.stream.flush().unwrap();
    }

    /// Asks, and gives the number of the stream.
    pub(crate) fn ask(&mut self, headers: &[(&str, &str)], body: &[u8]) -> u32 {
        let id = self.next;
        self.next += 2;
        let mut packed = Vec::new();
        for (name, value) in headers {
            packed.push(0);
            for text in [name, value] {
                // Longer ones have more bytes of length.
                assert!(text.len() < 127);
                packed.push(text.len() as u8);
                packed.extend(text.as_bytes());
            }
        }
        let end = if body.is_empty() { END_STREAM } else { 0 };
        self.send(HEADERS, END_HEADERS | end, id, &packed);
        let mut left = body;
        while !left.is_empty() {
            let (piece, rest) = left.split_at(left.len().min(LONGEST));
            left = rest;
            self.send(DATA, if left.is_empty() { END_STREAM } else { 0 }, id, piece);
        }
        id
    }

    /// Does not want that answer any more.
    pub(crate) fn cancel(&mut self, id: u32) {
        self.send(RESET, 0, id, &CANCEL.to_be_bytes());
    }

    /// Waits for the whole of an answer.
    pub(crate) fn answer(&mut self, wanted: u32) -> Answered {
        let (mut header, mut body) = (Vec::new(), Vec::new());
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let (kind, flags, mut content) = (head[3], head[4], vec![0; length]);
            self.stream.read_exact(&mut content).unwrap();
            if kind == SETTINGS && flags & ACK == 0 {
                self.send(SETTINGS, ACK, 0, &[]);
            }
            if id != wanted {
                continue;
            }
            match kind {
                HEADERS => header.extend(content),
                DATA => body.extend(content),
                RESET => panic!("the answer is refused: {content:?}"),
                _ => continue,
            }
            if flags & END_STREAM != 0 {
                return Answered { header, body };
            }
        }
    }
}

/// A field of a protobuf message that holds bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 0x7f {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(content);
    out
}

/// A call for one row of two values, of that priority, as gRPC sends it.
pub(crate) fn infer(model: &str, value: f32, priority: u8) -> Vec<u8> {
    // Shape and parameter: a list of numbers, a number.
    let tensor = [field(1, b"x"), field(2, b"FP32"), field(3, &[1, 2])].concat();
    let priority = [field(1, b"priority"), field(2, &[2 << 3, priority])].concat();
    let row = [value.to_le_bytes(), value.to_le_bytes()].concat();
    let message = [
        field(1, model.as_bytes()),
        field(4, &priority),
        field(5, &tensor),
        field(7, &row),
    ]
    .concat();
    [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat()
}
