//! The result as a FHIR R4 document: a report on the recording, its figures as observations, the model as a device.

mod beats;

use crate::document::{Document, rounded};
use beats::Mark;
pub use beats::{ReaderLabel, ReaderMark};
use einthoven_ecg::beat::BeatClass;
use einthoven_ecg::rhythm::Burden;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const LOINC: &str = "http://loinc.org";
/// Nomenclature of ISO/IEEE 11073-10101 and 10102; FHIR writes partition and term as one number.
const MDC: &str = "urn:iso:std:iso:11073:10101";
const UCUM: &str = "http://unitsofmeasure.org";

/// A resource of the bundle with its address. Beats are written as they are: a day of them is no tree in memory.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    full_url: String,
    resource: Resource<'a>,
}

#[derive(Serialize)]
struct Resource<'a> {
    #[serde(flatten)]
    fields: Value,
    #[serde(rename = "component", skip_serializing_if = "Vec::is_empty")]
    marks: Vec<Mark<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bundle<'a> {
    resource_type: &'static str,
    r#type: &'static str,
    timestamp: &'a str,
    entry: Vec<Entry<'a>>,
}

/// A `Bundle` of type `collection` with one `DiagnosticReport`, its `Observation`s and the `Device` that made them.
///
/// The observations are the figures, the beats as the model answered, and for each time that a reader said something about beats what
/// of it still counts. The report is `preliminary`, and it has no subject: who was recorded is not known here. Nothing says when the
/// recording was made, for no date of a recording is kept. The same document and labels give the same bundle, but for `issued`.
///
/// `issued` is the time of the answer, RFC 3339.
pub fn fhir<'a>(document: &'a Document, issued: &'a str, labels: &'a [ReaderLabel]) -> impl Serialize + 'a {
    let seed = document.id.as_deref().unwrap_or(&document.recording.name);
    let device = address(seed, "device");
    let by_model = |code: Value, measured: Value| {
        let mut observation = json!({
            "resourceType": "Observation", "status": "preliminary", "code": code, "issued": issued, "category": [procedure()],
            "method": {"text": format!("lead {}, recipe {}", document.lead, document.model.recipe)},
            "device": {"reference": device.as_str()},
        });
        merge(&mut observation, measured);
        observation
    };
    let figures = observations(document).into_iter().enumerate();
    let mut results: Vec<Entry<'_>> = figures
        .map(|(at, (code, measured))| plain(address(seed, &format!("observation {at}")), by_model(code, measured)))
        .collect();
    let beats = address(seed, "beats");
    let marks = beats::answered(document);
    let about = json!({
        "valueQuantity": quantity(Some(marks.len() as f64), "beats", "{beats}"),
        "note": [{"text": "Each component is one beat: its code is what it was said to be, its value when its R peak was, in seconds from the start of the recording."}],
    });
    results.push(Entry {
        full_url: beats.clone(),
        resource: Resource {
            fields: by_model(beat_code("Heartbeats, as the model classified them"), about),
            marks,
        },
    });
    results.extend(labels.iter().map(|label| Entry {
        full_url: address(seed, &format!("label {} {}", label.reader, label.key)),
        resource: Resource {
            fields: by_reader(label, &beats),
            marks: beats::read(label, document),
        },
    }));
    let report = json!({
        "resourceType": "DiagnosticReport", "status": "preliminary", "issued": issued,
        "identifier": [{"system": "urn:einthoven:recording", "value": seed}],
        "code": {"coding": [{"system": LOINC, "code": "11524-6", "display": "EKG study"}], "text": "Heartbeats of an ECG recording"},
        "result": results.iter().map(|one| json!({"reference": one.full_url})).collect::<Vec<_>>(),
        "conclusion": conclusion(document),
    });
    let mut entry = vec![plain(address(seed, "report"), report), plain(device, maker(document))];
    entry.extend(results);
    Bundle {
        resource_type: "Bundle",
        r#type: "collection",
        timestamp: issued,
        entry,
    }
}

fn plain<'a>(full_url: String, fields: Value) -> Entry<'a> {
    Entry {
        full_url,
        resource: Resource {
            fields,
            marks: Vec::new(),
        },
    }
}

/// What a reader said at one time; `beats` is the address of the observation that it is about.
fn by_reader(label: &ReaderLabel, beats: &str) -> Value {
    let mut observation = json!({
        "resourceType": "Observation", "status": "final", "issued": label.at, "category": [procedure()],
        "code": beat_code("Heartbeats, as a reader labelled them"),
        "performer": [{"identifier": {"system": "urn:einthoven:reader", "value": label.reader}, "display": label.reader}],
        "derivedFrom": [{"reference": beats}],
        "valueQuantity": quantity(Some(label.marks.len() as f64), "beats", "{beats}"),
    });
    if label.adjudication {
        merge(
            &mut observation,
            json!({"method": {"text": "adjudication: it settles what readers disagree about"}}),
        );
    }
    if !label.why.is_empty() {
        let note = json!({"authorString": label.reader, "time": label.at, "text": label.why});
        merge(&mut observation, json!({"note": [note]}));
    }
    observation
}

/// Of an observation of beats: MDC_ECG_BEAT, term 8192 of partition 10.
fn beat_code(text: &str) -> Value {
    json!({"coding": [{"system": MDC, "code": "663552", "display": "MDC_ECG_BEAT"}], "text": text})
}

fn procedure() -> Value {
    json!({"coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "procedure", "display": "Procedure",
    }]})
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
