//! Rows that each hold one beat, as the Kaggle heartbeat set has them.

use crate::beats::{classes, verdict};
use crate::document::{ModelOut, RowOut, RowsDocument, RowsOut};
use crate::error::ClassifyError;
use crate::model::{Demand, ServedModel};
use einthoven_ecg::readers::BeatRows;
use einthoven_ecg::recipe::{Recipe, Tensor, kaggle};
use std::collections::BTreeMap;

/// Classifies each row by itself.
///
/// # Errors
/// [`ClassifyError`] when the model takes another kind of input or the engine fails.
pub fn classify_rows(rows: &BeatRows, model: &ServedModel) -> Result<RowsDocument, ClassifyError> {
    classify_rows_for(&Demand::default(), rows, model)
}

/// The same for somebody.
///
/// # Errors
/// As [`classify_rows`]; also when the deadline passes.
pub fn classify_rows_for(demand: &Demand, rows: &BeatRows, model: &ServedModel) -> Result<RowsDocument, ClassifyError> {
    model.classifies()?;
    if model.recipe().ok() != Some(Recipe::KaggleHeartbeatV1) {
        return Err(ClassifyError::WrongKind {
            model: model.manifest().name.clone(),
            takes: "a recording",
            given: "rows of 187 values that hold one beat each",
        });
    }
    let probabilities = model.predict_for(demand, rows.rows.len(), |range| {
        let dims = vec![range.len(), 1, kaggle::ROW];
        vec![Tensor {
            name: "row",
            dims,
            values: rows.rows[range].concat(),
        }]
    })?;
    let labels = classes(model);
    let mut counts = BTreeMap::new();
    let mut answers = Vec::with_capacity(rows.rows.len());
    for (index, row) in probabilities.chunks(labels.len().max(1)).enumerate() {
        if let (Some(class), Some(probabilities)) = verdict(&labels, row) {
            *counts.entry(class).or_insert(0) += 1;
            answers.push(RowOut {
                row: index + 1,
                class,
                probabilities,
            });
        }
    }
    Ok(RowsDocument {
        prediction: None,
        notice: crate::NOTICE,
        recording: RowsOut {
            name: rows.name.clone(),
            format: "kaggle-rows".into(),
            rows: rows.rows.len(),
            flags: rows.flags.clone(),
        },
        model: ModelOut::of(model),
        rows: answers,
        counts,
    })
}
