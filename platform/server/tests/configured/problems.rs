//! What is wrong is said, all of it, before anything is opened.

use crate::run::{Settings, einthoven};

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let settings = Settings::new(
        "lisen = \"127.0.0.1:0\"\nmax_upload_mib = 0\nlog_format = \"xml\"\npassword = \"s\"\nno_sync = \"yes\"\n\
         data = [\"a\", \"b\"]\ntls_key = \"key.pem\"\n",
    );
    let environment = [("EINTHOVEN_GRACE_S", "long"), ("EINTHOVEN_TLS_CERT", "chain.pem")];
    for words in [
        &["serve", "--listen", "nowhere", "--public-url", "ecg"][..],
        &["config", "check", "--listen", "nowhere", "--public-url", "ecg"],
        &["config", "print", "--listen", "nowhere", "--public-url", "ecg"],
    ] {
        let said = settings.einthoven(words, &environment);
        let file = settings.file();
        let file = file.display();
        assert_eq!(said.code, Some(2), "{:?}", said.problems);
        assert_eq!(said.out, "");
        let expected = [
            "EINTHOVEN_TLS_CERT: there is no such setting; did you mean EINTHOVEN_TLS_CERTIFICATE?".to_owned(),
            format!("{file} line 1: there is no setting `lisen`; did you mean `listen`?"),
            format!("{file} line 4: there is no setting `password`"),
            format!("{file} line 5: no_sync: say true or false"),
            format!("{file} line 6: data: it takes one value, not a list"),
            "--listen: `nowhere`: invalid socket address syntax".to_owned(),
            "--public-url: `ecg`: `ecg` is no URL; say https://HOST".to_owned(),
            "EINTHOVEN_GRACE_S: `long`: invalid digit found in string".to_owned(),
            format!("{file} line 3: log_format: `xml` is none of text, json"),
            format!("{file} line 2: max_upload_mib: `0`: 0 is not in 1..=2048"),
            "--tls-certificate and --tls-key go together".to_owned(),
        ];
        let (mut found, mut wanted) = (said.problems, expected.to_vec());
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{words:?}");
        assert!(!settings.folder.path().join("data").exists(), "something was opened");
    }
}

#[test]
fn files_that_are_named_must_be_there() {
    let settings = Settings::new("[engine.onnxruntime]\nlibrary = \"/x\"\n");
    let words = [
        "config",
        "check",
        "--plugins",
        "none",
        "--model",
        "gone",
        "--bucket",
        "bucket.toml",
        "--owner-key-file",
        "key",
        "--tls-certificate",
        "chain.pem",
        "--tls-key",
        "key.pem",
    ];
    let said = settings.einthoven(&words, &[]);
    assert_eq!(said.code, Some(2));
    let beginnings = [
        "cannot read chain.pem: ",
        "cannot read the owner's key in key: ",
        "cannot read bucket.toml: ",
        "cannot read the plugin folder none: ",
        "the model folder gone has no `manifest.json`",
    ];
    assert_eq!(said.problems.len(), beginnings.len(), "{:?}", said.problems);
    for (problem, beginning) in said.problems.iter().zip(beginnings) {
        assert!(problem.starts_with(beginning), "{problem}");
    }
}

#[test]
fn a_file_that_is_not_there_or_no_toml_is_named() {
    let settings = Settings::new("listen = \"127.0.0.1:0\"\ndatabase_url = \"postgres://u:hunter2@h/d\n");
    let said = settings.einthoven(&["serve"], &[]);
    assert_eq!(said.code, Some(2));
    assert_eq!(said.problems.len(), 1, "{:?}", said.problems);
    let place = format!("{} line 2: this is no TOML: ", settings.file().display());
    assert!(said.problems[0].starts_with(&place), "{:?}", said.problems);
    assert!(!said.problems[0].contains("hunter2"), "{:?}", said.problems);

    let said = einthoven(
        settings.folder.path(),
        &["config", "check", "--config", "gone.toml"],
        &[],
    );
    assert_eq!(said.code, Some(2));
    assert!(
        said.problems[0].starts_with("cannot read the settings in gone.toml: "),
        "{:?}",
        said.problems
    );
}

#[test]
fn variables_of_others_and_empty_ones_do_no_harm() {
    let settings = Settings::new("");
    let environment = [
        ("EINTHOVEN_SERVICE_HOST", "10.0.0.1"),
        ("EINTHOVEN_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("EINTHOVEN_OWNER_KEY", ""),
        ("EINTHOVEN_OWNER_KEY_FILE", ""),
        ("EINTHOVEN_DATABASE_URL", ""),
        ("EINTHOVEN_GRACE_S", ""),
        ("EINTHOVEN_NO_SYNC", ""),
    ];
    let said = settings.einthoven(&["config", "check"], &environment);
    assert_eq!((said.code, said.problems), (Some(0), Vec::new()));
}
