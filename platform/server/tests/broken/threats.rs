//! SECURITY.md against the tests that it names.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `path/to/file.rs::name` in backticks.
fn tests_of(line: &str) -> Vec<(&str, &str)> {
    line.split('`').filter_map(|word| word.split_once(".rs::")).collect()
}

/// Whether a file has a test of that name that is run: by itself, or as one of a suite's, which a macro `all` lists.
fn is_run(code: &str, name: &str) -> bool {
    let lines: Vec<_> = code.lines().map(str::trim).collect();
    let Some(at) = lines.iter().position(|line| line.contains(&format!("fn {name}("))) else {
        return false;
    };
    let listed = lines
        .iter()
        .skip_while(|line| **line != "macro_rules! all {")
        .take_while(|line| **line != "pub(crate) use all;")
        .any(|line| *line == name);
    let above = lines[..at]
        .iter()
        .rev()
        .take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    let marks: Vec<_> = above.filter(|line| line.starts_with("#[")).collect();
    let tested = marks
        .iter()
        .any(|mark| mark.starts_with("#[test]") || mark.starts_with("#[tokio::test"));
    (tested || listed) && !marks.iter().any(|mark| mark.starts_with("#[ignore"))
}

#[test]
fn a_test_that_is_not_run_proves_nothing() {
    assert!(is_run("#[test]\n/// Words.\nfn a() {", "a"));
    assert!(is_run("#[tokio::test]\nasync fn a() {", "a"));
    assert!(is_run(
        "macro_rules! all {\na\n}\npub(crate) use all;\npub(crate) async fn a() {",
        "a"
    ));
    for code in [
        "fn a() {",
        "#[test]\n#[ignore = \"slow\"]\nfn a() {",
        "#[test]\nfn b() {\n}\nfn a() {",
        "// a",
    ] {
        assert!(!is_run(code, "a"), "{code}");
    }
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
            assert!(is_run(&code, name), "{file}.rs has no test {name} that is run");
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
