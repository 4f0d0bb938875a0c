//! Variables that look like settings and are none.

use super::near::nearest;
use crate::commands::OWNER_KEY;
use clap::Command;
use std::collections::BTreeSet;

const OURS: &str = "EINTHOVEN_";

/// Variables that were probably meant to be others. The rest are not ours to judge: Kubernetes makes some for every service, and
/// engines have their own.
pub(super) fn misspelt(program: &Command) -> Vec<String> {
    let mut known = BTreeSet::from([OWNER_KEY.to_owned()]);
    variables(program, &mut known);
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    slips(set, &known)
}

fn slips(set: impl Iterator<Item = String>, known: &BTreeSet<String>) -> Vec<String> {
    let mut found: Vec<_> = set
        .filter(|name| name.starts_with(OURS) && !known.contains(name))
        .filter_map(|name| {
            let known = known.iter().filter_map(|known| known.strip_prefix(OURS));
            let meant = nearest(name.strip_prefix(OURS)?, known)?;
            Some(format!("{name}: there is no such setting; did you mean {OURS}{meant}?"))
        })
        .collect();
    found.sort();
    found
}

/// Every variable of a command and of those below it.
fn variables(command: &Command, known: &mut BTreeSet<String>) {
    let names = command.get_arguments().filter_map(|argument| argument.get_env());
    known.extend(names.map(|name| name.to_string_lossy().into_owned()));
    command.get_subcommands().for_each(|inner| variables(inner, known));
}

#[cfg(test)]
mod tests {
    use super::slips;
    use std::collections::BTreeSet;

    #[test]
    fn what_others_set_is_left_alone() {
        let known = BTreeSet::from(["EINTHOVEN_LISTEN".to_owned(), "EINTHOVEN_TLS_KEY".to_owned()]);
        let set = [
            "EINTHOVEN_SERVICE_HOST",
            "EINTHOVEN_PORT_80_TCP_ADDR",
            "EINTHOVEN_LITERT",
            "EINTHOVEN_LISTEN",
            "LISTEM",
            "EINTHOVEN_LISTEM",
        ];
        let found = slips(set.iter().map(|name| (*name).to_owned()), &known);
        assert_eq!(
            found,
            ["EINTHOVEN_LISTEM: there is no such setting; did you mean EINTHOVEN_LISTEN?"]
        );
    }
}
