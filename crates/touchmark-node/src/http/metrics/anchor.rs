//! What there is to say of another network's word on the log.

use super::set;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use touchmark_api::AnchorView;

/// What another network has of the log.
#[derive(Clone, Default)]
pub(super) struct Anchor {
    leaves: Gauge,
    failing: Gauge,
    certified: Gauge,
}

impl Anchor {
    pub(super) fn register(&self, registry: &mut Registry) {
        let leaves = "Leaves of the log that another network has recorded";
        registry.register("anchor_leaves", leaves, self.leaves.clone());
        let failing = "Whether that was wrong, or not found, at the last look";
        registry.register("anchor_failing", failing, self.failing.clone());
        let certified = "When the other network certified that, since 1970-01-01T00:00:00Z";
        let unit = Unit::Seconds;
        registry.register_with_unit("anchor_certified", certified, unit, self.certified.clone());
    }

    /// Takes over what the node says.
    pub(super) fn show(&self, view: Option<&AnchorView>) {
        set(&self.leaves, view.and_then(|view| view.size).unwrap_or_default());
        set(&self.failing, view.is_some_and(|view| view.problem.is_some()).into());
        set(&self.certified, view.and_then(|view| view.time).unwrap_or_default() / 1_000);
    }
}
