//! The checks of a reader.

use crate::answer::proper;
use crate::raw::reading::{Functions, How, Recording};
use crate::raw::{Handle, Size, freed, open, open_nowhere};
use crate::sample::{drawn, recordings};
use crate::{Check, Outcome, Target, check, memory, opened};
use einthoven_plugin_abi::plugin::EINTHOVEN_OK;
use einthoven_plugin_host::Plugin;

pub(crate) const CHECKS: &[Check] = &[
    check("table", 30, table),
    check("answer", 120, answer),
    check("null", 60, null),
    check("short-struct", 60, short_struct),
    check("long-struct", 60, long_struct),
    check("refused-leads", 60, refused_leads),
    check("wrong-hints", 120, wrong_hints),
    check("truncated", 120, truncated),
    check("mutated", 300, mutated),
    check("two-at-once", 120, two_at_once),
    check("cycles", 900, cycles),
];

/// A reader with its samples, open.
struct Bench {
    api: Functions,
    directory: String,
    reader: Handle,
    samples: Vec<(String, Vec<u8>)>,
}

impl Bench {
    fn of(target: &Target) -> Result<Self, String> {
        let plugin = Plugin::unsealed(&target.library).map_err(|cause| cause.to_string())?;
        let api = Functions::of(&plugin.reader_api().ok_or("it is no reader")?)?;
        let samples = recordings(target, &plugin.formats)?;
        let (reader, directory) = opened(&plugin, api.open)?;
        Ok(Self {
            api,
            directory,
            reader,
            samples,
        })
    }

    fn sample(&self) -> (&str, &[u8]) {
        self.samples.first().map_or(("", &[]), |(name, bytes)| (name, bytes))
    }

    fn read(&self, file: (&str, &[u8]), how: &How) -> Recording {
        self.api.read(self.reader, &[file], how)
    }

    /// Reads a file that is in order.
    fn reads(&self, file: (&str, &[u8])) -> Result<Recording, String> {
        let recording = self.read(file, &How::default());
        recording.judge(file.0)?;
        if recording.refusal.status == EINTHOVEN_OK {
            return Ok(recording);
        }
        Err(format!("{}: {}", file.0, proper(file.0, &recording.refusal)?))
    }
}

impl Recording {
    /// Success with leads, or a failure with a sentence.
    fn judge(&self, what: &str) -> Result<(), String> {
        if self.refusal.status != EINTHOVEN_OK {
            return proper(what, &self.refusal).map(drop);
        }
        if !self.begun || self.leads.is_empty() {
            return Err(format!("{what}: it reports success but gave no lead"));
        }
        let endless = self
            .leads
            .iter()
            .any(|(_, values)| values.iter().any(|value| value.is_infinite()));
        let nameless = self.leads.iter().any(|(name, _)| std::str::from_utf8(name).is_err());
        if endless || nameless {
            return Err(format!("{what}: a lead holds infinity, or its name is not UTF-8"));
        }
        Ok(())
    }

    fn must_fail(&self, what: &str) -> Result<(), String> {
        if self.refusal.status == EINTHOVEN_OK {
            return Err(format!("{what}: it reports success"));
        }
        proper(what, &self.refusal).map(drop)
    }

    /// The leads as bits, since a NaN must stay a NaN.
    fn bits(&self) -> Vec<Vec<u32>> {
        let bits = |values: &Vec<f32>| values.iter().map(|value| value.to_bits()).collect();
        self.leads.iter().map(|(_, values)| bits(values)).collect()
    }
}

fn table(target: &Target) -> Outcome {
    let plugin = Plugin::unsealed(&target.library).map_err(|cause| cause.to_string())?;
    Functions::of(&plugin.reader_api().ok_or("it is no reader")?)?;
    Ok(format!("formats {}", plugin.formats.join(", ")))
}

fn answer(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    for (name, bytes) in &bench.samples {
        if !bench.api.recognises(bench.reader, &[(name, bytes)], false) {
            return Err(format!("{name}: it does not recognise it"));
        }
        let first = bench.reads((name, bytes))?;
        if bench.reads((name, bytes))?.bits() != first.bits() {
            return Err(format!("{name}: read again, it has other samples"));
        }
    }
    for (name, bytes) in [("noise.bin", &[0x5A_u8; 4096][..]), ("empty", &[])] {
        if bench.api.recognises(bench.reader, &[(name, bytes)], false) {
            return Err(format!("it takes {name} for a file of its format"));
        }
        bench.read((name, bytes), &How::default()).must_fail(name)?;
    }
    Ok(format!("{} files", bench.samples.len()))
}

