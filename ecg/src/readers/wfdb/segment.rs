//! The samples of one segment, appended to the leads.

use super::flac::FlacFile;
use super::format::Format;
use super::header::is_null;
use super::signal_line::SignalSpec;
use super::sink::Sink;
use crate::readers::Unit;
use crate::readers::error::{ReadError, shown};
use crate::readers::files::Files;
use crate::recording::Flag;

/// More flags than this say nothing new.
const MAX_FLAGS: usize = 256;

/// What is the same for every segment of a record.
pub(super) struct Reader<'f, 'a> {
    pub(super) files: &'f Files<'a>,
    /// The unit the caller stated, for signals whose header has none.
    pub(super) stated: Option<Unit>,
    /// Samples per frame of every lead.
    pub(super) per_frame: u32,
    /// Samples that FLAC streams may still decode.
    pub(super) work: u64,
    pub(super) flags: Vec<Flag>,
}

/// Signals that share one file, frame by frame.
struct Group<'s> {
    /// Index of the group's first signal in the header.
    first: usize,
    signals: &'s [SignalSpec],
}

impl Group<'_> {
    /// Samples of all the group's signals in one frame.
    fn frame(&self) -> u64 {
        self.signals.iter().map(|signal| u64::from(signal.per_frame)).sum()
    }
}

fn groups(signals: &[SignalSpec]) -> impl Iterator<Item = Group<'_>> {
    let mut first = 0;
    signals
        .chunk_by(|a, b| a.file.is_some() && a.file == b.file)
        .map(move |signals| {
            let group = Group { first, signals };
            first += signals.len();
            group
        })
}

