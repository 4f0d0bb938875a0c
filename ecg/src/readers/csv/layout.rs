//! Delimiter, decimal sign and header of a table, from its first lines.

use super::lines;

/// Lines that may stand before the numbers.
const MOST_HEADER_LINES: usize = 64;

/// How a table is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub(super) delimiter: Delimiter,
    pub(super) decimal_comma: bool,
    /// Number (from one) of the first line of numbers.
    pub(super) first_line: usize,
    /// Fields of that line.
    pub(super) columns: usize,
    /// Lines of names and units before it, and comments.
    pub(super) header: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    Byte(u8),
    Blanks,
}

impl Layout {
    /// `None` when no line of numbers is near the start.
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        let mut header = Vec::new();
        for (number, line) in lines(bytes).take(MOST_HEADER_LINES) {
            if line.is_empty() {
                continue;
            }
            for (delimiter, decimal_comma) in [
                (Delimiter::Byte(b';'), line.contains(&b',')),
                (Delimiter::Byte(b'\t'), line.contains(&b',')),
                (Delimiter::Byte(b','), line.contains(&b'"')),
                (Delimiter::Blanks, line.contains(&b',')),
            ] {
                let layout = Self {
                    delimiter,
                    decimal_comma,
                    first_line: number,
                    columns: 0,
                    header: Vec::new(),
                };
                if let Delimiter::Byte(byte) = delimiter
                    && !line.contains(&byte)
                {
                    continue;
                }
                let mut columns = 0;
                let mut numbers = 0;
                let fits = layout.fields(line).all(|field| {
                    columns += 1;
                    let value = number_or_gap(field, decimal_comma);
                    numbers += usize::from(value.is_some_and(|value| value.is_finite()));
                    value.is_some() || super::time::clock(field).is_some()
                });
                if fits && numbers > 0 {
                    return Some(Self {
                        columns,
                        header,
                        ..layout
                    });
                }
            }
            header.push(String::from_utf8_lossy(&line[..line.len().min(4096)]).into_owned());
        }
        None
    }

    /// A line's fields, quotes and blanks cut.
    pub(super) fn fields<'a>(&self, line: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let delimiter = self.delimiter;
        let mut rest = Some(line);
        std::iter::from_fn(move || {
            let line = rest?;
            let (field, after) = match delimiter {
                Delimiter::Byte(byte) => split_at(line, byte),
                Delimiter::Blanks => {
                    let end = line.iter().position(u8::is_ascii_whitespace);
                    (
                        &line[..end.unwrap_or(line.len())],
                        end.map(|end| line[end..].trim_ascii_start()),
                    )
                }
            };
            rest = after;
            Some(unquoted(field))
        })
    }
}

/// Up to the next delimiter that is not inside double quotes.
fn split_at(line: &[u8], delimiter: u8) -> (&[u8], Option<&[u8]>) {
    let mut quoted = false;
    for (index, &byte) in line.iter().enumerate() {
        if byte == b'"' {
            quoted = !quoted;
        } else if byte == delimiter && !quoted {
            return (&line[..index], Some(&line[index + 1..]));
        }
    }
    (line, None)
}

fn unquoted(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    for quote in [b'"', b'\''] {
        if let Some(inner) = field
            .strip_prefix(&[quote])
            .and_then(|field| field.strip_suffix(&[quote]))
        {
            return inner.trim_ascii();
        }
    }
    field
}

/// A number, NaN for a gap (empty, `-`, `nan`, infinities), or `None` for anything else.
pub(super) fn number_or_gap(field: &[u8], decimal_comma: bool) -> Option<f64> {
    if field.is_empty() || field == b"-" || field.eq_ignore_ascii_case(b"na") || field.eq_ignore_ascii_case(b"null") {
        return Some(f64::NAN);
    }
    let parsed: Option<f64> = if decimal_comma && field.contains(&b',') {
        // Thousands are never grouped with commas where commas are decimal signs.
        let mut text = [0; 64];
        let text = text.get_mut(..field.len())?;
        text.copy_from_slice(field);
        text.iter_mut()
            .for_each(|byte| *byte = if *byte == b',' { b'.' } else { *byte });
        fast_float2::parse(&*text).ok()
    } else {
        fast_float2::parse(field).ok()
    };
    parsed.map(|value| if value.is_finite() { value } else { f64::NAN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_understood_however_they_are_written() {
        for (text, delimiter, decimal_comma, columns) in [
            ("time,II\n0.0,1.5\n", Delimiter::Byte(b','), false, 2),
            ("t;II\n0,004;-1,25\n", Delimiter::Byte(b';'), true, 2),
            ("0.1\t0.2\t0.3\n", Delimiter::Byte(b'\t'), false, 3),
            ("# comment\n1 2  3\n", Delimiter::Blanks, false, 3),
            ("\"-265,868\"\n", Delimiter::Byte(b','), true, 1),
            ("-20,-25,,,\n", Delimiter::Byte(b','), false, 5),
        ] {
            let layout = Layout::find(text.as_bytes()).unwrap();
            assert_eq!(
                (layout.delimiter, layout.decimal_comma, layout.columns),
                (delimiter, decimal_comma, columns),
                "{text}"
            );
        }
        assert_eq!(Layout::find(b"Dear doctor,\nnothing here\n"), None);
        assert_eq!(Layout::find(b",,,\n"), None);
    }
}
