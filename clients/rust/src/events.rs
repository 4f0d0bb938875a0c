//! Server-sent events of a job.

use serde_json::{Map, Value};

/// One thing that happened to a job.
#[derive(Clone, Debug)]
pub struct Event {
    /// What to go on after.
    pub id: String,
    /// `state` or `progress`.
    pub kind: String,
    /// `state`, and while it runs how far it is.
    pub data: Map<String, Value>,
}

impl Event {
    /// Whether nothing follows.
    #[must_use]
    pub fn ends(&self) -> bool {
        let state = self.data.get("state").and_then(Value::as_str);
        state.is_some_and(|state| ["done", "failed", "cancelled"].contains(&state))
    }

    /// Per cent that are done, where it says so.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        self.data.get("percent")?.as_f64()
    }
}

/// Puts bytes of a stream together to events.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.rest.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.rest.windows(2).position(|two| two == b"\n\n") {
            let block: Vec<u8> = self.rest.drain(..end + 2).collect();
            events.extend(event(&String::from_utf8_lossy(&block)));
        }
        events
    }
}

/// The event of a block; none in one that only keeps the connection open.
fn event(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let mut lines = block
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        lines.next().map(|value| value.trim_start().to_owned())
    };
    Some(Event {
        data: serde_json::from_str(&field("data")?).ok()?,
        id: field("id").unwrap_or_default(),
        kind: field("event").unwrap_or_else(|| "message".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::Lines;

    #[test]
    fn events_come_out_wherever_the_bytes_were_cut() {
        let text = b": here\n\nid: 7\nevent: progress\ndata: {\"percent\": 40}\n\nid: 8\nevent: state\ndata: {\"state\": \"done\"}\n\n";
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            let mut events = lines.take(&text[..cut]);
            events.extend(lines.take(&text[cut..]));
            assert_eq!(events.len(), 2, "cut at {cut}");
            assert_eq!((events[0].id.as_str(), events[0].percent()), ("7", Some(40.0)));
            assert!(!events[0].ends() && events[1].ends());
        }
    }
}
