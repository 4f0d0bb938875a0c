//! Annotations as the run-by-run comparison sees them: what makes a run longer, what ends it, and rhythm episodes.

use super::timeline::{is_shutdown, sample_time};
use crate::annotation::{Annotation, Mapping, code};
use crate::beat::BeatClass;

/// What an annotation is to runs of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A beat of the run's kind.
    Ectopic,
    /// Any other beat.
    OtherBeat,
    /// Fibrillation of the run's own chamber begins: ventricular for V, atrial for S.
    EpisodeOn,
    /// It ends.
    EpisodeOff,
    /// Fibrillation of the other chamber begins.
    OtherEpisodeOn,
    /// It ends.
    OtherEpisodeOff,
    /// The signal becomes unreadable.
    Unreadable,
}

/// An annotation that matters to runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) time: i64,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Rhythm {
    Atrial,
    Ventricular,
    Other,
}

/// The events of a list, in order of time, for runs of V or (any other class) S.
pub(super) fn events(annotations: &[Annotation], mapping: Mapping, class: BeatClass) -> Vec<Event> {
    let ventricular = class == BeatClass::V;
    let mut sorted: Vec<&Annotation> = annotations.iter().collect();
    sorted.sort_by_key(|annotation| annotation.sample);
    let (mut rhythm, mut unreadable) = (Rhythm::Other, false);
    let mut events = Vec::new();
    for annotation in sorted {
        let kind = if let Some(beat) = mapping.class(annotation.code) {
            Some(beat_kind(beat, ventricular, rhythm))
        } else if annotation.code == code::NOISE {
            let was = std::mem::replace(&mut unreadable, is_shutdown(annotation));
            (unreadable && !was).then_some(Kind::Unreadable)
        } else {
            next_rhythm(annotation, rhythm).and_then(|next| {
                let was = std::mem::replace(&mut rhythm, next);
                episode_kind(was, next, ventricular)
            })
        };
        events.extend(kind.map(|kind| Event {
            time: sample_time(annotation.sample),
            kind,
        }));
    }
    events
}

fn beat_kind(beat: BeatClass, ventricular: bool, rhythm: Rhythm) -> Kind {
    let ectopic = match beat {
        BeatClass::V | BeatClass::F => ventricular,
        BeatClass::S => !ventricular,
        BeatClass::N => !ventricular && rhythm == Rhythm::Atrial,
        BeatClass::Q => false,
    };
    if ectopic { Kind::Ectopic } else { Kind::OtherBeat }
}

/// The rhythm that an annotation begins, or `None` where it says nothing about it.
fn next_rhythm(annotation: &Annotation, rhythm: Rhythm) -> Option<Rhythm> {
    match annotation.code {
        code::VF_ONSET => Some(Rhythm::Ventricular),
        code::VF_OFFSET => (rhythm == Rhythm::Ventricular).then_some(Rhythm::Other),
        code::RHYTHM if annotation.aux.starts_with(b"(AF") => Some(Rhythm::Atrial),
        code::RHYTHM if annotation.aux.starts_with(b"(VF") => Some(Rhythm::Ventricular),
        code::RHYTHM if !annotation.aux.is_empty() => Some(Rhythm::Other),
        _ => None,
    }
}

/// What a change of rhythm is to runs; a beginning counts before an end, as an annotation has one meaning in rxr.
fn episode_kind(was: Rhythm, next: Rhythm, ventricular: bool) -> Option<Kind> {
    let own = if ventricular {
        Rhythm::Ventricular
    } else {
        Rhythm::Atrial
    };
    Some(match (was, next) {
        (was, next) if was == next => return None,
        (_, Rhythm::Other) if was == own => Kind::EpisodeOff,
        (_, Rhythm::Other) => Kind::OtherEpisodeOff,
        (_, next) if next == own => Kind::EpisodeOn,
        _ => Kind::OtherEpisodeOn,
    })
}
