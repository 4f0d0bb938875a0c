//! What is said about a lead that goes on, as entries: one for the beats that are said at once.

use super::asked::{Asked, micros};
use super::entry::{beats_of, bytes, classes, lead_name, plugin};
use super::{Journaling, Open, taken};
use crate::http::App;
use crate::http::problem::Problem;
use einthoven_classify::{BeatOut, ModelOut};
use einthoven_journal::replay::digest;
use einthoven_journal::{Digests, Entry, Latency, Quality, Unit};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What entries of one session have in common.
pub(crate) struct LiveAsked {
    principal: String,
    /// A pseudonym.
    subject: Option<String>,
    /// Of the session: all of it is one record.
    record: String,
    lead: String,
    rate_hz: f64,
    model: ModelOut,
    plugin: Option<String>,
    /// Over all samples that came.
    samples: Sha256,
}

impl LiveAsked {
    /// Takes note of samples, millivolts.
    pub(crate) fn came(&mut self, samples_mv: &[f32]) {
        for sample in samples_mv {
            self.samples.update(sample.to_le_bytes());
        }
    }

    /// Whom the session is about, by the pseudonym.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    fn entry(&self, asked: Asked, said: &[BeatOut], samples: u64) -> Result<Entry, Problem> {
        let labels = classes(&self.model);
        let model = &self.model;
        let subject = asked.subject();
        Ok(Entry {
            id: asked.id,
            at: asked.at,
            principal: asked.principal,
            subject,
            record: Some(self.record.clone()),
            model: model.name.clone(),
            version: model.version.clone(),
            digests: Digests {
                input: hex::encode(self.samples.clone().finalize()),
                model: model.digest.trim_start_matches("sha256:").to_owned(),
                recipe: digest(model.recipe.as_bytes()),
                plugin: self.plugin.clone(),
                answer: digest(&bytes(&said)?),
            },
            recipe: model.recipe.clone(),
            engine: model.engine.clone(),
            device: model.device.clone(),
            provider: model.provider.clone(),
            parameters: BTreeMap::from([
                ("lead".to_owned(), self.lead.clone()),
                ("protocol".to_owned(), "stream".to_owned()),
            ]),
            // Sessions are not dealt out.
            arm: None,
            latency: Latency {
                total_us: micros(asked.began.elapsed()),
                ..Latency::default()
            },
            sampling_rate_hz: Some(self.rate_hz),
            labels: labels.iter().map(|class| class.letter().to_string()).collect(),
            unit: Unit::Beats,
            beats: beats_of(said, &labels),
            quality: Quality {
                figures: BTreeMap::from([("samples".to_owned(), samples as f64)]),
                ..Quality::default()
            },
            summary: serde_json::Value::Null,
        })
    }
}

impl Journaling {
    /// A session that begins; none where nothing is remembered.
    pub(crate) fn session(
        &self,
        app: &App,
        (principal, person): (&str, Option<&str>),
        session: &str,
        (lead, rate_hz): (&str, f64),
        model: ModelOut,
    ) -> Option<LiveAsked> {
        let open = self.0.as_ref()?;
        Some(LiveAsked {
            principal: principal.to_owned(),
            subject: person.map(|person| open.journal.subject(person)),
            record: open.journal.record_name(session),
            lead: lead_name(lead, 0),
            rate_hz,
            plugin: plugin(app, &model.engine),
            model,
            samples: Sha256::new(),
        })
    }

    /// What is asked with samples that just came.
    pub(crate) fn samples_came(&self, live: &LiveAsked) -> Option<Asked> {
        self.asked(&live.principal, self.here_as(live.subject.as_deref()))
    }

    /// Records beats that are about to be said, after so many samples of the session; the id where it was taken.
    pub(crate) async fn beats_said(
        &self,
        live: &LiveAsked,
        asked: Asked,
        said: &[BeatOut],
        samples: u64,
    ) -> Result<Option<Uuid>, Problem> {
        let Some(Open { journal, .. }) = &self.0 else {
            return Ok(None);
        };
        let (id, _here) = (asked.id, asked.here());
        let entry = live.entry(asked, said, samples)?;
        Ok(taken(journal.record(entry).await)?.then_some(id))
    }
}
