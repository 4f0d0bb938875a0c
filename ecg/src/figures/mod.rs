//! What a recording is like, as a few numbers: how high its QRS complexes are and which way they point, in each lead, how much
//! hum of the mains there is, which leads there are.
//!
//! Nothing is judged here: whoever has many recordings can see by these numbers that new ones are not like those before, because
//! a unit, a cable, an electrode, a filter or a recorder is another.

mod mains;
mod qrs;

pub use mains::mains_db;
pub use qrs::{Qrs, qrs};

use crate::recording::{Recording, StandardLead};
use std::collections::BTreeMap;

/// Leads that are looked at.
const MOST_LEADS: usize = 16;

/// The figures of a recording, by name:
///
/// | name | what it is | unit |
/// |---|---|---|
/// | `qrs_LEAD_mv` | highest less lowest sample of a QRS complex, the median over beats | mV |
/// | `net_LEAD_mv` | how far it goes up less how far it goes down, likewise: negative where it points down | mV |
/// | `mains_50_db`, `mains_60_db` | power at 50 or 60 Hz against the frequencies beside it, in the lead that is `looked_at` | dB |
/// | `lead_set` | a number that stands for the set of leads whose names say which they are | none |
///
/// `LEAD` is the lead's meaning (`II`, `MLII`), or `lead_2` where its name says nothing and it is the second. The first lead of
/// a meaning counts, and the first sixteen of all. `beats` are R peaks in order. What cannot be known is left out.
///
#[must_use]
pub fn figures(recording: &Recording, looked_at: usize, beats: &[usize]) -> BTreeMap<String, f64> {
    let rate = recording.sampling_rate_hz;
    let mut figures = BTreeMap::new();
    let mut set = 0_u32;
    for (place, lead) in recording.leads.iter().enumerate().take(MOST_LEADS) {
        let name = match lead.standard {
            Some(standard) => {
                set |= 1 << standard as u32;
                format!("{standard:?}")
            }
            None => format!("lead_{}", place + 1),
        };
        if let Some(Qrs { height_mv, net_mv }) = qrs(&lead.samples_mv, rate, beats) {
            figures.entry(format!("qrs_{name}_mv")).or_insert(height_mv);
            figures.entry(format!("net_{name}_mv")).or_insert(net_mv);
        }
    }
    figures.insert("lead_set".to_owned(), f64::from(set));
    if let Some(lead) = recording.leads.get(looked_at) {
        for hz in [50, 60] {
            let found = mains_db(&lead.samples_mv, rate, f64::from(hz));
            figures.extend(found.map(|db| (format!("mains_{hz}_db"), db)));
        }
    }
    figures
}

/// The place of a lead among a recording's, by the name that the file gives it.
#[must_use]
pub fn place(recording: &Recording, name: &str) -> usize {
    recording.leads.iter().position(|lead| lead.name == name).unwrap_or(0)
}

// The set is a number of 32 bits.
const _: () = assert!((StandardLead::Modified as u32) < u32::BITS);
