//! The settings of `einthoven serve`: from flags, the environment and a file.
//!
//! A setting is declared once, as an argument of the command line. Its key in the file, its variable and how it is printed follow
//! from that. Everything that is wrong is gathered before anything is opened.

mod environment;
mod file;
mod near;
mod setting;
mod shown;

use clap::builder::ValueParser;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use setting::Setting;
use std::ffi::OsString;
use std::path::PathBuf;

/// The settings' own file; no key of it.
const FILE: &str = "config";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Flag(String),
    Variable(String),
    File { path: PathBuf, line: usize },
    Default,
}

/// A setting with what it is, and where that was said.
#[derive(Debug)]
struct Value {
    key: String,
    /// As they would stand on the command line; none where the setting is not set.
    values: Vec<OsString>,
    /// The value that a flag without one stands for.
    switch: bool,
    secret: bool,
    origin: Origin,
}

/// Every setting, in the order of `--help`.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    values: Vec<Value>,
    file: Option<PathBuf>,
}

/// The command line after the environment and the file were brought into it.
pub(crate) struct Read {
    /// What was asked for; none where something was wrong that leaves no whole answer.
    pub(crate) matches: Option<ArgMatches>,
    pub(crate) settings: Settings,
    /// All that is wrong, each with where it was said.
    pub(crate) problems: Vec<String>,
}

/// Reads the words of a command line, the program's own name first. The commands in `serving` take settings; the others are as
/// clap reads them. A wrong word ends the process with usage on standard error.
pub(crate) fn read(command: &Command, words: &[OsString], serving: &[&[&str]]) -> Read {
    let lenient = serving
        .iter()
        .fold(command.clone(), |command, path| at(command, path, &any_value));
    // Only the whole definition says in its help which values there are.
    let matches = lenient
        .try_get_matches_from(words)
        .unwrap_or_else(|_| command.clone().get_matches_from(words));
    for path in serving {
        let Some(given) = below(&matches, path) else {
            continue;
        };
        let Some(definition) = definition(command, path) else {
            continue;
        };
        let mut problems = Vec::new();
        let settings = Settings::gather(definition, given, command, &mut problems);
        let said = settings.words(words, path);
        let strict = at(command.clone(), path, &only_said);
        let matches = match strict.try_get_matches_from(said) {
            Ok(matches) => Some(matches),
            Err(cause) => {
                problems.push(setting::paragraph(&cause));
                None
            }
        };
        return Read {
            matches,
            settings,
            problems,
        };
    }
    Read {
        matches: Some(matches),
        settings: Settings::default(),
        problems: Vec::new(),
    }
}

/// Changes the command at a path of words.
fn at(command: Command, path: &[&str], change: &dyn Fn(Command) -> Command) -> Command {
    match path {
        [] => change(command),
        [word, rest @ ..] => command.mut_subcommand(word, |inner| at(inner, rest, change)),
    }
}

/// Takes every value, so that a wrong one is found beside the others.
fn any_value(command: Command) -> Command {
    command.mut_args(|argument| match Setting::of(&argument) {
        // Of a switch the variable is looked at by hand: clap would refuse what it does not like there and then.
        Some(setting) if setting.is_switch() => argument.env(None::<&'static str>),
        Some(_) => argument.value_parser(ValueParser::os_string()),
        None if argument.get_long() == Some(FILE) => argument.value_parser(ValueParser::os_string()),
        None => argument,
    })
}

/// Takes what its words say: the environment was already looked at, and lists are already taken apart.
fn only_said(command: Command) -> Command {
    command.mut_args(|argument| argument.env(None::<&'static str>).value_delimiter(None))
}

fn below<'a>(matches: &'a ArgMatches, path: &[&str]) -> Option<&'a ArgMatches> {
    path.iter()
        .try_fold(matches, |matches, word| matches.subcommand_matches(word))
}

fn definition<'a>(command: &'a Command, path: &[&str]) -> Option<&'a Command> {
    path.iter()
        .try_fold(command, |command, word| command.find_subcommand(word))
}

