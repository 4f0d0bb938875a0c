//! How far readers agree beyond chance.

use super::{Label, current};
use std::collections::{BTreeMap, BTreeSet};

/// Cohen's kappa of two readers over the same beats (Cohen 1960); none where there is nothing to compare, or both always
/// say the same one thing.
#[must_use]
pub fn cohen<T: Ord>(pairs: &[(T, T)]) -> Option<f64> {
    let number = pairs.len() as f64;
    let mut shares: BTreeMap<&T, (f64, f64)> = BTreeMap::new();
    let mut same = 0.0;
    for (first, second) in pairs {
        shares.entry(first).or_default().0 += 1.0;
        shares.entry(second).or_default().1 += 1.0;
        if first == second {
            same += 1.0;
        }
    }
    let by_chance: f64 = shares
        .values()
        .map(|(first, second)| first * second / (number * number))
        .sum();
    kappa(same / number, by_chance)
}

/// Different things that readers may say for their agreement to be worked out.
const MOST_THINGS: usize = 64;

/// Fleiss' kappa (Fleiss 1971): a row for each beat, a column for each thing that may be said, how many readers said it. Every
/// row must sum to the same number of readers, at least two; none otherwise, or where there is nothing to compare.
#[must_use]
pub fn fleiss(table: &[Vec<u32>]) -> Option<f64> {
    let readers: u32 = table.first()?.iter().sum();
    let columns = table.first()?.len();
    if readers < 2
        || table
            .iter()
            .any(|row| row.len() != columns || row.iter().sum::<u32>() != readers)
    {
        return None;
    }
    let (beats, readers) = (table.len() as f64, f64::from(readers));
    let agreed: f64 = table
        .iter()
        .map(|row| {
            row.iter()
                .map(|said| f64::from(*said) * (f64::from(*said) - 1.0))
                .sum::<f64>()
        })
        .sum::<f64>()
        / (beats * readers * (readers - 1.0));
    let by_chance = (0..columns)
        .map(|column| {
            let share = table.iter().map(|row| f64::from(row[column])).sum::<f64>() / (beats * readers);
            share * share
        })
        .sum();
    kappa(agreed, by_chance)
}

fn kappa(agreed: f64, by_chance: f64) -> Option<f64> {
    let kappa = (agreed - by_chance) / (1.0 - by_chance);
    kappa.is_finite().then_some(kappa)
}

/// The agreement of all readers over many predictions, one prediction added after the other.
#[derive(Debug, Clone, Default)]
pub struct Agreement {
    /// What was said about beats that two readers at least said something about; one map for each beat.
    beats: Vec<BTreeMap<String, String>>,
}

/// Two readers.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// By name.
    pub readers: (String, String),
    /// That both said something about.
    pub beats: usize,
    /// That both said the same about.
    pub agreed: usize,
    /// Cohen's kappa.
    pub kappa: Option<f64>,
}

impl Agreement {
    /// Adds all labels of one prediction. Adjudications do not count: they have seen the others.
    pub fn add(&mut self, labels: &[Label]) {
        for beat in current(labels).into_values() {
            if beat.readers.len() > 1 {
                let said = beat
                    .readers
                    .into_iter()
                    .map(|(reader, truth)| (reader, truth.to_string()));
                self.beats.push(said.collect());
            }
        }
    }

    /// Every two readers who have beats in common.
    #[must_use]
    pub fn pairs(&self) -> Vec<Pair> {
        let mut pairs: BTreeMap<(&str, &str), Vec<(&str, &str)>> = BTreeMap::new();
        for beat in &self.beats {
            let said: Vec<_> = beat.iter().collect();
            for (at, (first, first_said)) in said.iter().enumerate() {
                for (second, second_said) in &said[at + 1..] {
                    let pair = pairs.entry((first.as_str(), second.as_str())).or_default();
                    pair.push((first_said.as_str(), second_said.as_str()));
                }
            }
        }
        let pair = |((first, second), said): ((&str, &str), Vec<(&str, &str)>)| Pair {
            readers: (first.to_owned(), second.to_owned()),
            beats: said.len(),
            agreed: said.iter().filter(|(first, second)| first == second).count(),
            kappa: cohen(&said),
        };
        pairs.into_iter().map(pair).collect()
    }

    /// Fleiss' kappa over the beats that as many readers said something about as about any, and how many these are: (kappa,
    /// readers, beats). None where more than 64 different things are said: these are no classes.
    #[must_use]
    pub fn fleiss(&self) -> Option<(f64, usize, usize)> {
        let readers = self.beats.iter().map(BTreeMap::len).max()?;
        let beats: Vec<_> = self.beats.iter().filter(|beat| beat.len() == readers).collect();
        let things: BTreeSet<&String> = beats.iter().flat_map(|beat| beat.values()).collect();
        // The table grows with both, and what is said is the readers' to choose.
        if things.len() > MOST_THINGS {
            return None;
        }
        let row = |beat: &&BTreeMap<String, String>| {
            let said = |thing: &&String| beat.values().filter(|said| said == thing).count();
            things
                .iter()
                .map(|thing| u32::try_from(said(thing)).unwrap_or(u32::MAX))
                .collect()
        };
        let table: Vec<Vec<u32>> = beats.iter().map(row).collect();
        Some((fleiss(&table)?, readers, beats.len()))
    }
}
