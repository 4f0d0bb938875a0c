//! SECURITY.md against the tests that it names.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `path/to/file.rs::name` in backticks.
fn tests_of(line: &str) -> Vec<(&str, &str)> {
    line.split('`').filter_map(|word| word.split_once(".rs::")).collect()
}

#[test]
fn every_threat_names_tests_that_there_are() {
    let text = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| threat") && !line.starts_with("| what"))
        .collect();
    assert!(rows.len() > 25, "{} threats", rows.len());
    for row in rows {
        let tests = tests_of(row);
        assert!(!tests.is_empty(), "no test is named: {row}");
        for (file, name) in tests {
            let path = root().join(format!("{file}.rs"));
            let code = std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
            assert!(code.contains(&format!("fn {name}(")), "{file}.rs has no test {name}");
        }
    }
    for letter in [
        "Spoofing",
        "Tampering",
        "Repudiation",
        "Information disclosure",
        "Denial of service",
        "Elevation of privilege",
    ] {
        assert!(text.contains(&format!("## {letter}")), "{letter}");
    }
}
