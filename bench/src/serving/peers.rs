//! The servers, and how each wants to be asked.

use super::bodies::{Encoding, Item};
use super::tree::{Data, Tree};
use anyhow::{Context, bail};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A server of others: `bench/peers/NAME/serve.py` in the environment `ENVIRONMENT` of the build folder.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    environment: &'static str,
    /// How it takes a request, and at which path; `{model}` stands for the model.
    faces: &'static [(Encoding, &'static str)],
    /// Whether it serves the network for twelve leads too.
    twelve_leads: bool,
}

const V2: (Encoding, &str) = (Encoding::V2, "/v2/models/{model}/infer");
const V2_BINARY: (Encoding, &str) = (Encoding::V2Binary, "/v2/models/{model}/infer");

pub(crate) const PEERS: &[Peer] = &[
    Peer {
        name: "triton",
        environment: "bench-triton",
        faces: &[V2, V2_BINARY],
        twelve_leads: true,
    },
    Peer {
        name: "fastapi",
        environment: "bench-fastapi",
        faces: &[V2, (Encoding::Raw, "/raw/{model}/{leads}/{samples}")],
        twelve_leads: true,
    },
    Peer {
        name: "mlserver",
        environment: "bench-mlserver",
        faces: &[V2],
        twelve_leads: true,
    },
    Peer {
        name: "litserve",
        environment: "bench-litserve",
        faces: &[(Encoding::Input, "/predict")],
        twelve_leads: false,
    },
    Peer {
        name: "bentoml",
        environment: "bench-bentoml",
        faces: &[(Encoding::Input, "/predict")],
        twelve_leads: false,
    },
    Peer {
        name: "mlflow",
        environment: "mlflow-3",
        faces: &[(Encoding::Named, "/invocations")],
        twelve_leads: false,
    },
    Peer {
        name: "flask-tensorflow",
        environment: "bench-flask-tensorflow",
        faces: &[(Encoding::Form, "/upload")],
        twelve_leads: false,
    },
];

/// A server that runs: where it is, and how it is asked.
pub(crate) struct Running {
    pub(crate) name: String,
    pub(crate) tree: Tree,
    pub(crate) base: String,
    pub(crate) faces: Vec<(Encoding, &'static str)>,
    pub(crate) twelve_leads: bool,
    /// Whether it serves the network that does nothing.
    pub(crate) nothing: bool,
    /// Sent with every request.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// After the processes that write there.
    pub(crate) _data: Option<Data>,
}

impl Running {
    /// The address that takes an item.
    pub(crate) fn url(&self, path: &str, item: &Item) -> String {
        let path = path
            .replace("{model}", item.model)
            .replace("{leads}", &item.leads.to_string())
            .replace("{samples}", &item.samples.to_string());
        format!("{}{path}", self.base)
    }
}

impl Peer {
    /// Starts it, and waits until something listens.
    pub(crate) fn start(&self, bench: &Path, target: &Path, models: &Path) -> anyhow::Result<Running> {
        let python = target.join(self.environment).join("bin/python");
        anyhow::ensure!(
            python.exists(),
            "{} is missing; `cargo xtask bench serving` brings it",
            python.display()
        );
        let port = free_port()?;
        let child = Command::new(&python)
            .arg(bench.join("peers").join(self.name).join("serve.py"))
            .arg(models)
            .arg(port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        let running = Running {
            name: self.name.to_owned(),
            tree: Tree(child),
            base: format!("http://127.0.0.1:{port}"),
            faces: self.faces.to_vec(),
            twelve_leads: self.twelve_leads,
            nothing: false,
            headers: Vec::new(),
            _data: None,
        };
        let end = Instant::now() + Duration::from_secs(90);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > end {
                bail!("{} does not listen", self.name);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(running)
    }
}

pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
