//! Erasing a person here, and on every server that shares the database.

use super::super::App;
use super::super::problem::Problem;
use super::reading;
use crate::journaling::{Erased, Everywhere};
use crate::work::is_about;
use anyhow::Context;
use einthoven_journal::JournalError;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long what is under way about the person may take to end: a shadow computes for half a minute at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long other servers may take to follow, which are as patient each.
const OTHERS: Duration = Duration::from_secs(70);

/// How often it is asked whether all have followed.
const AGAIN: Duration = Duration::from_millis(50);

/// How long a server that ends waits for an erasure that it follows.
const LEAVING: Duration = Duration::from_secs(5);

/// How often a server looks whether another was asked to erase somebody, and says that it is there.
const LOOK: Duration = Duration::from_secs(1);

/// Erases a person wherever this server's journal is one of several, or here.
pub(super) async fn erase(app: &Arc<App>, subject: &str) -> Result<Erased, Problem> {
    let Some(everywhere) = app.journaling.everywhere() else {
        let erased = here(app, subject, None).await;
        return erased.inspect_err(|_| app.journaling.not_erased());
    };
    let seq = everywhere.ask(subject).await.map_err(|cause| away(&cause))?;
    let since = Instant::now();
    follow(app, &everywhere).await?;
    loop {
        if everywhere.open_here().contains(&seq) {
            let detail = "this server could not erase the person yet; it tries again by itself, and whoever asks for the same once more \
                          waits for that";
            return Err(Problem::busy(detail));
        }
        if let Some(erased) = everywhere.erased(seq).await.map_err(|cause| away(&cause))? {
            return Ok(erased);
        }
        if since.elapsed() > OTHERS {
            let detail = "another server has not erased the person yet; it will, and whoever asks for the same once more waits for that";
            return Err(Problem::busy(detail));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Follows what was asked while this server was not there, and from then on what others are asked.
pub(crate) async fn start(app: &Arc<App>) -> anyhow::Result<()> {
    let Some(everywhere) = app.journaling.everywhere() else {
        return Ok(());
    };
    let missed = follow(app, &everywhere).await;
    missed
        .map_err(|problem| anyhow::anyhow!("{}", problem.detail()))
        .context("asking who was to be forgotten while this server was not there")?;
    let following = tokio::spawn(follow_on(Arc::clone(app), Arc::clone(&everywhere)));
    let lifecycle = app.lifecycle.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = lifecycle.closing() => break,
            }
            // It may wait for long for what is under way, and is there all the same.
            if let Err(cause) = everywhere.here().await {
                tracing::warn!("others are not told that this server is there: {cause}");
            }
        }
        // Whoever follows says that this server is there, so that ends first.
        let _ = tokio::time::timeout(LEAVING, following).await;
        if let Err(cause) = everywhere.leave().await {
            tracing::warn!("others may wait for this server for a while: {cause}");
        }
    });
    Ok(())
}

async fn follow_on(app: Arc<App>, everywhere: Arc<Everywhere>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = app.lifecycle.closing() => return,
        }
        if let Err(problem) = follow(&app, &everywhere).await {
            tracing::warn!("who is to be forgotten is not yet: {}", problem.detail());
        }
    }
}

/// Erases here whoever is to be erased everywhere and is not yet. One who cannot be erased holds up neither the others nor the start of
/// the server; it is told, counted, and tried again.
async fn follow(app: &Arc<App>, everywhere: &Everywhere) -> Result<(), Problem> {
    let _following = everywhere.following().await;
    for wanted in everywhere.wanted().await.map_err(|cause| away(&cause))? {
        let done = match here(app, &wanted.subject, Some(wanted.asked)).await {
            Ok(erased) => everywhere
                .followed(&wanted, erased)
                .await
                .map_err(|cause| format!("{cause:#}")),
            Err(problem) => Err(problem.detail().to_owned()),
        };
        if let Err(cause) = done {
            let number = wanted.seq();
            tracing::error!("a person is not erased here yet, by erasure {number}, which is tried again: {cause}");
            app.journaling.not_erased();
            everywhere.failed(&wanted);
        }
    }
    everywhere.here().await.map_err(|cause| away(&cause))
}

/// First whatever could still make something about the person ends, then all that there is goes. What is asked about them
/// later is new, and stays: jobs are everybody's, so where it was `asked` long ago there may be such already.
async fn here(app: &Arc<App>, subject: &str, asked: Option<Timestamp>) -> Result<Erased, Problem> {
    let until = asked.and_then(|asked| asked.checked_add(PATIENCE).ok());
    let wanted =
        |wish: &serde_json::Value, created| is_about(wish, subject) && until.is_none_or(|until| created <= until);
    let left = app.journaling.leave(subject);
    let sessions = app.streams.forget_person(subject);
    let mut jobs = app.jobs.erase(wanted).await?;
    tokio::time::timeout(PATIENCE, left)
        .await
        .map_err(|_| Problem::busy("an answer about this person is still being made; ask for the same once more"))?;
    // One that was being written meanwhile is there now.
    jobs += app.jobs.erase(wanted).await?;
    let shown = app.recordings.forget_person(subject);
    let subject = subject.to_owned();
    let erased = reading(app, move |journal| {
        journal.erase_subject(&subject).map_err(|cause| match cause {
            JournalError::Full { .. } => {
                Problem::busy("the disk does not take what waits; the person's entries are still there, try again")
            }
            cause => Problem::internal(&cause),
        })
    });
    let erased = erased.await?;
    Ok(Erased {
        entries: erased.entries,
        labels: erased.labels,
        recordings: erased.recordings,
        jobs,
        shown,
        sessions,
    })
}

fn away(cause: &dyn std::fmt::Display) -> Problem {
    tracing::warn!("the database of what is erased: {cause}");
    Problem::busy("the database that says who is erased does not answer; ask for the same once more")
}
