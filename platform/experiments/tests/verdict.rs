//! Verdicts over recordings made up, so that the truth is known.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_ecg::beat::BeatClass::{N, V};
use einthoven_experiments::verdict::{Design, Looks, Standing};
use einthoven_experiments::{Beat, Experiment, Figure, Label, Recording, Settings, Truth, Verdict, verdict};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const RATE: f64 = 360.0;
const BEATS: u64 = 60;

/// What each arm gets wrong of ventricular beats, beside its mood that day.
struct Arms {
    champion: f64,
    challenger: f64,
}

/// Recordings of an hour each, every tenth beat ventricular; both arms have moods by the recording, mostly in common.
fn recordings(number: usize, arms: &Arms, seed: u64, labels: bool) -> Vec<Recording> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let made = (0..number).map(|at| {
        let mood: f64 = random.random_range(-0.1..0.1);
        let truth: Vec<Label> = (1..=BEATS)
            .map(|beat| Label {
                sample: 300 * beat,
                class: Some(if beat % 4 == 0 { V } else { N }),
            })
            .collect();
        let mut answer = |wrong: f64| -> Vec<Beat> {
            let wrong = (wrong + mood).clamp(0.0, 1.0);
            let beat = |label: &Label| {
                let missed = label.class == Some(V) && random.random_bool(wrong);
                Beat {
                    sample: label.sample,
                    class: if missed { Some(N) } else { label.class },
                    confidence: Some(0.8),
                }
            };
            truth.iter().map(beat).collect()
        };
        let (champion, challenger) = (answer(arms.champion), answer(arms.challenger));
        let truth = labels.then_some(Truth::Whole(&truth));
        Recording::of(&format!("r{at}"), RATE, Some(&champion), Some(&challenger), truth)
    });
    made.collect()
}

fn judge(recordings: Vec<Recording>, settings: Settings) -> Verdict {
    verdict(&Experiment {
        name: "heartbeat".to_owned(),
        champion: "3".to_owned(),
        challenger: "4".to_owned(),
        recordings,
        settings,
    })
    .unwrap()
}

const BETTER: Arms = Arms {
    champion: 0.35,
    challenger: 0.2,
};

/// The sentence's interval is the verdict's, and its claim is not more.
fn honest(verdict: &Verdict) {
    let Some(primary) = &verdict.primary else { return };
    let (low, high) = match verdict.settings.looks {
        Looks::Every => (primary.sequence.low, primary.sequence.high),
        Looks::Once => (primary.interval.unwrap().low, primary.interval.unwrap().high),
    };
    match verdict.standing {
        Standing::Better => assert!(low > 0.0 && verdict.sentence.contains("is better than")),
        Standing::Worse => assert!(high < 0.0 && verdict.sentence.contains("is worse than")),
        Standing::Alike => assert!(low > -verdict.settings.worth && high < verdict.settings.worth),
        Standing::TooEarly => assert!(verdict.sentence.starts_with("Too early to say"), "{}", verdict.sentence),
        Standing::Unlabelled => panic!("there are labels"),
    }
    assert!(
        verdict.sentence.contains(&format!("{:.1}", 100.0 * low)),
        "{} {low}",
        verdict.sentence
    );
    assert!(
        verdict.sentence.contains(&format!("{:.1}", 100.0 * high)),
        "{} {high}",
        verdict.sentence
    );
}

#[test]
fn a_better_challenger_is_called_better_once_that_is_known() {
    let all = recordings(120, &BETTER, 1, true);
    let early = judge(all[..15].to_vec(), Settings::default());
    honest(&early);
    assert_eq!(early.standing, Standing::TooEarly);
    assert!(
        early.sentence.contains("more would show a difference of 2.0 points"),
        "{}",
        early.sentence
    );
    let late = judge(all.clone(), Settings::default());
    honest(&late);
    assert_eq!((late.standing, late.design), (Standing::Better, Design::Paired));
    println!("{}\n{}\n{:#?}", early.sentence, late.sentence, late.notes);
    let primary = late.primary.as_ref().unwrap();
    assert!(primary.sequence.e_value.unwrap() >= 20.0 && primary.sequence.decided_at.unwrap() <= 120);
    assert!(primary.test.unwrap().p < 0.001);

    // The same data, the same document, to the last digit; and JSON holds all of it.
    assert!(late == judge(all.clone(), Settings::default()));
    let text = serde_json::to_string(&late).unwrap();
    assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap().sentence, late.sentence);

    // With the arms' names changed, all is mirrored.
    let mirrored = all.into_iter().map(|mut recording| {
        std::mem::swap(&mut recording.champion, &mut recording.challenger);
        recording
    });
    let mirrored = judge(mirrored.collect(), Settings::default());
    assert_eq!(mirrored.standing, Standing::Worse);
    let other = mirrored.primary.unwrap();
    assert!((other.difference + primary.difference).abs() < 1e-12);
    assert!((other.sequence.low + primary.sequence.high).abs() < 1e-9);
    assert_eq!(other.test, primary.test);
}

