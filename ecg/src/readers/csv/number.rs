//! One cell of a table.

/// What separates cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// One byte: comma, semicolon or tab.
    Byte(u8),
    /// Any run of blanks and tabs.
    Blanks,
    /// Nothing: each line is one cell.
    None,
}

/// Cells of one line. Delimiters inside double quotes do not count.
pub(super) fn cells(line: &[u8], delimiter: Delimiter) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        match delimiter {
            Delimiter::None => rest = None,
            Delimiter::Blanks => {
                let line = line.trim_ascii();
                if line.is_empty() {
                    rest = None;
                    return None;
                }
                let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
                rest = Some(&line[end..]);
                return Some(&line[..end]);
            }
            Delimiter::Byte(byte) => {
                let mut quoted = false;
                let end = line.iter().position(|b| {
                    quoted ^= *b == b'"';
                    *b == byte && !quoted
                });
                rest = end.map(|end| &line[end + 1..]);
                return Some(line[..end.unwrap_or(line.len())].trim_ascii());
            }
        }
        Some(line.trim_ascii())
    })
}

/// A cell without quotes, brackets and blanks around it.
pub(super) fn bare(cell: &[u8]) -> &[u8] {
    let mut cell = cell.trim_ascii();
    for (open, close) in [(b'"', b'"'), (b'\'', b'\''), (b'[', b']')] {
        if let [first, inner @ .., last] = cell
            && *first == open
            && *last == close
        {
            cell = inner.trim_ascii();
        }
    }
    cell
}

/// A number in a cell: quotes, a leading plus and, where the table has them, decimal commas are understood. NaN stands
/// for empty cells and for the words people write for a missing value; infinities are no samples and become NaN too.
pub(super) fn value(cell: &[u8], decimal_comma: bool) -> Option<f64> {
    let quoted = matches!(cell.first(), Some(b'"'));
    let cell = bare(cell);
    if is_missing(cell) {
        return Some(f64::NAN);
    }
    let cell = cell.strip_prefix(b"+").unwrap_or(cell);
    let number: f64 = if (decimal_comma || quoted) && cell.contains(&b',') {
        let mut buffer = [0_u8; 64];
        let copy = buffer.get_mut(..cell.len())?;
        copy.copy_from_slice(cell);
        let comma = copy.iter().position(|b| *b == b',')?;
        copy[comma] = b'.';
        fast_float2::parse(&*copy).ok()?
    } else {
        fast_float2::parse(cell).ok()?
    };
    Some(if number.is_finite() { number } else { f64::NAN })
}

fn is_missing(cell: &[u8]) -> bool {
    const WORDS: [&[u8]; 9] = [b"", b"-", b"?", b"nan", b"na", b"n/a", b"null", b"none", b"#n/a"];
    WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// Seconds from a time of day (`1:02:03.004`, `[10:31:00.5 01/02/2003]`, `2003-02-01T10:31:00.5Z`) or a number.
pub(super) fn seconds(cell: &[u8], decimal_comma: bool) -> Option<f64> {
    if let Some(number) = value(cell, decimal_comma) {
        return Some(number);
    }
    let text = std::str::from_utf8(bare(bare(cell))).ok()?;
    let clock = text.split([' ', 'T']).find(|part| part.contains(':'))?;
    let clock = clock.split(['Z', '+']).next()?;
    let mut total = 0.0;
    let mut parts = 0;
    for part in clock.split(':') {
        let part: f64 = part.replace(',', ".").parse().ok()?;
        if !(0.0..1e6).contains(&part) {
            return None;
        }
        total = total * 60.0 + part;
        parts += 1;
    }
    (2..=3).contains(&parts).then_some(total)
}
