//! `einthoven classify`.

use crate::embedded::EmbeddedModels;
use crate::input::{Answer, Request};
use anyhow::{Context, bail, ensure};
use clap::Args;
use einthoven_classify::{Document, RowsDocument};
use einthoven_ecg::readers::{Hints, Unit};
use indicatif::{ProgressBar, ProgressStyle};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Classify recordings and print what was found.
#[derive(Debug, Args)]
pub(crate) struct Classify {
    /// Recordings: a WFDB header (its signal files lie beside it), CSV, EDF, or an archive.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Samples per second, where the file does not say.
    #[arg(long)]
    rate: Option<f64>,
    /// Unit of the samples, where the file does not say: mV, uV or V.
    #[arg(long, value_parser = unit)]
    unit: Option<Unit>,
    /// Lead to classify; by default the one most like lead II.
    #[arg(long)]
    lead: Option<String>,
    /// Record to take, where an archive holds several.
    #[arg(long)]
    record: Option<String>,
    /// Model to use.
    #[arg(long)]
    model: Option<String>,
    /// Print the whole document of each recording as one line of JSON.
    #[arg(long)]
    json: bool,
    /// Write one annotation file per recording: DIR/RECORD.ein, as WFDB programs read it.
    #[arg(long, value_name = "DIR")]
    atr: Option<PathBuf>,
}

fn unit(text: &str) -> Result<Unit, String> {
    Unit::from_name(text).ok_or_else(|| "give mV, uV or V".to_owned())
}

impl Classify {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let models = EmbeddedModels::load()?;
        let request = Request {
            hints: Hints {
                sampling_rate_hz: self.rate,
                unit: self.unit,
                record: self.record.clone(),
            },
            lead: self.lead.clone(),
            model: self.model.clone(),
            version: None,
        };
        if let Some(directory) = &self.atr {
            fs::create_dir_all(directory).with_context(|| format!("cannot make `{}`", directory.display()))?;
        }
        let progress = progress_bar(&self.files);
        let mut failed = 0;
        let mut written = BTreeSet::new();
        for path in &self.files {
            progress.set_message(path.display().to_string());
            let result = files_of(path).and_then(|files| models.answer(files, &request));
            match result.and_then(|answer| self.show(path, &answer, &progress, &mut written)) {
                Ok(()) => {}
                Err(cause) => {
                    failed += 1;
                    progress.suspend(|| eprintln!("{}: {cause:#}", path.display()));
                }
            }
            progress.inc(1);
        }
        progress.finish_and_clear();
        Ok(if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn show(
        &self,
        path: &Path,
        answer: &Answer,
        progress: &ProgressBar,
        written: &mut BTreeSet<PathBuf>,
    ) -> anyhow::Result<()> {
        let text = match (answer, self.json) {
            (Answer::Beats { document, .. }, true) => serde_json::to_string(document)? + "\n",
            (Answer::Beats { document, .. }, false) => table(document),
            (Answer::Rows(document), true) => serde_json::to_string(document)? + "\n",
            (Answer::Rows(document), false) => rows_table(document),
        };
        progress.suspend(|| std::io::stdout().lock().write_all(text.as_bytes()))?;
        if let Some(directory) = &self.atr {
            let Answer::Beats { document, .. } = answer else {
                bail!(
                    "rows of single beats have no times, so --atr has nothing to write for `{}`",
                    path.display()
                );
            };
            write_annotations(directory, document, written)?;
        }
        Ok(())
    }
}

/// A header's signal files lie beside it, with the annotation file; any other file stands alone.
pub(crate) fn files_of(path: &Path) -> anyhow::Result<Vec<(String, Cow<'static, [u8]>)>> {
    let read = |path: &Path| -> anyhow::Result<(String, Cow<'static, [u8]>)> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok((name, Cow::Owned(bytes)))
    };
    let header = if path.extension().is_none() && !path.exists() {
        path.with_extension("hea")
    } else {
        path.to_owned()
    };
    let mut files = vec![read(&header)?];
    if header.extension().is_some_and(|extension| extension == "hea") {
        let directory = header
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut wanted = names_in_header(&String::from_utf8_lossy(&files[0].1));
        while let Some(name) = wanted.pop() {
            let beside = directory.join(&name);
            // Names with a path in them are the reader's to refuse; here they are simply not opened.
            let plain = Path::new(&name).file_name().is_some_and(|base| base == name.as_str());
            if plain && beside.is_file() && !files.iter().any(|(there, _)| *there == name) {
                files.push(read(&beside)?);
                if beside.extension().is_some_and(|extension| extension == "hea") {
                    wanted.extend(names_in_header(&String::from_utf8_lossy(&files[files.len() - 1].1)));
                }
            }
        }
        let reference = header.with_extension("atr");
        if reference.is_file() {
            files.push(read(&reference)?);
        }
    }
    Ok(files)
}

/// First word of every line, and as a header's name: signal files of a record, or segments of a record of several.
fn names_in_header(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .flat_map(|word| [word.to_owned(), format!("{word}.hea")])
        .collect()
}

/// Refuses a name that this run has written already: two records of one name would become one file.
fn write_annotations(directory: &Path, document: &Document, written: &mut BTreeSet<PathBuf>) -> anyhow::Result<()> {
    let path = directory.join(format!("{}.ein", document.recording.name));
    ensure!(
        written.insert(path.clone()),
        "`{}` was written for another record of the same name in this run; give another --atr folder",
        path.display()
    );
    let bytes = einthoven_ecg::annotation::encode(&einthoven_classify::annotations(document))?;
    fs::write(&path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
}

fn progress_bar(files: &[PathBuf]) -> ProgressBar {
    let large = files.len() > 1
        || files
            .iter()
            .any(|path| fs::metadata(path).is_ok_and(|meta| meta.len() > 8 << 20));
    if !large || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(files.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn table(document: &Document) -> String {
    use std::fmt::Write as _;
    let summary = &document.summary;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}  {:.1} s  lead {}  model {} {} ({})",
        document.recording.name,
        document.recording.duration_s,
        document.lead,
        document.model.name,
        document.model.version,
        &document.model.digest[..19.min(document.model.digest.len())],
    );
    for flag in &document.recording.flags {
        let _ = writeln!(text, "  note: {}", flag.detail);
    }
    let _ = writeln!(text, "  {:>9}  {:>5}  {:>11}  quality", "time", "class", "probability");
    for beat in &document.beats {
        let class = beat.class.map_or('-', einthoven_ecg::beat::BeatClass::letter);
        let probability = beat
            .class
            .and_then(|class| beat.probabilities.as_ref()?.get(&class).copied());
        let shown = probability.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
        let _ = writeln!(
            text,
            "  {:>8.3}s  {class:>5}  {shown:>11}  {}",
            beat.time_s, beat.quality
        );
    }
    let counts: Vec<_> = summary
        .counts
        .iter()
        .map(|(class, count)| format!("{class:?} {count}"))
        .collect();
    let _ = writeln!(
        text,
        "  {} beats ({}), {:.1} s unreadable. {}",
        summary.beats,
        counts.join(", "),
        summary.unreadable_s,
        document.notice
    );
    text
}

fn rows_table(document: &RowsDocument) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "{}  {} rows  model {}\n",
        document.recording.name, document.recording.rows, document.model.name
    );
    for row in &document.rows {
        let probability = row.probabilities.get(&row.class).copied().unwrap_or_default();
        let _ = writeln!(text, "  {:>7}  {}  {probability:.3}", row.row, row.class.letter());
    }
    let _ = writeln!(text, "  {}", document.notice);
    text
}
