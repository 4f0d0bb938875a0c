//! The document as annotations, so that WAVE, LightWAVE, rdann and bxb read it.

use crate::document::Document;
use einthoven_ecg::annotation::{Annotation, code};
use einthoven_ecg::beat::BeatClass;

/// Subtype of a NOISE annotation that begins a shutdown span (bits 4 and 5); any other ends it (bxb's convention).
const SHUTDOWN: i8 = 0x30;

/// Beats with their classes, unreadable spans as shutdown, and a note at the start that names model and digest.
///
/// Beats in unreadable spans are left out: inside shutdown nothing is said.
#[must_use]
pub fn annotations(document: &Document) -> Vec<Annotation> {
    let rate = document.recording.sampling_rate_hz;
    let note = format!(
        "einthoven {} {} {} {}; {}",
        document.model.name, document.model.version, document.model.digest, document.model.recipe, document.notice
    );
    let mut all = vec![Annotation {
        sample: 0,
        code: code::COMMENT,
        aux: note.into_bytes(),
        ..Annotation::default()
    }];
    for span in &document.unreadable {
        let at = |seconds: f64| (seconds * rate).round().max(0.0) as u64;
        let noise = Annotation {
            code: code::NOISE,
            ..Annotation::default()
        };
        all.push(Annotation {
            sample: at(span.start_s),
            subtype: SHUTDOWN,
            ..noise.clone()
        });
        all.push(Annotation {
            sample: at(span.end_s),
            subtype: 0,
            ..noise
        });
    }
    for beat in &document.beats {
        if let Some(class) = beat.class {
            all.push(Annotation {
                sample: beat.sample as u64,
                code: beat_code(class),
                ..Annotation::default()
            });
        }
    }
    all.sort_by_key(|annotation| annotation.sample);
    all
}

fn beat_code(class: BeatClass) -> u8 {
    match class {
        BeatClass::N => code::NORMAL,
        BeatClass::S => code::SUPRAVENTRICULAR,
        BeatClass::V => code::PVC,
        BeatClass::F => code::FUSION,
        BeatClass::Q => code::UNKNOWN,
    }
}
