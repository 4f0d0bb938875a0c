//! The same from a terminal.

use crate::client::{OWNER_KEY, Server};
use crate::command::{Said, run_as};

/// Without a key.
pub(crate) fn run(arguments: &[&str]) -> Said {
    run_as(None, arguments)
}

#[test]
fn keys_and_users_are_made_listed_and_removed() {
    let server = Server::start();
    let address = format!("http://{}", server.address);
    let at = |key: Option<&str>, arguments: &[&str]| {
        let (first, rest) = arguments.split_first().unwrap();
        run_as(key, &[&[*first, "--server", &address], rest].concat())
    };
    let nobody = at(None, &["models", "list"]);
    assert!(
        !nobody.ok && nobody.err.contains("EINTHOVEN_KEY") && nobody.err.contains("--link"),
        "{nobody:?}"
    );
    let create = [
        "keys",
        "create",
        "ci",
        "--grant",
        "models.read",
        "--grant",
        "traffic:heart*",
    ];
    let made = at(
        Some(OWNER_KEY),
        &[&create[..], &["--rate", "100", "--expires-in", "90d"]].concat(),
    );
    assert!(made.ok && made.err.contains("ci"), "{made:?}");
    let key = made.out.trim();
    assert_eq!(key.lines().count(), 1, "the key alone is on standard output");

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), made.out.as_bytes()).unwrap();
    let by_file = at(None, &["models", "--key-file", file.path().to_str().unwrap(), "list"]);
    assert!(by_file.ok && by_file.out.contains("heartbeat"), "{by_file:?}");
    assert!(at(Some(key), &["models", "list"]).ok);
    let lacks = at(Some(key), &["keys", "list"]);
    assert!(!lacks.ok && lacks.err.contains("`admin`"), "{lacks:?}");
    let listed = at(Some(OWNER_KEY), &["keys", "list"]);
    assert!(
        listed.out.contains("models.read traffic:heart*") && listed.out.contains("until"),
        "{listed:?}"
    );
    assert!(!listed.out.contains(key), "{listed:?}");
    let id = key.split('_').nth(1).unwrap();
    assert!(at(Some(OWNER_KEY), &["keys", "revoke", id, "--reason", "done"]).ok);
    assert!(!at(Some(key), &["models", "list"]).ok);

    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), "a password that is long\n").unwrap();
    let path = password.path().to_str().unwrap();
    let added = at(
        Some(OWNER_KEY),
        &[
            "users",
            "add",
            "ana",
            "--role",
            "data-scientist",
            "--password-file",
            path,
        ],
    );
    assert!(added.ok, "{added:?}");
    assert!(at(Some(OWNER_KEY), &["users", "list"]).out.contains("data-scientist"));
    assert!(at(Some(OWNER_KEY), &["users", "remove", "ana"]).ok);
    let gone = at(Some(OWNER_KEY), &["users", "remove", "ana"]);
    assert!(!gone.ok && gone.err.contains("ana"), "{gone:?}");
}

#[test]
fn the_link_makes_the_first_key() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_as(folder.path(), &[], None);
    let link = server.line.split(' ').find(|word| word.contains("token=")).unwrap();
    let address = format!("http://{}", server.address);
    let create = [
        "keys", "--server", &address, "--link", link, "create", "mine", "--grant", "admin",
    ];
    let made = run(&create);
    assert!(made.ok, "{made:?}");
    let again = run(&create);
    assert!(!again.ok && again.err.contains("used"), "{again:?}");
    let list = run_as(Some(made.out.trim()), &["models", "--server", &address, "list"]);
    assert!(list.ok && list.out.contains("heartbeat"), "{list:?}");
}
