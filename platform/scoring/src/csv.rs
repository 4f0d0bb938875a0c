//! Tables of commas, by RFC 4180: quotes around cells, two quotes for one.

use crate::error::ScoringError;

/// Names of columns, and rows of cells as JSON writes them: a number as it is, all else in quotes.
pub(crate) fn read(body: &[u8]) -> Result<(Vec<String>, Vec<Vec<String>>), ScoringError> {
    let wrong = |detail: &str| ScoringError::new("body", detail);
    let text = std::str::from_utf8(body).map_err(|_| wrong("the table is not UTF-8"))?;
    let mut lines = records(text.trim_start_matches('\u{feff}')).map_err(wrong)?.into_iter();
    let columns = lines
        .next()
        .ok_or_else(|| wrong("the table is empty; its first line names its columns"))?;
    let columns = columns.into_iter().map(|cell| cell.trim().to_owned()).collect();
    let rows = lines
        .map(|line| line.iter().map(|cell| value(cell)).collect())
        .collect();
    Ok((columns, rows))
}

/// A number as JSON has it, or a string.
fn value(cell: &str) -> String {
    let cell = cell.trim();
    let truth = match cell {
        "True" | "TRUE" => "true",
        "False" | "FALSE" => "false",
        _ => cell,
    };
    if serde_json::from_str::<serde::de::IgnoredAny>(truth).is_ok() && !truth.starts_with(['{', '"']) {
        return truth.to_owned();
    }
    // Numbers that JSON writes otherwise: `.5`, `+1`, `1.`.
    match cell.parse::<f64>() {
        Ok(number) if number.is_finite() => number.to_string(),
        _ => serde_json::Value::from(cell).to_string(),
    }
}

fn records(text: &str) -> Result<Vec<Vec<String>>, &'static str> {
    let (mut lines, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    let (mut quoted, mut was_quoted) = (false, false);
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() && !was_quoted => {
                cell.clear();
                (quoted, was_quoted) = (true, true);
            }
            ',' if !quoted => {
                line.push(std::mem::take(&mut cell));
                was_quoted = false;
            }
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                line.push(std::mem::take(&mut cell));
                was_quoted = false;
                lines.push(std::mem::take(&mut line));
            }
            letter => cell.push(letter),
        }
    }
    if quoted {
        return Err("a quote in the table has no end");
    }
    if !cell.is_empty() || !line.is_empty() {
        line.push(cell);
        lines.push(line);
    }
    // Empty lines are no rows.
    lines.retain(|line| line.len() > 1 || line.iter().any(|cell| !cell.trim().is_empty()));
    Ok(lines)
}
