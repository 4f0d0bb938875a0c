//! Lists that come in pages.

use crate::Failure;
use crate::generated::{builder, types};
use futures_util::stream::{self, Stream, TryStreamExt};
use std::collections::VecDeque;

/// A call whose answer is one page of a list, such as `client.list_models()`.
pub trait Paged: Clone + Send + Sized {
    /// What the list is of.
    type Item: Send;

    /// The same call for the page behind `cursor`.
    #[must_use]
    fn after(self, cursor: String) -> Self;

    /// One page, and the cursor of the next one.
    fn page(self) -> impl Future<Output = Result<(Vec<Self::Item>, Option<String>), Failure>> + Send;

    /// Every item of all pages; each page is asked for when it is needed.
    fn items(self) -> impl Stream<Item = Result<Self::Item, Failure>> + Send {
        let start = (Some(self.clone()), VecDeque::new());
        stream::try_unfold(
            start,
            move |(mut next, mut items): (Option<Self>, VecDeque<Self::Item>)| {
                let call = self.clone();
                async move {
                    while items.is_empty() {
                        let Some(wanted) = next.take() else {
                            return Ok(None);
                        };
                        let (page, cursor) = wanted.page().await?;
                        items.extend(page);
                        next = cursor.map(|cursor| call.clone().after(cursor));
                    }
                    Ok(items.pop_front().map(|item| (item, (next, items))))
                }
            },
        )
    }

    /// The same, once they are all there.
    fn all(self) -> impl Future<Output = Result<Vec<Self::Item>, Failure>> + Send {
        self.items().try_collect()
    }
}

include!(concat!(env!("OUT_DIR"), "/lists.rs"));
