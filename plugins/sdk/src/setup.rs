//! What a plugin is given when it is opened.

use std::path::Path;

/// The plugin's surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// The folder the plugin's library lies in; `None` when it is linked into the host.
    pub directory: Option<&'a Path>,
    /// The plugin's own section of the host's configuration, a JSON object.
    pub config: &'a serde_json::Value,
}
