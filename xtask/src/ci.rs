//! Everything that decides whether a change lands, cheapest first.

use crate::shell::{self, built, cargo, command, root, target};
use crate::{deny, docs, engines, header, openapi, sdk, setup, tidy};
use std::time::Instant;

fn step(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let start = Instant::now();
    eprintln!("== {name}");
    work()?;
    eprintln!("== {name}: {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

pub(crate) fn run() -> anyhow::Result<()> {
    step("format", || cargo(&["fmt", "--all", "--check"]))?;
    step("tidy", tidy::run)?;
    step("header", header::check)?;
    step("setup", setup::run)?;
    step("dependencies", deny::run)?;
    // The same profile everywhere, so that nothing is built twice.
    step("lints", || {
        cargo(&[
            "clippy",
            "--release",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    step("documentation", || {
        let mut doc = command(
            "cargo",
            &[
                "doc",
                "--release",
                "--workspace",
                "--no-deps",
                "--document-private-items",
            ],
        );
        // For readers of the code: private items are documented too, so links to them hold.
        doc.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links");
        shell::run(doc)
    })?;
    step("build", || cargo(&["build", "--release"]))?;
    step("openapi", openapi::check)?;
    step("sdk", sdk::run)?;
    step("engines", engines::run)?;
    step("docs", || docs::run(&[]))?;
    step("tests", || cargo(&["test", "--release", "--workspace"]))?;
    step("page", || {
        let mut tests = command("npm", &["test"]);
        tests.current_dir(root().join("web/tests"));
        tests.env("EINTHOVEN_BIN", built("einthoven"));
        // Without them these would be looked for in the repository's own build folder.
        tests.env("EINTHOVEN_MLFLOW", target().join("mlflow-3"));
        tests.env("EINTHOVEN_ISSUER", target().join("oidc-issuer"));
        shell::run(tests)
    })
}
