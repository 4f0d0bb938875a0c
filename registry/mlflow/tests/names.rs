//! Paths and references, against anything.
#![allow(clippy::unwrap_used)]

use einthoven_registry_mlflow::{ArtifactPath, Reference};
use proptest::prelude::*;
use std::path::{Component, Path};

fn parts() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just(String::new()),
        Just("%2e%2e".to_owned()),
        Just("..\\x".to_owned()),
        Just("C:".to_owned()),
        Just("a\0b".to_owned()),
        "[a-z .]{1,8}",
        any::<String>(),
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.join("/"))
}

proptest! {
    #[test]
    fn an_accepted_path_stays_below(path in parts()) {
        if let Ok(accepted) = ArtifactPath::new(&path) {
            prop_assert_eq!(accepted.as_str(), path.as_str());
            prop_assert!(Path::new(&path).components().all(|part| matches!(part, Component::Normal(_))));
            prop_assert_eq!(Path::new(&path).components().count(), path.split('/').count());
            prop_assert!(!path.contains(['\\', '%', '\0', ':']));
            let url = url::Url::parse("http://host/root/").unwrap().join(&path.replace(['?', '#'], "")).unwrap();
            prop_assert!(url.path().starts_with("/root/"));
        }
    }

    #[test]
    fn a_plain_path_is_accepted(path in "[a-z0-9_]{1,9}(/[a-z0-9_. -]{0,8}[a-z]){0,4}") {
        prop_assert!(ArtifactPath::new(&path).is_ok());
    }

    #[test]
    fn a_reference_reads_as_it_is_written(model in "[a-zA-Z0-9 _.-]{1,20}", version in 1_u64.., alias in "[a-zA-Z0-9_-]{1,9}") {
        for text in [format!("models:/{model}@{alias}"), format!("models:/{model}/{version}")] {
            let reference: Reference = text.parse().unwrap();
            prop_assert_eq!(reference.to_string(), text.clone());
            let short: Reference = text.trim_start_matches("models:/").parse().unwrap();
            prop_assert_eq!(short, reference);
        }
    }

    #[test]
    fn no_text_is_misread(text in any::<String>()) {
        if let Ok(reference) = text.parse::<Reference>() {
            let again: Reference = reference.to_string().parse().unwrap();
            prop_assert_eq!(again, reference);
        }
    }
}

#[test]
fn what_names_no_version_says_what_to_write() {
    for (given, hint) in [
        ("beat", "beat@ALIAS"),
        ("beat/latest", "beat/3"),
        ("models:/beat/Production", "beat@ALIAS"),
        ("beat/0", "from 1"),
        ("beat/03", "from 1"),
        ("beat/-1", "from 1"),
        ("beat@", "an alias has"),
        ("@x", "NAME@ALIAS"),
        ("runs:/abc", "runs:/RUN/PATH"),
        ("runs:/abc/../x", "leads elsewhere"),
        ("runs:/a?b/x", "letters"),
        ("s3://bucket/x", "slash, colon"),
        ("m-0123456789abcdef0123456789abcdef", "models:/m-"),
        ("", "name is missing"),
    ] {
        let error = given.parse::<Reference>().unwrap_err().to_string();
        assert!(error.contains(hint), "{given}: {error}");
    }
}