impl<'a> Reader<'_, 'a> {
    fn bytes_of(&self, header: &str, group: &Group<'_>) -> Result<(&'a str, &'a [u8]), ReadError> {
        let signal = &group.signals[0];
        let name = signal.file.as_deref().unwrap_or_default();
        let Some(file) = self.files.get(name)? else {
            return Err(ReadError::MissingFile {
                file: shown(name),
                needed_by: shown(header),
            });
        };
        let offset = usize::try_from(signal.offset).unwrap_or(usize::MAX);
        Ok((file.name, file.bytes.get(offset..).unwrap_or_default()))
    }

    /// How many whole frames the files of the wanted signals hold: the least of them.
    pub(super) fn frames_present(
        &self,
        header: &str,
        signals: &[SignalSpec],
        wanted: &[usize],
    ) -> Result<u64, ReadError> {
        let mut least = None::<u64>;
        for group in groups(signals) {
            let range = group.first..group.first + group.signals.len();
            if is_null(&group.signals[0]) || !wanted.iter().any(|index| range.contains(index)) {
                continue;
            }
            let (name, bytes) = self.bytes_of(header, &group)?;
            let frames = match group.signals[0].format {
                Format::Flac { bits } => {
                    let samples = FlacFile::open(name, bytes, bits, group.signals.len())?.samples();
                    let Some(samples) = samples else {
                        return Err(ReadError::Malformed {
                            file: shown(header),
                            place: "record line".to_owned(),
                            what: "neither the header nor the FLAC stream says how many samples there are".to_owned(),
                        });
                    };
                    samples / u64::from(group.signals[0].per_frame)
                }
                format => format.samples_in(bytes.len() as u64) / group.frame(),
            };
            least = Some(least.map_or(frames, |least| least.min(frames)));
        }
        Ok(least.unwrap_or(0))
    }

    /// Appends `frames` frames of one segment to `leads`. `map` gives each lead's signal in this segment, if it has one.
    /// `whole` says that the header's length is the segment's, so that its checksums must agree.
    pub(super) fn append(
        &mut self,
        header: &str,
        signals: &[SignalSpec],
        frames: u64,
        whole: bool,
        map: &[Option<usize>],
        leads: &mut [Vec<f32>],
    ) -> Result<(), ReadError> {
        let samples = frames * u64::from(self.per_frame);
        let start = leads.first().map_or(0, Vec::len);
        let mut wanted = vec![false; signals.len()];
        map.iter().flatten().for_each(|index| wanted[*index] = true);
        for group in groups(signals) {
            let range = group.first..group.first + group.signals.len();
            if !wanted[range.clone()].iter().any(|wanted| *wanted) {
                continue;
            }
            let mut sinks = Vec::new();
            for (lead, out) in leads.iter_mut().enumerate() {
                if let Some(index) = map[lead].filter(|index| range.contains(index)) {
                    let signal = &signals[index];
                    if !is_null(signal)
                        && let Some(sink) = Sink::new(signal, self.stated, samples, out)
                    {
                        sinks.push(((index - group.first) as u32, sink));
                    }
                }
            }
            if sinks.is_empty() {
                continue;
            }
            self.fill(header, &group, frames, &mut sinks)?;
            for (position, sink) in sinks {
                let signal = &group.signals[position as usize];
                let sum = sink.finish();
                if whole && signal.checksum.is_some() && sum != signal.checksum {
                    self.flag(
                        "checksum_mismatch",
                        format!(
                            "{}: the samples of signal \"{}\" do not add up to the header's checksum.",
                            shown(header),
                            shown(&signal.name)
                        ),
                    );
                }
            }
        }
        let end = start + usize::try_from(samples).unwrap_or(0);
        leads.iter_mut().for_each(|lead| lead.resize(end, f32::NAN));
        Ok(())
    }

    fn fill(
        &mut self,
        header: &str,
        group: &Group<'_>,
        frames: u64,
        sinks: &mut [(u32, Sink<'_>)],
    ) -> Result<(), ReadError> {
        let (name, bytes) = self.bytes_of(header, group)?;
        let frame = group.frame();
        let truncated = |present: u64| ReadError::Truncated {
            file: shown(name),
            declared: frames,
            present,
        };
        // A late signal (skew) is read further than the record's length where the file goes on.
        let latest = |position: u32| u64::from(group.signals[position as usize].skew).saturating_add(frames);
        if let Format::Flac { bits } = group.signals[0].format {
            let per_frame = u64::from(group.signals[0].per_frame);
            let last = sinks
                .iter()
                .map(|(position, _)| latest(*position))
                .max()
                .unwrap_or(frames);
            let file = FlacFile::open(name, bytes, bits, group.signals.len())?;
            let done = file.decode(last.saturating_mul(per_frame), sinks, &mut self.work)? / per_frame;
            return if done < frames { Err(truncated(done)) } else { Ok(()) };
        }
        let format = group.signals[0].format;
        let present = format.samples_in(bytes.len() as u64) / frame;
        if present < frames {
            return Err(truncated(present));
        }
        for (position, sink) in sinks {
            let before: u64 = group.signals[..*position as usize]
                .iter()
                .map(|signal| u64::from(signal.per_frame))
                .sum();
            let last = latest(*position).min(present) as usize;
            let (before, frame) = (before as usize, frame as usize);
            if self.per_frame == 1 {
                format.visit(bytes, (0..last).map(|at| at * frame + before), |raw| sink.push(raw));
            } else {
                let each = 0..self.per_frame as usize;
                let indices = (0..last).flat_map(|at| each.clone().map(move |k| at * frame + before + k));
                format.visit(bytes, indices, |raw| sink.push(raw));
            }
        }
        Ok(())
    }

    /// Adds a flag, once, as long as there are few: a record of a million bad segments needs no million flags.
    pub(super) fn flag(&mut self, code: &'static str, detail: String) {
        let known = |flag: &Flag| flag.code == code && flag.detail == detail;
        if self.flags.len() < MAX_FLAGS && !self.flags.iter().any(known) {
            self.flags.push(Flag {
                code: code.into(),
                detail,
            });
        }
    }
}
