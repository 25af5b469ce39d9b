//! Which rooms there are, how to reach each, and where the sessions are that can be taken up.
//!
//! The maps are locked only to look something up and to put a command in a room's queue, never across an await. A room
//! that is empty takes itself out under the same lock, and only while its queue is empty: so no one is ever sent to a
//! room that is gone, and no empty room stays. A session is in the map as long as its member is in the room.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use duologue_protocol::{PeerId, RoomId, SessionToken};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::config::QueueLimits;
use crate::room::{self, Command, Newcomer, Resumption};

/// How many commands may wait for one room. A room never waits for anyone, so this only evens out bursts.
const QUEUE: usize = 256;

/// The rooms of a server. Clones are the same rooms.
#[derive(Debug, Clone)]
pub struct Rooms {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    maps: Mutex<Maps>,
    connections: AtomicU64,
    settings: Settings,
    stopping: CancellationToken,
}

#[derive(Debug, Default)]
struct Maps {
    rooms: HashMap<RoomId, mpsc::Sender<Command>>,
    sessions: HashMap<SessionToken, Whereabouts>,
}

/// What all rooms have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// How many people a room holds.
    pub(crate) size: usize,
    /// How much may wait for one client, and as much is kept of what it was told.
    pub(crate) queue: QueueLimits,
    /// How long a member keeps its seat without a connection.
    pub(crate) grace: Duration,
}

/// Where a session is.
#[derive(Debug, Clone)]
pub(crate) struct Whereabouts {
    /// The room.
    pub(crate) room: RoomId,
    /// The member.
    pub(crate) id: PeerId,
}

/// While this is there, a session can be found by its token.
#[derive(Debug)]
pub(crate) struct Enrolment {
    rooms: Rooms,
    session: SessionToken,
}

impl Drop for Enrolment {
    fn drop(&mut self) {
        self.rooms.lock().sessions.remove(&self.session);
    }
}

impl Rooms {
    /// No rooms yet; they will end when `stopping` is cancelled.
    pub(crate) fn new(settings: Settings, stopping: CancellationToken) -> Self {
        let shared = Shared { maps: Mutex::default(), connections: AtomicU64::new(0), settings, stopping };
        Self { shared: Arc::new(shared) }
    }

    /// How many rooms there are. A room is there while someone is in it, or keeps a seat without a connection.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().rooms.len()
    }

    /// Takes someone out of a room, and gives whether they were in it. They are told so and let go with the error
    /// `removed`, and cannot take up the session again; the others hear `peer-left` with the reason `removed`. Whether
    /// they may join anew is for whoever embeds the server to decide.
    pub async fn remove(&self, room: &RoomId, peer: &PeerId) -> bool {
        let (done, removed) = oneshot::channel();
        let command = Command::Remove { id: peer.clone(), done };
        self.deliver(command, |maps| maps.rooms.get(room).cloned()).await.is_some()
            && removed.await.unwrap_or(false)
    }

    /// What all rooms have in common.
    pub(crate) fn settings(&self) -> Settings {
        self.shared.settings
    }

    /// A number for a new connection, by which a room tells it from an older one of the same member.
    pub(crate) fn connection(&self) -> u64 {
        self.shared.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// How many sessions can be found.
    #[cfg(test)]
    pub(crate) fn sessions(&self) -> usize {
        self.lock().sessions.len()
    }

    /// Lets the session be found for as long as what is given here is kept.
    pub(crate) fn enrol(&self, session: SessionToken, room: &RoomId, id: &PeerId) -> Enrolment {
        let whereabouts = Whereabouts { room: room.clone(), id: id.clone() };
        self.lock().sessions.insert(session.clone(), whereabouts);
        Enrolment { rooms: self.clone(), session }
    }

    /// Where the session of this token is. The token is random, so how long the search takes tells nothing about it.
    pub(crate) fn find(&self, session: &SessionToken) -> Option<Whereabouts> {
        self.lock().sessions.get(session).cloned()
    }

    /// Sends the newcomer to the room, which is opened if it is not there, and gives the way to reach it.
    pub(crate) async fn join(&self, id: &RoomId, newcomer: Newcomer) -> Option<mpsc::Sender<Command>> {
        let command = Command::Join(Box::new(newcomer));
        self.deliver(command, |maps| Some(maps.rooms.get(id).cloned().unwrap_or_else(|| self.open(maps, id))))
            .await
    }

    /// Sends someone back to the room, and gives the way to reach it; `None` if it is not there any more.
    pub(crate) async fn resume(&self, id: &RoomId, resumption: Resumption) -> Option<mpsc::Sender<Command>> {
        let command = Command::Resume(Box::new(resumption));
        self.deliver(command, |maps| maps.rooms.get(id).cloned()).await
    }

    /// Puts a command in the queue of the room that `find` finds, and gives the way to reach it.
    async fn deliver(
        &self,
        mut command: Command,
        find: impl Fn(&mut Maps) -> Option<mpsc::Sender<Command>>,
    ) -> Option<mpsc::Sender<Command>> {
        loop {
            let busy = {
                let mut maps = self.lock();
                let room = find(&mut maps)?;
                match room.try_send(command) {
                    Ok(()) => return Some(room),
                    Err(TrySendError::Full(unsent)) => {
                        command = unsent;
                        room
                    }
                    Err(TrySendError::Closed(unsent)) => {
                        // Its task did not end in the ordinary way. Begin afresh rather than refuse for ever.
                        maps.rooms.retain(|_, other| !other.same_channel(&room));
                        command = unsent;
                        continue;
                    }
                }
            };
            // Wait for a place without the lock, then look again: the room may have closed by then.
            let _ = busy.reserve().await;
        }
    }

    fn open(&self, maps: &mut Maps, id: &RoomId) -> mpsc::Sender<Command> {
        let (sender, commands) = mpsc::channel(QUEUE);
        maps.rooms.insert(id.clone(), sender.clone());
        tokio::spawn(room::run(id.clone(), commands, self.clone(), self.shared.stopping.clone()));
        sender
    }

    /// Takes a room out of the registry, unless a command waits for it. True if the room is to end.
    pub(crate) fn close_if_idle(&self, id: &RoomId, commands: &mpsc::Receiver<Command>) -> bool {
        let mut maps = self.lock();
        if commands.is_empty() {
            maps.rooms.remove(id);
            return true;
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, Maps> {
        // Nothing that runs under the lock leaves the maps half changed.
        self.shared.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
