//! How callers say which version they mean.

use crate::name::{AliasName, ModelName, NameError, VersionName};
use std::fmt;
use std::str::FromStr;

/// `NAME`, `NAME/VERSION` or `NAME@ALIAS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The model.
    pub model: ModelName,
    /// Which of its versions.
    pub selector: Selector,
}

/// Which version of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The one the traffic policy says.
    Traffic,
    /// That one.
    Version(VersionName),
    /// The one an alias points at.
    Alias(AliasName),
}

impl FromStr for Reference {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (model, selector) = if let Some((model, alias)) = text.split_once('@') {
            (model, Selector::Alias(alias.parse()?))
        } else if let Some((model, version)) = text.split_once('/') {
            (model, Selector::Version(version.parse()?))
        } else {
            (text, Selector::Traffic)
        };
        Ok(Self {
            model: model.parse()?,
            selector,
        })
    }
}

impl FromStr for Selector {
    type Err = NameError;

    /// `VERSION` or `@ALIAS`; nothing for what the traffic policy says.
    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Ok(Self::Traffic);
        }
        match text.strip_prefix('@') {
            Some(alias) => alias.parse().map(Self::Alias),
            None => text.parse().map(Self::Version),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.model)?;
        match &self.selector {
            Selector::Traffic => Ok(()),
            Selector::Version(version) => write!(out, "/{version}"),
            Selector::Alias(alias) => write!(out, "@{alias}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_back_as_they_were_written() {
        for text in ["heartbeat", "heartbeat/3", "heartbeat@champion"] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        for text in ["", "/3", "@a", "a/", "a@", "a/b/c", "a@b@c", "a/b@c", "a@b/c"] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
