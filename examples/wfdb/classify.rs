//! Classifies a WFDB record: `classify URL RECORD`, with the key in EINTHOVEN_KEY.

use einthoven_client::{Answer, Einthoven, Failure, Stated, record};
use std::collections::BTreeMap;

/// What is printed.
pub(crate) async fn classified(client: &Einthoven, name: &str) -> Result<String, Failure> {
    let answer = client.classify(&record(name)?, &Stated::default()).await?;
    let Answer::Beats(found) = answer else {
        return Ok("rows of single beats".to_owned());
    };
    let rate = found.summary.rate.mean_bpm.unwrap_or_default();
    let (name, beats) = (&found.recording.name, found.beats.len());
    let mut text = format!("{name}: {beats} beats, {rate:.0} per minute, lead {}\n", found.lead);
    let mut counts = BTreeMap::new();
    for beat in &found.beats {
        let label = beat
            .class
            .map_or_else(|| "unreadable".to_owned(), |class| class.to_string());
        *counts.entry(label).or_insert(0) += 1;
    }
    for (label, count) in counts {
        text += &format!("  {label} {count}\n");
    }
    Ok(text)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let [_, url, name] = words.as_slice() else {
        return Err("say URL and RECORD".into());
    };
    print!("{}", classified(&Einthoven::new(url)?, name).await?);
    Ok(())
}
