//! The one task that changes the state: decide, append, publish.

use crate::error::{ChangeError, OpenError};
use crate::registry::{Asked, Done, catch_up};
use crate::view::View;
use arc_swap::ArcSwap;
use einthoven_registry_log::{Head, Log, LogError, MAX_BODY};
use einthoven_registry_state::{Change, Event, Record, Refusal, State};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Changes that share one write to disk at most.
const GROUP: usize = 256;

/// How often a change is decided anew when other processes append meanwhile.
const ATTEMPTS: usize = 50;

/// How long until what could not be read is read again.
const AGAIN: Duration = Duration::from_secs(1);

/// A change and who waits for it.
pub(crate) struct Request {
    pub(crate) asked: Asked,
    pub(crate) answer: oneshot::Sender<Result<Done, ChangeError>>,
}

pub(crate) struct Writer {
    pub(crate) log: Log,
    pub(crate) view: Option<View>,
    pub(crate) now: Arc<ArcSwap<State>>,
    pub(crate) announce: watch::Sender<u64>,
    pub(crate) head: Head,
}

/// What one change of a group came to.
enum Outcome {
    Made(Arc<State>, Vec<(u64, Record)>),
    Refused(Refusal),
}

impl Writer {
    /// Runs until every handle is dropped.
    pub(crate) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut appended = self.log.watch();
        let mut group = Vec::with_capacity(GROUP);
        let mut behind = false;
        loop {
            tokio::select! {
                taken = requests.recv_many(&mut group, GROUP) => {
                    if taken == 0 {
                        return;
                    }
                    self.write(&mut group).await;
                }
                told = appended.changed() => {
                    if told.is_err() {
                        return;
                    }
                    let newest = *appended.borrow_and_update();
                    behind = newest > self.head.seq && self.follow().await.is_err();
                }
                // What was heard of and could not be read is read again.
                () = tokio::time::sleep(AGAIN), if behind => behind = self.follow().await.is_err(),
            }
        }
    }

    /// Folds in what others appended. State and head always move together.
    async fn follow(&mut self) -> Result<(), OpenError> {
        let mut state = State::clone(&self.now.load());
        let mut head = self.head;
        let mut done = catch_up(&self.log, &mut state, &mut head, self.view.as_ref()).await;
        if let Err(cause @ OpenError::Rewritten { .. }) = &done {
            tracing::error!("{cause}; it is folded anew from its beginning");
            if let Some(view) = &self.view {
                view.clear();
            }
            (state, head) = (State::default(), Head::EMPTY);
            catch_up(&self.log, &mut state, &mut head, self.view.as_ref()).await?;
            done = Ok(());
        }
        if head != self.head {
            self.head = head;
            self.publish(Arc::new(state));
        }
        if let Err(cause) = &done {
            tracing::error!("the registry stays at entry {}: {cause}", self.head.seq);
        }
        done
    }

    async fn write(&mut self, group: &mut Vec<Request>) {
        let mut failure = ChangeError::Log("others change it all the time; try again".to_owned());
        for _ in 0..ATTEMPTS {
            let (outcomes, records, bodies) = self.decide(group);
            if bodies.is_empty() {
                return answer(group, outcomes);
            }
            match self.log.append(self.head, bodies).await {
                Ok(entries) => {
                    if let Some(last) = entries.last() {
                        self.head = last.head();
                    }
                    let newest = outcomes.iter().rev().find_map(|outcome| match outcome {
                        Outcome::Made(state, entries) if !entries.is_empty() => Some(Arc::clone(state)),
                        _ => None,
                    });
                    if let Some(state) = newest {
                        if let Some(view) = &self.view {
                            view.keep(self.head, &state, &records);
                        }
                        self.publish(state);
                    }
                    return answer(group, outcomes);
                }
                Err(LogError::Moved { .. }) => {
                    if let Err(cause) = self.follow().await {
                        failure = ChangeError::Log(cause.to_string());
                        break;
                    }
                }
                Err(cause @ LogError::Unknown { .. }) => {
                    failure = ChangeError::Unknown(cause.to_string());
                    break;
                }
                Err(cause) => {
                    failure = ChangeError::Log(cause.to_string());
                    break;
                }
            }
        }
        tracing::error!("{} changes: {failure}", group.len());
        for request in group.drain(..) {
            let _ = request.answer.send(Err(failure.clone()));
        }
    }

    /// Decides one change after the other, each on what the ones before it made.
    fn decide(&self, group: &[Request]) -> (Vec<Outcome>, Vec<(u64, Record)>, Vec<String>) {
        let mut state = self.now.load_full();
        let (mut all, mut bodies) = (Vec::new(), Vec::new());
        let mut outcomes = Vec::with_capacity(group.len());
        for Request { asked, .. } in group {
            let events = unmoved(&state, asked).and_then(|()| state.decide(&asked.who, asked.change.clone()));
            let mut written = Vec::new();
            let made = events.and_then(|events| {
                let records: Vec<_> = events.into_iter().map(|event| record(asked, event)).collect();
                written = records.iter().map(body).collect::<Result<_, _>>()?;
                Ok(records)
            });
            outcomes.push(match made {
                Err(refusal) => Outcome::Refused(refusal),
                Ok(records) => {
                    let mut next = State::clone(&state);
                    let mut made = Vec::with_capacity(records.len());
                    for record in records {
                        let seq = next.seq + 1;
                        next.apply(seq, &record);
                        made.push((seq, record));
                    }
                    bodies.append(&mut written);
                    if !made.is_empty() {
                        state = Arc::new(next);
                        all.extend(made.iter().cloned());
                    }
                    Outcome::Made(Arc::clone(&state), made)
                }
            });
        }
        (outcomes, all, bodies)
    }

    fn publish(&self, state: Arc<State>) {
        let seq = state.seq;
        self.now.store(state);
        self.announce.send_replace(seq);
    }
}

fn record(asked: &Asked, event: Event) -> Record {
    Record {
        at: jiff::Timestamp::now(),
        who: asked.who.clone(),
        why: asked.why.clone(),
        event,
    }
}

/// A record as the log keeps it. One that is too long is refused alone: its neighbours are written.
fn body(record: &Record) -> Result<String, Refusal> {
    // A record is strings, numbers and lists: it always has a form in JSON.
    let body = serde_json::to_string(record).unwrap_or_default();
    if body.len() > MAX_BODY {
        return Err(Refusal::TooLong {
            bytes: body.len(),
            most: MAX_BODY,
        });
    }
    Ok(body)
}

fn answer(group: &mut Vec<Request>, outcomes: Vec<Outcome>) {
    for (request, outcome) in group.drain(..).zip(outcomes) {
        // Who asked may have left; the change stands.
        let _ = request.answer.send(match outcome {
            Outcome::Made(state, entries) => Ok(Done { state, entries }),
            Outcome::Refused(refusal) => Err(refusal.into()),
        });
    }
}

/// Refuses a change that was decided on something older.
fn unmoved(state: &State, asked: &Asked) -> Result<(), Refusal> {
    let Some(seen) = asked.seen else {
        return Ok(());
    };
    let is = match (&asked.change, asked.change.model()) {
        (_, Some(model)) => state.model(model)?.revision,
        (Change::SetSource { source, .. } | Change::RemoveSource { source }, None) => state.source(source)?.revision,
        (Change::Access(change), None) => match state.access.seen_by(change)? {
            Some(revision) => revision,
            None => return Ok(()),
        },
        (_, None) => return Ok(()),
    };
    if is == seen {
        return Ok(());
    }
    Err(Refusal::ChangedMeanwhile { seen, is })
}
