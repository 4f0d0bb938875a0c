//! `einthoven keys`: API keys of a running server.

use super::remote::Remote;
use crate::http::keys::{KeyOut, NewKey};
use crate::http::models::List;
use anyhow::Context;
use clap::{Args, Subcommand};
use einthoven_auth::{Grant, KeyName, Rate};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use std::process::ExitCode;

/// API keys of a running server.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a key and print it; it is shown this once.
    Create(New),
    /// List all keys, without what would prove them.
    List,
    /// Refuse a key from now on.
    Revoke {
        /// Its id, the part between the underscores: `x7k2m9qa` of `ein_x7k2m9qa_…`.
        id: String,
        /// For the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Debug, Args)]
struct New {
    /// What people call it.
    name: KeyName,
    /// What may be done with it: a scope (predict, label, models.read, models.write, traffic, audit.read, admin), for some models
    /// alone as `predict:heartbeat` or `predict:ecg-*`. May be given several times.
    #[arg(long = "grant", required = true)]
    grants: Vec<Grant>,
    /// Requests per second in the long run.
    #[arg(long)]
    rate: Option<f64>,
    /// Requests at once after a pause.
    #[arg(long, requires = "rate", default_value_t = 10)]
    burst: u32,
    /// For how long it is good, such as `12h` or `90d`; for ever unless given.
    #[arg(long, value_name = "TIME", value_parser = span)]
    expires_in: Option<SignedDuration>,
    /// For the audit trail.
    #[arg(long)]
    reason: Option<String>,
}

/// `90d`, `12h`, `30m`.
fn span(text: &str) -> Result<SignedDuration, String> {
    let unit = text.chars().next_back();
    let seconds = match unit {
        Some('d') => 24 * 3600,
        Some('h') => 3600,
        Some('m') => 60,
        _ => return Err("say a number with d, h or m, such as 90d".to_owned()),
    };
    let number: u32 = text[..text.len() - 1]
        .parse()
        .map_err(|_| format!("`{text}` begins with no number"))?;
    Ok(SignedDuration::from_secs(i64::from(number) * seconds))
}

impl New {
    fn body(self) -> anyhow::Result<NewKey> {
        let expires_at = self
            .expires_in
            .map(|span| Timestamp::now().checked_add(span))
            .transpose();
        let expires_at = expires_at.context("--expires-in is too long")?;
        let burst = self.burst;
        Ok(NewKey {
            name: self.name,
            grants: self.grants,
            rate: self.rate.map(|per_second| Rate { per_second, burst }),
            expires_at,
            reason: self.reason,
        })
    }
}

impl Keys {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let what = self.what;
        self.remote.run(async move |server| {
            match what {
                What::Create(new) => {
                    let made: KeyOut = server.send(Method::POST, "/v1/keys", &new.body()?).await?;
                    // Alone on standard output, so that a script can keep it.
                    eprintln!("the key `{}` has the id {}; it is shown this once:", made.name, made.id);
                    println!("{}", made.key.context("the server gave no key")?);
                }
                What::List => {
                    let keys: List<KeyOut> = server.get("/v1/keys").await?;
                    for key in keys.items {
                        let grants: Vec<_> = key.grants.iter().map(Grant::to_string).collect();
                        let until = key.expires_at.map_or(String::new(), |at| format!("  until {at}"));
                        let (name, grants) = (key.name.as_str(), grants.join(" "));
                        println!("{:<12}  {name:<24}  {grants}{until}", key.id);
                    }
                }
                What::Revoke { id, reason } => {
                    server.delete::<()>(&format!("/v1/keys/{id}"), reason).await?;
                    println!("{id} is refused from now on");
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_are_a_number_with_a_unit() {
        assert_eq!(span("90d").map(|span| span.as_secs()), Ok(90 * 86_400));
        assert_eq!(span("5m").map(|span| span.as_secs()), Ok(300));
        for wrong in ["", "d", "90", "-1d", "1.5h", "1µ", "99999999999d"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
