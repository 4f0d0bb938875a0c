//! `einthoven keys`: API keys of a running server.

use super::remote::Remote;
use anyhow::Context;
use clap::{Args, Subcommand};
use einthoven_auth::{Grant, KeyName};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
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
    fn body(&self) -> anyhow::Result<Value> {
        let expires_at = self
            .expires_in
            .map(|span| Timestamp::now().checked_add(span))
            .transpose();
        let expires_at = expires_at.context("--expires-in is too long")?;
        let rate = self
            .rate
            .map(|per_second| json!({"per_second": per_second, "burst": self.burst}));
        Ok(json!({
            "name": self.name,
            "grants": self.grants,
            "rate": rate,
            "expires_at": expires_at,
            "reason": self.reason,
        }))
    }
}

impl Keys {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let what = self.what;
        self.remote.run(async move |server| {
            match what {
                What::Create(new) => {
                    let made = server.call(Method::POST, "/v1/keys", Some(new.body()?)).await?;
                    // Alone on standard output, so that a script can keep it.
                    eprintln!(
                        "the key `{}` has the id {}; it is shown this once:",
                        new.name,
                        text(&made["id"])
                    );
                    println!("{}", text(&made["key"]));
                }
                What::List => {
                    let keys = server.get("/v1/keys").await?;
                    for key in keys["items"].as_array().into_iter().flatten() {
                        let grants = key["grants"].as_array().into_iter().flatten().map(text);
                        let until = key["expires_at"]
                            .as_str()
                            .map_or(String::new(), |at| format!("  until {at}"));
                        let grants = grants.collect::<Vec<_>>().join(" ");
                        println!("{:<12}  {:<24}  {grants}{until}", text(&key["id"]), text(&key["name"]));
                    }
                }
                What::Revoke { id, reason } => {
                    server.delete(&format!("/v1/keys/{id}"), reason.as_deref()).await?;
                    println!("{id} is refused from now on");
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
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
