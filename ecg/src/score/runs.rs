//! Run by run: couplets, short runs (3 to 5) and long runs (6 or more), as `rxr` counts them.

use super::compare::Rules;
use super::events::{Event, Kind, events};
use super::timeline::samples;
use crate::annotation::Annotation;
use crate::beat::BeatClass;

/// Longest run that has a row of its own; longer ones share it.
const LONGEST: usize = 6;

/// Runs of one class compared. Rows are lengths 0 to 6 (6 and more).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunComparison {
    /// Reference runs by their length and that of the longest test run in their window.
    pub sensitivity: [[u64; LONGEST + 1]; LONGEST + 1],
    /// Test runs by their length and that of the longest reference run in their window.
    pub predictivity: [[u64; LONGEST + 1]; LONGEST + 1],
}

impl RunComparison {
    /// Adds another record's counts.
    pub fn add(&mut self, other: &Self) {
        for (mine, more) in [
            (&mut self.sensitivity, &other.sensitivity),
            (&mut self.predictivity, &other.predictivity),
        ] {
            for (row, more) in mine.iter_mut().zip(more) {
                for (count, more) in row.iter_mut().zip(more) {
                    *count += more;
                }
            }
        }
    }

    /// Runs with lengths in a range, and how many of them the other side has as long as the range's start.
    #[must_use]
    pub fn found(&self, of_reference: bool, lengths: std::ops::RangeInclusive<usize>) -> (u64, u64) {
        let matrix = if of_reference {
            &self.sensitivity
        } else {
            &self.predictivity
        };
        let rows = &matrix[*lengths.start()..=(*lengths.end()).min(LONGEST)];
        let all = rows.iter().flatten().sum();
        let hits = rows.iter().flat_map(|row| &row[*lengths.start()..]).sum();
        (hits, all)
    }
}

/// Compares runs of beats of one class, both annotated at `rate_hz`, by rxr's rules. `class` is V or S.
///
/// A run of V counts F beats too, and marked fibrillation (`[`, or a rhythm `(VF`) is a run of the longest length. A run of
/// S counts, inside a marked `(AF` rhythm, every beat that would be N, and entering that rhythm is a run of the longest
/// length. A run ends at a beat of another kind or where the signal becomes unreadable. The other side's length is that
/// of its longest run inside the window from 150 ms before the run's first beat to 150 ms after its last. Single beats are
/// runs of length 1.
#[must_use]
pub fn compare_runs(
    reference: &[Annotation],
    test: &[Annotation],
    rate_hz: f64,
    rules: &Rules,
    class: BeatClass,
) -> RunComparison {
    let start = samples(rules.start_s, rate_hz);
    let window = samples(rules.window_s, rate_hz);
    let reference = events(reference, rules.mapping, class);
    let test = events(test, rules.mapping, class);
    RunComparison {
        sensitivity: tally(&reference, &test, start, window),
        predictivity: tally(&test, &reference, start, window),
    }
}

/// Each run of `ours` by its length and the length it has in `theirs`.
fn tally(ours: &[Event], theirs: &[Event], start: i64, window: i64) -> [[u64; LONGEST + 1]; LONGEST + 1] {
    let mut matrix = [[0; LONGEST + 1]; LONGEST + 1];
    let mut search = Search {
        events: theirs,
        at: 0,
        episode_to: 0,
    };
    let from = ours.partition_point(|event| event.time < start);
    let (mut first, mut last) = (start - window, start + window);
    // An episode that began before the start is a run that begins there.
    let mut length = ours[..from].iter().fold(0, |length, event| match event.kind {
        Kind::EpisodeOn => LONGEST,
        Kind::EpisodeOff | Kind::OtherEpisodeOff => 0,
        _ => length,
    });
    let over = ours.last().map(|event| Event {
        time: event.time,
        kind: Kind::Unreadable,
    });
    for event in ours[from..].iter().copied().chain(over) {
        match event.kind {
            Kind::Ectopic => {
                if length == 0 {
                    first = event.time - window;
                }
                length = (length + 1).min(LONGEST);
                last = event.time + window;
            }
            Kind::EpisodeOn if length == 0 => {
                length = LONGEST;
                first = event.time - window;
            }
            Kind::EpisodeOff if length > 0 => last = event.time + window,
            Kind::OtherBeat | Kind::Unreadable if length > 0 => {
                matrix[length][search.longest(first, last)] += 1;
                length = 0;
            }
            _ => {}
        }
    }
    matrix
}

/// The other side's annotations, read forward only: what lay in one window is not looked at again, as in rxr.
struct Search<'a> {
    events: &'a [Event],
    at: usize,
    /// End of the episode last seen; what begins before it overlaps the episode.
    episode_to: i64,
}

impl Search<'_> {
    fn longest(&mut self, first: i64, last: i64) -> usize {
        if self.episode_to > first {
            return LONGEST;
        }
        while let Some(event) = self.events.get(self.at).filter(|event| event.time < first) {
            self.at += 1;
            if event.kind == Kind::EpisodeOn {
                self.skip_episode();
                if self.episode_to > first {
                    return LONGEST;
                }
            }
        }
        let (mut longest, mut length) = (0, 0);
        while let Some(event) = self.events.get(self.at).filter(|event| event.time <= last) {
            self.at += 1;
            match event.kind {
                Kind::Ectopic => length = (length + 1).min(LONGEST),
                Kind::EpisodeOn => {
                    self.skip_episode();
                    return LONGEST;
                }
                Kind::OtherBeat | Kind::Unreadable | Kind::OtherEpisodeOn => length = 0,
                Kind::EpisodeOff | Kind::OtherEpisodeOff => {}
            }
            longest = longest.max(length);
        }
        longest
    }

    /// Goes behind the end of an episode and notes its time.
    fn skip_episode(&mut self) {
        let ends = |event: &Event| matches!(event.kind, Kind::EpisodeOff | Kind::OtherEpisodeOn | Kind::Unreadable);
        match self.events[self.at..].iter().position(ends) {
            Some(ahead) => {
                self.at += ahead + 1;
                self.episode_to = self.events[self.at - 1].time;
            }
            None => {
                self.at = self.events.len();
                self.episode_to = i64::MAX;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotation::code;

    #[test]
    fn runs_are_found_by_overlap_and_length() {
        let annotate = |letters: &str| -> Vec<Annotation> {
            letters
                .chars()
                .enumerate()
                .map(|(index, letter)| Annotation {
                    sample: 1000 * index as u64,
                    code: if letter == 'V' { code::PVC } else { code::NORMAL },
                    ..Annotation::default()
                })
                .collect()
        };
        let rules = Rules {
            start_s: 0.0,
            ..Rules::default()
        };
        let (reference, test) = (annotate("NVVNNVVVVNNVVN"), annotate("NVVNNVVNVNNNNN"));
        let result = compare_runs(&reference, &test, 1000.0, &rules, BeatClass::V);
        assert_eq!(result.found(true, 2..=2), (1, 2));
        assert_eq!(result.found(true, 3..=5), (0, 1));
        assert_eq!(result.found(false, 2..=2), (2, 2));
        assert_eq!(result.sensitivity[4][2], 1);
        let same = compare_runs(&reference, &reference, 1000.0, &rules, BeatClass::V);
        assert_eq!((same.found(true, 2..=2), same.found(true, 3..=5)), ((2, 2), (1, 1)));
    }
}
