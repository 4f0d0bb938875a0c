//! `cargo xtask`: everything a developer or CI runs. One file per command.
#![forbid(unsafe_code)]

mod bench;
mod ci;
mod deny;
mod docs;
mod engines;
mod header;
mod openapi;
mod openapi_changes;
mod sdk;
mod secrets;
mod setup;
mod shell;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <command>

  ci      everything that decides whether a change lands: format, lints, tidy, tests, the page in a browser
  setup   install what the tests need (the engines' libraries, MLflow, PyTorch, Chromium, the page's tools);
          `setup libraries` or `setup python` brings only those
  engines build and seal the engine plugins with their libraries beside them
  tidy    file lengths and names, the arrows between crates, unfinished code, secrets
  deny    licences, sources and bans of dependencies by deny.toml, and known weaknesses where their database, on GitHub, answers;
          `deny advisories` those alone, which must answer
  header  write the C headers of the plugin contract; `header --check` only compares
  openapi write openapi/*.json as the server says it; `openapi --check` only compares, with the server that was built last,
          and with the last release; `openapi --breaking` compares with the last release alone
  sdk     make the Python, TypeScript and Rust clients from openapi/*.json: packages in <target>/sdk; needs a server that was built
  docs    run the commands of README.md, docs/ and examples/ with the server that was built last; `docs NAME...` those of pages whose
          path holds a name
  bench   measure the product and write its sections of bench/RESULTS.md; so do `bench fairness` (what a flood costs others),
          `bench deadlines`, `bench overload`, `bench soak`, `bench shadow` and `bench propagation` (several servers over the empty PostgreSQL database
          that EINTHOVEN_BENCH_DATABASE_URL names); `bench serving` measures it beside other servers and writes
          a section of bench/SERVING.md, `bench serving NAME...` beside those alone, with `--shipped` as images have it; EINTHOVEN_BENCH_SECONDS is the time of a load
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["ci"] => ci::run(),
        ["setup"] => setup::run(),
        ["setup", "libraries"] => setup::libraries(),
        ["setup", "python"] => setup::python(),
        ["engines"] => engines::run(),
        ["tidy"] => tidy::run(),
        ["deny"] => deny::run(),
        ["deny", "advisories"] => deny::advisories(),
        ["header"] => header::write(),
        ["header", "--check"] => header::check(),
        ["openapi"] => openapi::write(),
        ["openapi", "--check"] => openapi::check(),
        ["openapi", "--breaking"] => openapi::compare(),
        ["sdk"] => sdk::run(),
        ["docs", names @ ..] => docs::run(names),
        ["bench"] => bench::run(),
        [
            "bench",
            name @ ("fairness" | "deadlines" | "overload" | "soak" | "propagation" | "shadow"),
        ] => bench::one(name),
        ["bench", "serving", names @ ..] => bench::serving(names),
        _ => Err(anyhow::anyhow!("{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("{cause:#}");
            ExitCode::FAILURE
        }
    }
}
