//! Who may call what: the table of routes, and what stands before each of them.

mod addresses;
pub(crate) mod cookie;
mod guard;
mod host;
pub(crate) mod presented;
pub(crate) mod refusal;
mod roles;
mod settings;
mod table;

pub(crate) use addresses::{Addresses, burst};
pub(crate) use guard::may;
pub(crate) use host::{host_of, meant_here};
pub(crate) use roles::{Duties, Part, Role, part_of};
pub(crate) use settings::{PublicUrl, Settings};
pub(crate) use table::{Access, Row, Table, delete, get, patch, post, put};

/// Header by which the page says that it is the page: no other site's page can send it here. A change that is proven by the
/// cookie alone must bear it.
pub(crate) const PAGE_HEADER: &str = "x-einthoven-page";
