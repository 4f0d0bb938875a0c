//! `einthoven audit`: every change, and whether the log still is what was written.

use super::remote::{Remote, run};
use crate::http::models::List;
use crate::storage::{Storage, log_folder};
use clap::{Args, Subcommand};
use einthoven_registry_log::{ChainBroken, FileLog, Head, export_head, read_head_file};
use std::path::PathBuf;
use std::process::ExitCode;

/// Every change of the registry.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    what: What,
}

/// Where the log lies. The files are elsewhere, perhaps, and are not asked for.
#[derive(Debug, Args)]
#[command(mut_arg("data", |arg| arg.help("The server's data folder")))]
#[command(mut_arg("database_url", |arg| arg.help("Where the servers have their registry in PostgreSQL: that database")))]
#[command(mut_arg("bucket", |arg| arg.hide(true)))]
struct Place {
    #[command(flatten)]
    storage: Storage,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List changes, newest first, as a running server knows them: one line of JSON each.
    List {
        #[command(flatten)]
        remote: Remote,
        /// About that model.
        #[arg(long)]
        model: Option<String>,
        /// Asked for by that person.
        #[arg(long)]
        who: Option<String>,
        /// That many at most.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Check that no entry was changed, removed or reordered, and that the log goes on from every exported head. Works
    /// beside a running server and without one.
    Verify {
        #[command(flatten)]
        place: Place,
        /// File of exported heads, kept where who can change the log cannot; the data folder's own unless given.
        #[arg(long)]
        heads: Option<PathBuf>,
    },
    /// Print where the log ends now, in the form of a file of heads.
    Head {
        #[command(flatten)]
        place: Place,
    },
}

impl Audit {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.what {
            What::List {
                remote,
                model,
                who,
                limit,
            } => remote.run(async move |server| {
                let mut path = format!("/v1/audit?limit={limit}");
                for (name, value) in [("model", model), ("who", who)] {
                    if let Some(value) = value {
                        let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
                        path += &format!("&{name}={encoded}");
                    }
                }
                // As they came: what would prove keys and passwords is left out of them, so they are no events to read back.
                let entries: List<serde_json::Value> = server.get(&path).await?;
                for entry in entries.items {
                    println!("{entry}");
                }
                Ok(ExitCode::SUCCESS)
            }),
            What::Verify { place, heads } => run(verify(place.storage, heads)),
            What::Head { place } => run(async move {
                let head = place.storage.log_reader().await?.head().await?;
                println!("{}", export_head(&head, jiff::Timestamp::now()));
                Ok(ExitCode::SUCCESS)
            }),
        }
    }
}

async fn verify(storage: Storage, heads: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let own = storage.heads_file();
    let anchors = match &heads {
        Some(path) => read_head_file(path).await?,
        None if own.exists() => read_head_file(&own).await?,
        None => Vec::new(),
    };
    let anchors: Vec<Head> = anchors.iter().map(|anchor| anchor.head).collect();
    // A log that is broken does not open, and is what this looks for.
    let verified = match storage.database_url {
        None => FileLog::verify_folder(log_folder(&storage.data), &anchors).await,
        Some(_) => storage.log_reader().await?.verify(&anchors).await,
    };
    match verified {
        Ok(verified) => {
            println!(
                "{} entries, none changed, removed or reordered; the log goes on from {} exported heads; it ends at {}",
                verified.head.seq, verified.anchors, verified.head.hash
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(ChainBroken::Unreadable(cause)) => Err(cause.into()),
        Err(broken) => {
            eprintln!("einthoven: the log is not what was written: {broken}");
            Ok(ExitCode::FAILURE)
        }
    }
}
