//! Every file of the page.

/// A file and where it is served.
pub(crate) struct Asset {
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! asset {
    ($path:literal, $file:literal, $kind:expr) => {
        Asset {
            path: $path,
            content_type: $kind,
            bytes: include_bytes!(concat!("../static/", $file)),
        }
    };
}

pub(crate) const ASSETS: &[Asset] = &[
    asset!("/", "index.html", HTML),
    asset!("/assets/icon.svg", "icon.svg", SVG),
    asset!("/assets/page.css", "page.css", CSS),
    asset!("/assets/js/app.js", "js/app.js", JS),
    asset!("/assets/js/api.js", "js/api.js", JS),
    asset!("/assets/js/drop.js", "js/drop.js", JS),
    asset!("/assets/js/problem.js", "js/problem.js", JS),
    asset!("/assets/js/result.js", "js/result.js", JS),
    asset!("/assets/js/summary.js", "js/summary.js", JS),
    asset!("/assets/js/beats.js", "js/beats.js", JS),
    asset!("/assets/js/rows.js", "js/rows.js", JS),
    asset!("/assets/js/format.js", "js/format.js", JS),
    asset!("/assets/js/trace/trace.js", "js/trace/trace.js", JS),
    asset!("/assets/js/trace/paper.js", "js/trace/paper.js", JS),
    asset!("/assets/js/trace/tiles.js", "js/trace/tiles.js", JS),
    asset!("/assets/js/trace/tachogram.js", "js/trace/tachogram.js", JS),
    asset!("/assets/vendor/htm-preact.js", "vendor/htm-preact-3.1.1.js", JS),
];
