//! How requests of an arm end, and how long a challenger may take.

use super::Comparing;
use super::meters::ArmOf;
use crate::input::{Answer, InputError};
use einthoven_classify::{ClassifyError, ServedModel};
use einthoven_dispatch::{DispatchError, Done, Tensor};
use einthoven_ecg::readers::Input;
use einthoven_plugin_host::{Code, DType};
use einthoven_serving::{Arm, CHALLENGER};
use std::time::{Duration, Instant};

/// How a request ended that was the version's to answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    Answered { empty: bool, seconds: f64 },
    Failed,
    Late,
}

impl Outcome {
    /// What a version made of a request; none where the request itself was at fault.
    pub(crate) fn of(answer: &Result<Answer, InputError>, seconds: f64) -> Option<Self> {
        match answer {
            Ok(answer) => Some(Self::Answered {
                empty: is_empty(answer),
                seconds,
            }),
            Err(InputError::Classify(ClassifyError::Late)) => Some(Self::Late),
            Err(InputError::Classify(ClassifyError::Busy { .. } | ClassifyError::Engine(_))) => Some(Self::Failed),
            Err(_) => None,
        }
    }

    /// The same of tensors.
    pub(crate) fn of_tensors(done: &Result<Done, DispatchError>) -> Option<Self> {
        match done {
            Ok(done) => Some(Self::Answered {
                empty: done.outputs.iter().any(says_nothing),
                seconds: done.computed.as_secs_f64(),
            }),
            Err(DispatchError::Expired) => Some(Self::Late),
            Err(DispatchError::Failed(failure)) if failure.code == Code::Unsupported => None,
            Err(DispatchError::Full { .. } | DispatchError::Failed(_)) => Some(Self::Failed),
            // The request was at fault, or nobody waits any more, or it is asked again.
            Err(_) => None,
        }
    }
}

/// Counts how one request of an arm ended, also where it panics: that is the version's failure as any other.
pub(crate) struct Ending<'a> {
    comparing: &'a Comparing,
    arm: Option<ArmOf>,
}

impl<'a> Ending<'a> {
    /// Of a request that the version answers in that arm; counts nothing where it is in none.
    pub(crate) fn of(comparing: &'a Comparing, model: &ServedModel, arm: Option<&Arm>) -> Self {
        Self::in_arm(comparing, arm.map(|arm| ArmOf::of(model, arm)))
    }

    /// Of a shadow's.
    pub(crate) fn in_arm(comparing: &'a Comparing, arm: Option<ArmOf>) -> Self {
        Self { comparing, arm }
    }

    /// It came to its end; nothing is counted where the request itself was at fault.
    pub(crate) fn came(mut self, outcome: Option<Outcome>) {
        if let (Some(arm), Some(outcome)) = (self.arm.take(), outcome) {
            self.comparing.meters.saw(&arm, outcome);
        }
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if let Some(arm) = self.arm.take()
            && std::thread::panicking()
        {
            self.comparing.meters.saw(&arm, Outcome::Failed);
        }
    }
}

impl Comparing {
    /// When a challenger that begins now must have answered. None for the champion: nobody else would answer in its place.
    pub(crate) fn deadline(&self, arm: Option<&Arm>, input: Option<&Input>) -> Option<Instant> {
        arm.filter(|arm| arm.arm == CHALLENGER)?;
        let length_s = match input {
            Some(Input::Recording(recording)) => recording.duration_s(),
            _ => 0.0,
        };
        Some(Instant::now() + self.patience(length_s))
    }

    /// How long a version that is compared may compute: as long as was set, and a second more for each minute of a recording of
    /// that length.
    pub(crate) fn patience(&self, length_s: f64) -> Duration {
        self.challenger_within + Duration::try_from_secs_f64(length_s / 60.0).unwrap_or_default()
    }
}

/// Whether an output has numbers, and none of them is finite.
fn says_nothing(output: &Tensor) -> bool {
    let (numbers, _) = output.data.as_chunks::<4>();
    output.dtype == DType::F32
        && !numbers.is_empty()
        && !numbers.iter().any(|bytes| f32::from_le_bytes(*bytes).is_finite())
}

fn is_empty(answer: &Answer) -> bool {
    match answer {
        Answer::Beats { document, .. } => {
            !document.beats.is_empty() && document.beats.iter().all(|beat| beat.class.is_none())
        }
        Answer::Rows(document) => {
            let finite = |row: &einthoven_classify::RowOut| row.probabilities.values().all(|value| value.is_finite());
            !document.rows.is_empty() && !document.rows.iter().any(finite)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use einthoven_plugin_host::Failure;

    #[test]
    fn tensors_count_as_recordings_do() {
        let failure = |code| DispatchError::Failed(Failure::new(code, "as it is"));
        let of = |error| Outcome::of_tensors(&Err(error));
        assert_eq!(of(DispatchError::Expired), Some(Outcome::Late));
        assert_eq!(of(failure(Code::Internal)), Some(Outcome::Failed));
        assert_eq!(of(failure(Code::Unsupported)), None);
        assert_eq!(of(DispatchError::Cancelled), None);
        let output = |values: &[f32]| Tensor {
            name: "probabilities".into(),
            dtype: DType::F32,
            dims: vec![values.len()],
            data: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect::<Vec<u8>>()
                .into(),
        };
        assert!(says_nothing(&output(&[f32::NAN, f32::INFINITY])));
        assert!(!says_nothing(&output(&[f32::NAN, 0.5])));
        assert!(!says_nothing(&output(&[])));
    }

    #[test]
    fn a_request_that_panics_has_failed() {
        let comparing = Comparing::new(Duration::from_secs(1), Duration::from_secs(30), None);
        let arm = ArmOf {
            model: "heartbeat".to_owned(),
            experiment: "rr".to_owned(),
            version: "2".to_owned(),
            since: 7,
        };
        let ending = || Ending::in_arm(&comparing, Some(arm.clone()));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ending = ending();
            panic!("as an engine may");
        }));
        assert!(panicked.is_err());
        ending().came(Some(Outcome::Late));
        ending().came(None);
        // Who hangs up before it ends says nothing about the version.
        drop(ending());
        let seen = comparing.meters.of(&arm);
        assert_eq!((seen.requests, seen.errors, seen.timeouts), (2, 1, 1));
    }

    #[test]
    fn a_longer_recording_may_take_longer() {
        let comparing = Comparing::new(Duration::from_secs(1), Duration::from_secs(30), None);
        assert_eq!(comparing.patience(0.0), Duration::from_secs(30));
        assert_eq!(comparing.patience(86_400.0), Duration::from_secs(30 + 1440));
        let arm = |arm| Arm {
            experiment: "rr".to_owned(),
            arm,
            since: 7,
        };
        assert!(comparing.deadline(Some(&arm(CHALLENGER)), None).is_some());
        assert!(
            comparing
                .deadline(Some(&arm(einthoven_serving::CHAMPION)), None)
                .is_none()
        );
        assert!(comparing.deadline(None, None).is_none());
    }
}
