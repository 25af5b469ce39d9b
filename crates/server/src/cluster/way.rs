//! From a room on this node to the same room on another: everything that is said goes out in the epoch that is known here.

use duologue_protocol::RoomId;

use super::node::Node;
use super::wire::{Item, Parcel};
use crate::outbox::Held;

/// The way to a node, for one room in one epoch.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// This node.
    node: Node,
    /// The other.
    to: String,
    /// The key of the room.
    room: String,
    /// The epoch.
    epoch: u64,
}

impl Way {
    /// From this node to the other, for the room of this key.
    pub(super) fn new(node: &Node, to: &str, key: &RoomId, epoch: u64) -> Self {
        Self { node: node.clone(), to: to.to_owned(), room: key.as_str().to_owned(), epoch }
    }

    /// The epoch.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Says something.
    pub(super) fn send(&self, item: Item) {
        self.node.send(&self.to, self.parcel(item), None);
    }

    /// Says something, and holds its place in an outbox until the other node has confirmed it.
    pub(super) fn send_holding(&self, item: Item, held: Held) {
        self.node.send(&self.to, self.parcel(item), Some(held));
    }

    fn parcel(&self, item: Item) -> Parcel {
        Parcel { room: self.room.clone(), epoch: self.epoch, item }
    }
}
