//! How a person names a model version of MLflow.

use crate::{ArtifactPath, Error};
use std::fmt;
use std::str::FromStr;

/// What names the files of a model in MLflow.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// `models:/NAME@ALIAS` or `NAME@ALIAS`.
    Alias {
        /// The registered model.
        model: String,
        /// One of its aliases.
        alias: String,
    },
    /// `models:/NAME/3` or `NAME/3`.
    Version {
        /// The registered model.
        model: String,
        /// Counted from 1.
        version: u64,
    },
    /// `models:/m-ID`, a logged model of MLflow 3.
    Logged {
        /// `m-` and hexadecimal digits.
        id: String,
    },
    /// `runs:/RUN/PATH`.
    Run {
        /// The run's identifier.
        run: String,
        /// The model's folder among the run's artifacts.
        path: ArtifactPath,
    },
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(given: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::Reference {
            given: given.chars().take(200).collect(),
            why,
        };
        if let Some(rest) = given.strip_prefix("runs:/") {
            let (run, path) = rest
                .split_once('/')
                .ok_or_else(|| wrong("write runs:/RUN/PATH with the model's folder as PATH".to_owned()))?;
            if !is_identifier(run) {
                return Err(wrong("a run's identifier has only letters, digits, - and _".to_owned()));
            }
            return Ok(Self::Run {
                run: run.to_owned(),
                path: ArtifactPath::new(path)?,
            });
        }
        let (rest, schemed) = match given.strip_prefix("models:/") {
            Some(rest) => (rest, true),
            None => (given, false),
        };
        if is_logged(rest) {
            return if schemed {
                Ok(Self::Logged { id: rest.to_owned() })
            } else {
                Err(wrong(format!("write models:/{rest} for a logged model")))
            };
        }
        if let Some((model, alias)) = rest.rsplit_once('@').filter(|(_, alias)| !alias.contains('/')) {
            check_name(model).map_err(|why| wrong(why.to_owned()))?;
            if !is_identifier(alias) {
                return Err(wrong("an alias has only letters, digits, - and _".to_owned()));
            }
            return Ok(Self::Alias {
                model: model.to_owned(),
                alias: alias.to_owned(),
            });
        }
        let Some((model, version)) = rest.split_once('/') else {
            check_name(rest).map_err(|why| wrong(why.to_owned()))?;
            return Err(wrong(format!(
                "say which version: {rest}@ALIAS or {rest}/3; the newest is never taken unasked"
            )));
        };
        check_name(model).map_err(|why| wrong(why.to_owned()))?;
        match version.parse::<u64>() {
            Ok(number) if number > 0 && number.to_string() == version => Ok(Self::Version {
                model: model.to_owned(),
                version: number,
            }),
            _ => Err(wrong(format!(
                "a version is a number from 1, as {model}/3; for a stage or the newest set an alias in MLflow and write \
                 {model}@ALIAS"
            ))),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias { model, alias } => write!(out, "models:/{model}@{alias}"),
            Self::Version { model, version } => write!(out, "models:/{model}/{version}"),
            Self::Logged { id } => write!(out, "models:/{id}"),
            Self::Run { run, path } => write!(out, "runs:/{run}/{path}"),
        }
    }
}

/// `m-` and 32 hexadecimal digits, as MLflow 3 makes them.
fn is_logged(text: &str) -> bool {
    text.strip_prefix("m-")
        .is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// MLflow forbids `/` and `:` in names; the others cannot be meant.
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("the model's name is missing, write NAME@ALIAS or NAME/3");
    }
    if name.len() > 255 {
        return Err("a model's name has at most 255 bytes");
    }
    if name.contains(['/', ':']) || name.chars().any(char::is_control) {
        return Err("a model's name has no slash, colon or control character");
    }
    Ok(())
}
