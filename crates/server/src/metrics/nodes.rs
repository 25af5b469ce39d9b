//! What a node counts of itself among others.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Metrics;

/// There for every server, and told of only where there may be other nodes.
#[derive(Debug, Default)]
pub(super) struct Among {
    redis_up: Gauge,
    others: Gauge,
    posted: Counter,
    received: Counter,
}

impl Among {
    pub(super) fn register(&self, all: &mut Registry) {
        all.register("redis_up", "1 if Redis answered last, 0 if not", self.redis_up.clone());
        all.register("nodes", "Other nodes that this one has to do with", self.others.clone());
        all.register(
            "envelopes_posted",
            "What was posted to other nodes, again if it was not confirmed",
            self.posted.clone(),
        );
        all.register("envelopes_received", "What came from other nodes", self.received.clone());
    }
}

impl Metrics {
    /// Redis has answered or not, and this node has to do with so many others.
    pub(crate) fn redis(&self, up: bool, others: usize) {
        self.0.among.redis_up.set(i64::from(up));
        self.0.among.others.set(i64::try_from(others).unwrap_or(i64::MAX));
    }

    /// Something was posted to another node.
    pub(crate) fn posted(&self) {
        self.0.among.posted.inc();
    }

    /// Something came from another node.
    pub(crate) fn received_from_node(&self) {
        self.0.among.received.inc();
    }
}
