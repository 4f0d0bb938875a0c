//! What parent and child say to each other: a length and JSON, one question at a time.

use crate::patience::Patience;
use einthoven_plugin_host::{DType, Device, Failure, Signature};
use rustix::net::RecvFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Bytes above which a message is not believed.
const LONGEST: usize = 16 << 20;

/// How long a reader looks for a message before it sleeps. Waking a sleeping thread on another core costs more than a
/// small batch; looking much longer would take a core from the engine.
const LOOK: Duration = Duration::from_micros(40);

/// How often a parent that waits looks whether anybody waits for it.
const PASS_ON: Duration = Duration::from_millis(5);

/// The engines a child is to have beside those linked into the binary.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EngineSetup {
    /// Libraries or sidecars, checked again by the child before it opens them.
    pub plugins: Vec<PathBuf>,
    /// Section of the server's configuration for each engine, by name.
    pub sections: serde_json::Map<String, serde_json::Value>,
}

/// What a child may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of private memory; an engine that wants more gets an error or dies alone.
    pub memory_bytes: u64,
    /// How long opening engines and loading a model may take, beside what the child waits for a processor.
    pub load: Duration,
    /// How long one batch may take, beside the same.
    pub batch: Duration,
}

impl Default for Limits {
    /// 4 GiB, 60 s to load, 30 s a batch.
    fn default() -> Self {
        Self {
            memory_bytes: 4 << 30,
            load: Duration::from_secs(60),
            batch: Duration::from_secs(30),
        }
    }
}

/// A model to load, with everything a child needs.
#[derive(Debug, Clone)]
pub struct LoadRequest {
    /// Name of the engine.
    pub engine: String,
    /// The model's engine section.
    pub config: serde_json::Value,
    /// Where to run.
    pub device: Device,
    /// Name of the file to start from.
    pub entry: String,
    /// All files of the version, by name.
    pub files: Vec<(String, Vec<u8>)>,
    /// Where the same files lie.
    pub directory: Option<PathBuf>,
}

/// What a child says of a model it loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Inputs and outputs.
    pub signature: Signature,
    /// Version of what runs underneath the engine.
    pub runtime: String,
    /// What really computes.
    pub provider: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Question {
    Load {
        setup: EngineSetup,
        memory_bytes: u64,
        engine: String,
        config: serde_json::Value,
        device: String,
        entry: String,
        directory: Option<PathBuf>,
        /// Names and lengths; the content lies in the shared memory in this order, each at a multiple of eight.
        files: Vec<(String, usize)>,
    },
    Run {
        inputs: Vec<Place>,
        remaining: Option<Duration>,
    },
    /// Median time of a batch of so many rows, made by repeating those of these inputs.
    Measure { inputs: Vec<Place>, rows: usize },
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Answer {
    Opened(Opened),
    Ran {
        outputs: Vec<Place>,
        failed: Vec<(usize, Failure)>,
        /// Bytes of the shared memory by now.
        size: usize,
    },
    Measured(Duration),
    Failed(Failure),
}

/// Where a tensor lies in the shared memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) dtype: DType,
    pub(crate) dims: Vec<usize>,
    pub(crate) offset: usize,
    pub(crate) len: usize,
}

/// Sends one message.
pub(crate) fn send(mut stream: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = u32::try_from(bytes.len() - 4).map_err(io::Error::other)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    stream.write_all(&bytes)
}

/// How a parent waits for an answer.
pub(crate) struct Wait<'a> {
    /// How long.
    pub(crate) patience: &'a Patience,
    /// Called again and again meanwhile.
    pub(crate) pass_on: Option<&'a dyn Fn()>,
}

/// Receives one message; waits for ever without a `wait`.
///
/// # Errors
/// `TimedOut` when it is late, `UnexpectedEof` when the other side is gone.
pub(crate) fn receive<T: DeserializeOwned>(stream: &UnixStream, wait: Option<&Wait<'_>>) -> io::Result<T> {
    let mut length = [0; 4];
    let mut end = wait.map(|wait| wait.patience.first());
    let looked = look(stream, &mut length)?;
    read_until(stream, &mut length[looked..], wait, &mut end)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(io::Error::other("a message is too long to be believed"));
    }
    let mut bytes = vec![0; length];
    read_until(stream, &mut bytes, wait, &mut end)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Looks for the first bytes without sleeping; gives how many came.
fn look(stream: &UnixStream, buffer: &mut [u8]) -> io::Result<usize> {
    let start = Instant::now();
    while start.elapsed() < LOOK {
        match rustix::net::recv(stream, &mut *buffer, RecvFlags::DONTWAIT) {
            Ok((_, 0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok((_, count)) => return Ok(count),
            // Where both share a core, the other side can only answer when it is let.
            Err(rustix::io::Errno::AGAIN) => std::thread::yield_now(),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(0)
}

fn read_until(
    mut stream: &UnixStream,
    mut buffer: &mut [u8],
    wait: Option<&Wait<'_>>,
    end: &mut Option<Instant>,
) -> io::Result<()> {
    while !buffer.is_empty() {
        if let (Some(wait), Some(end)) = (wait, end.as_mut()) {
            let mut left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                *end = wait.patience.longer().ok_or(io::ErrorKind::TimedOut)?;
                continue;
            }
            if let Some(pass_on) = wait.pass_on {
                pass_on();
                left = left.min(PASS_ON);
            }
            stream.set_read_timeout(Some(left))?;
        }
        match stream.read(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => buffer = &mut buffer[count..],
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
