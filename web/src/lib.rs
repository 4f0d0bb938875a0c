//! The page: plain ES modules, style sheets and one HTML file, embedded at build time.
//!
//! The page knows the server only through its HTTP interface, and the server knows the page only through [`routes`].
//! There is no bundler: what lies in `static/` is what the browser loads, so an edit needs a rebuild of this crate only.
#![forbid(unsafe_code)]

mod file;
mod respond;

use axum::http::HeaderMap;
use axum::routing::{MethodRouter, get};
use file::File;
use std::collections::HashMap;
use std::sync::Arc;

/// The name and bytes of everything in `static/`.
static EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The page on `/`, the reference of the interface on `/docs`, and their files on `/assets/...`, each with its digest as `ETag` and a policy that lets the page load from,
/// and talk to, its own origin only.
///
/// Anything else under `/assets/` is a plain 404. The routes have no state of their own, so they fit any router.
pub fn routes<S>() -> [(&'static str, MethodRouter<S>); 3]
where
    S: Clone + Send + Sync + 'static,
{
    let files: Arc<HashMap<&'static str, File>> = Arc::new(
        EMBEDDED
            .iter()
            .filter_map(|&(name, bytes)| Some((name, File::new(name, bytes)?)))
            .collect(),
    );
    let (assets, reference) = (Arc::clone(&files), Arc::clone(&files));
    [
        (
            "/",
            get(move |headers: HeaderMap| async move { respond::file(files.get("index.html"), &headers) }),
        ),
        (
            "/docs",
            get(move |headers: HeaderMap| async move { respond::file(reference.get("reference.html"), &headers) }),
        ),
        (
            "/assets/{*name}",
            get(
                move |axum::extract::Path(name): axum::extract::Path<String>, headers: HeaderMap| async move {
                    respond::file(assets.get(name.as_str()), &headers)
                },
            ),
        ),
    ]
}
