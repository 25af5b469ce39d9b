//! Rooms that several nodes have together: each node has those in which it has clients, or which it owns.

use duologue_protocol::RoomId;
use tokio::sync::mpsc;

use super::Rooms;
use super::maps::Maps;
use crate::cluster::{self, Event};
use crate::room::Command;

impl Rooms {
    /// Whether there may be other nodes.
    pub(crate) fn are_shared(&self) -> bool {
        self.shared.node.is_some()
    }

    /// Another node may have the room that is not here; if there may be others, it is opened here as well, to ask.
    pub(super) fn open_to_ask(&self, maps: &mut Maps, id: &RoomId) -> Option<mpsc::Sender<Box<Command>>> {
        let may = self.shared.node.is_some() && maps.rooms.len() < self.shared.settings.limits.rooms;
        may.then(|| self.open(maps, id))
    }

    /// By what a room is known among nodes, if there may be others.
    pub(super) fn key(&self, room: &RoomId) -> Option<RoomId> {
        self.shared.node.as_ref().and_then(|_| cluster::key(room))
    }

    /// Tells all rooms what has become of other nodes.
    pub(crate) async fn tell_all(&self, event: &Event) {
        let rooms: Vec<_> = self.lock().rooms.values().cloned().collect();
        for room in rooms {
            // Before anything that comes after it. A room that is gone has nothing to hear.
            let _ = room.send(Box::new(Command::Node(event.clone()))).await;
        }
    }

    /// Brings what another node says to its room, which is opened for what only its owner can answer.
    pub(crate) async fn bring(&self, id: &RoomId, event: Event, opens: bool) {
        let most = self.shared.settings.limits.rooms;
        let open = |maps: &mut Maps| (opens && maps.rooms.len() < most).then(|| self.open(maps, id));
        let find = |maps: &mut Maps| maps.rooms.get(id).cloned().or_else(|| open(maps));
        // Where there is no place for it, whoever asked to come in is told to wait, after a while.
        let _ = self.deliver(Command::Node(event), find).await;
    }
}
