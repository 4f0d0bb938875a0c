//! Subjects are dealt out as stated, and nobody moves without need.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_experiments::split::{SLOTS, Share, Split, SplitError, sampled, slot};
use proptest::prelude::*;

fn shares(list: &[(&str, u16)]) -> Vec<Share> {
    let share = |(arm, basis_points): &(&str, u16)| Share {
        arm: (*arm).to_owned(),
        basis_points: *basis_points,
    };
    list.iter().map(share).collect()
}

fn split(list: &[(&str, u16)]) -> Split {
    Split::new(&shares(list)).unwrap()
}

/// Subjects keep their arm over releases: a line that changes here breaks every experiment that runs.
#[test]
fn the_hash_is_the_one_of_the_first_release() {
    let mut seen = String::new();
    for experiment in ["heartbeat", "", "Herz-Schrittmacher \u{e4}", "heartbeat/2026-11"] {
        for subject in ["", "0", "patient-1", "patient-2", "record 201", "\u{1fac0}", "a\0b"] {
            let shadow = (0..=SLOTS)
                .find(|share| sampled(experiment, "7", subject, *share))
                .unwrap();
            seen += &format!("{experiment:?} {subject:?} {} {shadow}\n", slot(experiment, subject));
        }
    }
    assert_eq!(seen, include_str!("golden/slots.txt"));
}

#[test]
fn a_million_subjects_are_within_three_sigma() {
    let split = split(&[("B", 1000), ("C", 333), ("D", 4000)]);
    let mut counts = [0_u32; 4];
    let mut both = 0_u32;
    for subject in 0..1_000_000 {
        let subject = format!("subject-{subject}");
        let arm = split.arm("heartbeat", &subject);
        let at = arm.map_or(0, |arm| usize::from(arm.as_bytes()[0] - b'A'));
        counts[at] += 1;
        both += u32::from(at == 1 && sampled("heartbeat", "9", &subject, 2000));
    }
    let near = |count: u32, share: f64| {
        let off = (f64::from(count) - 1e6 * share).abs() / (1e6 * share * (1.0 - share)).sqrt();
        assert!(off < 3.0, "{count} of a share of {share}: {off} sigma");
    };
    for (count, share) in counts.into_iter().zip([0.4667, 0.1, 0.0333, 0.4]) {
        near(count, share);
    }
    // Who is sampled has nothing to do with who is in the arm.
    near(both, 0.02);
}

#[test]
fn raising_a_share_moves_only_from_the_champion() {
    let (before, after) = (split(&[("B", 1000), ("C", 2500)]), split(&[("B", 2000), ("C", 2500)]));
    let mut moved = 0;
    for at in 0..SLOTS {
        if before.at(at) != after.at(at) {
            assert_eq!((before.at(at), after.at(at)), (None, Some("B")));
            moved += 1;
        }
    }
    assert_eq!(moved, 1000);
}

#[test]
fn shares_that_cannot_be_are_refused() {
    assert_eq!(
        Split::new(&shares(&[("B", 6000), ("C", 4001)])),
        Err(SplitError::TooMuch(10_001))
    );
    assert_eq!(
        Split::new(&shares(&[("B", 1), ("B", 1)])),
        Err(SplitError::Twice("B".to_owned()))
    );
    assert_eq!(split(&[]).at(0), None);
    assert_eq!(split(&[("B", 10_000)]).at(9_999), Some("B"));
}

/// Up to five arms by name, each with a share; scaled so that they fit.
fn any_shares() -> impl Strategy<Value = Vec<Share>> {
    proptest::collection::vec((0_usize..5, 0_u16..=4000), 0..5).prop_map(|drawn| {
        let mut list: Vec<(&str, u16)> = Vec::new();
        let mut left = SLOTS;
        for (arm, share) in drawn {
            let arm = ["B", "C", "D", "E", "F"][arm];
            if list.iter().all(|(named, _)| *named != arm) {
                let share = share.min(left);
                left -= share;
                list.push((arm, share));
            }
        }
        shares(&list)
    })
}

proptest! {
    /// Over any history: everybody has the share that was asked, every slot one owner, and as few move as can.
    #[test]
    fn as_few_move_as_can(history in proptest::collection::vec(any_shares(), 1..8)) {
        let mut split = Split::default();
        for wanted in history {
            let next = split.reweighed(&wanted).unwrap();
            prop_assert_eq!(next.shares(), wanted.clone());
            let share = |split: &Split, arm: &str| (0..SLOTS).filter(|at| split.at(*at) == Some(arm)).count();
            for name in ["B", "C", "D", "E", "F"] {
                let asked = wanted.iter().find(|share| share.arm == name).map_or(0, |share| share.basis_points);
                prop_assert_eq!(share(&next, name), usize::from(asked));
                // An arm that grew lost nobody, one that shrank won nobody.
                let (lost, won) = (0..SLOTS).fold((0, 0), |(lost, won), at| {
                    let (had, has) = (split.at(at) == Some(name), next.at(at) == Some(name));
                    (lost + i32::from(had && !has), won + i32::from(!had && has))
                });
                prop_assert!(lost == 0 || won == 0, "{} lost {} and won {}", name, lost, won);
            }
            let text = serde_json::to_string(&next).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Split>(&text).unwrap(), &next);
            split = next;
        }
    }

    /// There and back again is where it was.
    #[test]
    fn a_share_raised_and_lowered_is_the_same_people(base in any_shares(), more in 1_u16..3000) {
        let split = Split::new(&base).unwrap();
        let mut raised = base.clone();
        let sum: u16 = base.iter().map(|share| share.basis_points).sum();
        if let Some(first) = raised.first_mut() {
            first.basis_points += more.min(SLOTS - sum);
        }
        let back = split.reweighed(&raised).unwrap().reweighed(&base).unwrap();
        for at in 0..SLOTS {
            prop_assert_eq!(back.at(at), split.at(at));
        }
    }
}
