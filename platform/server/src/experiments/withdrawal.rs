//! Taking a challenger out that broke a rail.

use super::watched::Watched;
use einthoven_experiments::guard::Ruling;
use einthoven_registry::{Asked, ChangeError, Registry};
use einthoven_registry_state::{Change, Refusal};
use jiff::{SignedDuration, Timestamp};

/// Who withdraws, as the audit trail names them.
pub(super) const WHO: &str = "einthoven";

/// Withdraws it, on what was seen of it alone: where it takes part otherwise by now, or by other rules, it stays and is looked at anew.
/// Gives what others are to be told; nothing where it stays or is gone already.
pub(super) async fn withdraw(
    registry: &Registry,
    mut watched: Watched,
    ruling: &Ruling,
    now: Timestamp,
) -> Result<Option<serde_json::Value>, ChangeError> {
    let reasons: Vec<&str> = ruling.broken.iter().map(|broken| broken.reason.as_str()).collect();
    let why = reasons.join("; ");
    let broken = serde_json::to_value(&ruling.broken).unwrap_or_default();
    let seconds = i64::try_from(ruling.cool_down_s.unwrap_or_default()).unwrap_or(i64::MAX);
    let until = now
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX);
    loop {
        let asked = Asked {
            who: WHO.to_owned(),
            why: why.clone(),
            change: Change::WithdrawChallenger {
                model: watched.model.clone(),
                experiment: watched.experiment.clone(),
                version: watched.challenger.clone(),
                broken: broken.clone(),
                until,
            },
            seen: Some(watched.revision),
        };
        match registry.change(asked).await {
            // Another server was first.
            Ok(done) if done.entries.is_empty() => return Ok(None),
            Ok(_) => break,
            Err(ChangeError::Refused(Refusal::ChangedMeanwhile { .. })) => match watched.still(&registry.state()) {
                Some(still) => watched = still,
                None => return Ok(None),
            },
            Err(cause) => return Err(cause),
        }
    }
    let (model, experiment, challenger) = (&watched.model, &watched.experiment, &watched.challenger);
    tracing::warn!("{model}/{challenger} is withdrawn from experiment {experiment}: {why}");
    Ok(Some(serde_json::json!({
        "event": "challenger_withdrawn",
        "at": now,
        "model": model,
        "experiment": experiment,
        "version": challenger,
        "reason": why,
        "broken": broken,
        "until": until,
    })))
}

#[cfg(test)]
mod tests {
    use super::super::watched::watched;
    use super::*;
    use einthoven_experiments::guard::{Broken, Rail};
    use einthoven_registry_log::{FileLog, Log};
    use einthoven_registry_state::{Challenger, ModelName, Origin, Package, StoredFile, Verified, VersionName, Wanted};

    type Tested = Result<(), Box<dyn std::error::Error>>;

    async fn make(registry: &Registry, change: Change) -> Result<(), ChangeError> {
        let (who, why, seen) = ("ana".to_owned(), String::new(), None);
        registry.change(Asked { who, why, change, seen }).await.map(drop)
    }

    fn shadow(version: &str, percent: f64) -> Result<Challenger, Box<dyn std::error::Error>> {
        Ok(Challenger {
            version: version.parse()?,
            percent: percent.try_into()?,
        })
    }

    fn reweighed(percent: f64) -> Result<Change, Box<dyn std::error::Error>> {
        Ok(Change::ChangeExperiment {
            model: "heartbeat".parse()?,
            experiment: "rr".parse()?,
            wanted: Wanted {
                shadows: Some(vec![shadow("2", percent)?, shadow("3", 100.0)?]),
                ..Wanted::default()
            },
        })
    }

    /// An experiment with the challengers 2 and 3.
    async fn begun(folder: &std::path::Path) -> Result<Registry, Box<dyn std::error::Error>> {
        let registry = Registry::open(Log::File(FileLog::open(folder).await?), None).await?;
        let model: ModelName = "heartbeat".parse()?;
        for number in 1..=3 {
            let version: VersionName = number.to_string().parse()?;
            let digest = format!("sha256:{number:064x}");
            let file = StoredFile {
                name: "model.onnx".to_owned(),
                size_bytes: 1,
                sha256: digest.clone(),
            };
            let package = Some(Package {
                digest,
                files: vec![file],
            });
            let add = Change::AddVersion {
                model: model.clone(),
                version: Some(version.clone()),
                origin: Origin::Embedded,
                package,
            };
            make(&registry, add).await?;
            let verified = Verified {
                engine: "tract".to_owned(),
                report: None,
            };
            let model = model.clone();
            let ready = Change::Verified {
                model,
                version,
                verified,
            };
            make(&registry, ready).await?;
        }
        let version = "1".parse()?;
        make(
            &registry,
            Change::Promote {
                model: model.clone(),
                version,
            },
        )
        .await?;
        let start = Change::StartExperiment {
            model,
            experiment: "rr".parse()?,
            wanted: Wanted {
                shadows: Some(vec![shadow("2", 50.0)?, shadow("3", 100.0)?]),
                ..Wanted::default()
            },
        };
        make(&registry, start).await?;
        Ok(registry)
    }

    fn ruling() -> Ruling {
        Ruling {
            withdraw: true,
            broken: vec![Broken {
                rail: Rail::Errors,
                seen: 0.5,
                limit: 0.02,
                reason: "half of its requests fail".to_owned(),
            }],
            undecided: Vec::new(),
            cool_down_s: Some(60),
        }
    }

    /// The challenger 2 as it was looked at.
    fn seen(registry: &Registry) -> Option<Watched> {
        let mut all = watched(&registry.state()).into_iter();
        all.find(|one| one.challenger.as_str() == "2")
    }

    #[tokio::test]
    async fn one_that_takes_part_otherwise_by_now_is_not_withdrawn_on_what_was_seen_before() -> Tested {
        let folder = tempfile::tempdir()?;
        let registry = begun(folder.path()).await?;
        let before = seen(&registry).ok_or("it takes part")?;
        // Between the look and the withdrawal its share is another: what was seen says nothing of it as it is now.
        make(&registry, reweighed(10.0)?).await?;
        let told = withdraw(&registry, before, &ruling(), Timestamp::now()).await?;
        assert_eq!(told, None);
        let after = seen(&registry).ok_or("it was withdrawn on stale evidence")?;
        let told = withdraw(&registry, after, &ruling(), Timestamp::now()).await?;
        assert_eq!(told.ok_or("nobody is told")?["version"], "2");
        assert!(seen(&registry).is_none());
        Ok(())
    }

    #[tokio::test]
    async fn a_change_that_is_about_something_else_saves_nobody() -> Tested {
        let folder = tempfile::tempdir()?;
        let registry = begun(folder.path()).await?;
        let before = seen(&registry).ok_or("it takes part")?;
        let description = "described meanwhile".to_owned();
        let model = "heartbeat".parse()?;
        make(&registry, Change::DescribeModel { model, description }).await?;
        let told = withdraw(&registry, before.clone(), &ruling(), Timestamp::now()).await?;
        assert!(told.is_some() && seen(&registry).is_none());
        // Another server that saw the same finds it gone.
        assert_eq!(withdraw(&registry, before, &ruling(), Timestamp::now()).await?, None);
        Ok(())
    }
}
