//! What somebody may have meant.

/// The known name that is nearest to one that is not known, where it is near enough to be meant.
pub(super) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |name: &str| {
        let longer = unknown.len() >= 4 && name.starts_with(unknown);
        let edits = strsim::damerau_levenshtein(unknown, name);
        // A word that stops early is a slip; so is one wrong letter in four.
        (longer || edits <= 3.min(name.len().max(unknown.len()) / 4)).then_some(edits)
    };
    known
        .into_iter()
        .filter_map(|name| Some((distance(name)?, name)))
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_seen_and_strangers_are_not() {
        let known = [
            "listen",
            "max_upload_mib",
            "tls_certificate",
            "log",
            "log_format",
            "data",
        ];
        for (slip, meant) in [
            ("lisen", "listen"),
            ("max_upload_mb", "max_upload_mib"),
            ("tls_cert", "tls_certificate"),
            ("log_fromat", "log_format"),
        ] {
            assert_eq!(nearest(slip, known), Some(meant), "{slip}");
        }
        for stranger in ["port", "bin", "password", "x", ""] {
            assert_eq!(nearest(stranger, known), None, "{stranger}");
        }
    }
}
