//! What is printed says where each value was said, hides secrets, and can be read again.

use crate::run::{Settings, einthoven};

fn line<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find(|line| line.split([' ', '.']).next() == Some(key));
    line.unwrap_or_else(|| panic!("no {key} in\n{text}"))
}

#[test]
fn flags_come_before_variables_before_the_file_before_what_is_built_in() {
    let settings = Settings::new("grace_s = 1\ndrain_delay_s = 1\nmax_connections = 1\n");
    let environment = [("EINTHOVEN_GRACE_S", "2"), ("EINTHOVEN_DRAIN_DELAY_S", "2")];
    let said = settings.einthoven(&["config", "print", "--grace-s", "3"], &environment);
    assert_eq!(said.code, Some(0), "{:?}", said.problems);
    let place = format!("{} line 3", settings.file().display());
    for (key, value, origin) in [
        ("grace_s", "3", "--grace-s"),
        ("drain_delay_s", "2", "EINTHOVEN_DRAIN_DELAY_S"),
        ("max_connections", "1", place.as_str()),
        ("client_timeout_s", "30", "default"),
    ] {
        let line = line(&said.out, key);
        let (setting, from) = line.split_once('#').unwrap();
        assert_eq!(setting.trim(), format!("{key} = {value}"));
        assert_eq!(from.trim(), origin);
    }
}

#[test]
fn what_is_printed_says_the_same_when_it_is_read() {
    let settings = Settings::new(
        "listen = \"127.0.0.1:0\"\npublic_url = [\"https://a.example.org\", \"https://b.example.org:8443\"]\nno_sync = true\n\
         data = \"a \\\"quoted\\\" folder\"\nlog = \"info,einthoven=debug\"\n[engine.onnxruntime]\nlibrary = \"/opt/x.so\"\nthreads = 2\n[engine.tract]\n",
    );
    let first = settings.einthoven(&["config", "print"], &[]);
    assert_eq!(first.code, Some(0), "{:?}", first.problems);
    let again = Settings::new(&first.out);
    let second = again.einthoven(&["config", "print"], &[]);
    assert_eq!(second.code, Some(0), "{:?}\n{}", second.problems, first.out);
    let said = |text: &str| -> toml::Table { toml::from_str(text).unwrap() };
    assert_eq!(said(&first.out), said(&second.out));
    let table = said(&first.out);
    assert_eq!(table["public_url"].as_array().unwrap().len(), 2);
    assert_eq!(table["no_sync"].as_bool(), Some(true));
    assert_eq!(table["data"].as_str(), Some("a \"quoted\" folder"));
    assert_eq!(table["engine"]["onnxruntime"]["threads"].as_integer(), Some(2));
}

#[test]
fn secrets_are_never_printed() {
    const SECRET: &str = "hunter2hunter2";
    let url = format!("postgres://einthoven:{SECRET}@localhost/einthoven");
    let settings = Settings::new(&format!("database_url = \"{url}\"\n"));
    for (words, environment) in [
        (vec!["config", "print"], vec![]),
        (vec!["config", "print"], vec![("EINTHOVEN_DATABASE_URL", url.as_str())]),
        (
            vec!["config", "print", "--database-url", &url],
            vec![("EINTHOVEN_OWNER_KEY", SECRET)],
        ),
        (vec!["config", "check", "--database-url", &url, "--listen", "x"], vec![]),
        (
            vec!["serve", "--help"],
            vec![
                ("EINTHOVEN_DATABASE_URL", url.as_str()),
                ("EINTHOVEN_OWNER_KEY", SECRET),
            ],
        ),
    ] {
        let said = settings.einthoven(&words, &environment);
        let all = said.out + &said.problems.join("\n");
        assert!(!all.is_empty() && !all.contains(SECRET), "{words:?}: {all}");
    }
    let said = settings.einthoven(&["config", "print"], &[("EINTHOVEN_OWNER_KEY", SECRET)]);
    assert!(
        said.out.contains("# database_url is set by ") && said.out.contains("# EINTHOVEN_OWNER_KEY is set"),
        "{}",
        said.out
    );
}

/// Every flag of the server is a setting with a key and a variable, without a list of them anywhere.
#[test]
fn every_flag_can_be_given_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let help = einthoven(folder.path(), &["serve", "--help"], &[]);
    let printed = einthoven(folder.path(), &["config", "print"], &[]);
    let mut flags = 0;
    let words = help.out.lines().filter_map(|line| {
        line.trim_start()
            .strip_prefix("--")
            .or(line.trim_start().strip_prefix("-h, --"))
    });
    for flag in words.filter_map(|line| line.split([' ', '=', '[']).next()) {
        if !["help", "config"].contains(&flag) {
            let key = flag.replace('-', "_");
            let there = printed
                .out
                .lines()
                .any(|line| line.trim_start_matches("# ").split(' ').next() == Some(&key));
            assert!(there, "{key} is not printed");
            flags += 1;
        }
    }
    assert!(flags > 15, "{}", help.out);
}
