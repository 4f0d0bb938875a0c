//! Which names of requests are kept.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of a request, which it bears from now on: the one it came with, where a program made that (16 to 64 hexadecimal digits and
/// hyphens), else a new one. It stands in logs, so it must not be able to hold what people write, such as a name or a birth date.
pub fn own_request_id(headers: &mut HeaderMap) -> HeaderValue {
    if let Some(id) = headers.get(REQUEST_ID).filter(|id| is_random(id)) {
        return id.clone();
    }
    let mut text = Uuid::encode_buffer();
    let text: &str = Uuid::new_v4().hyphenated().encode_lower(&mut text);
    // Its letters are all that a header may hold.
    let id = HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("0"));
    headers.insert(REQUEST_ID, id.clone());
    id
}

/// Birth dates and record numbers are shorter, and names have other letters.
fn is_random(id: &HeaderValue) -> bool {
    let id = id.as_bytes();
    let digits = id.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
    id.len() <= 64 && digits >= 16 && id.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

/// The caller's place in a trace, as a `traceparent` says it.
pub(crate) struct TraceParent<'a> {
    /// 32 hexadecimal digits, not all of them zero.
    pub(crate) trace: &'a str,
    /// 16 of them.
    pub(crate) span: &'a str,
    /// Whether the caller records it.
    pub(crate) sampled: bool,
}

/// What a `traceparent` says (W3C Trace Context 1, section 3.2), where it is one.
pub(crate) fn trace_parent(traceparent: &HeaderValue) -> Option<TraceParent<'_>> {
    let text = traceparent.to_str().ok()?;
    let mut parts = text.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let whole = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    let some = trace.bytes().any(|byte| byte != b'0') && parent.bytes().any(|byte| byte != b'0');
    let ends = version != "00" || parts.next().is_none();
    let sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
    (whole && some && ends).then_some(TraceParent {
        trace,
        span: parent,
        sampled,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_program_made_names_a_request() {
        for id in [
            "0192f0c1-7b1a-7a3e-8c55-6f1f3f0a9d10",
            "4bf92f3577b34da6a3ce929d0e0e4736",
        ] {
            assert!(is_random(&HeaderValue::from_static(id)), "{id}");
        }
        for id in [
            "Jane Doe",
            "MRN-1950-01-02",
            "1950-01-02",
            "",
            "ada-decade-faced",
            "0192f0c1-7b1a-7a3e-8c55-6f1f3f0a9d1z",
        ] {
            assert!(!is_random(&HeaderValue::from_static(id)), "{id}");
        }
        assert!(!is_random(&HeaderValue::from_str(&"a".repeat(65)).unwrap()));
    }

    #[test]
    fn a_trace_is_taken_only_from_a_whole_traceparent() {
        let of = |text| trace_parent(&HeaderValue::from_static(text)).map(|parent| parent.trace.to_owned());
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(
            of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").as_deref(),
            Some(trace)
        );
        assert_eq!(
            of("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later").as_deref(),
            Some(trace)
        );
        for wrong in [
            "",
            "Jane-Doe-1950-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
