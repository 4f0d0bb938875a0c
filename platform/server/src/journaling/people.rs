//! Who is being answered about now: erasing a person waits until nothing about them is under way that it would miss.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::watch;

/// People above whose number those that are gone are looked for.
const MANY: usize = 256;

/// By pseudonym, as long as somebody holds them.
#[derive(Default)]
pub(crate) struct People(Mutex<HashMap<String, Weak<Here>>>);

/// Something about a person is under way for as long as this is held.
#[derive(Debug)]
pub(crate) struct Here {
    subject: String,
    /// Set once, when the person is erased.
    erased: watch::Sender<bool>,
}

impl People {
    pub(super) fn here(&self, subject: &str) -> Arc<Here> {
        let mut people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = people.get(subject).and_then(Weak::upgrade) {
            return here;
        }
        if people.len() >= MANY && people.len().is_power_of_two() {
            people.retain(|_, here| here.strong_count() > 0);
        }
        let here = Arc::new(Here {
            subject: subject.to_owned(),
            erased: watch::Sender::new(false),
        });
        people.insert(subject.to_owned(), Arc::downgrade(&here));
        here
    }

    /// Tells whatever is under way that the person is being erased; resolves when all of it has ended. What begins later is not
    /// waited for.
    pub(super) fn leave(&self, subject: &str) -> impl Future<Output = ()> + use<> {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(subject);
        let left = left.and_then(|here| here.upgrade()).map(|here| {
            here.erased.send_replace(true);
            here.erased.subscribe()
        });
        async move {
            let Some(mut left) = left else { return };
            while left.changed().await.is_ok() {}
        }
    }
}

impl Here {
    /// The pseudonym.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// The person was erased meanwhile.
    pub(crate) fn is_erased(&self) -> bool {
        *self.erased.borrow()
    }

    /// Resolves when the person is erased.
    pub(crate) async fn erased(&self) {
        // It is held here, so it cannot close.
        let _ = self.erased.subscribe().wait_for(|erased| *erased).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{MANY, People};
    use futures_util::FutureExt;
    use std::sync::Arc;

    #[tokio::test]
    async fn erasing_waits_for_what_is_under_way_and_not_for_what_begins_later() {
        let people = People::default();
        people.leave("s_nobody").await;
        let (one, two) = (people.here("s_1"), people.here("s_1"));
        let other = people.here("s_2");
        let mut left = Box::pin(people.leave("s_1"));
        assert!(one.is_erased() && two.is_erased() && !other.is_erased());
        let later = people.here("s_1");
        assert!(!later.is_erased());
        drop(one);
        assert!((&mut left).now_or_never().is_none());
        let waits = tokio::spawn({
            let two = Arc::clone(&two);
            async move { two.erased().await }
        });
        waits.await.unwrap();
        drop(two);
        left.await;
        assert_eq!(later.subject(), "s_1");
    }

    #[test]
    fn people_who_are_gone_are_not_kept() {
        let people = People::default();
        for number in 0..10 * MANY {
            people.here(&number.to_string());
        }
        assert!(people.0.lock().unwrap().len() <= 2 * MANY);
    }
}
