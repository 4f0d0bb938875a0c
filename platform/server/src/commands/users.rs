//! `einthoven users`: people who sign in at a running server.

use super::remote::{Remote, word};
use crate::http::models::List;
use crate::http::users::{NewUser, UserOut, UserPatch};
use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use einthoven_auth::{Role, UserName};
use reqwest::Method;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Longest password that is read.
const LONGEST: u64 = 4096;

/// People who sign in at a running server.
#[derive(Debug, Args)]
pub(crate) struct Users {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add somebody.
    Add {
        /// What they sign in as.
        name: UserName,
        /// What they do: viewer, labeler, data-scientist, operator or owner. May be given several times.
        #[arg(long = "role", required = true, value_parser = role)]
        roles: Vec<Role>,
        /// File that holds their password; `-` reads it from standard input.
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// List all.
    List,
    /// Give somebody another password, which signs them out everywhere.
    Password {
        /// What they sign in as.
        name: UserName,
        /// File that holds it; `-` reads it from standard input.
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Remove somebody; they are signed out.
    Remove {
        /// What they sign in as.
        name: UserName,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
}

fn role(text: &str) -> Result<Role, String> {
    let words = "say viewer, labeler, data-scientist, operator or owner";
    serde_json::from_value(Value::from(text)).map_err(|_| words.to_owned())
}

/// The first line of a file or of standard input.
fn password(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin()
            .take(LONGEST)
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
    } else {
        let unreadable = || format!("cannot read the password in {}", file.display());
        let opened = std::fs::File::open(file).with_context(unreadable)?;
        opened
            .take(LONGEST)
            .read_to_string(&mut text)
            .with_context(unreadable)?;
    }
    let password = text.lines().next().unwrap_or_default();
    ensure!(
        !password.is_empty(),
        "{}: the first line, which is the password, is empty",
        file.display()
    );
    Ok(password.to_owned())
}

impl Users {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let what = self.what;
        self.remote.run(async move |server| {
            match what {
                What::Add {
                    name,
                    roles,
                    password_file,
                    reason,
                } => {
                    let new = NewUser {
                        name,
                        password: password(&password_file)?,
                        roles,
                        reason,
                    };
                    let user: UserOut = server.send(Method::POST, "/v1/users", &new).await?;
                    println!("{} can sign in", user.name);
                }
                What::List => {
                    let users: List<UserOut> = server.get("/v1/users").await?;
                    for user in users.items {
                        let roles: Vec<_> = user.roles.iter().map(word).collect();
                        println!("{:<24}  {}", user.name.as_str(), roles.join(" "));
                    }
                }
                What::Password {
                    name,
                    password_file,
                    reason,
                } => {
                    let patch = UserPatch {
                        password: Some(password(&password_file)?),
                        reason,
                        ..UserPatch::default()
                    };
                    let path = format!("/v1/users/{name}");
                    let user: UserOut = server.send(Method::PATCH, &path, &patch).await?;
                    println!("{} signs in with the new password from now on", user.name);
                }
                What::Remove { name, reason } => {
                    server.delete::<()>(&format!("/v1/users/{name}"), reason).await?;
                    println!("{name} is no user any more");
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}
