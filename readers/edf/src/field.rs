//! The fixed fields of a header, as the format wants them and as recorders write them.
//!
//! The format wants printable ASCII, left-justified and padded with blanks. Met in files, and accepted: padding with
//! NULs (what follows a NUL is not looked at), blanks in front, decimal commas, a `+`, exponents, whole numbers written
//! as `1.0`, and Latin-1 or UTF-8 letters in labels and units.

/// A field's text without its padding.
pub(crate) fn text(raw: &[u8]) -> String {
    let end = raw.iter().position(|byte| *byte == 0).unwrap_or(raw.len());
    let raw = &raw[..end];
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        Err(_) => raw.iter().map(|byte| char::from(*byte)).collect(),
    };
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control())
        .to_owned()
}

/// A finite number; a comma stands for a decimal point.
pub(crate) fn number(raw: &[u8]) -> Option<f64> {
    let text = text(raw).replace(',', ".");
    // Rust reads `inf` and `nan` too.
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let number: f64 = text.chars().all(digits).then(|| text.parse().ok())??;
    number.is_finite().then_some(number)
}

/// A whole number that a double holds exactly.
pub(crate) fn integer(raw: &[u8]) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number(raw)
        .filter(|number| number.fract() == 0.0 && number.abs() < EXACT)
        .map(|number| number as i64)
}

/// A name from outside, fit to be printed: no control characters, at most 80 characters.
pub(crate) fn shown(name: &str) -> String {
    let mut clean: String = name
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .take(81)
        .collect();
    if let Some((cut, _)) = clean.char_indices().nth(80) {
        clean.truncate(cut);
        clean.push_str("...");
    }
    clean
}

/// Names fit to be printed: the first twelve and how many more.
pub(crate) fn shown_list<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(12);
    let mut list = names.take(12).map(shown).collect::<Vec<_>>().join(", ");
    if more > 0 {
        list.push_str(&format!(" and {more} more"));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_recorders_write_them() {
        for (raw, value) in [
            (&b"-1000.00"[..], -1000.0),
            (b"  12    ", 12.0),
            (b"0,00125 ", 0.001_25),
            (b"+5\0garbag", 5.0),
            (b"1E-3    ", 1e-3),
            (b"32767.0\0", 32767.0),
        ] {
            assert_eq!(number(raw), Some(value), "{}", raw.escape_ascii());
        }
        for raw in [
            &b"        "[..],
            b"\0\0\0",
            b"inf",
            b"NaN",
            b"1e999",
            b"12 34",
            b"1.000,5",
            b"\xff5",
            b"0x10",
        ] {
            assert_eq!(number(raw), None, "{}", raw.escape_ascii());
        }
        assert_eq!(integer(b"32767.0 "), Some(32767));
        assert_eq!(integer(b"0.5"), None);
        assert_eq!(integer(b"1e300"), None);
    }

    #[test]
    fn labels_may_be_latin_1_or_utf_8() {
        assert_eq!(text(b" \xb5V  \0\0"), "\u{b5}V");
        assert_eq!(text("\u{3bc}V ".as_bytes()), "\u{3bc}V");
        assert_eq!(text(b"II\0\0V1"), "II");
    }
}
