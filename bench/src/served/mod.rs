//! The whole server under loads that it must bear: deadlines while it is busy, twice what it can do, long use, and shadows that fail; and
//! several that share a registry.

mod client;
mod deadlines;
mod overload;
mod propagation;
mod shadow;
mod soak;

pub(crate) use deadlines::deadlines;
pub(crate) use overload::overload;
pub(crate) use propagation::propagation;
pub(crate) use shadow::shadow;
pub(crate) use soak::soak;

use crate::serving::bodies::{Encoding, Item};
use crate::serving::peers::Running;
use crate::serving::{cells, einthoven, networks};
use anyhow::Context;
use client::Connection;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Callers who each wait for their answer, where what the server can do is measured, and for how long.
const CALLERS: usize = 64;
const MEASURED: Duration = Duration::from_secs(5);

/// The server with the network for beats on ONNX Runtime.
struct Served {
    running: Running,
    address: SocketAddr,
    runtime: tokio::runtime::Runtime,
}

impl Served {
    fn start() -> anyhow::Result<Self> {
        let (target, models) = networks()?;
        let running = einthoven::start(&target.join("release/einthoven"), &target, &models, "onnxruntime")?;
        let address = running.base.strip_prefix("http://").context("no address")?.parse()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        Ok(Self {
            running,
            address,
            runtime,
        })
    }

    /// A request for so many beats, as it goes over the wire.
    fn request(&self, rows: usize, headers: &[(&str, &str)]) -> Arc<[u8]> {
        let item = Item { rows, ..cells::BEAT };
        let body = item.body(Encoding::V2Binary);
        let mut request = format!(
            "POST /v2/models/{}/infer HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n",
            item.model,
            self.address,
            body.bytes.len()
        );
        let all = body.headers.iter().chain(&self.running.headers);
        for (name, value) in all
            .map(|(name, value)| (*name, value.as_str()))
            .chain(headers.iter().copied())
        {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let mut request = request.into_bytes();
        request.extend_from_slice(&body.bytes);
        request.into()
    }

    /// Answers a second, once everything is warm.
    fn capacity(&self, request: &Arc<[u8]>) -> anyhow::Result<f64> {
        self.runtime.block_on(async {
            client::capacity(self.address, request, CALLERS, Duration::from_secs(2)).await?;
            client::capacity(self.address, request, CALLERS, MEASURED).await
        })
    }

    /// How long one request after the other takes, until one took less than `until`.
    async fn until_quick(address: SocketAddr, request: &[u8], until: Duration) -> anyhow::Result<Duration> {
        let start = Instant::now();
        let mut connection = Connection::open(address).await?;
        loop {
            let asked = Instant::now();
            let status = connection.ask(request).await?;
            if status == 200 && asked.elapsed() <= until {
                return Ok(start.elapsed());
            }
            anyhow::ensure!(start.elapsed() < Duration::from_secs(60), "it is slow a minute later");
        }
    }

    /// Memory in MB, once a second, until told to end.
    fn watched<T: Send>(&self, work: impl FnOnce() -> T + Send) -> (T, Vec<f64>) {
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watch = scope.spawn(|| {
                let mut memory = Vec::new();
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    memory.push(self.running.tree.cost().pss_mb);
                    std::thread::sleep(Duration::from_secs(1));
                }
                memory
            });
            let done = work();
            over.store(true, std::sync::atomic::Ordering::Relaxed);
            (done, watch.join().unwrap_or_default())
        })
    }
}

/// What figures grow by from the first to the last, by the line that fits them best.
fn growth(figures: &[f64]) -> f64 {
    let count = figures.len() as f64;
    let (middle, mean) = ((count - 1.0) / 2.0, figures.iter().sum::<f64>() / count);
    let (mut above, mut below) = (0.0, 0.0);
    for (place, figure) in figures.iter().enumerate() {
        let from_middle = place as f64 - middle;
        above += from_middle * (figure - mean);
        below += from_middle * from_middle;
    }
    if below > 0.0 {
        above / below * (count - 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_grows_by_what_it_says() {
        let line: Vec<f64> = (0..11).map(|x| 5.0 + 0.5 * f64::from(x)).collect();
        assert!((super::growth(&line) - 5.0).abs() < 1e-9);
        assert!(super::growth(&[3.0; 7]).abs() < 1e-9);
    }
}
