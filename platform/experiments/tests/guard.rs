//! A bad challenger goes, one that is merely unlucky stays.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_experiments::guard::{Rail, Rails, Ruling, Window, rule};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn good() -> Window {
    Window {
        requests: 1000,
        errors: 2,
        p99_s: Some(0.05),
        classes: (0..30).map(|at| [900 - at, 10, at, 0, 0, 20]).collect(),
        relabelled: vec![0.01; 40],
        ..Window::default()
    }
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
        (Rail::Relabels, |window| window.relabelled = vec![0.4; 40]),
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
    (slow.requests, slow.errors, slow.p99_s, slow.sentinel_misses) = (60, 0, Some(9.0), Some(0));
    for (at, counts) in slow.classes.iter_mut().enumerate() {
        if at % 6 == 0 {
            *counts = [100, 0, 0, 0, 0, 300];
        }
    }
    let ruling = rule(&Rails::default(), &good(), &slow);
    assert!(!ruling.withdraw && ruling.undecided == [Rail::P99], "{ruling:?}");
    // Sixty of sixty are enough, also with no champion to compare with.
    let failing = Window {
        requests: 60,
        errors: 60,
        ..Window::default()
    };
    assert!(rule(&Rails::default(), &Window::default(), &failing).withdraw);
    let absurd = Window {
        requests: 100,
        errors: u64::MAX,
        timeouts: u64::MAX,
        p99_s: Some(f64::NAN),
        classes: vec![[u64::MAX; 6]; 30],
        relabelled: vec![f64::NAN; 9],
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
                window.relabelled.push(if random.random_bool(0.3) {
                    random.random_range(0.0..1.0)
                } else {
                    0.0
                });
            }
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
