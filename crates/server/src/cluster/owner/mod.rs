//! A room that this node owns: the room itself, and those of its members who are connected to other nodes.
//!
//! The room is the same as on a server alone. Around it, `hearing` is what guests say, `telling` the outboxes of their clients,
//! and `handover` how a room comes to this node and goes to another.

mod handover;
mod hearing;
mod telling;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use duologue_protocol::{PeerId, RoomId};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::afar::News;
use super::node::Node;
use super::way::Way;
use super::wire::{Item, Said};
use crate::pace::{Counted, Permit};
use crate::registry::Rooms;
use crate::room::{Command, Room};

/// A room that this node owns.
pub(super) struct Owner {
    /// By what it is known among nodes.
    key: RoomId,
    room: Room,
    /// Since when this node owns it: what is said in another epoch is not heard.
    pub(super) epoch: u64,
    node: Node,
    rooms: Rooms,
    /// What becomes of clients of other nodes comes back this way.
    news: mpsc::UnboundedSender<News>,
    /// The connections of other nodes, by their number.
    afar: HashMap<u64, Afar>,
    /// How many messages each connection of this node has said.
    said: HashMap<u64, u64>,
    /// Until when other nodes may have members to announce. Whoever wants to come in waits for them: they are the ones who
    /// know them.
    settles: Option<Instant>,
    /// Whether that is so although nobody is known who could be announced.
    inherited: bool,
    /// Who waits for that, in the order in which they came.
    late: Vec<Late>,
    /// Whether the room goes on at another node.
    void: Arc<AtomicBool>,
}

/// What waits until members are announced.
enum Late {
    /// Asked over a connection of this node.
    Here(Command),
    /// Asked at another node, which is named.
    Afar(String, Item),
}

impl Late {
    /// Over which connection it was asked.
    fn connection(&self) -> Option<u64> {
        match self {
            Self::Here(Command::Join(newcomer)) => Some(newcomer.connection),
            Self::Here(Command::Resume(resumption)) => Some(resumption.connection),
            Self::Afar(_, Item::Join { who, .. }) => Some(who.connection),
            Self::Afar(_, Item::Resume { connection, .. }) => Some(*connection),
            _ => None,
        }
    }
}

/// A connection of another node.
struct Afar {
    /// Which node.
    node: String,
    /// Whose it is.
    id: PeerId,
    /// The number of the last message that it said.
    said: u64,
}

impl Owner {
    /// With nobody in it.
    pub(super) fn new(
        key: RoomId,
        epoch: u64,
        node: Node,
        rooms: Rooms,
        news: mpsc::UnboundedSender<News>,
    ) -> Self {
        let room = Room::new(key.clone(), rooms.clone());
        Self {
            key,
            room,
            epoch,
            node,
            rooms,
            news,
            afar: HashMap::new(),
            said: HashMap::new(),
            settles: None,
            inherited: false,
            late: Vec::new(),
            void: Arc::default(),
        }
    }

    /// A connection of this node asks or says this.
    pub(super) fn local(&mut self, command: Command, now: Instant) {
        let waits = match &command {
            Command::Join(_) | Command::Resume(_) => self.settles.is_some(),
            Command::End { of, .. } => self.is_late(of.connection),
            _ => false,
        };
        if waits {
            return self.late.push(Late::Here(command));
        }
        let command = match command {
            Command::Relay { from, to, what, permit } => {
                let n = self.said.entry(from.connection).or_default();
                *n += 1;
                let said = Said { connection: from.connection, n: *n };
                let permit = Some(Permit::Counted(Box::new(Counted { said, own: permit, receipt: None })));
                Command::Relay { from, to, what, permit }
            }
            Command::End { of, parting, heard } => {
                self.said.remove(&of.connection);
                Command::End { of, parting, heard }
            }
            other => other,
        };
        self.room.handle(command, now);
    }

    /// Whether this connection has asked to come in, and waits for those who are announced: it can only end after that.
    fn is_late(&self, connection: u64) -> bool {
        self.late.iter().any(|late| late.connection() == Some(connection))
    }

    /// Whether nobody is in the room, and nobody wants to come in.
    pub(super) fn is_empty(&self) -> bool {
        self.room.is_empty() && self.late.is_empty()
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.room.first_end_of_a_grace(), self.settles].into_iter().flatten().min()
    }

    /// The time is `now`: whoever was away for too long is lost, and whoever waited for the announcements comes in.
    pub(super) fn expire(&mut self, now: Instant) {
        self.room.expire(now);
        let all_are_here = !self.inherited && !self.room.awaits();
        if self.settles.is_some_and(|settles| settles <= now || all_are_here) {
            (self.settles, self.inherited) = (None, false);
            for late in std::mem::take(&mut self.late) {
                match late {
                    Late::Here(command) => self.local(command, now),
                    Late::Afar(from, item) => self.hear(&from, item, now),
                }
            }
        }
    }

    /// The way to a node.
    fn way(&self, to: &str) -> Way {
        Way::new(&self.node, to, &self.key, self.epoch)
    }
}
