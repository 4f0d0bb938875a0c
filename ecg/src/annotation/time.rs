//! The time base of an annotation file.

use super::{Annotation, code};

/// The note an annotation file begins with when its times do not count the record's own frames.
const RESOLUTION: &[u8] = b"## time resolution:";

/// The annotation file's own ticks per second, where its first annotations state them.
#[must_use]
pub fn time_resolution(annotations: &[Annotation]) -> Option<f64> {
    annotations
        .iter()
        .take_while(|annotation| annotation.sample == 0)
        .find_map(resolution_of)
}

fn resolution_of(annotation: &Annotation) -> Option<f64> {
    if annotation.code != code::COMMENT {
        return None;
    }
    let text = annotation.aux.strip_prefix(RESOLUTION)?;
    let text = std::str::from_utf8(text).ok()?.trim_matches(['\0', ' ', '\t']);
    text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0)
}

/// The same annotations with their samples counted at another rate, rounded once; the note that states the old time
/// resolution is left out. Both rates must be above zero.
#[must_use]
pub fn at_rate(mut annotations: Vec<Annotation>, from_hz: f64, to_hz: f64) -> Vec<Annotation> {
    annotations.retain(|annotation| annotation.sample != 0 || resolution_of(annotation).is_none());
    if from_hz != to_hz {
        let scale = to_hz / from_hz;
        for annotation in &mut annotations {
            annotation.sample = (annotation.sample as f64 * scale).round() as u64;
        }
    }
    annotations
}
