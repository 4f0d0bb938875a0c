//! A bad challenger goes, one that is merely unlucky stays.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_experiments::guard::{Rail, Rails, Relabels, Ruling, Window, rule};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn good() -> Window {
    Window {
        requests: 1000,
        errors: 2,
        p99_s: Some(0.05),
        classes: (0..30).map(|at| [900 - at, 10, at, 0, 0, 20]).collect(),
        relabels: relabels((0..40).map(|_| (0.01, 0.01))),
        ..Window::default()
    }
}

fn relabels(pairs: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let mut relabels = Relabels::default();
    for (champion, challenger) in pairs {
        relabels.see(Some(champion), Some(challenger));
    }
    relabels.evidence()
}

fn broken(ruling: &Ruling) -> Vec<Rail> {
    ruling.broken.iter().map(|broken| broken.rail).collect()
}

#[test]
fn a_challenger_like_the_champion_stays() {
    let mut challenger = good();
    challenger.sentinel_misses = Some(0);
    let ruling = rule(&Rails::default(), &good(), &challenger);
    assert!(
        !ruling.withdraw && ruling.broken.is_empty() && ruling.undecided.is_empty(),
        "{ruling:?}"
    );
    assert_eq!(ruling.cool_down_s, None);
}

#[test]
fn each_rail_breaks_by_what_it_watches_and_says_so() {
    type Change = fn(&mut Window);
    let changes: [(Rail, Change); 8] = [
        (Rail::Errors, |window| window.errors = 80),
        (Rail::Errors, |window| window.timeouts = 80),
        (Rail::P99, |window| window.p99_s = Some(0.11)),
        (Rail::Empty, |window| window.empty = 60),
        (Rail::Withheld, |window| {
            window
                .classes
                .iter_mut()
                .for_each(|counts| *counts = [700, 10, 10, 0, 0, 300]);
        }),
        (Rail::ClassShares, |window| {
            window
                .classes
                .iter_mut()
                .for_each(|counts| *counts = [500, 10, 400, 0, 0, 20]);
        }),
        (Rail::Relabels, |window| {
            window.relabels = relabels((0..40).map(|_| (0.01, 0.4)));
        }),
        (Rail::SentinelMisses, |window| window.sentinel_misses = Some(1)),
    ];
    for (rail, change) in changes {
        let mut challenger = good();
        challenger.sentinel_misses = Some(0);
        change(&mut challenger);
        let ruling = rule(&Rails::default(), &good(), &challenger);
        assert!(
            ruling.withdraw && broken(&ruling).contains(&rail),
            "{rail:?}: {ruling:?}"
        );
        assert_eq!(ruling.cool_down_s, Some(3600));
        println!("{}", ruling.broken[0].reason);
        // A rail that is off does not break.
        let off = Rails {
            errors: None,
            p99: None,
            empty: None,
            withheld: None,
            class_shares: None,
            relabels: None,
            sentinel_misses: None,
            ..Rails::default()
        };
        assert!(!rule(&off, &good(), &challenger).withdraw);
    }
}

