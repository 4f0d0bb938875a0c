//! `einthoven evaluate`.

use super::classify::files_of;
use crate::embedded::EmbeddedModels;
use crate::input::{Answer, Request};
use crate::scoring::score;
use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use einthoven_ecg::annotation::Mapping;
use einthoven_ecg::readers::{Hints, Input};
use einthoven_ecg::score::{DS1, DS2, PACED, RecordScore, Report, Rules};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Score the embedded model against the reference beats of a database, by the rules of EC57.
#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// Folder of WFDB records with `.atr` files beside them.
    folder: PathBuf,
    /// Which of its records.
    #[arg(long, value_enum, default_value = "all")]
    set: Set,
    /// How annotation codes become classes: aami-dechazal or aami-bxb.
    #[arg(long, default_value = "aami-dechazal", value_parser = mapping)]
    mapping: Mapping,
    /// Seconds at the start that are not scored.
    #[arg(long, default_value_t = 300.0)]
    start: f64,
    /// Lead to classify, by name; by default the one most like lead II.
    #[arg(long)]
    lead: Option<String>,
    /// Always classify the first lead, as detectors are compared.
    #[arg(long, conflicts_with = "lead")]
    first_lead: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// Sets of the MIT-BIH Arrhythmia Database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Set {
    /// Every record with a reference.
    All,
    /// The training half.
    Ds1,
    /// The test half.
    Ds2,
    /// All but the four paced records.
    Unpaced,
}

impl Set {
    fn holds(self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Ds1 => DS1.contains(&name),
            Self::Ds2 => DS2.contains(&name),
            Self::Unpaced => !PACED.contains(&name),
        }
    }
}

fn mapping(name: &str) -> Result<Mapping, String> {
    Mapping::from_name(name).ok_or_else(|| "give aami-dechazal or aami-bxb".to_owned())
}

impl Evaluate {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let models = EmbeddedModels::load()?;
        let rules = Rules {
            start_s: self.start,
            mapping: self.mapping,
            ..Rules::default()
        };
        let mut headers: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .with_context(|| format!("cannot read the folder `{}`", self.folder.display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.extension().is_some_and(|ending| ending == "hea") && path.with_extension("atr").is_file()
            })
            .filter(|path| self.set.holds(&path.file_stem().unwrap_or_default().to_string_lossy()))
            .collect();
        headers.sort();
        ensure!(
            !headers.is_empty(),
            "`{}` holds no such record with an .atr file beside it",
            self.folder.display()
        );
        let records = headers
            .iter()
            .map(|path| self.record(path, &models, &rules))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let report = Report::of(&records, &rules);
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print!("{}", report.to_text());
        }
        Ok(ExitCode::SUCCESS)
    }

    fn record(&self, path: &Path, models: &EmbeddedModels, rules: &Rules) -> anyhow::Result<RecordScore> {
        let files = files_of(path)?;
        let reading = crate::input::read(files.clone(), &Request::default(), &models.plugins.readers)?;
        let reference = reading
            .annotations
            .with_context(|| format!("`{}` has no reference", path.display()))?;
        let first = match &reading.input {
            Input::Recording(recording) if self.first_lead => recording.leads.first().map(|lead| lead.name.clone()),
            _ => None,
        };
        let request = Request {
            hints: Hints::default(),
            lead: first.or_else(|| self.lead.clone()),
            model: None,
            version: None,
        };
        let answer = models
            .answer(files, &request)
            .with_context(|| format!("`{}`", path.display()))?;
        let Answer::Beats { document, .. } = answer else {
            anyhow::bail!("`{}` holds no recording", path.display());
        };
        Ok(score(&document, &reference, rules))
    }
}
