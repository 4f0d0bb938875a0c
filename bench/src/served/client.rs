//! A client that does not wait for answers before it asks again, as callers who know nothing of each other do not.

use anyhow::Context;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A connection that is used again and again.
pub(super) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Whether the server left it open: one that is not used for long it closes, which is no lost answer.
    fn is_open(&self) -> bool {
        let read = self.0.get_ref().try_read(&mut [0]);
        read.is_err_and(|cause| cause.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// The status of the answer to a request, which is sent as it is.
    pub(super) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.0.get_mut().write_all(request).await?;
        let (mut status, mut length, mut line) = (None, 0, String::new());
        loop {
            line.clear();
            anyhow::ensure!(self.0.read_line(&mut line).await? > 0, "the connection was closed");
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            match text.split_once(':') {
                _ if status.is_none() => status = text.split(' ').nth(1).and_then(|code| code.parse().ok()),
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse()?,
                _ => {}
            }
        }
        let mut body = (&mut self.0).take(length);
        tokio::io::copy(&mut body, &mut tokio::io::sink()).await?;
        status.context("no status")
    }
}

/// What came of many requests.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) by_status: BTreeMap<u16, u64>,
    /// Answers that did not come.
    pub(super) broken: u64,
    /// Why the first of them did not.
    pub(super) cause: Option<String>,
    /// Requests that were not sent, since every connection was in use.
    pub(super) unsent: u64,
}

impl Counts {
    pub(super) fn of(&self, status: u16) -> u64 {
        self.by_status.get(&status).copied().unwrap_or_default()
    }

    /// Those with other statuses than these, and those without an answer.
    pub(super) fn besides(&self, statuses: &[u16]) -> u64 {
        let others = self.by_status.iter().filter(|(status, _)| !statuses.contains(status));
        others.map(|(_, count)| count).sum::<u64>() + self.broken
    }

    fn add(&mut self, answered: anyhow::Result<u16>) {
        match answered {
            Ok(status) => *self.by_status.entry(status).or_default() += 1,
            Err(cause) => {
                self.broken += 1;
                self.cause.get_or_insert_with(|| cause.to_string());
            }
        }
    }

    /// What came beside 200, in words to be put behind a count of it; empty where nothing did.
    pub(super) fn why(&self) -> String {
        let others = self.by_status.iter().filter(|(status, _)| **status != 200);
        let mut words: String = others.map(|(status, count)| format!(", {count} x {status}")).collect();
        if let Some(cause) = &self.cause {
            words.push_str(&format!(", {} without an answer, the first as {cause}", self.broken));
        }
        words
    }
}

/// Answers a second where so many callers each wait for theirs.
pub(super) async fn capacity(
    address: SocketAddr,
    request: &Arc<[u8]>,
    callers: usize,
    time: Duration,
) -> anyhow::Result<f64> {
    let (end, mut tasks) = (Instant::now() + time, JoinSet::new());
    for _ in 0..callers {
        let request = Arc::clone(request);
        tasks.spawn(async move {
            let (mut connection, mut answers) = (Connection::open(address).await?, 0_u64);
            while Instant::now() < end {
                let status = connection.ask(&request).await?;
                anyhow::ensure!(status == 200, "{status} where nothing is too much");
                answers += 1;
            }
            Ok(answers)
        });
    }
    let mut answers = 0;
    while let Some(done) = tasks.join_next().await {
        answers += done??;
    }
    Ok(answers as f64 / time.as_secs_f64())
}

/// Sends so many requests a second for that time, over so many connections at most, and waits for the last answer.
pub(super) async fn at_rate(
    address: SocketAddr,
    request: &Arc<[u8]>,
    rate: f64,
    time: Duration,
    most: usize,
) -> anyhow::Result<Counts> {
    let counts = Arc::new(Mutex::new(Counts::default()));
    let free: Arc<Mutex<Vec<Connection>>> = Arc::default();
    let under_way = Arc::new(AtomicUsize::new(0));
    let (start, mut sent) = (Instant::now(), 0_u64);
    let mut tick = tokio::time::interval(Duration::from_millis(2));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while start.elapsed() < time {
        tick.tick().await;
        let due = (start.elapsed().as_secs_f64() * rate) as u64;
        for _ in sent..due {
            if under_way.load(Ordering::Relaxed) >= most {
                lock(&counts).unsent += 1;
                continue;
            }
            under_way.fetch_add(1, Ordering::Relaxed);
            let (request, counts, free) = (Arc::clone(request), Arc::clone(&counts), Arc::clone(&free));
            let under_way = Arc::clone(&under_way);
            tokio::spawn(async move {
                let known = lock(&free).pop().filter(Connection::is_open);
                let asked = async {
                    let mut connection = match known {
                        Some(connection) => connection,
                        None => Connection::open(address).await?,
                    };
                    let status = connection.ask(&request).await?;
                    lock(&free).push(connection);
                    Ok(status)
                };
                let answered = asked.await;
                lock(&counts).add(answered);
                under_way.fetch_sub(1, Ordering::Relaxed);
            });
        }
        sent = due;
    }
    let end = Instant::now() + Duration::from_secs(60);
    while under_way.load(Ordering::Relaxed) > 0 {
        anyhow::ensure!(Instant::now() < end, "a minute later requests have no answer");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(std::mem::take(&mut *lock(&counts)))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
