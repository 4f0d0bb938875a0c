//! Secrets that stand in the tree.

/// What keys of well-known kinds begin with, and how many letters and digits follow at least.
const KINDS: [(&str, &str, usize); 8] = [
    ("AKIA", "an access key of Amazon's", 16),
    ("ghp_", "a token of GitHub's", 30),
    ("gho_", "a token of GitHub's", 30),
    ("ghs_", "a token of GitHub's", 30),
    ("github_pat_", "a token of GitHub's", 22),
    ("npm_", "a token of npm's", 30),
    ("cio", "a token of crates.io's", 32),
    ("xoxb-", "a token of Slack's", 10),
];

/// What kind of secret a text holds, if any.
pub(crate) fn held(text: &str) -> Option<&'static str> {
    // In two parts, so that this file does not hold it.
    let private = text.split(concat!("-----BEGIN", " ")).skip(1);
    let mut titles = private.filter_map(|rest| rest.split("-----").next());
    if titles.any(|title| title.ends_with("PRIVATE KEY")) {
        return Some("a private key");
    }
    KINDS.iter().find_map(|(beginning, kind, least)| {
        let mut found = text.match_indices(beginning).filter(|(place, _)| {
            let before = text[..*place].chars().next_back();
            let after = text[place + beginning.len()..].chars();
            let length = after.take_while(char::is_ascii_alphanumeric).count();
            // Long runs of base64 and hexadecimal digits hold any few letters by chance.
            let stands_alone = before.is_none_or(|letter| !letter.is_ascii_alphanumeric() && !"+/_".contains(letter));
            stands_alone && length >= *least && length <= 90
        });
        found.next().map(|_| *kind)
    })
}

#[cfg(test)]
mod tests {
    use super::held;

    #[test]
    fn secrets_are_found_and_other_words_are_not() {
        for (secret, kind) in [
            (["key = \"AKIA", "ABCDEFGHIJKLMNOP\""].concat(), "Amazon"),
            (["ghp", "_0123456789abcdefghij0123456789abcdef"].concat(), "GitHub"),
            (["-----BEGIN", " EC PRIVATE KEY-----\nMHc"].concat(), "private key"),
        ] {
            assert!(held(&secret).is_some_and(|found| found.contains(kind)), "{secret}");
        }
        for word in [
            "AKIA",
            "ghp_short",
            "-----BEGIN CERTIFICATE-----",
            "xAKIAABCDEFGHIJKLMNOP",
            "ciorcio",
        ] {
            assert_eq!(held(word), None, "{word}");
        }
    }
}
