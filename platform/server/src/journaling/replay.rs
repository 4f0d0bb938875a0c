//! An answer made again from what it was made from.

use super::bundle::{is_kept, opened};
use super::entry::{bytes, plugin};
use crate::http::App;
use crate::http::problem::Problem;
use crate::input::{Answer, answer_for, read};
use einthoven_classify::{Options, ServedModel};
use einthoven_journal::replay::{Piece, PieceKind, Replayed, digest};
use einthoven_journal::{Entry, Journal, Unit};
use einthoven_registry_state::{ModelName, VersionName};
use std::sync::Arc;

/// Makes the answer of an entry again and compares it, or says what is gone.
pub(crate) async fn replay(app: &Arc<App>, journal: &Journal, entry: Entry) -> Result<Replayed, Problem> {
    let model = version(app, &entry).await?;
    let (app, journal) = (Arc::clone(app), journal.clone());
    let cores = Arc::clone(&app.cores);
    crate::http::blocking(cores, move || {
        let have = |piece: &Piece| have(&app, &journal, &entry, model.as_deref(), piece);
        einthoven_journal::replay::replay(&entry, have, |entry| {
            let Some(model) = &model else {
                return Ok(Vec::new());
            };
            let (files, request) = opened(&journal, entry)?;
            let reading = read(files, &request, &app.plugins.readers)?;
            let options = Options {
                lead: request.lead,
                ..Options::default()
            };
            match answer_for(reading, model, options)? {
                Answer::Beats { document, .. } => bytes(&document),
                Answer::Rows(document) => bytes(&document),
            }
        })
    })
    .await
}

/// The very version, loaded; none where it is gone, or serves no more.
async fn version(app: &App, entry: &Entry) -> Result<Option<Arc<ServedModel>>, Problem> {
    let names = (entry.model.parse::<ModelName>(), entry.version.parse::<VersionName>());
    let (Ok(model), Ok(version)) = names else {
        return Ok(None);
    };
    let found = {
        let state = app.registry().state();
        let known = state.models.get(&model);
        known.and_then(|known| known.versions.get(&version).cloned())
    };
    let same = |digest: &String| digest.trim_start_matches("sha256:") == entry.digests.model;
    match found.filter(|found| found.is_ready() && found.digest.as_ref().is_some_and(same)) {
        Some(found) => Ok(Some(app.loaded.load(&model, &found).await?)),
        None => Ok(None),
    }
}

fn have(app: &App, journal: &Journal, entry: &Entry, model: Option<&ServedModel>, piece: &Piece) -> bool {
    match piece.kind {
        PieceKind::Input => is_kept(journal, entry),
        PieceKind::Model => model.is_some(),
        // Tensors come as whoever asked made them.
        PieceKind::Recipe if entry.unit == Unit::Tensors => true,
        PieceKind::Recipe => model.is_none_or(|model| {
            let recipe = model.manifest().recipe.as_deref().unwrap_or_default();
            recipe == entry.recipe && digest(recipe.as_bytes()) == entry.digests.recipe
        }),
        PieceKind::Engine => {
            let there = app
                .plugins
                .serving
                .engines
                .states()
                .any(|state| state.name == entry.engine);
            there
                && plugin(app, &entry.engine) == entry.digests.plugin
                && model.is_none_or(|model| model.engine() == entry.engine)
        }
        PieceKind::Device => {
            model.is_none_or(|model| model.device().to_string() == entry.device && model.provider() == entry.provider)
        }
    }
}
