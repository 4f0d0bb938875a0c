//! The statistics equal those of scipy, numpy and statsmodels.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_experiments::Settings;
use einthoven_experiments::drift::psi;
use einthoven_experiments::guard::{Rail, Rails, Window, rule};
use einthoven_experiments::stats::betting::{BETS, sequence};
use einthoven_experiments::stats::bootstrap::{Drawn, Method, Plan, draw, percentile};
use einthoven_experiments::stats::{kappa, ks, normal, permutation};
use einthoven_experiments::verdict::units_needed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const LEVEL: f64 = 0.95;

/// What `reference.py` says about the numbers, run in the environment that `cargo xtask setup python` makes.
fn reference(given: &Value) -> Value {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("mlflow-3/bin/python");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/reference.py");
    let mut child = Command::new(&python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask setup python`", python.display()));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(given.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn close(ours: f64, theirs: &Value, what: &str) {
    let theirs = theirs.as_f64().unwrap();
    assert!(
        (ours - theirs).abs() <= 1e-6 * theirs.abs().max(1.0),
        "{what}: {ours} and {theirs}"
    );
}

fn mean(sum: &[f64; 2]) -> f64 {
    sum[0] / sum[1]
}

fn drawn() -> [(&'static str, Vec<Vec<f64>>, Drawn); 2] {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let plan = Plan {
        draws: 999,
        seed: 57,
        level: LEVEL,
    };
    // Skewed, so that the correction is one.
    let mut values = |number: usize| (0..number).map(|_| random.random::<f64>().powi(4)).collect::<Vec<_>>();
    let (first, second) = (values(25), values(37));
    let units = |values: &[f64]| values.iter().map(|value| [*value, 1.0]).collect::<Vec<_>>();
    let [one] = draw(&[&units(&first)], &plan, |sums| [Some(mean(&sums[0]))]);
    let [two] = draw(&[&units(&first), &units(&second)], &plan, |sums| {
        [Some(mean(&sums[1]) - mean(&sums[0]))]
    });
    [
        ("mean", vec![first.clone()], one.unwrap()),
        ("apart", vec![first, second], two.unwrap()),
    ]
}

#[test]
fn figures_equal_those_of_scipy() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let shares = [1e-9, 0.001, 0.025, 0.2, 0.5, 0.8, 0.975, 0.9999];
    let quantiles = [-7.5, -2.0, -0.3, 0.0, 1.96, 5.0];
    let differences: Vec<f64> = (0..14).map(|_| random.random_range(-0.2..0.35)).collect();
    // Hit, missed, wrong of both arms.
    let counts: Vec<[[u64; 3]; 2]> = (0..10)
        .map(|_| {
            std::array::from_fn(|_| {
                [
                    random.random_range(0..200),
                    random.random_range(0..40),
                    random.random_range(0..40),
                ]
            })
        })
        .collect();
    let table: [[u64; 4]; 4] = std::array::from_fn(|row| {
        std::array::from_fn(|column| random.random_range(0..30) + if row == column { 60 } else { 0 })
    });
    let mut sample =
        |number: usize, moved: f64| (0..number).map(|_| random.random::<f64>() + moved).collect::<Vec<_>>();
    let pairs = [
        (sample(40, 0.0), sample(25, 0.3)),
        (sample(100, 0.0), sample(100, 0.0)),
        (sample(7, 0.0), sample(30, -0.2)),
    ];
    let scaled = [0.3, 0.7, 1.0, 1.36, 2.2];
    let needed = [(0.1, 0.03), (0.2, 0.01), (0.05, 0.06)];
    let drawn = drawn();
    let found = reference(&json!({
        "shares": shares, "quantiles": quantiles, "level": LEVEL, "differences": differences, "counts": counts, "table": table,
        "ks": pairs, "psi": pairs, "scaled": scaled, "bets": BETS, "needed": needed,
        "drawn": drawn.iter().map(|(name, samples, drawn)| json!({
            "name": name, "samples": samples, "draws": drawn.draws,
        })).collect::<Vec<_>>(),
    }));

    for (at, share) in shares.iter().enumerate() {
        close(normal::quantile(*share), &found["quantiles"][at], "quantile");
    }
    for (at, z) in quantiles.iter().enumerate() {
        close(normal::below(*z), &found["below"][at], "below");
    }
    for (name, _, drawn) in &drawn {
        let interval = drawn.interval(LEVEL);
        assert_eq!(interval.method, Method::Bca);
        close(interval.low, &found["intervals"][name]["BCa"][0], "BCa");
        close(interval.high, &found["intervals"][name]["BCa"][1], "BCa");
        let mut sorted = drawn.draws.clone();
        sorted.sort_by(f64::total_cmp);
        close(
            percentile(&sorted, 0.025),
            &found["intervals"][name]["percentile"][0],
            "percentile",
        );
        close(
            percentile(&sorted, 0.975),
            &found["intervals"][name]["percentile"][1],
            "percentile",
        );
    }

    let flips: Vec<_> = differences.iter().map(|difference| ([0.0], [*difference])).collect();
    let [tested] = permutation::paired(&flips, 0, 0, |one, two| [Some(two[0] - one[0])]);
    assert!(tested.unwrap().exact);
    close(tested.unwrap().p, &found["sign_flip"], "sign flip");
    let arms: Vec<([f64; 3], [f64; 3])> = counts
        .iter()
        .map(|arms| (arms[0].map(|count| count as f64), arms[1].map(|count| count as f64)))
        .collect();
    let f1 = |counts: &[f64; 3]| 2.0 * counts[0] / (2.0 * counts[0] + counts[1] + counts[2]);
    let [pooled] = permutation::paired(&arms, 0, 0, |one, two| [Some(f1(two) - f1(one))]);
    close(pooled.unwrap().p, &found["pooled_flip"], "pooled flip");

    let table = table.map(|row| row.map(|count| count as f64));
    close(kappa::cohen(&table).unwrap(), &found["kappa"], "kappa");
    for (at, (first, second)) in pairs.iter().enumerate() {
        let distance = ks::distance(first, second).unwrap();
        close(distance, &found["ks"][at][0], "distance");
        close(
            ks::p_value(distance, first.len(), second.len()),
            &found["ks"][at][1],
            "p of the distance",
        );
        close(psi(first, second), &found["psi"][at], "PSI");
    }
    for (at, scaled) in scaled.iter().enumerate() {
        close(ks::asymptotic(*scaled), &found["kolmogorov"][at], "Kolmogorov");
    }
    close(
        sequence(&differences, -1.0, 1.0, 0.0, 0.05).e_value,
        &found["evidence"],
        "evidence",
    );
    for (at, (deviation, difference)) in needed.iter().enumerate() {
        close(
            units_needed(*deviation, *difference, &Settings::default()),
            &found["needed"][at],
            "needed",
        );
    }
}

/// What statsmodels has too; `python/statsmodels_figures.py` wrote its figures down.
#[test]
fn figures_equal_those_of_statsmodels() {
    #[derive(serde::Deserialize)]
    struct Figures {
        tables: Vec<[[f64; 4]; 4]>,
        kappas: Vec<Value>,
        shares: Vec<[u64; 2]>,
        errors: Vec<f64>,
        withheld: [Vec<u64>; 2],
        apart: Apart,
        needed: Vec<[f64; 2]>,
        sizes: Vec<Value>,
    }
    #[derive(serde::Deserialize)]
    struct Apart {
        difference: f64,
        error: f64,
    }
    let figures: Figures = serde_json::from_str(include_str!("fixtures/statsmodels.json")).unwrap();
    for (table, theirs) in figures.tables.iter().zip(&figures.kappas) {
        close(kappa::cohen(table).unwrap(), theirs, "kappa");
    }
    for ([deviation, difference], theirs) in figures.needed.iter().zip(&figures.sizes) {
        let ours = units_needed(*deviation, *difference, &Settings::default());
        close(ours, theirs, "needed");
    }
    // A share that failed less three of its errors, as the rail says it where there is no champion.
    let rails = Rails {
        errors: Some(0.0),
        withheld: Some(0.0),
        ..Rails::default()
    };
    let seen = |champion: &Window, challenger: &Window, rail: Rail| {
        let ruling = rule(&rails, champion, challenger);
        let broken = ruling.broken.iter().find(|broken| broken.rail == rail);
        broken.unwrap_or_else(|| panic!("{rail:?}: {ruling:?}")).seen
    };
    for ([requests, errors], theirs) in figures.shares.iter().zip(&figures.errors) {
        let challenger = Window {
            requests: *requests,
            errors: *errors,
            ..Window::default()
        };
        let ours = seen(&Window::default(), &challenger, Rail::Errors);
        let theirs = *errors as f64 / *requests as f64 - 3.0 * theirs;
        close(ours, &json!(theirs), "share that failed");
    }
    // Means of two arms that scatter differently (Welch).
    let [champion, challenger] = figures.withheld.map(|withheld| Window {
        classes: withheld.iter().map(|held| [1000 - held, 0, 0, 0, 0, *held]).collect(),
        ..Window::default()
    });
    let theirs = figures.apart.difference - 3.0 * figures.apart.error;
    let ours = seen(&champion, &challenger, Rail::Withheld);
    close(ours, &json!(theirs), "withheld");
}

/// Above twenty recordings flips are drawn; they come near to what all flips give.
#[test]
fn drawn_flips_come_near_to_all_flips() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let units: Vec<_> = (0..18).map(|_| ([0.0], [random.random_range(-0.2..0.3)])).collect();
    let figure = |one: &[f64; 1], two: &[f64; 1]| [Some(two[0] - one[0])];
    let [all] = permutation::paired(&units, 0, 0, figure);
    // The same with three more of so little that they change nothing, which makes them too many.
    let more: Vec<_> = units.iter().copied().chain([([0.0], [1e-13]); 3]).collect();
    let [drawn] = permutation::paired(&more, 20_000, 1, figure);
    let (all, drawn) = (all.unwrap(), drawn.unwrap());
    assert!(all.exact && !drawn.exact);
    let error = (all.p * (1.0 - all.p) / 20_000.0).sqrt();
    assert!((all.p - drawn.p).abs() < 4.0 * error + 1e-4, "{all:?} {drawn:?}");
}
