//! The time column: what it says about the sampling rate.

/// `h:mm:ss.mmm` or `mm:ss.mmm` as seconds.
pub(super) fn clock(field: &[u8]) -> Option<f64> {
    if !field.contains(&b':') {
        return None;
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches(|c| c == '[' || c == ']');
    text.split(':').try_fold(0.0, |seconds, part| {
        let value: f64 = part.trim().parse().ok()?;
        (value.is_finite() && value >= 0.0).then_some(seconds * 60.0 + value)
    })
}

/// The sampling rate of equally spaced times in seconds, or the row at which they are not.
///
/// Times are printed rounded, so single steps wander; the whole span tells the rate, and each time must lie within one
/// step of its place. Rates within 0.05 % of a whole number are that number.
pub(super) fn rate(times_s: &[f64]) -> Result<f64, usize> {
    let (Some(first), Some(last)) = (times_s.first(), times_s.last()) else {
        return Err(0);
    };
    let step = (last - first) / (times_s.len() as f64 - 1.0);
    if times_s.len() < 2 || !(step.is_finite() && step > 0.0) {
        return Err(times_s.len().saturating_sub(1));
    }
    for (index, time) in times_s.iter().enumerate() {
        if !((time - first - step * index as f64).abs() <= step) {
            return Err(index);
        }
    }
    let rate = 1.0 / step;
    let whole = rate.round();
    Ok(if whole > 0.0 && (rate / whole - 1.0).abs() < 5e-4 {
        whole
    } else {
        rate
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_times_tell_the_rate_and_a_gap_is_found() {
        let rounded: Vec<f64> = (0..3600)
            .map(|i| (f64::from(i) / 360.0 * 1000.0).round() / 1000.0)
            .collect();
        assert_eq!(rate(&rounded), Ok(360.0));
        let mut gap = rounded;
        for time in &mut gap[2000..] {
            *time += 1.0;
        }
        assert!(rate(&gap).is_err());
        assert!(rate(&[1.0]).is_err() && rate(&[]).is_err() && rate(&[1.0, 1.0]).is_err());
        assert_eq!(clock(b"1:02.500"), Some(62.5));
        assert_eq!(clock(b"noon:1"), None);
    }
}
