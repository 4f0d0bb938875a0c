//! Who may call what: the table of routes, and what stands before each of them.

mod guard;
mod host;
mod settings;
mod table;

pub(crate) use host::own_host;
pub(crate) use settings::{PublicUrl, Settings};
pub(crate) use table::{Access, Table, delete, get, patch, post, put};

/// What a route may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Predict,
    ModelsRead,
    ModelsWrite,
    Traffic,
    AuditRead,
}

/// Header by which the page says that it is the page: no other site's page can send it here. A change that is proven by the
/// cookie alone must bear it.
pub(crate) const PAGE_HEADER: &str = "x-einthoven-page";
