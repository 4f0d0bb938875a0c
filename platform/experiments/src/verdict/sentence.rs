//! The verdict in words: what the interval holds and nothing beyond.

use super::units::Units;
use super::{Design, Looks, Primary, Standing, Verdict};
use crate::figure::{Figure, reference_beats};

/// Above this share of a class in one recording, its figures are that recording's.
const DOMINATES: f64 = 0.5;

fn points(value: f64) -> String {
    let text = format!("{:.1}", 100.0 * value);
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

fn signed(value: f64) -> String {
    let text = points(value);
    if text.starts_with('-') || text == "0.0" {
        text
    } else {
        format!("+{text}")
    }
}

pub(super) fn sentence(verdict: &Verdict) -> String {
    let (champion, challenger) = (&verdict.champion, &verdict.challenger);
    let Some(primary) = &verdict.primary else {
        return unlabelled(verdict);
    };
    let figure = primary.figure.phrase();
    let units = primary.units;
    let bounds = primary.bounds(verdict.settings.looks);
    let difference = signed(primary.difference);
    let range = bounds.map(|(low, high)| format!("{} to {}", signed(low), signed(high)));
    let range = range.unwrap_or_else(|| "no interval".to_owned());
    let sure = format!("{:.4}", 100.0 * (1.0 - verdict.settings.level()));
    let sure = sure.trim_end_matches('0').trim_end_matches('.');
    let looks = match verdict.settings.looks {
        Looks::Every => "at every look",
        Looks::Once => "at this one look",
    };
    let held = format!("{difference} points of {figure} ({range}) over {units} recordings, {sure} % sure {looks}");
    match verdict.standing {
        Standing::Better => format!("`{challenger}` is better than `{champion}`: {held}."),
        Standing::Worse => format!("`{challenger}` is worse than `{champion}`: {held}."),
        Standing::Alike => format!(
            "`{challenger}` and `{champion}` differ by less than {} points of {figure}: {difference} ({range}) over {units} \
             recordings, {sure} % sure {looks}.",
            points(verdict.settings.worth)
        ),
        Standing::TooEarly | Standing::Unlabelled => {
            let seen = format!(
                "Too early to say: over {units} recordings `{challenger}` differs from `{champion}` by {difference} points of \
                 {figure}, and anything from {range} fits"
            );
            format!("{seen}{}.", more(verdict, primary))
        }
    }
}

/// How many more, where that can be said.
fn more(verdict: &Verdict, primary: &Primary) -> String {
    let settings = &verdict.settings;
    let few = u64::from(settings.least_recordings).saturating_sub(primary.units);
    if few > 0 {
        return format!("; nothing is said before {} recordings", settings.least_recordings);
    }
    let worth = points(settings.worth);
    let Some(power) = &primary.power else {
        return String::new();
    };
    let more = match (settings.looks, verdict.design) {
        (Looks::Every, Design::Paired) => power.more.every_look,
        (Looks::Once, _) => Some(power.more.one_look),
        (Looks::Every, Design::Apart) => None,
    };
    match more {
        Some(0) => format!("; a difference of {worth} points would likely have shown by now"),
        Some(more) => format!(
            "; about {} more would show a difference of {worth} points",
            rounded(more)
        ),
        None if settings.looks == Looks::Every && verdict.design == Design::Apart => {
            "; a shadow, which compares on the same recordings, needs far fewer".to_owned()
        }
        None => format!("; a difference of {worth} points would take more than 5,000"),
    }
}

/// Two figures are all that is known of a forecast.
fn rounded(number: u64) -> u64 {
    let digits = number.checked_ilog10().unwrap_or(0);
    let unit = 10_u64.pow(digits.saturating_sub(1));
    number.div_ceil(unit) * unit
}

fn unlabelled(verdict: &Verdict) -> String {
    let (champion, challenger) = (&verdict.champion, &verdict.challenger);
    let agreement = &verdict.agreement;
    let Some(agreed) = agreement.agreed else {
        return format!(
            "Too early to say: there are no labels, and `{challenger}` and `{champion}` have no recordings in common."
        );
    };
    let interval = agreement
        .agreed_interval
        .map(|interval| format!(" ({} to {})", points(interval.low), points(interval.high)));
    let kappa = agreement.kappa.map(|kappa| format!(", kappa {kappa:.2}"));
    format!(
        "Which is right only labels can tell: `{challenger}` and `{champion}` agree on {} %{} of {} beats in {} \
         recordings{}.",
        points(agreed),
        interval.unwrap_or_default(),
        agreement.beats,
        verdict.numbers.units,
        kappa.unwrap_or_default()
    )
}

pub(super) fn notes(verdict: &Verdict, units: &Units) -> Vec<String> {
    let mut notes = Vec::new();
    let numbers = &verdict.numbers;
    let left_out = match verdict.design {
        Design::Paired => numbers.champion_only + numbers.challenger_only,
        Design::Apart => numbers.both,
    };
    if left_out > 0 {
        let why = match verdict.design {
            Design::Paired => "only one version saw",
            Design::Apart => "both versions saw",
        };
        notes.push(format!("{left_out} recordings that {why} are left out."));
    }
    let merged: u64 = units.all.iter().map(|unit| unit.recordings - 1).sum();
    if merged > 0 {
        notes.push(format!(
            "{merged} recordings are of people who are there already: the tables sum them, the verdict takes each person's first."
        ));
    }
    let Some(primary) = &verdict.primary else {
        return notes;
    };
    notes.push(
        "The verdict is the mean difference over recordings, in which nothing to find and nothing called counts as right; the table \
         sums beats over recordings, so recordings with many ectopic beats weigh more."
            .to_owned(),
    );
    if numbers.labelled < numbers.units {
        let missing = numbers.units - numbers.labelled;
        notes.push(format!("{missing} of {} recordings have no labels yet.", numbers.units));
    }
    let partial = |side: &Option<super::units::Side>| side.as_ref().is_some_and(|side| side.partial);
    if units
        .all
        .iter()
        .any(|unit| partial(&unit.champion) || partial(&unit.challenger))
    {
        notes.push(
            "Some labels are of single beats: if these were chosen for what a version said, so is this verdict."
                .to_owned(),
        );
    }
    if verdict.settings.looks == Looks::Once && primary.units < 20 {
        notes.push("Intervals from fewer than 20 recordings are too narrow.".to_owned());
    }
    if verdict.settings.looks == Looks::Every {
        notes.push(
            "Intervals and p-values of the table hold for one look; only the verdict holds at every look.".to_owned(),
        );
    }
    notes.extend(dominated(primary.figure, units));
    notes
}

/// The recording that holds most beats of the class that decides.
fn dominated(figure: Figure, units: &Units) -> Option<String> {
    let class = figure.class().filter(|class| *class > 0)?;
    let of = |unit: &super::units::Unit| {
        let side = unit.champion.as_ref().or(unit.challenger.as_ref())?;
        Some((reference_beats(&side.counts()?, class), unit.id.clone()))
    };
    let all: Vec<_> = units.all.iter().filter_map(of).collect();
    let total: f64 = all.iter().map(|(beats, _)| beats).sum();
    let (most, id) = all.into_iter().max_by(|one, two| one.0.total_cmp(&two.0))?;
    (total > 0.0 && most / total > DOMINATES).then(|| {
        format!(
            "{:.0} % of all {} beats are in `{id}`: figures of the table say little about other recordings.",
            100.0 * most / total,
            ["N", "S", "V", "F"][class.min(3)]
        )
    })
}
