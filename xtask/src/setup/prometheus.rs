//! Prometheus and promtool, which the tests of the metrics, the dashboard and the alert rules start themselves.

use super::{found, install};

/// Installs them unless they are there.
pub(super) fn run() -> anyhow::Result<()> {
    if found("prometheus") && found("promtool") {
        return Ok(());
    }
    install(&["prometheus"])
}
