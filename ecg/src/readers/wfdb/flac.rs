//! FLAC signal files (formats 508, 516 and 524). The sampling rate inside the FLAC stream means nothing.

use super::sink::Sink;
use crate::readers::error::{ReadError, shown};
use std::io::Cursor;

/// A FLAC stream whose header was read.
pub(super) struct FlacFile<'a> {
    name: &'a str,
    reader: claxon::FlacReader<Cursor<&'a [u8]>>,
}

impl<'a> FlacFile<'a> {
    /// Opens a stream that must have that many bits and at least that many channels.
    pub(super) fn open(name: &'a str, bytes: &'a [u8], bits: u32, channels: usize) -> Result<Self, ReadError> {
        let options = claxon::FlacReaderOptions {
            metadata_only: false,
            read_vorbis_comment: false,
        };
        let reader = claxon::FlacReader::new_ext(Cursor::new(bytes), options).map_err(|error| damaged(name, &error))?;
        let info = reader.streaminfo();
        let found = (info.bits_per_sample, info.channels as usize);
        if found.0 != bits || found.1 != channels {
            return Err(ReadError::Malformed {
                file: shown(name),
                place: "FLAC header".to_owned(),
                what: format!(
                    "the stream has {} channels of {} bits where the record's header says {channels} of {bits}",
                    found.1, found.0
                ),
            });
        }
        Ok(Self { name, reader })
    }

    /// Samples per channel, where the stream says so.
    pub(super) fn samples(&self) -> Option<u64> {
        self.reader.streaminfo().samples.filter(|count| *count > 0)
    }

    /// Feeds up to `samples` samples of each wanted channel to its sink and returns how many there were.
    ///
    /// `work` is what may still be decoded, channels times samples, over all calls.
    pub(super) fn decode(
        mut self,
        samples: u64,
        sinks: &mut [(u32, Sink<'_>)],
        work: &mut u64,
    ) -> Result<u64, ReadError> {
        let mut buffer = Vec::new();
        let mut done = 0_u64;
        let mut blocks = self.reader.blocks();
        while done < samples {
            let block = match blocks.read_next_or_eof(buffer) {
                Ok(Some(block)) => block,
                Ok(None) => break,
                // A stream cut off inside a block: what came before is counted, the caller says what is missing.
                Err(claxon::Error::IoError(_)) => break,
                Err(error) => return Err(damaged(self.name, &error)),
            };
            let cost = u64::from(block.duration()) * u64::from(block.channels());
            let Some(left) = work.checked_sub(cost) else {
                return Err(ReadError::TooLarge {
                    file: shown(self.name),
                    what: "the FLAC streams of the record hold more samples than the record".to_owned(),
                    limit: done,
                });
            };
            *work = left;
            let take = u64::from(block.duration()).min(samples - done);
            for (channel, sink) in sinks.iter_mut() {
                if *channel < block.channels() {
                    block.channel(*channel)[..take as usize]
                        .iter()
                        .for_each(|sample| sink.push(*sample));
                }
            }
            done += take;
            if block.duration() == 0 {
                break;
            }
            buffer = block.into_buffer();
        }
        Ok(done)
    }
}

fn damaged(name: &str, error: &claxon::Error) -> ReadError {
    ReadError::Malformed {
        file: shown(name),
        place: "FLAC stream".to_owned(),
        what: format!("it does not decode ({error}); send the file again"),
    }
}
