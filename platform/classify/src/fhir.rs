//! The result as a FHIR R4 document: a report on the recording, its figures as observations, the model as a device.

use crate::document::{Document, rounded};
use einthoven_ecg::beat::BeatClass;
use einthoven_ecg::rhythm::Burden;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const LOINC: &str = "http://loinc.org";
const UCUM: &str = "http://unitsofmeasure.org";

/// A `Bundle` of type `collection` with one `DiagnosticReport`, its `Observation`s and the `Device` that made them.
///
/// The report is `preliminary`, since nobody has read it, and it has no subject: who was recorded is not known here. Nothing says when
/// the recording was made, for no date of a recording is kept. The same document gives the same bundle, but for `issued`.
///
/// `issued` is the time of the answer, RFC 3339.
#[must_use]
pub fn fhir(document: &Document, issued: &str) -> Value {
    let seed = document.id.as_deref().unwrap_or(&document.recording.name);
    let device = address(seed, "device");
    let measured: Vec<(String, Value)> = observations(document)
        .into_iter()
        .enumerate()
        .map(|(at, (code, measured))| {
            let mut observation = json!({
                "resourceType": "Observation", "status": "preliminary", "code": code, "issued": issued,
                "category": [{"coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "procedure", "display": "Procedure",
                }]}],
                "method": {"text": format!("lead {}, recipe {}", document.lead, document.model.recipe)},
                "device": {"reference": device.as_str()},
            });
            merge(&mut observation, measured);
            (address(seed, &format!("observation {at}")), observation)
        })
        .collect();
    let report = json!({
        "resourceType": "DiagnosticReport", "status": "preliminary", "issued": issued,
        "identifier": [{"system": "urn:einthoven:recording", "value": seed}],
        "code": {"coding": [{"system": LOINC, "code": "11524-6", "display": "EKG study"}], "text": "Heartbeats of an ECG recording"},
        "result": measured.iter().map(|(address, _)| json!({"reference": address})).collect::<Vec<_>>(),
        "conclusion": conclusion(document),
    });
    let mut entries = vec![json!({"fullUrl": address(seed, "report"), "resource": report})];
    entries.push(json!({"fullUrl": device.as_str(), "resource": maker(document)}));
    entries.extend(
        measured
            .into_iter()
            .map(|(address, resource)| json!({"fullUrl": address, "resource": resource})),
    );
    json!({"resourceType": "Bundle", "type": "collection", "timestamp": issued, "entry": entries})
}

/// An address of a resource of this bundle: a UUID of version 8 made from names.
fn address(seed: &str, name: &str) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(
        &Sha256::new()
            .chain_update(seed)
            .chain_update([0])
            .chain_update(name)
            .finalize()[..16],
    );
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

fn maker(document: &Document) -> Value {
    let model = &document.model;
    json!({
        "resourceType": "Device",
        "identifier": [{"system": "urn:einthoven:model-digest", "value": model.digest}],
        "deviceName": [{"name": model.name, "type": "model-name"}],
        "version": [{"value": model.version}],
        "type": {"text": "Heartbeat classifier"},
        "note": [{"text": format!("{} Recipe {}, engine {} on {}.", document.notice, model.recipe, model.engine, model.device)}],
    })
}

fn conclusion(document: &Document) -> String {
    let summary = &document.summary;
    let counts: Vec<String> = summary
        .counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(class, count)| format!("{count} {}", class.letter()))
        .collect();
    format!(
        "{} {} beats in {} s of lead {}: {}. Unreadable: {} s.",
        document.notice,
        summary.beats,
        summary.duration_s,
        document.lead,
        counts.join(", "),
        positive(summary.unreadable_s)
    )
}