impl Settings {
    fn gather(definition: &Command, given: &ArgMatches, program: &Command, problems: &mut Vec<String>) -> Self {
        let all: Vec<Setting<'_>> = definition.get_arguments().filter_map(Setting::of).collect();
        problems.extend(environment::misspelt(program));
        let path = given
            .get_raw(FILE)
            .and_then(|mut values| values.next().map(PathBuf::from));
        let path = path.filter(|path| !path.as_os_str().is_empty());
        let mut entries = match &path {
            Some(path) => file::read(path, &all, problems),
            None => Vec::new(),
        };
        let mut values = Vec::new();
        for setting in &all {
            let written = entries.iter().position(|entry| entry.key == setting.key());
            let written = written.map(|index| entries.swap_remove(index));
            let (said, source) = said(setting, given);
            let (said, origin) = match (source, written, &path) {
                (ValueSource::CommandLine, ..) => (said, Origin::Flag(setting.flag())),
                (ValueSource::EnvVariable, ..) => (said, Origin::Variable(setting.variable())),
                (_, Some(entry), Some(path)) => (
                    entry.values,
                    Origin::File {
                        path: path.clone(),
                        line: entry.line,
                    },
                ),
                _ => (said, Origin::Default),
            };
            let mut kept = Vec::with_capacity(said.len());
            for value in said {
                match setting.check(&value) {
                    Ok(()) => kept.push(value),
                    Err(reason) => problems.push(format!("{}: {reason}", origin.names(&setting.key()))),
                }
            }
            values.push(Value {
                key: setting.key(),
                values: kept,
                switch: setting.is_switch(),
                secret: setting.is_secret(),
                origin,
            });
        }
        Self { values, file: path }
    }

    /// A command line that says all of it.
    fn words(&self, words: &[OsString], path: &[&str]) -> Vec<OsString> {
        let mut said: Vec<OsString> = words.first().cloned().into_iter().collect();
        said.extend(path.iter().map(OsString::from));
        for value in self.values.iter().filter(|value| value.origin != Origin::Default) {
            let flag = format!("--{}", value.key.replace('_', "-"));
            if value.switch {
                if value.values.iter().any(|text| text == "true") {
                    said.push(flag.into());
                }
                continue;
            }
            for text in &value.values {
                let mut word = OsString::from(format!("{flag}="));
                word.push(text);
                said.push(word);
            }
        }
        if let Some(file) = &self.file {
            let mut word = OsString::from(format!("--{FILE}="));
            word.push(file);
            said.push(word);
        }
        said
    }
}

/// What the command line, the environment or else the definition says of a setting.
fn said(setting: &Setting<'_>, given: &ArgMatches) -> (Vec<OsString>, ValueSource) {
    let source = given.value_source(setting.id()).unwrap_or(ValueSource::DefaultValue);
    let variable = std::env::var_os(setting.variable()).filter(|value| !value.is_empty());
    if !setting.is_switch() {
        // Compose and charts set variables to nothing where they mean none.
        if source == ValueSource::EnvVariable && variable.is_none() {
            return (setting.default(), ValueSource::DefaultValue);
        }
        let values = given.get_raw(setting.id()).into_iter().flatten();
        return (values.map(Into::into).collect(), source);
    }
    match variable {
        Some(value) if source != ValueSource::CommandLine => (vec![value], ValueSource::EnvVariable),
        _ => (vec![given.get_flag(setting.id()).to_string().into()], source),
    }
}

impl Origin {
    /// How a setting is called where this value was said.
    fn names(&self, key: &str) -> String {
        match self {
            Self::Flag(flag) => flag.clone(),
            Self::Variable(variable) => variable.clone(),
            Self::File { path, line } => format!("{} line {line}: {key}", path.display()),
            Self::Default => format!("{key}, by default"),
        }
    }
}
