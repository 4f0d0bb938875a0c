//! Any bytes as a line of the registry's log: there is one way to write an entry, so what is read is written back the same.
#![no_main]

use einthoven_registry_log::Line;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(line) = Line::parse(data) else {
        return;
    };
    let more = if line.more { "\"more\":true," } else { "" };
    let written = format!(
        "{{\"seq\":{},\"previous\":\"{}\",\"hash\":\"{}\",{more}\"body\":{}}}",
        line.seq, line.previous, line.hash, line.body
    );
    assert_eq!(written.as_bytes(), data);
});
