//! What a place of jobs does beside them, wherever it is: several work, it is swept now and then, and it ends.

use crate::worker::Work;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

/// How often what was kept long enough, and what others left behind, is looked for.
const LOOK: Duration = Duration::from_secs(600);

/// From its start to its end.
pub(crate) struct Life {
    more: Notify,
    stopping: watch::Sender<bool>,
    running: watch::Sender<usize>,
}

/// Where jobs lie that are done here.
pub(crate) trait Living: Clone + Send + Sync + 'static {
    fn life(&self) -> &Life;

    /// Does one job after the other, until told to stop; `number` counts those who work.
    fn work(self, number: usize, work: Arc<dyn Work>) -> impl Future<Output = ()> + Send;

    /// Removes what nobody needs any more.
    fn tidy(&self) -> impl Future<Output = ()> + Send;
}

/// Begins to do jobs, so many at once, in tasks of the runtime that calls.
pub(crate) fn start(place: &impl Living, at_once: usize, work: &Arc<dyn Work>) {
    for number in 0..at_once.max(1) {
        tokio::spawn(place.clone().work(number, Arc::clone(work)));
    }
    let place = place.clone();
    tokio::spawn(async move {
        let mut stopping = place.life().stopping();
        loop {
            place.tidy().await;
            if timeout(LOOK, stopping.wait_for(|stopping| *stopping)).await.is_ok() {
                return;
            }
        }
    });
}

impl Life {
    pub(crate) fn new() -> Self {
        Self {
            more: Notify::new(),
            stopping: watch::Sender::new(false),
            running: watch::Sender::new(0),
        }
    }

    /// Told to everybody who waits for it.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Nothing begins from here on.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Resolves when as many run as that wants; it is asked whenever that may have changed.
    pub(crate) async fn running(&self, wanted: impl Fn(usize) -> bool) {
        // It ends with the process alone.
        let _ = self.running.subscribe().wait_for(|running| wanted(*running)).await;
    }

    /// Changes how many run.
    pub(crate) fn count(&self, change: impl FnOnce(&mut usize)) {
        self.running.send_modify(change);
    }

    /// There is something to do, for one who waits for that.
    pub(crate) fn more(&self) {
        self.more.notify_one();
    }

    /// Resolves when there is something to do, when told to stop, and after `most`.
    pub(crate) async fn wait(&self, most: Duration) {
        let mut stopping = self.stopping();
        tokio::select! {
            () = self.more.notified() => {}
            () = sleep(most) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}
