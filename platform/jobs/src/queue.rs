//! Whose turn it is.

use std::collections::HashMap;

/// The place in `waiting` (owners, oldest job first) of the one to begin: the oldest of the owner with the fewest jobs running.
pub(crate) fn next<'a>(waiting: impl Iterator<Item = &'a str>, running: &HashMap<String, usize>) -> Option<usize> {
    waiting
        .enumerate()
        .min_by_key(|(place, owner)| (running.get(*owner).copied().unwrap_or(0), *place))
        .map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::next;
    use std::collections::HashMap;

    #[test]
    fn owners_take_turns_and_each_is_served_in_order() {
        let running = |list: &[(&str, usize)]| -> HashMap<String, usize> {
            list.iter()
                .map(|(owner, count)| ((*owner).to_owned(), *count))
                .collect()
        };
        let next = |waiting: &[&str], busy: &[(&str, usize)]| next(waiting.iter().copied(), &running(busy));
        assert_eq!(next(&[], &[]), None);
        assert_eq!(next(&["a", "a", "b"], &[]), Some(0));
        assert_eq!(next(&["a", "a", "b", "b"], &[("a", 1)]), Some(2));
        assert_eq!(next(&["a", "b"], &[("a", 1), ("b", 1)]), Some(0));
    }

    proptest::proptest! {
        #[test]
        fn nobody_is_passed_over_by_one_who_has_more(waiting in proptest::collection::vec(0_u8..4, 1..20), busy in proptest::collection::vec(0_usize..3, 4)) {
            let names: Vec<String> = waiting.iter().map(u8::to_string).collect();
            let running: HashMap<String, usize> = busy.iter().enumerate().map(|(owner, count)| (owner.to_string(), *count)).collect();
            let place = next(names.iter().map(String::as_str), &running).unwrap();
            let count = |name: &String| running[name];
            proptest::prop_assert!(names.iter().all(|name| count(&names[place]) <= count(name)));
            proptest::prop_assert!(!names[..place].contains(&names[place]));
        }
    }
}
