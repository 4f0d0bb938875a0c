//! Measures the product; the figures are ratios within one run, the machine is named beside them.

use crate::engines;
use crate::setup::{self, Environment};
use crate::shell::{self, built, cargo, command};

/// The servers of others, installed only for this.
const PEERS: &[Environment] = &[
    peer("bench-triton", "bench/peers/triton/requirements.txt", "import pytriton"),
    peer(
        "bench-fastapi",
        "bench/peers/fastapi/requirements.txt",
        "import fastapi",
    ),
    peer(
        "bench-mlserver",
        "bench/peers/mlserver/requirements.txt",
        "import mlserver",
    ),
    peer(
        "bench-litserve",
        "bench/peers/litserve/requirements.txt",
        "import litserve",
    ),
    peer(
        "bench-bentoml",
        "bench/peers/bentoml/requirements.txt",
        "import bentoml",
    ),
    peer(
        "bench-flask-tensorflow",
        "bench/peers/flask-tensorflow/requirements.txt",
        "import flask, tensorflow",
    ),
];

const fn peer(name: &'static str, list: &'static str, proof: &'static str) -> Environment {
    Environment { name, list, proof }
}

pub(crate) fn run() -> anyhow::Result<()> {
    build()?;
    shell::run(command(&built("einthoven-bench").to_string_lossy(), &[]))
}

/// One of the commands that need no other server to be compared with: `fairness`, `deadlines`, `overload`, `soak`, `propagation`,
/// `shadow`.
pub(crate) fn one(name: &str) -> anyhow::Result<()> {
    if !["fairness", "propagation", "shadow"].contains(&name) {
        // Its packages make the networks.
        PEERS
            .iter()
            .filter(|peer| peer.name == "bench-fastapi")
            .try_for_each(setup::environment)?;
        engines::run()?;
    }
    build()?;
    shell::run(command(&built("einthoven-bench").to_string_lossy(), &[name]))
}

/// Beside other servers; all of them, or those that are named. With `--shipped` among them, of the program as it is shipped.
pub(crate) fn serving(arguments: &[&str]) -> anyhow::Result<()> {
    let (shipped, names): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|one| **one == "--shipped");
    setup::python()?;
    // FastAPI's packages make the networks, too.
    let wanted = |peer: &&Environment| {
        let name = peer.name.trim_start_matches("bench-");
        names.is_empty() || name == "fastapi" || names.contains(&name)
    };
    PEERS.iter().filter(wanted).try_for_each(setup::environment)?;
    build()?;
    if !shipped.is_empty() {
        cargo(&["build", "--profile", "dist", "--workspace", "--bin", "einthoven"])?;
    }
    engines::run()?;
    let arguments: Vec<&str> = ["serving"].iter().chain(arguments).copied().collect();
    shell::run(command(&built("einthoven-bench").to_string_lossy(), &arguments))
}

/// As the product is built, so that nothing is built twice.
fn build() -> anyhow::Result<()> {
    cargo(&["build", "--release"])
}