#[test]
fn one_look_needs_fewer_recordings() {
    let once = Settings {
        looks: Looks::Once,
        ..Settings::default()
    };
    let verdict = judge(recordings(15, &BETTER, 1, true), once);
    honest(&verdict);
    assert_eq!(verdict.standing, Standing::Better);
    assert!(verdict.sentence.contains("at this one look") && verdict.primary.unwrap().test.unwrap().exact);
    // The table, worked out another way.
    let labelled = verdict.labelled.unwrap();
    let row = labelled.figures.iter().find(|row| row.figure == Figure::VSe).unwrap();
    let found = |matrix: &[[u64; 7]; 7]| matrix[2][2] as f64 / matrix[2].iter().sum::<u64>() as f64;
    assert_eq!(row.champion, Some(found(&labelled.champion_matrix)));
    assert_eq!(row.challenger, Some(found(&labelled.challenger_matrix)));
    let difference = row.difference.unwrap();
    assert!(row.interval.unwrap().holds(difference) && row.test.unwrap().p < 0.05);
    // Beats by who was right sum to all labelled beats.
    let mcnemar = labelled.mcnemar.unwrap();
    let sum = mcnemar.both + mcnemar.champion_only + mcnemar.challenger_only + mcnemar.neither;
    assert_eq!(sum, 15 * BEATS);
    assert!(mcnemar.challenger_only > mcnemar.champion_only);
    let calibration = labelled.calibration.unwrap();
    assert!(
        calibration.champion_worst.unwrap().calibration_error >= calibration.champion && calibration.difference != 0.0
    );
    assert_eq!(labelled.recordings.len(), 15);
}

#[test]
fn equal_versions_are_never_called_better_and_in_the_end_alike() {
    let equal = Arms {
        champion: 0.1,
        challenger: 0.1,
    };
    let all = recordings(400, &equal, 5, true);
    let lazy = Settings {
        draws: 100,
        worth: 0.1,
        ..Settings::default()
    };
    for number in [1, 5, 12, 40, 100, 400] {
        let verdict = judge(all[..number].to_vec(), lazy);
        honest(&verdict);
        assert!(
            matches!(verdict.standing, Standing::TooEarly | Standing::Alike),
            "{}",
            verdict.sentence
        );
        if number == 400 {
            assert_eq!(verdict.standing, Standing::Alike, "{}", verdict.sentence);
        }
    }
}

#[test]
fn several_challengers_are_each_judged_more_strictly() {
    let all = recordings(80, &BETTER, 8, true);
    let alone = judge(all.clone(), Settings::default()).primary.unwrap();
    let among = Settings {
        comparisons: 8,
        ..Settings::default()
    };
    let among = judge(all, among);
    assert!(among.primary.as_ref().unwrap().sequence.low < alone.sequence.low);
    assert!(among.sentence.contains("99.375 % sure"), "{}", among.sentence);
}

#[test]
fn without_labels_it_says_how_far_they_agree_and_no_more() {
    let verdict = judge(recordings(30, &BETTER, 3, false), Settings::default());
    assert_eq!(verdict.standing, Standing::Unlabelled);
    assert!(verdict.primary.is_none() && verdict.labelled.is_none());
    println!("{}", verdict.sentence);
    assert!(verdict.sentence.starts_with("Which is right only labels can tell"));
    let agreement = &verdict.agreement;
    assert_eq!(agreement.beats, 30 * BEATS);
    let differing: u64 = agreement.differ.iter().map(|row| row.differing).sum();
    let agreed = 1.0 - differing as f64 / (30 * BEATS) as f64;
    assert!((agreement.agreed.unwrap() - agreed).abs() < 1e-12);
    assert!(agreement.agreed_interval.unwrap().holds(agreed));
    assert!(agreement.kappa_interval.unwrap().holds(agreement.kappa.unwrap()));
    assert!(
        agreement
            .differ
            .windows(2)
            .all(|pair| pair[0].differing >= pair[1].differing)
    );
    // The challenger calls more beats V.
    let share = agreement.shares.iter().find(|share| share.class == Some(V)).unwrap();
    assert!(share.interval.unwrap().low > 0.0);
}

#[test]
fn arms_that_saw_their_own_recordings_are_compared_apart() {
    let split = |number: usize| -> Vec<Recording> {
        let mut all = recordings(
            number,
            &Arms {
                champion: 0.6,
                challenger: 0.05,
            },
            4,
            true,
        );
        for (at, recording) in all.iter_mut().enumerate() {
            recording.together = None;
            if at % 2 == 0 {
                recording.challenger = None
            } else {
                recording.champion = None
            }
        }
        all
    };
    let few = judge(split(30), Settings::default());
    honest(&few);
    assert_eq!((few.design, few.standing), (Design::Apart, Standing::TooEarly));
    assert!(few.sentence.contains("a shadow"), "{}", few.sentence);
    let many = judge(
        split(300),
        Settings {
            draws: 300,
            ..Settings::default()
        },
    );
    honest(&many);
    assert_eq!(many.standing, Standing::Better);
    let numbers = many.numbers;
    assert_eq!(
        (
            numbers.champion_only,
            numbers.challenger_only,
            numbers.both,
            numbers.labelled
        ),
        (150, 150, 0, 300)
    );
    assert!(many.agreement.agreed.is_none() && many.agreement.shares[2].interval.unwrap().low > 0.0);
}

