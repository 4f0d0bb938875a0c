//! What is written when something panics.

use std::panic::PanicHookInfo;

/// Writes where it was, and what it said only where that is a fixed text: a message made at run time could hold anything,
/// a name from a recording too.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, ToString::to_string);
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        tracing::error!(place, thread, "panicked: {}", said(info));
    }));
}

fn said<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    info.payload()
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("the message was made at run time and is withheld")
}
