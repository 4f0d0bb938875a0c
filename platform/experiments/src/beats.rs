//! From beats to what is known of a recording.

use crate::figure::Matrix;
use crate::recording::{Answer, Difference, MOST_LISTED, Recording, Together};
use einthoven_ecg::annotation::{Annotation, code};
use einthoven_ecg::beat::BeatClass;
use einthoven_ecg::score::{Calibration, Rules, compare};
use serde::{Deserialize, Serialize};

const NONE: usize = 5;

/// A beat that a version found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// R peak, in samples.
    pub sample: u64,
    /// Its class; none where nothing was said.
    pub class: Option<BeatClass>,
    /// Probability of the class, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

/// A labelled beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// R peak, in samples.
    pub sample: u64,
    /// Its class; none where there is no beat.
    pub class: Option<BeatClass>,
}

/// What is known to be true of a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Truth<'a> {
    /// Every beat, as a reference annotation file has them: what is found beside them is wrong.
    Whole(&'a [Label]),
    /// Single beats: nothing is known of the others, and they are not counted.
    Some(&'a [Label]),
}

/// Rules of EC57 without its learning time: versions that are compared here do not learn from the recording.
fn rules() -> Rules {
    Rules {
        start_s: 0.0,
        ..Rules::default()
    }
}

impl Recording {
    /// Puts together what both versions said about a recording at `rate_hz`, and compares it with the truth. Beats may come in
    /// any order; a version that did not see the recording is `None`.
    #[must_use]
    pub fn of(
        id: &str,
        rate_hz: f64,
        champion: Option<&[Beat]>,
        challenger: Option<&[Beat]>,
        truth: Option<Truth<'_>>,
    ) -> Self {
        let read = |beats: &[Beat]| Read::of(beats, rate_hz, truth);
        let (champion, challenger) = (champion.map(read), challenger.map(read));
        let together = champion.as_ref().zip(challenger.as_ref());
        Self {
            id: id.to_owned(),
            group: None,
            together: together.map(|(champion, challenger)| beside(champion, challenger, rate_hz)),
            champion: champion.map(|read| read.answer),
            challenger: challenger.map(|read| read.answer),
        }
    }
}

/// A version's beats in order, and what they truly are.
struct Read {
    beats: Vec<Beat>,
    truth: Vec<Option<BeatClass>>,
    answer: Answer,
}

impl Read {
    fn of(beats: &[Beat], rate_hz: f64, truth: Option<Truth<'_>>) -> Self {
        let mut beats = beats.to_vec();
        beats.sort_by_key(|beat| beat.sample);
        let mut read = Self {
            truth: vec![None; beats.len()],
            answer: Answer::default(),
            beats,
        };
        for beat in &read.beats {
            match beat.class {
                Some(class) => read.answer.said[class as usize] += 1,
                None => read.answer.withheld += 1,
            }
        }
        match truth {
            Some(Truth::Whole(labels)) => read.score(labels, false, rate_hz),
            Some(Truth::Some(labels)) if !labels.is_empty() => read.score(labels, true, rate_hz),
            _ => {}
        }
        read
    }

    fn score(&mut self, labels: &[Label], partial: bool, rate_hz: f64) {
        let reference: Vec<Annotation> = labels
            .iter()
            .filter_map(|label| Some(mark(label.sample, label.class?)))
            .collect();
        let (test, origin) = annotations(&self.beats);
        let comparison = compare(&reference, &test, rate_hz, &rules());
        let mut matrix: Matrix = comparison.matrix;
        let mut calibration = Calibration::default();
        for (at, class) in comparison.pairs {
            let Some(index) = origin.get(at).copied().flatten() else {
                continue;
            };
            self.truth[index] = Some(class);
            let beat = self.beats[index];
            if let Some(confidence) = beat.confidence.filter(|value| (0.0..=1.0).contains(value)) {
                calibration.add(confidence, beat.class == Some(class));
            }
        }
        if partial {
            matrix[5] = [0; 7];
            matrix[6] = [0; 7];
            // A beat where a reader says there is none; it can be that only once.
            let window = (rules().window_s * rate_hz) as u64;
            let mut free: Vec<bool> = self.truth.iter().map(Option::is_none).collect();
            for label in labels.iter().filter(|label| label.class.is_none()) {
                let from = label.sample.saturating_sub(window);
                let first = self.beats.partition_point(|beat| beat.sample < from);
                let near = self.beats[first..]
                    .iter()
                    .take_while(|beat| beat.sample <= label.sample.saturating_add(window));
                let found = near
                    .enumerate()
                    .filter(|(at, _)| free[first + at])
                    .min_by_key(|(_, beat)| beat.sample.abs_diff(label.sample));
                if let Some((at, class)) = found.and_then(|(at, beat)| Some((at, beat.class?))) {
                    free[first + at] = false;
                    matrix[5][class as usize] += 1;
                }
            }
        }
        self.answer.matrix = Some(matrix);
        self.answer.partial = partial;
        self.answer.calibration_error = calibration.error();
    }
}

fn mark(sample: u64, class: BeatClass) -> Annotation {
    let code = match class {
        BeatClass::N => code::NORMAL,
        BeatClass::S => code::ATRIAL_PREMATURE,
        BeatClass::V => code::PVC,
        BeatClass::F => code::FUSION,
        BeatClass::Q => code::UNKNOWN,
    };
    Annotation {
        sample,
        code,
        ..Annotation::default()
    }
}

/// Beats in order as annotations, those without a class as unreadable spans up to their neighbours; and which beat each
/// annotation is.
fn annotations(beats: &[Beat]) -> (Vec<Annotation>, Vec<Option<usize>>) {
    let noise = |sample: u64, subtype: i8| Annotation {
        sample,
        code: code::NOISE,
        subtype,
        ..Annotation::default()
    };
    let (mut marks, mut origin) = (Vec::new(), Vec::new());
    let mut add = |annotation, index| {
        marks.push(annotation);
        origin.push(index);
    };
    let mut before = 0;
    let mut silent = false;
    for (index, beat) in beats.iter().enumerate() {
        match beat.class {
            Some(class) => {
                if silent {
                    add(noise(beat.sample, 0), None);
                }
                add(mark(beat.sample, class), Some(index));
            }
            None if !silent => add(noise(before, 0x30), None),
            None => {}
        }
        silent = beat.class.is_none();
        before = beat.sample;
    }
    (marks, origin)
}

/// Both lists in order, each beat with the nearest of the other's within the window.
fn beside(champion: &Read, challenger: &Read, rate_hz: f64) -> Together {
    let window = rules().window_s * rate_hz;
    let mut together = Together::default();
    let mut add = |one: Option<usize>, two: Option<usize>| {
        let first = one.map(|at| champion.beats[at]);
        let second = two.map(|at| challenger.beats[at]);
        let class = |beat: Option<Beat>| beat.and_then(|beat| beat.class);
        let column = |beat: Option<Beat>| class(beat).map_or(NONE, |class| class as usize);
        if class(first).is_none() && class(second).is_none() {
            return;
        }
        together.agreement[column(first)][column(second)] += 1;
        let truths = (
            one.and_then(|at| champion.truth[at]),
            two.and_then(|at| challenger.truth[at]),
        );
        let truth = truths.0.or(truths.1);
        if let Some(truth) = truth {
            let right = |beat| usize::from(class(beat) == Some(truth));
            together.right[2 * right(first) + right(second)] += 1;
        }
        if class(first) != class(second) && together.differ.len() < MOST_LISTED {
            together.differ.push(Difference {
                sample: first.or(second).map_or(0, |beat| beat.sample),
                champion: class(first),
                challenger: class(second),
                truth,
            });
        }
    };
    let (mut one, mut two) = (0, 0);
    let apart = |one: usize, two: usize| {
        let (first, second) = (champion.beats.get(one)?, challenger.beats.get(two)?);
        Some(first.sample.abs_diff(second.sample) as f64)
    };
    while one < champion.beats.len() || two < challenger.beats.len() {
        let Some(distance) = apart(one, two) else {
            // One list has ended.
            if one < champion.beats.len() {
                add(Some(one), None);
                one += 1;
            } else {
                add(None, Some(two));
                two += 1;
            }
            continue;
        };
        let first_earlier = champion.beats[one].sample <= challenger.beats[two].sample;
        let rival = if first_earlier {
            apart(one + 1, two)
        } else {
            apart(one, two + 1)
        };
        if distance <= window && rival.is_none_or(|rival| distance <= rival) {
            add(Some(one), Some(two));
            one += 1;
            two += 1;
        } else if first_earlier {
            add(Some(one), None);
            one += 1;
        } else {
            add(None, Some(two));
            two += 1;
        }
    }
    together
}

#[cfg(test)]
mod tests {
    use super::*;
    use BeatClass::{N, S, V};

    fn beats(list: &[(u64, Option<BeatClass>)]) -> Vec<Beat> {
        let beat = |(sample, class): &(u64, Option<BeatClass>)| Beat {
            sample: *sample,
            class: *class,
            confidence: Some(0.9),
        };
        list.iter().map(beat).collect()
    }

    fn labels(list: &[(u64, Option<BeatClass>)]) -> Vec<Label> {
        let label = |(sample, class): &(u64, Option<BeatClass>)| Label {
            sample: *sample,
            class: *class,
        };
        list.iter().map(label).collect()
    }

    #[test]
    fn a_whole_reference_counts_what_was_missed_withheld_and_made_up() {
        let champion = beats(&[
            (400, Some(N)),
            (800, Some(N)),
            (1200, None),
            (1600, Some(V)),
            (1900, Some(V)),
        ]);
        let challenger = beats(&[(1600, Some(V)), (400, Some(N)), (810, Some(V)), (1200, Some(N))]);
        let truth = labels(&[
            (400, Some(N)),
            (805, Some(V)),
            (1200, Some(N)),
            (1600, Some(V)),
            (2300, Some(N)),
        ]);
        let recording = Recording::of(
            "r",
            360.0,
            Some(&champion),
            Some(&challenger),
            Some(Truth::Whole(&truth)),
        );
        let matrix = recording.champion.as_ref().unwrap().matrix.unwrap();
        // Found, called N, withheld, found, missed; and one beat made up.
        assert_eq!(
            (
                matrix[0][0],
                matrix[2][0],
                matrix[0][6],
                matrix[2][2],
                matrix[0][5],
                matrix[5][2]
            ),
            (1, 1, 1, 1, 1, 1)
        );
        let matrix = recording.challenger.as_ref().unwrap().matrix.unwrap();
        assert_eq!((matrix[0][0], matrix[2][2], matrix[0][5]), (2, 2, 1));
        let together = recording.together.unwrap();
        assert_eq!(together.agreement[0][0], 1);
        assert_eq!(together.agreement[0][2], 1);
        assert_eq!(together.agreement[5][0], 1);
        assert_eq!(together.agreement[2], [0, 0, 1, 0, 0, 1]);
        // Both right twice, the challenger alone twice; of the beat that was made up nothing is known.
        assert_eq!(together.right, [0, 2, 0, 2]);
        assert_eq!(together.differing(), 3);
        assert_eq!(together.differ[0].sample, 800);
        assert_eq!(together.differ[0].truth, Some(V));
    }

    #[test]
    fn single_labels_say_nothing_about_other_beats() {
        let answer = beats(&[(400, Some(N)), (800, Some(S)), (1200, Some(V)), (1600, Some(V))]);
        let truth = labels(&[(800, Some(N)), (1600, None), (1610, None)]);
        let recording = Recording::of("r", 360.0, Some(&answer), None, Some(Truth::Some(&truth)));
        let champion = recording.champion.unwrap();
        let matrix = champion.matrix.unwrap();
        assert_eq!(
            (matrix[0][1], matrix[5][2], matrix.iter().flatten().sum::<u64>()),
            (1, 1, 2)
        );
        assert!(champion.partial);
        assert_eq!(champion.said, [1, 1, 2, 0, 0]);
        assert!((champion.calibration_error.unwrap() - 0.9).abs() < 1e-12);
        assert!(recording.together.is_none());
        let unlabelled = Recording::of("r", 360.0, Some(&answer), None, Some(Truth::Some(&[])));
        assert!(unlabelled.champion.unwrap().matrix.is_none());
    }

    proptest::proptest! {
        /// Every beat of each stands in the table once, but those of which neither says anything.
        #[test]
        fn nothing_is_lost_beside_each_other(
            one in proptest::collection::vec(0_u64..20_000, 0..60),
            two in proptest::collection::vec(0_u64..20_000, 0..60),
        ) {
            let beats = |list: &[u64]| -> Vec<Beat> {
                list.iter().map(|at| Beat { sample: *at, class: Some(BeatClass::ALL[*at as usize % 5]), confidence: None }).collect()
            };
            let recording = Recording::of("r", 360.0, Some(&beats(&one)), Some(&beats(&two)), None);
            let table = recording.together.unwrap().agreement;
            let rows: u64 = table[..5].iter().flatten().sum();
            let columns: u64 = table.iter().map(|row| row[..5].iter().sum::<u64>()).sum();
            proptest::prop_assert_eq!((rows, columns), (one.len() as u64, two.len() as u64));
        }
    }
}
