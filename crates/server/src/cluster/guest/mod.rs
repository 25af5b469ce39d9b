//! A room that another node owns: those of its members who are connected to this node, and all that is needed to announce
//! them to another owner, should that one be gone.
//!
//! `asking` is what they ask and say, on its way to the owner; `hearing` what the owner says to them; `handover` what happens
//! when there is another owner, or this node becomes it.

mod asking;
mod handover;
mod hearing;

use std::collections::HashMap;

use duologue_protocol::{PeerId, RoomId};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::local::Local;
use super::node::Node;
use super::way::Way;
use crate::registry::Rooms;
use crate::room::Parting;

/// A room that another node owns.
pub(super) struct Guest {
    /// By what it is known among nodes.
    key: RoomId,
    /// The node that owns it.
    pub(super) owner: String,
    /// Since when: what is said in another epoch is not heard.
    pub(super) epoch: u64,
    /// Whether newcomers have to knock, as far as those who are here were told.
    pub(super) locked: bool,
    node: Node,
    rooms: Rooms,
    /// Who is here, by the number of their connection.
    locals: HashMap<u64, Local>,
    /// What those have said who have gone since, and is not confirmed.
    left: Vec<Left>,
    /// Who is to be taken out and whether they were there is not known yet, by the number of the question.
    removes: HashMap<u64, Removal>,
    /// How many of these were asked.
    questions: u64,
}

/// Whom to take out of the room, and who hears whether they were there.
type Removal = (PeerId, oneshot::Sender<bool>);

/// Somebody who has gone, and has said something that is not confirmed.
struct Left {
    local: Local,
    parting: Parting,
    /// Until when it is remembered. It is not said again to another owner: what came last over a connection that has ended is in
    /// doubt.
    until: Instant,
}

impl Guest {
    /// With nobody here.
    pub(super) fn new(key: RoomId, owner: String, epoch: u64, node: Node, rooms: Rooms) -> Self {
        let (locals, removes) = (HashMap::new(), HashMap::new());
        Self {
            key,
            owner,
            epoch,
            locked: false,
            node,
            rooms,
            locals,
            left: Vec::new(),
            removes,
            questions: 0,
        }
    }

    /// Whether nobody is here.
    pub(super) fn is_empty(&self) -> bool {
        self.locals.is_empty() && self.left.is_empty() && self.removes.is_empty()
    }

    /// The connections that are here.
    pub(super) fn connections(&self) -> impl Iterator<Item = u64> {
        self.locals.keys().copied()
    }

    /// When somebody has waited for too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let patience = self.node.pulse().patience;
        let asking = self.locals.values().filter_map(Local::since).min().map(|since| since + patience);
        let left = self.left.iter().map(|left| left.until).min();
        [asking, left].into_iter().flatten().min()
    }

    /// Whoever has waited for too long is told to come back.
    pub(super) fn expire(&mut self, now: Instant) {
        self.left.retain(|left| left.until > now);
        let patience = self.node.pulse().patience;
        let is_late = |local: &Local| local.since().is_some_and(|since| since + patience <= now);
        let late: Vec<u64> =
            self.locals.iter().filter(|(_, local)| is_late(local)).map(|(at, _)| *at).collect();
        for connection in late {
            if let Some(local) = self.locals.remove(&connection) {
                self.way().send(local.end(Parting::Left));
                local.refuse();
            }
        }
    }

    /// The way to the owner.
    fn way(&self) -> Way {
        Way::new(&self.node, &self.owner, &self.key, self.epoch)
    }
}
