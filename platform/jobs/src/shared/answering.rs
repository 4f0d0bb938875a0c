//! Whether the database answers, and for how long it has.

use super::lock;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Since when the database has answered this server whatever it was asked.
///
/// While a database is away nobody can renew a lease, so a lease that has run out when it comes back says nothing about the server that has it.
/// That one has the time of a lease to say that it is there, before another takes its job over.
#[derive(Default)]
pub(super) struct Answering(Mutex<Heard>);

#[derive(Default)]
struct Heard {
    since: Option<Instant>,
    /// The database was asked in vain, and nobody knows since when others could not reach it.
    missed: bool,
}

impl Answering {
    /// What became of a question.
    pub(super) fn note<T, E>(&self, asked: &Result<T, E>) {
        let mut heard = lock(&self.0);
        match asked {
            Ok(_) => drop(heard.since.get_or_insert_with(Instant::now)),
            Err(_) => {
                *heard = Heard {
                    since: None,
                    missed: true,
                }
            }
        }
    }

    /// Whether it has answered for that long.
    pub(super) fn has_for(&self, long: Duration) -> bool {
        lock(&self.0).since.is_some_and(|since| since.elapsed() >= long)
    }

    /// How long it has answered since it did not; none where it always has.
    pub(super) fn back_for(&self) -> Option<Duration> {
        let heard = lock(&self.0);
        let back = heard.since.filter(|_| heard.missed);
        back.map(|since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::Answering;
    use std::time::Duration;

    #[test]
    fn one_question_without_an_answer_begins_the_time_anew() {
        let answering = Answering::default();
        assert!(!answering.has_for(Duration::ZERO));
        answering.note(&Ok::<_, ()>(()));
        assert!(answering.has_for(Duration::ZERO));
        assert!(!answering.has_for(Duration::from_secs(3600)));
        assert_eq!(answering.back_for(), None);
        answering.note(&Err::<(), _>(()));
        assert!(!answering.has_for(Duration::ZERO));
        answering.note(&Ok::<_, ()>(()));
        assert!(answering.back_for().is_some());
    }
}
