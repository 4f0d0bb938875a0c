//! Which names the files of a version may have.

use crate::error::FilesError;
use std::collections::HashSet;

/// Longest component in bytes, as of the usual file systems.
const LONGEST_COMPONENT: usize = 255;
/// Longest name in bytes; a path of 4096 bytes holds it with room for a folder.
const LONGEST_NAME: usize = 1024;
/// Times a name is percent-decoded in search of what it hides; proxies and clients decode once or twice.
const DECODINGS: usize = 4;

/// Checks a name that a file of a version may have: relative, forward slashes, and the same name to every system and
/// every URL it passes through.
///
/// # Errors
/// [`FilesError::BadName`] for `..` and `.`, absolute names, drives and other colons, backslashes, control and direction
/// characters, `#`, `;`, `?` and the other characters that URLs or shells take for their own, empty components or ones that end in a
/// dot or have a space at an end, components above 255 bytes, names above 1024, and names that are any of this once
/// percent-decoded.
pub fn valid_name(name: &str) -> Result<(), FilesError> {
    let refused = |why| FilesError::BadName {
        name: name.chars().take(100).flat_map(char::escape_debug).collect(),
        why,
    };
    if name.len() > LONGEST_NAME {
        return Err(refused("it is longer than 1024 bytes"));
    }
    let mut form = name.as_bytes().to_vec();
    for _ in 0..DECODINGS {
        let text = std::str::from_utf8(&form).map_err(|_| refused("percent-decoded it is not UTF-8"))?;
        check(text).map_err(refused)?;
        let decoded = decoded(&form);
        if decoded == form {
            return Ok(());
        }
        form = decoded;
    }
    Err(refused("it is percent-encoded many times over"))
}

fn check(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("it is empty");
    }
    if name.starts_with('/') {
        return Err("it is absolute");
    }
    if name.contains('\\') {
        return Err("it holds a backslash");
    }
    if name.contains(':') {
        return Err("it holds a colon, as drives do");
    }
    if name.chars().any(unseen) {
        return Err("it holds a control character");
    }
    if name.contains(['#', ';', '?', '*', '"', '<', '>', '|']) {
        return Err("it holds one of # ; ? * \" < > |");
    }
    for component in name.split('/') {
        if component.is_empty() {
            return Err("one of its components is empty");
        }
        if component == ".." {
            return Err("it leads out of its folder");
        }
        if component.ends_with('.') {
            return Err("one of its components ends in a dot");
        }
        if component.trim() != component {
            return Err("one of its components has a space at an end");
        }
        if component.len() > LONGEST_COMPONENT {
            return Err("one of its components is longer than 255 bytes");
        }
    }
    Ok(())
}

/// Characters that are not seen, or change how their neighbours are seen.
fn unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}

fn decoded(form: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(form.len());
    let mut at = 0;
    while let Some(&byte) = form.get(at) {
        let mut value = [0];
        let escape = form.get(at + 1..at + 3).filter(|_| byte == b'%');
        if escape.is_some_and(|digits| hex::decode_to_slice(digits, &mut value).is_ok()) {
            out.push(value[0]);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    out
}

/// Checks the names of all files of a version: each by [`valid_name`], no two that differ by case alone, and none
/// that is also a folder of another.
///
/// # Errors
/// [`FilesError::BadName`] with the first name that cannot be.
pub fn valid_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), FilesError> {
    let mut set = NameSet::default();
    names.into_iter().try_for_each(|name| set.add(name))
}

/// Names that can stand beside each other.
#[derive(Debug, Default)]
pub(crate) struct NameSet {
    files: HashSet<String>,
    folders: HashSet<String>,
}

impl NameSet {
    /// Adds a name.
    pub(crate) fn add(&mut self, name: &str) -> Result<(), FilesError> {
        valid_name(name)?;
        let refused = |why| FilesError::BadName {
            name: name.to_owned(),
            why,
        };
        let folded = name.to_lowercase();
        if self.folders.contains(&folded) {
            return Err(refused("it is also the name of a folder"));
        }
        for (at, _) in folded.match_indices('/') {
            let folder = folded.get(..at).unwrap_or_default();
            if self.files.contains(folder) {
                return Err(refused("one of its folders is also the name of a file"));
            }
            self.folders.insert(folder.to_owned());
        }
        if !self.files.insert(folded) {
            return Err(refused("another file has this name, if case is ignored"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_packages_are_good() {
        let long = format!("{}/{}", "a".repeat(255), "b".repeat(255));
        for name in [
            "MLmodel",
            "manifest.json",
            "data/model.onnx",
            "model.onnx_data",
            "onnx__MatMul_123",
            "a b/c (1).onnx",
            ".hidden",
            "50%.onnx",
            "100%2.bin",
            "..model",
            "herz\u{e4}.onnx",
            "a,b+c=d@e~f!$&'[]{}^`",
            long.as_str(),
        ] {
            valid_name(name).unwrap();
        }
    }

    #[test]
    fn names_that_lead_elsewhere_or_look_like_it_are_refused() {
        for name in [
            "",
            ".",
            "..",
            "...",
            "/",
            "/etc/passwd",
            "//host/share",
            "../x",
            "a/../b",
            "a/..",
            "./a",
            "a/./b",
            "a//b",
            "a/",
            "\\\\host\\share\\x",
            "..\\x",
            "a\\b",
            "C:\\x",
            "C:/x",
            "c:x",
            "file:x",
            "a\0b",
            "a\nb",
            "a\u{7f}b",
            "a\u{85}b",
            "%2e%2e/x",
            "%2E%2E/x",
            "%252e%252e/x",
            "%25252e%25252e%25252fx",
            "%2fetc",
            "a%5cb",
            "a%00b",
            "..%2fx",
            "..%c0%af",
            "%25%25%25252525252e",
            "a#b",
            "#/../x",
            "a;b",
            "..;/x",
            "a?b",
            "a%23b",
            "a%3bb",
            "a.",
            "a./b",
            "a ",
            " a",
            "a/ b",
            "model\u{202e}xnno.",
            "a\u{feff}b",
            "a\u{2028}b",
        ] {
            assert!(valid_name(name).is_err(), "{name:?}");
        }
        assert!(valid_name(&"a".repeat(256)).is_err());
        assert!(valid_name(&["abcdefg"; 129].join("/")).is_err());
    }

    #[test]
    fn names_that_clash_somewhere_are_refused() {
        for names in [
            ["a", "a"],
            ["Model.onnx", "model.ONNX"],
            ["a", "a/b"],
            ["a/b", "A"],
            ["a/b/c", "a/B"],
            ["\u{c4}", "\u{e4}"],
        ] {
            assert!(valid_names(names).is_err(), "{names:?}");
        }
        valid_names(["a/b", "a/c", "ab", "b/a"]).unwrap();
    }

    proptest! {
        #[test]
        fn a_good_name_stays_below_its_folder(name in "[a.%/2eE5fFcC\\\\:;# ]{0,12}") {
            if valid_name(&name).is_ok() {
                let mut form = name.into_bytes();
                for _ in 0..6 {
                    let text = String::from_utf8(form.clone()).unwrap();
                    let path = std::path::Path::new(&text);
                    prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
                    prop_assert_eq!(path.components().count(), text.split('/').count());
                    form = decoded(&form);
                }
            }
        }

        #[test]
        fn no_name_makes_it_panic(name: String) {
            let _ = valid_name(&name);
        }
    }
}
