//! One argument of the command line, as a setting.

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};
use std::error::Error;
use std::ffi::{OsStr, OsString};

/// An argument that a file and the environment can give too.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    argument: &'a Arg,
    long: &'a str,
}

impl<'a> Setting<'a> {
    /// None for `--config` itself, and what has no long name or takes no value of its own.
    pub(super) fn of(argument: &'a Arg) -> Option<Self> {
        let long = argument.get_long().filter(|long| *long != super::FILE)?;
        let action = argument.get_action();
        matches!(action, ArgAction::Set | ArgAction::Append | ArgAction::SetTrue).then_some(Self { argument, long })
    }

    pub(super) fn id(&self) -> &str {
        self.argument.get_id().as_str()
    }

    /// Its key in a file.
    pub(super) fn key(&self) -> String {
        self.long.replace('-', "_")
    }

    pub(super) fn flag(&self) -> String {
        format!("--{}", self.long)
    }

    /// Its variable; empty where it has none.
    pub(super) fn variable(&self) -> String {
        let variable = self.argument.get_env().unwrap_or_default();
        variable.to_string_lossy().into_owned()
    }

    /// What it is where nobody says anything.
    pub(super) fn default(&self) -> Vec<OsString> {
        let values = self.argument.get_default_values().iter();
        values.map(|value| value.to_os_string()).collect()
    }

    /// Whether it is on or off.
    pub(super) fn is_switch(&self) -> bool {
        matches!(self.argument.get_action(), ArgAction::SetTrue)
    }

    /// Whether it takes several values.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.argument.get_action(), ArgAction::Append)
    }

    /// Whether its value is shown to nobody.
    pub(super) fn is_secret(&self) -> bool {
        self.argument.is_hide_env_values_set()
    }

    /// Whether this is a value of it, or why not.
    pub(super) fn check(&self, value: &OsStr) -> Result<(), String> {
        let parser = match self.is_switch() {
            true => ValueParser::bool(),
            false => self.argument.get_value_parser().clone(),
        };
        let mut word = OsString::from("--value=");
        word.push(value);
        let checked = Command::new("setting")
            .no_binary_name(true)
            .arg(
                Arg::new("value")
                    .long("value")
                    .action(ArgAction::Set)
                    .value_parser(parser),
            )
            .try_get_matches_from([word]);
        let Err(cause) = checked else { return Ok(()) };
        if self.is_secret() {
            return Err("this is no value of it (which is not shown)".to_owned());
        }
        if value.is_empty() {
            return Err("it is empty; give a value, or leave it out".to_owned());
        }
        let value = value.to_string_lossy();
        Err(match (cause.source(), cause.get(ContextKind::ValidValue)) {
            (_, Some(ContextValue::Strings(valid))) if !valid.is_empty() => {
                format!("`{value}` is none of {}", valid.join(", "))
            }
            (Some(reason), _) => format!("`{value}`: {reason}"),
            _ => format!("`{value}` is no value of it"),
        })
    }
}

/// What clap says of several arguments together, without its usage.
pub(super) fn paragraph(cause: &clap::Error) -> String {
    let text = cause.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let lines: Vec<_> = first.lines().map(str::trim).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}
