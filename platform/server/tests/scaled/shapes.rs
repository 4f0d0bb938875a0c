//! Tables of a program that is not this one: the server says so at its start, and leaves them alone.

use crate::shared::Shared;
use std::process::Command;

#[test]
fn a_database_with_tables_of_another_version_is_refused_by_name() {
    let (shared, folder) = (Shared::start(), tempfile::tempdir().unwrap());
    let options = ["--journal", "audit"];
    drop(shared.server(&options));
    let refused = |in_words: &str| {
        // Where it is not refused it would serve for ever.
        let said = Command::new("timeout")
            .args(["120", env!("CARGO_BIN_EXE_einthoven")])
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .args(shared.options())
            .args(options)
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&said.stderr);
        assert!(!said.status.success() && words.contains(in_words), "{words}");
    };
    for (newer, in_words, back) in [
        (
            "update einthoven_schemas set version = 2 where name = 'log'",
            "the tables of `log` in the database are of version 2",
            "update einthoven_schemas set version = 1",
        ),
        (
            "update einthoven_schemas set version = 2 where name = 'people'",
            "the tables of `people` in the database are of version 2",
            "update einthoven_schemas set version = 1",
        ),
        (
            "delete from einthoven_schemas where name = 'jobs'",
            "the table einthoven_jobs is in the database",
            "insert into einthoven_schemas values ('jobs', 1)",
        ),
    ] {
        shared.sql(newer);
        refused(in_words);
        shared.sql(back);
    }
    shared.server(&options);
}
