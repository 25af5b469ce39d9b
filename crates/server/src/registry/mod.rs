//! Which rooms there are, how to reach each, and where the sessions are that can be taken up.
//!
//! The maps are locked only to look something up and to put a command in a room's queue, never across an await. A room
//! that is empty takes itself out under the same lock, and only while its queue is empty: so no one is ever sent to a
//! room that is gone, and no empty room stays. A session is in the map as long as its member is in the room.
//!
//! `sessions` is where these are, `nodes` what there is to it where other nodes have the rooms as well, `maps` what is locked.

mod maps;
mod nodes;
mod sessions;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use duologue_protocol::{PeerId, RoomId};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::cluster::{self, Node};
use crate::config::QueueLimits;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::room::{self, Command, Newcomer, Resumption};

use maps::{Maps, shrink};
pub(crate) use sessions::{Enrolment, Whereabouts};

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
    metrics: Metrics,
    stopping: CancellationToken,
    /// This node among others, if there may be others.
    node: Option<Node>,
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
    /// What clients may do.
    pub(crate) limits: Limits,
}

impl Rooms {
    /// No rooms yet; they will end when `stopping` is cancelled. If there may be other nodes, they have them together.
    pub(crate) fn new(
        settings: Settings,
        metrics: Metrics,
        stopping: CancellationToken,
        node: Option<Node>,
    ) -> Self {
        // No two nodes give two connections the same number.
        let first = if node.is_some() { u64::from(getrandom::u32().unwrap_or_default()) << 32 } else { 0 };
        let connections = AtomicU64::new(first);
        let maps = Mutex::default();
        Self { shared: Arc::new(Shared { maps, connections, settings, metrics, stopping, node }) }
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
        let key = self.key(room);
        let room = key.as_ref().unwrap_or(room);
        let (done, removed) = oneshot::channel();
        let command = Command::Remove { id: peer.clone(), done };
        let find = |maps: &mut Maps| maps.rooms.get(room).cloned().or_else(|| self.open_to_ask(maps, room));
        self.deliver(command, find).await.is_some() && removed.await.unwrap_or(false)
    }

    /// What all rooms have in common.
    pub(crate) fn settings(&self) -> Settings {
        self.shared.settings
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// A number for a new connection, by which a room tells it from an older one of the same member.
    pub(crate) fn connection(&self) -> u64 {
        self.shared.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends the newcomer to the room, which is opened if it is not there, and gives the way to reach it; `None` if it is
    /// not there, and there are as many rooms as there may be.
    pub(crate) async fn join(
        &self,
        id: &RoomId,
        mut newcomer: Newcomer,
    ) -> Option<mpsc::Sender<Box<Command>>> {
        let key = self.key(id);
        if let Some(key) = &key {
            newcomer.session = cluster::session(&newcomer.info.id, &newcomer.session, key)?;
        }
        let id = key.as_ref().unwrap_or(id);
        let command = Command::Join(newcomer);
        let most = self.shared.settings.limits.rooms;
        let open = |maps: &mut Maps| (maps.rooms.len() < most).then(|| self.open(maps, id));
        self.deliver(command, |maps| maps.rooms.get(id).cloned().or_else(|| open(maps))).await
    }

    /// Sends someone back to the room, and gives the way to reach it; `None` if it is not there any more.
    pub(crate) async fn resume(
        &self,
        id: &RoomId,
        resumption: Resumption,
    ) -> Option<mpsc::Sender<Box<Command>>> {
        let command = Command::Resume(resumption);
        let find = |maps: &mut Maps| maps.rooms.get(id).cloned().or_else(|| self.open_to_ask(maps, id));
        self.deliver(command, find).await
    }

    /// Puts a command in the queue of the room that `find` finds, and gives the way to reach it.
    async fn deliver(
        &self,
        command: Command,
        find: impl Fn(&mut Maps) -> Option<mpsc::Sender<Box<Command>>>,
    ) -> Option<mpsc::Sender<Box<Command>>> {
        let mut command = Box::new(command);
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

    fn open(&self, maps: &mut Maps, id: &RoomId) -> mpsc::Sender<Box<Command>> {
        let (sender, commands) = mpsc::channel(QUEUE);
        maps.rooms.insert(id.clone(), sender.clone());
        let stopping = self.shared.stopping.clone();
        match &self.shared.node {
            None => tokio::spawn(room::run(id.clone(), commands, self.clone(), stopping)),
            Some(node) => {
                tokio::spawn(cluster::run(id.clone(), commands, self.clone(), node.clone(), stopping))
            }
        };
        sender
    }

    /// Takes a room out of the registry, unless a command waits for it. True if the room is to end.
    pub(crate) fn close_if_idle(&self, id: &RoomId, commands: &mpsc::Receiver<Box<Command>>) -> bool {
        let mut maps = self.lock();
        if commands.is_empty() {
            maps.rooms.remove(id);
            shrink(&mut maps.rooms);
            return true;
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, Maps> {
        // Nothing that runs under the lock leaves the maps half changed.
        self.shared.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