#[test]
fn little_evidence_withdraws_nobody() {
    // One failure of one request, one of sixty, and nothing at all.
    for (requests, errors) in [(1, 1), (60, 1), (0, 0), (100, 3)] {
        let challenger = Window {
            requests,
            errors,
            p99_s: Some(0.05),
            ..Window::default()
        };
        let ruling = rule(&Rails::default(), &good(), &challenger);
        assert!(!ruling.withdraw, "{requests} {errors}: {ruling:?}");
        assert!(ruling.undecided.contains(&Rail::SentinelMisses) && ruling.undecided.contains(&Rail::ClassShares));
    }
    // The slowest of sixty is no percentile, and a mean of recordings that scatter is not known for certain.
    let mut slow = good();
    (slow.requests, slow.errors, slow.p99_s, slow.sentinel_misses) = (60, 0, None, Some(0));
    for (at, counts) in slow.classes.iter_mut().enumerate() {
        if at % 6 == 0 {
            *counts = [100, 0, 0, 0, 0, 300];
        }
    }
    let ruling = rule(&Rails::default(), &good(), &slow);
    assert!(!ruling.withdraw && ruling.undecided == [Rail::P99], "{ruling:?}");
    // Sixty of sixty are enough, also with no champion to compare with; so are ten that hang, of twelve.
    for (requests, errors, timeouts) in [(60, 60, 0), (12, 0, 10)] {
        let failing = Window {
            requests,
            errors,
            timeouts,
            ..Window::default()
        };
        assert!(rule(&Rails::default(), &Window::default(), &failing).withdraw);
    }
    let absurd = Window {
        requests: 100,
        errors: u64::MAX,
        timeouts: u64::MAX,
        p99_s: Some(f64::NAN),
        classes: vec![[u64::MAX; 6]; 30],
        relabels: Some(f64::NAN),
        ..Window::default()
    };
    assert_eq!(
        broken(&rule(&Rails::default(), &good(), &absurd)),
        [Rail::Errors, Rail::Withheld, Rail::ClassShares]
    );
}

/// Looked at after every recording, equal challengers are withdrawn for relabels or class shares no more often than stated.
#[test]
fn equal_challengers_are_seldom_withdrawn() {
    let mut random = ChaCha8Rng::seed_from_u64(31);
    let rails = Rails::default();
    let experiments = 300;
    let mut withdrawn = 0;
    for _ in 0..experiments {
        let (mut champion, mut challenger) = (Window::default(), Window::default());
        let mut relabelled = Relabels::default();
        let gone = (0..40).any(|at| {
            for window in [&mut champion, &mut challenger] {
                // Recordings differ a lot: most without ectopic beats, some full of them.
                let ectopic = if random.random_bool(0.2) {
                    random.random_range(0..500)
                } else {
                    0
                };
                window
                    .classes
                    .push([1000 - ectopic, 5, ectopic, 0, 0, random.random_range(0..100)]);
            }
            let mut read = || {
                if random.random_bool(0.3) {
                    random.random_range(0.0..1.0)
                } else {
                    0.0
                }
            };
            // Each on its own: what one has more of waits for the other.
            relabelled.see(Some(read()), None);
            relabelled.see(None, Some(read()));
            challenger.relabels = relabelled.evidence();
            // Class shares are costly to test, so they are looked at every tenth time.
            let rails = Rails {
                class_shares: rails.class_shares.filter(|_| at % 10 == 9),
                ..rails.clone()
            };
            rule(&rails, &champion, &challenger).withdraw
        });
        withdrawn += u32::from(gone);
    }
    println!("withdrawn of {experiments} equal challengers: {withdrawn}");
    // 5 % for relabels, 1 % for each of two looks at class shares; and four standard deviations.
    assert!(f64::from(withdrawn) <= 21.0 + 18.0, "{withdrawn}");
}