/// What each figure is called, and what it is.
fn observations(document: &Document) -> Vec<(Value, Value)> {
    let summary = &document.summary;
    let mut all = vec![
        (
            loinc("8867-4", "Heart rate"),
            json!({"valueQuantity": quantity(summary.rate.mean_bpm, "beats/minute", "/min"), "component": [
                component("Lowest rate", quantity(summary.rate.min_bpm, "beats/minute", "/min")),
                component("Highest rate", quantity(summary.rate.max_bpm, "beats/minute", "/min")),
            ]}),
        ),
        (text("Beats by class"), {
            let classes = summary.counts.iter().map(|(class, count)| {
                let name = format!("{}, {}", class.letter(), in_words(*class));
                component(&name, quantity(Some(*count as f64), "beats", "{beats}"))
            });
            json!({"valueQuantity": quantity(Some(summary.beats as f64), "beats", "{beats}"), "component": classes.collect::<Vec<_>>()})
        }),
        (
            text("Unreadable time"),
            json!({"valueQuantity": quantity(Some(summary.unreadable_s), "s", "s"), "component": [
                component("Duration of the recording", quantity(Some(summary.duration_s), "s", "s")),
            ]}),
        ),
        (
            text("RR intervals between normal beats"),
            json!({"valueQuantity": quantity(summary.rr.mean_ms, "ms", "ms"), "component": [
                component("SDNN", quantity(summary.rr.sdnn_ms, "ms", "ms")),
                component("RMSSD", quantity(summary.rr.rmssd_ms, "ms", "ms")),
                component("pNN50", percent(summary.rr.pnn50)),
            ]}),
        ),
    ];
    let burdens = [
        ("Supraventricular burden", &summary.burden.s),
        ("Ventricular burden", &summary.burden.v),
    ];
    for (name, burden) in burdens {
        let share = burden.as_ref().map(|burden| burden.share);
        all.push((
            text(name),
            json!({"valueQuantity": percent(share), "component": interval(burden.as_ref())}),
        ));
    }
    for (_, measured) in &mut all {
        absent(measured);
    }
    all
}

fn in_words(class: BeatClass) -> &'static str {
    match class {
        BeatClass::N => "normal",
        BeatClass::S => "supraventricular",
        BeatClass::V => "ventricular",
        BeatClass::F => "fusion",
        BeatClass::Q => "paced or unknown",
    }
}

fn interval(burden: Option<&Burden>) -> Vec<Value> {
    let ends = burden.and_then(|burden| Some([("low", burden.low?), ("high", burden.high?)]));
    ends.into_iter()
        .flatten()
        .map(|(end, value)| component(&format!("95 % interval, {end} end"), percent(Some(value))))
        .collect()
}

fn loinc(code: &str, display: &str) -> Value {
    json!({"coding": [{"system": LOINC, "code": code, "display": display}], "text": display})
}

fn text(name: &str) -> Value {
    json!({"text": name})
}

fn quantity(value: Option<f64>, unit: &str, code: &str) -> Value {
    value.map_or(
        Value::Null,
        |value| json!({"value": positive(rounded(value, 1e3)), "unit": unit, "system": UCUM, "code": code}),
    )
}

/// Without the sign that a sum of nothing has.
fn positive(value: f64) -> f64 {
    value + 0.0
}

fn percent(share: Option<f64>) -> Value {
    quantity(share.map(|share| 100.0 * share), "%", "%")
}

fn component(name: &str, value: Value) -> Value {
    json!({"code": text(name), "valueQuantity": value})
}

/// FHIR has no null: what could not be worked out is left out and said to be so, and so is a list of nothing.
fn absent(measured: &mut Value) {
    let Some(fields) = measured.as_object_mut() else { return };
    if fields.get("valueQuantity").is_some_and(Value::is_null) {
        fields.remove("valueQuantity");
        let why = json!({"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown", "display": "Unknown",
        }]});
        fields.insert("dataAbsentReason".to_owned(), why);
    }
    if let Some(Value::Array(components)) = fields.get_mut("component") {
        components.iter_mut().for_each(absent);
        if components.is_empty() {
            fields.remove("component");
        }
    }
}

fn merge(into: &mut Value, fields: Value) {
    if let (Some(into), Value::Object(fields)) = (into.as_object_mut(), fields) {
        into.extend(fields);
    }
}
