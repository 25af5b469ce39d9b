//! Nodes of a world, each with its rooms.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::world::World;
use crate::cluster::node::{self, Pulse};
use crate::config::{IceConfig, QueueLimits, Timing};
use crate::conversation::{Bounds, Conversation};
use crate::limits::{Limits, Lobby, Rate, Throttle};
use crate::metrics::Metrics;
use crate::outbox::{Outbox, Outgoing, outbox};
use crate::pace::Pace;
use crate::registry::{Rooms, Settings};
use crate::token::Tokens;
use crate::turn::Ice;

/// How much may wait for one client in a room of a few.
pub(super) const QUEUE: QueueLimits = QueueLimits { messages: 64, bytes: 64 * 1024 };

pub(super) struct Node {
    name: String,
    node: node::Node,
    pub(super) rooms: Rooms,
    pub(super) stop: CancellationToken,
}

impl Node {
    pub(super) fn new(world: &Arc<World>, name: &str) -> Self {
        Self::for_rooms_of(4, world, name)
    }

    pub(super) fn for_rooms_of(size: usize, world: &Arc<World>, name: &str) -> Self {
        let stop = CancellationToken::new();
        let node = node::Node::new(name.to_owned(), world.bus(name), Pulse::default());
        let mut limits = Limits::default().for_rooms_of(size);
        let most = Rate { per_second: 1_000_000, burst: 1_000_000 };
        (limits.messages, limits.offers, limits.candidates) = (most, most, most);
        let queue = QUEUE.for_rooms_of(size);
        let settings = Settings { size, queue, grace: Timing::default().grace, limits };
        let rooms = Rooms::new(settings, Metrics::new(), stop.clone(), Some(node.clone()));
        tokio::spawn(node.clone().run(rooms.clone(), stop.clone()));
        Self { name: name.to_owned(), node, rooms, stop }
    }

    /// Ends it without a word.
    pub(super) fn kill(&self, world: &World) {
        world.cut(&self.name, true);
        self.stop.cancel();
    }

    /// How much it has said to others that they have not confirmed.
    pub(super) fn unconfirmed(&self) -> usize {
        self.node.waiting()
    }

    /// A connection to it, over which somebody joins with a token of these, if there are any.
    pub(super) fn connect(&self, tokens: Tokens) -> (Conversation, Outbox, Outgoing) {
        let metrics = self.rooms.metrics().clone();
        let Settings { queue, limits, .. } = self.rooms.settings();
        let (outbox, outgoing) = outbox(queue, metrics.clone());
        let ice = Arc::new(Ice::new(&IceConfig::default()).unwrap());
        let bounds = Bounds {
            pace: Pace::half_of(queue, Duration::from_millis(250)),
            throttle: Box::new(Throttle::new(&limits, outbox.clone(), metrics)),
            lobby: Lobby::new(&limits, None),
        };
        let rooms = self.rooms.clone();
        let conversation = Conversation::new(rooms, ice, Arc::new(tokens), outbox.clone(), bounds);
        (conversation, outbox, outgoing)
    }
}