/// Class shares and withheld beats are looked at whenever twenty people are new, over the newest two hundred: equal challengers are
/// withdrawn no more often than stated over all looks, and one that changes late is found.
#[test]
fn many_looks_at_class_shares_raise_no_more_alarms_than_stated() {
    let mut random = ChaCha8Rng::seed_from_u64(32);
    let rails = Rails::default();
    let (experiments, looks) = (150, 20);
    let (mut withdrawn, mut found, mut by_many_levels) = (0, 0, 0);
    for _ in 0..experiments {
        let (mut champion, mut challenger) = (Window::default(), Window::default());
        let mut look = |look: u32, often: f64| {
            for (window, often) in [(&mut champion, 0.2), (&mut challenger, often)] {
                for _ in 0..20 {
                    let ectopic = if random.random_bool(often) {
                        random.random_range(0..900)
                    } else {
                        0
                    };
                    let withheld = random.random_range(0..100);
                    window.classes.push([1000 - ectopic, 5, ectopic, 0, 0, withheld]);
                }
                let old = window.classes.len().saturating_sub(200);
                window.classes.drain(..old);
            }
            challenger.earlier_looks = look;
            // A limit that chance passes now and then, so that it is the test that holds.
            let rails = Rails {
                class_shares: Some(0.05),
                withheld: Some(0.0),
                ..rails.clone()
            };
            let corrected = rule(&rails, &champion, &challenger).withdraw;
            challenger.earlier_looks = 0;
            let uncorrected = rule(&rails, &champion, &challenger).withdraw;
            (corrected, uncorrected)
        };
        let all: Vec<_> = (0..looks).map(|at| look(at, 0.2)).collect();
        withdrawn += u32::from(all.iter().any(|(corrected, _)| *corrected));
        by_many_levels += u32::from(all.iter().any(|(_, uncorrected)| *uncorrected));
        // From then on most people have ectopic beats by it.
        found += u32::from((looks..looks + 6).any(|at| look(at, 0.8).0));
    }
    println!(
        "of {experiments}: {withdrawn} withdrawn, {by_many_levels} at one level for all looks, {found} found late"
    );
    // 1 % for the first looks, one in ten thousand for each of the rest, for both rails; and three standard deviations.
    assert!(
        f64::from(withdrawn) <= 0.025 * f64::from(experiments) + 8.2,
        "{withdrawn}"
    );
    assert!(
        by_many_levels > withdrawn,
        "what is tested would not be seen: {by_many_levels} {withdrawn}"
    );
    assert!(found * 10 >= experiments * 9, "{found}");
    // What nobody is new in is not looked at again.
    let mut moved = good();
    moved
        .classes
        .iter_mut()
        .for_each(|counts| *counts = [500, 10, 400, 0, 0, 20]);
    moved.looked_already = true;
    let ruling = rule(&rails, &good(), &moved);
    assert!(
        !ruling.withdraw && !ruling.undecided.contains(&Rail::ClassShares),
        "{ruling:?}"
    );
}

/// Evidence that is worked out anew over the newest recordings finds a false alarm in the end; gathered once for each recording it does
/// not, however long an experiment runs and however often one looks.
#[test]
fn relabels_of_equal_challengers_raise_no_more_alarms_than_stated_however_long_one_looks() {
    let mut random = ChaCha8Rng::seed_from_u64(57);
    let (experiments, recordings, newest) = (400, 1500, 200);
    let (mut gathered, mut anew) = (0, 0);
    for _ in 0..experiments {
        let mut relabelled = Relabels::default();
        let mut pairs = Vec::new();
        let (mut alarm, mut alarm_anew) = (false, false);
        for at in 0..recordings {
            let mut read = || f64::from(u8::from(random.random_bool(0.3)));
            let pair = (read(), read());
            relabelled.see(Some(pair.0), Some(pair.1));
            alarm |= relabelled.evidence() >= Some(20.0);
            pairs.push(pair);
            if at % 50 == 49 {
                let from = pairs.len().saturating_sub(newest);
                alarm_anew |= relabels(pairs[from..].iter().copied()) >= Some(20.0);
            }
        }
        gathered += u32::from(alarm);
        anew += u32::from(alarm_anew);
    }
    println!("of {experiments} equal challengers: {gathered} alarms gathered, {anew} anew over the newest {newest}");
    // One in twenty of those that are as different as they can be, and three standard deviations.
    assert!(gathered <= 20 + 13, "{gathered}");
    assert!(anew > 20 + 13, "what is tested would not be seen: {anew}");
    // And a challenger that is relabelled more goes.
    let mut worse = Relabels::default();
    let found = (1..=200).find(|_| {
        let mut read = |share| f64::from(u8::from(random.random_bool(share)));
        worse.see(Some(read(0.1)), Some(read(0.4)));
        worse.evidence() >= Some(20.0)
    });
    assert!(found.is_some(), "{worse:?}");
}
