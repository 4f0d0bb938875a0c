//! Doing jobs that others could do as well.

use super::alive::Alive;
use super::{Inner, Shared, input, lease, lock, result};
use crate::events;
use crate::record::{Record, State};
use crate::worker::{Control, Failed, Progress, Stage, Task, Tell, Work, bucket_away, internal, run, stopped};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The wait where the database or the bucket is away.
const AGAIN: Duration = Duration::from_millis(500);

impl Shared {
    /// The next job, if there is one and the database says so.
    pub(super) async fn take(&self, name: &str) -> Option<Record> {
        let Inner {
            leases,
            lease,
            answering,
            ..
        } = &*self.0;
        let taken = lease::take(leases, name, *lease, answering.has_for(*lease), answering.back_for()).await;
        answering.note(&taken);
        taken.ok().flatten()
    }

    pub(super) async fn one(&self, record: Record, work: &Arc<dyn Work>) {
        let control = Arc::<Control>::default();
        lock(&self.0.controls).insert(record.id.clone(), Arc::clone(&control));
        // It may have been told to stop between being asked and being taken.
        if self.0.life.is_stopping() {
            control.stop();
        }
        let (told, reached) = mpsc::unbounded_channel();
        let beating = tokio::spawn(self.clone().beat(record.clone(), Arc::clone(&control), reached));
        let done = self.run(&record, told, &control, work).await;
        // The channel is closed by now, and what came through it is written.
        let said = beating.await.unwrap_or(Alive::Perhaps);
        self.finish(&record, done, &control, said).await;
        lock(&self.0.controls).remove(&record.id);
        self.sweep().await;
    }

    /// Does it; its result is in the bucket then. The lease is renewed until that is so, also after the work has said its last.
    async fn run(
        &self,
        record: &Record,
        told: mpsc::UnboundedSender<(u8, Stage)>,
        control: &Arc<Control>,
        work: &Arc<dyn Work>,
    ) -> Result<(), Failed> {
        let _held = told.clone();
        self.may_be_tried(record, control).await?;
        let mut files = Vec::new();
        for (index, name) in record.files.iter().enumerate() {
            let place = input(index);
            let got = self.patiently(control, || self.0.objects.get(&record.id, &place));
            let got = got.await?.ok_or_else(|| internal(&"its input is gone"))?;
            files.push((name.clone(), Vec::from(got)));
        }
        let task = Task {
            id: record.id.clone(),
            owner: record.owner.clone(),
            wish: record.wish.clone(),
            files,
            progress: Progress::new(Box::new(Told(told)), Arc::clone(control)),
        };
        let work = Arc::clone(work);
        let ran = tokio::task::spawn_blocking(move || run(&*work, task)).await;
        let bytes = ran.map_err(|cause| internal(&cause))??;
        let (content, name) = (Bytes::from(bytes), result(record.runs));
        self.patiently(control, || self.0.objects.put(&record.id, &name, content.clone()))
            .await
    }

    /// Tries again where the bucket is away, for as long as the job is to go on; a bucket that refuses for good ends it, so that the next
    /// one has its turn.
    pub(super) async fn patiently<T, F>(&self, control: &Control, ask: impl Fn() -> F) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, einthoven_registry_files::FilesError>>,
    {
        let since = Instant::now();
        loop {
            match ask().await {
                Ok(got) => return Ok(got),
                Err(_) if !control.goes_on() => return Err(Failed::Stopped),
                Err(cause) if since.elapsed() >= self.0.bucket_patience => return Err(bucket_away(&cause)),
                Err(cause) => tracing::warn!("a job waits for the bucket: {cause}"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Renews the lease and writes down how far the job is, until that is said no more. Gives what it said in the bucket and did not take back.
    async fn beat(
        self,
        record: Record,
        control: Arc<Control>,
        mut reached: mpsc::UnboundedReceiver<(u8, Stage)>,
    ) -> Alive {
        let mut beats = tokio::time::interval(self.0.lease / 4);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let patience = self.0.lease / 4;
        let mut alive = Alive::default();
        loop {
            let written = tokio::select! {
                said = reached.recv() => {
                    let Some((percent, stage)) = said else { return alive };
                    let event = events::progress(percent, &stage, record.runs);
                    lease::reached(&self.0.leases, &record, &stage, &event).await
                }
                _ = beats.tick() => lease::renew(&self.0.leases, &record, self.0.lease).await,
            };
            self.0.answering.note(&written);
            match written {
                Ok(true) => self.unsay_alive(&record, &mut alive, patience).await,
                // Somebody cancelled it, or took it over.
                Ok(false) => control.cancel(),
                Err(cause) => {
                    tracing::warn!("how far a job is was not written down: {cause}");
                    self.say_alive(&record, &mut alive, patience).await;
                }
            }
        }
    }

    /// Writes the end down, for as long as that takes; where the server is told to stop meanwhile, another does the job again.
    async fn finish(&self, record: &Record, done: Result<(), Failed>, control: &Control, mut alive: Alive) {
        let (state, problem) = match done {
            Ok(()) => (State::Done, None),
            Err(Failed::Problem(problem)) => (State::Failed, Some(problem)),
            Err(Failed::Stopped) if control.is_stopping() => (State::Queued, None),
            Err(Failed::Stopped) => (State::Failed, Some(stopped())),
        };
        let mut ended = record.clone();
        if state == State::Queued {
            ended.state = state;
        } else {
            ended.end(state, problem);
        }
        loop {
            let end = lease::end(&self.0.leases, &ended).await;
            if matches!(end, Ok(true)) {
                self.unsay_alive(record, &mut alive, self.0.lease).await;
            }
            match end {
                Ok(true) if state.is_end() => {
                    if let Err(cause) = self.remove_input(&record.id).await {
                        tracing::error!("the input of a job was not removed yet: {cause}");
                    }
                    return;
                }
                Ok(true) => return,
                Ok(false) => {
                    // Taken over, or cancelled: whoever waits for that sees when it is put down.
                    let Inner { objects, leases, .. } = &*self.0;
                    let _ = objects.remove(&record.id, &result(record.runs)).await;
                    if lease::put_down(leases, record).await.is_ok() {
                        self.unsay_alive(record, &mut alive, self.0.lease).await;
                    }
                    return;
                }
                Err(cause) => tracing::warn!("the end of a job is not written down yet: {cause}"),
            }
            self.say_alive(record, &mut alive, self.0.lease).await;
            if self.0.life.is_stopping() {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Hands on how far a job is, without waiting for the database.
#[derive(Debug)]
struct Told(mpsc::UnboundedSender<(u8, Stage)>);

impl Tell for Told {
    fn reached(&self, percent: u8, stage: Stage) {
        // Nobody listens where the job was taken over, and then nobody needs it.
        let _ = self.0.send((percent, stage));
    }
}