#[test]
fn recordings_of_one_person_are_one_unit() {
    let mut all = recordings(40, &BETTER, 6, true);
    for (at, recording) in all.iter_mut().enumerate() {
        recording.group = Some(format!("person {}", at % 4));
    }
    let verdict = judge(all, Settings::default());
    assert_eq!((verdict.numbers.recordings, verdict.numbers.units), (40, 4));
    assert_eq!(verdict.primary.as_ref().unwrap().units, 4);
    assert_eq!(verdict.standing, Standing::TooEarly);
    assert!(
        verdict
            .notes
            .iter()
            .any(|note| note.starts_with("36 recordings are of people")),
        "{:?}",
        verdict.notes
    );
}

/// A person's recordings of which only one answer could be compared with labels are in no pair.
#[test]
fn pairs_are_of_the_same_recording() {
    let mut all = recordings(24, &BETTER, 10, true);
    let whole = judge(all.iter().step_by(2).cloned().collect(), Settings::default());
    for (at, recording) in all.iter_mut().enumerate() {
        recording.group = Some(format!("person {}", at / 2));
    }
    for at in (1..24).step_by(2) {
        all[at].challenger.as_mut().unwrap().matrix = None;
        // The one that counts comes second.
        all.swap(at - 1, at);
    }
    let verdict = judge(all, Settings::default());
    assert_eq!(verdict.primary, whole.primary);
    assert_eq!(verdict.labelled.unwrap().figures, whole.labelled.unwrap().figures);
}

#[test]
fn what_a_reader_must_know_is_noted() {
    let mut all = recordings(12, &BETTER, 7, true);
    // One recording with nearly all ectopic beats, one without labels, one that one arm did not see.
    let heavy = all[0].champion.as_mut().unwrap().matrix.as_mut().unwrap();
    heavy[2][2] += 5000;
    all[1].champion.as_mut().unwrap().matrix = None;
    all[2].challenger = None;
    let notes = judge(all, Settings::default()).notes.join("\n");
    for expected in [
        "% of all V beats are in `r0`",
        "1 recordings that only one version saw",
        "1 of 11 recordings have no labels",
    ] {
        assert!(notes.contains(expected), "{notes}");
    }
}

#[test]
fn nothing_and_nonsense_are_answered_not_panicked_at() {
    let empty = judge(Vec::new(), Settings::default());
    assert_eq!(empty.standing, Standing::Unlabelled);
    assert!(empty.sentence.starts_with("Too early to say"));
    let text = r#"{"id":"x","champion":{"said":[18446744073709551615,1,2,3,18446744073709551615],"matrix":[[18446744073709551615,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,18446744073709551615]],"calibration_error":1e308},"challenger":{"said":[0,0,0,0,0],"matrix":[[0,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,0]]},"together":{"agreement":[[18446744073709551615,18446744073709551615,0,0,0,0],[0,0,0,0,0,0],[0,0,0,0,0,0],[0,0,0,0,0,0],[0,0,0,0,0,0],[0,0,0,0,0,0]],"right":[18446744073709551615,1,1,18446744073709551615]}}"#;
    let absurd: Recording = serde_json::from_str(text).unwrap();
    let verdict = judge(
        vec![absurd.clone(), absurd.clone(), absurd],
        Settings {
            draws: 50,
            ..Settings::default()
        },
    );
    assert!(serde_json::to_string(&verdict).is_ok());
    for wrong in [
        r#"{"alpha":0}"#,
        r#"{"alpha":null}"#,
        r#"{"draws":1000000}"#,
        r#"{"worth":0}"#,
        r#"{"comparisons":0}"#,
        r#"{"beta":1}"#,
    ] {
        let settings = serde_json::from_str::<Settings>(wrong);
        assert!(settings.is_err() || settings.unwrap().check().is_err(), "{wrong}");
    }
}

/// A thousand recordings are a request's work, not a night's.
#[test]
fn a_thousand_recordings_take_seconds() {
    let all = recordings(1000, &BETTER, 9, true);
    let start = std::time::Instant::now();
    let verdict = judge(all, Settings::default());
    println!("1000 recordings: {:?}", start.elapsed());
    assert_eq!(verdict.standing, Standing::Better);
    assert!(start.elapsed().as_secs() < 60);
}

/// Equal versions, looked at once: called different by chance as often as stated, and no more.
#[test]
fn equal_versions_looked_at_once_are_seldom_called_different() {
    let equal = Arms {
        champion: 0.2,
        challenger: 0.2,
    };
    let settings = Settings {
        looks: Looks::Once,
        draws: 400,
        ..Settings::default()
    };
    let experiments = 200;
    let different = (0..experiments).filter(|at| {
        let standing = judge(recordings(25, &equal, 1000 + at, true), settings).standing;
        matches!(standing, Standing::Better | Standing::Worse)
    });
    let different = different.count();
    println!("called different: {different} of {experiments}");
    // 5 %, and four standard deviations.
    assert!(different <= 10 + 13, "{different}");
}