fn null(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let api = bench.api;
    if open(api.open, "", Size::Null, Size::Whole).is_ok() || open_nowhere(api.open) == EINTHOVEN_OK {
        return Err("open without a setup or a place for its result: it reports success".to_owned());
    }
    if api.recognises(bench.reader, &[bench.sample()], true) || api.recognises(Handle::NULL, &[bench.sample()], false) {
        return Err("it recognises files though the files or the reader are null".to_owned());
    }
    let null = How {
        size: Size::Null,
        ..How::default()
    };
    if bench.read(bench.sample(), &null).refusal.status == EINTHOVEN_OK
        || api
            .read(Handle::NULL, &[bench.sample()], &How::default())
            .refusal
            .status
            == EINTHOVEN_OK
    {
        return Err("read of null: it reports success".to_owned());
    }
    let how = How {
        null_files: true,
        ..How::default()
    };
    bench.read(bench.sample(), &how).must_fail("files that are null")?;
    api.read(bench.reader, &[], &How::default()).must_fail("no files")?;
    freed(api.close, Handle::NULL);
    bench.reads(bench.sample())?;
    Ok("every pointer in turn".to_owned())
}

fn short_struct(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let how = How {
        size: Size::Short,
        ..How::default()
    };
    let recording = bench.read(bench.sample(), &how);
    if recording.refusal.beyond || recording.refusal.status == EINTHOVEN_OK {
        return Err("read: it used what lies beyond the struct's `struct_size`, or reports success without".to_owned());
    }
    // What it answers is its own affair; it must not look at what lies beyond.
    let _ = open(bench.api.open, &bench.directory, Size::Short, Size::Short);
    bench.reads(bench.sample())?;
    Ok("nothing beyond their ends was used".to_owned())
}

fn long_struct(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let how = How {
        size: Size::Long,
        ..How::default()
    };
    let recording = bench.read(bench.sample(), &how);
    if recording.bits() != bench.reads(bench.sample())?.bits() {
        return Err("read with a longer struct: it gives something else".to_owned());
    }
    Ok("structs with 64 more bytes".to_owned())
}

fn refused_leads(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let how = How {
        refuse_leads: true,
        ..How::default()
    };
    bench
        .read(bench.sample(), &how)
        .must_fail("a host that gives no buffer")?;
    Ok("passed on".to_owned())
}

fn wrong_hints(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    for value in [f64::NAN, f64::INFINITY, -1.0, 1e300, 1e-300] {
        let rate = How {
            sampling_rate_hz: value,
            ..How::default()
        };
        bench.read(bench.sample(), &rate).judge(&format!("the rate {value}"))?;
        let unit = How {
            millivolts_per_unit: value,
            ..How::default()
        };
        bench.read(bench.sample(), &unit).judge(&format!("the unit {value}"))?;
    }
    for record in [&b"\xFF\xFE"[..], b"no such record", &[b'a'; 100_000]] {
        let how = How {
            record,
            ..How::default()
        };
        bench.read(bench.sample(), &how).judge("a record that is not there")?;
    }
    bench.reads(bench.sample())?;
    Ok("answered or refused with a sentence".to_owned())
}

fn truncated(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    for (name, bytes) in &bench.samples {
        for tenth in 0..10 {
            let part = &bytes[..bytes.len() * tenth / 10];
            bench.api.recognises(bench.reader, &[(name, part)], false);
            bench
                .read((name, part), &How::default())
                .judge(&format!("{name}, {tenth} tenths of it"))?;
        }
    }
    Ok("at every tenth".to_owned())
}

fn mutated(target: &Target) -> Outcome {
    const ROUNDS: usize = 500;
    let bench = Bench::of(target)?;
    let mut next = drawn(1);
    let mut read = 0;
    for round in 0..ROUNDS {
        let (name, bytes) = &bench.samples[round % bench.samples.len()];
        let mut bytes = bytes.clone();
        // Most of what matters lies at the start.
        let reach = if round % 2 == 0 {
            bytes.len().min(512)
        } else {
            bytes.len()
        };
        for _ in 0..=next() % 4 {
            let at = next() % reach.max(1);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = next() as u8;
            }
        }
        bench.api.recognises(bench.reader, &[(name, &bytes)], false);
        let recording = bench.read((name, &bytes), &How::default());
        recording.judge(&format!("{name}, damaged ({round})"))?;
        read += usize::from(recording.refusal.status == EINTHOVEN_OK);
    }
    Ok(format!("{ROUNDS} damaged files, {read} read, the others refused"))
}

fn two_at_once(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    let alone = bench.reads(bench.sample())?.bits();
    let (api, sample) = (bench.api, bench.sample());
    let work = |reader: Handle| (0..50).all(|_| api.read(reader, &[sample], &How::default()).bits() == alone);
    let reader = bench.reader;
    let same = std::thread::scope(|scope| {
        let other = scope.spawn(move || work(reader));
        work(reader) && other.join().unwrap_or(false)
    });
    if same {
        return Ok("100 readings".to_owned());
    }
    Err("two readings at once give other samples than one".to_owned())
}

fn cycles(target: &Target) -> Outcome {
    let bench = Bench::of(target)?;
    memory::flat(target.cycles, bench.sample().1.len(), || {
        let reader = open(bench.api.open, &bench.directory, Size::Whole, Size::Whole);
        let reader = reader.map_err(|refusal| format!("open failed with status {}", refusal.status))?;
        bench
            .api
            .read(reader, &[bench.sample()], &How::default())
            .judge("a reading")?;
        freed(bench.api.close, reader);
        Ok(())
    })
}
