//! What the server counts, for whoever runs it. No label holds anything that a client sent, nor an address: every value a
//! label can have is written in this program.

mod listener;
mod nodes;
mod stranger;

use std::fmt;
use std::sync::Arc;

use duologue_protocol::{ErrorCode, ServerMessage};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use crate::ending::Ending;
use crate::limits::Limit;
use crate::relayed::Kind;

pub(crate) use listener::serve;
pub(crate) use stranger::Stranger;

/// The one label of a family.
type Label = [(&'static str, &'static str); 1];
type Counters = Family<Label, Counter>;

/// The counters of a server. Clones count together.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    registry: Registry,
    started: Option<Instant>,
    uptime: Gauge,
    rooms: Gauge,
    members: Gauge,
    open: Gauge,
    opened: Counter,
    ended: Counters,
    resumed: Counter,
    relayed: [Counter; 3],
    received: Counter,
    sent: Counter,
    refused: Counters,
    breaches: Counters,
    slowed: Counters,
    strangers: Counters,
    among: nodes::Among,
}

/// Counts one of something for as long as it is kept.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Nothing is counted yet. Whatever can be counted is there from the start, so that the first of something is seen
    /// as a step from 0.
    pub(crate) fn new() -> Self {
        Self::of(false)
    }

    /// The same, for one of several nodes.
    pub(crate) fn among_nodes() -> Self {
        Self::of(true)
    }

    fn of(is_node: bool) -> Self {
        let mut it = Inner { started: Some(Instant::now()), ..Inner::default() };
        let mut all = Registry::with_prefix("duologue");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        all.register("build", "Which version this is", build);
        let help = "For how long the server has been running";
        all.register_with_unit("uptime", help, Unit::Seconds, it.uptime.clone());
        all.register("rooms", "Rooms", it.rooms.clone());
        all.register(
            "members",
            "People in rooms, those who are away and may be back too",
            it.members.clone(),
        );
        all.register("connections_open", "WebSockets that are open", it.open.clone());
        all.register("connections", "WebSockets that were opened", it.opened.clone());
        all.register("connections_ended", "WebSockets that ended, by how", it.ended.clone());
        all.register("sessions_resumed", "Sessions that were taken up again", it.resumed.clone());
        let relayed = Counters::default();
        it.relayed = Kind::ALL.map(|kind| relayed.get_or_create_owned(&[("kind", kind.name())]));
        all.register("messages_relayed", "Messages from one person to another, by kind", relayed);
        let help = "What clients sent in messages";
        all.register_with_unit("received", help, Unit::Bytes, it.received.clone());
        let help = "What was sent to clients in messages";
        all.register_with_unit("sent", help, Unit::Bytes, it.sent.clone());
        all.register("refusals", "Errors that clients were told, by code", it.refused.clone());
        all.register("breaches", "How often a limit was broken, by limit", it.breaches.clone());
        let help = "How often a client went over a rate and began to be read more slowly, by limit";
        all.register("slowed", help, it.slowed.clone());
        let help = "Requests that were turned away, by the header that told";
        all.register("strangers", help, it.strangers.clone());
        if is_node {
            it.among.register(&mut all);
        }

        // Those that exist are there with a 0.
        Stranger::ALL.iter().for_each(|stranger| drop(it.strangers.get_or_create(&stranger.label())));
        Ending::names().for_each(|how| drop(it.ended.get_or_create(&[("how", how)])));
        ErrorCode::ALL.iter().for_each(|code| drop(it.refused.get_or_create(&[("code", code)])));
        Limit::ALL.iter().for_each(|limit| drop(it.breaches.get_or_create(&[("limit", limit.name())])));
        for limit in [Limit::Messages, Limit::Offers, Limit::Candidates] {
            drop(it.slowed.get_or_create(&[("limit", limit.name())]));
        }
        it.registry = all;
        Self(Arc::new(it))
    }

    /// A WebSocket was opened.
    pub(crate) fn connection(&self) -> Counted {
        self.0.opened.inc();
        Counted::new(&self.0.open)
    }

    /// A WebSocket ended.
    pub(crate) fn ended(&self, ending: Ending) {
        self.0.ended.get_or_create(&[("how", ending.name())]).inc();
    }

    /// Somebody is in a room.
    pub(crate) fn member(&self) -> Counted {
        Counted::new(&self.0.members)
    }

    /// A session was taken up.
    pub(crate) fn resumed(&self) {
        self.0.resumed.inc();
    }

    /// A message was passed on.
    pub(crate) fn relayed(&self, kind: Kind) {
        let [offers, answers, candidates] = &self.0.relayed;
        match kind {
            Kind::Offer => offers.inc(),
            Kind::Answer => answers.inc(),
            Kind::Candidate => candidates.inc(),
        };
    }

    /// A client sent a message of so many bytes.
    pub(crate) fn received(&self, bytes: usize) {
        self.0.received.inc_by(bytes as u64);
    }

    /// A client was sent a message of so many bytes.
    pub(crate) fn sent(&self, bytes: usize) {
        self.0.sent.inc_by(bytes as u64);
    }

    /// A client is told this; counted if it is an error, and if a limit was broken, that too.
    pub(crate) fn told(&self, message: &ServerMessage) {
        let ServerMessage::Error(refusal) = message else { return };
        let known = ErrorCode::ALL.iter().find(|code| **code == refusal.code.as_str());
        if let Some(code) = known {
            self.0.refused.get_or_create(&[("code", code)]).inc();
        }
        if let Some(limit) = Limit::of(&refusal.code) {
            self.breach(limit);
        }
    }

    /// A limit was broken.
    pub(crate) fn breach(&self, limit: Limit) {
        self.0.breaches.get_or_create(&[("limit", limit.name())]).inc();
    }

    /// A request was turned away.
    pub(crate) fn stranger(&self, stranger: Stranger) {
        self.0.strangers.get_or_create(&stranger.label()).inc();
    }

    /// A client went over a rate, and had kept to it before.
    pub(crate) fn slowed(&self, limit: Limit) {
        self.0.slowed.get_or_create(&[("limit", limit.name())]).inc();
    }

    /// Everything, in the text format that Prometheus reads (OpenMetrics 1.0).
    pub(crate) fn render(&self, rooms: usize) -> String {
        let seconds = self.0.started.map_or(0, |started| started.elapsed().as_secs());
        self.0.uptime.set(i64::try_from(seconds).unwrap_or(i64::MAX));
        self.0.rooms.set(i64::try_from(rooms).unwrap_or(i64::MAX));
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.0.registry) {
            tracing::error!(%error, "the metrics could not be written");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_alone_tells_nothing_of_nodes() {
        assert!(!Metrics::new().render(0).contains("redis"));
        let metrics = Metrics::among_nodes();
        metrics.redis(true, 2);
        let text = metrics.render(0);
        assert!(text.contains("duologue_redis_up 1") && text.contains("duologue_nodes 2"), "{text}");
    }

    #[test]
    fn the_docs_name_every_metric_and_every_word_of_its_labels() {
        let docs = include_str!("../../../../docs/server.md");
        let text = Metrics::among_nodes().render(0);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, _) = line.rsplit_once(' ').unwrap();
            let (name, label) = series.split_once('{').unwrap_or((series, ""));
            assert!(docs.contains(&format!("`{name}`")), "{name}");
            if let Some(limit) = label.strip_prefix("limit=\"").and_then(|label| label.strip_suffix("\"}")) {
                assert!(docs.contains(&format!("`{limit}`")), "{limit}");
            }
        }
    }

    #[test]
    fn whatever_can_be_counted_is_there_from_the_start() {
        let text = Metrics::new().render(7);
        for limit in Limit::ALL {
            assert!(text.contains(&format!("breaches_total{{limit=\"{}\"}} 0", limit.name())), "{limit:?}");
        }
        for how in ["closed", "stopping", "too-fast", "lobby-timeout"] {
            assert!(text.contains(&format!("connections_ended_total{{how=\"{how}\"}} 0")), "{how}");
        }
        assert!(text.contains("duologue_refusals_total{code=\"busy\"} 0"));
        assert!(text.contains("duologue_rooms 7"));
    }

    #[test]
    fn an_error_that_tells_of_a_limit_counts_as_its_breach() {
        let metrics = Metrics::new();
        metrics.told(&crate::refusal::too_deep(16));
        metrics.told(&crate::refusal::busy());
        metrics.told(&ServerMessage::Pong);
        let text = metrics.render(0);
        for series in [
            "refusals_total{code=\"too-deep\"}",
            "refusals_total{code=\"busy\"}",
            "breaches_total{limit=\"json_depth\"}",
        ] {
            assert!(text.contains(&format!("duologue_{series} 1\n")), "{series}");
        }
        // And the version, which is always 1.
        assert_eq!(text.lines().filter(|line| line.ends_with("} 1")).count(), 4);
    }
}
