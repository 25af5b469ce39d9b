//! Which rooms there are, and how to reach each.
//!
//! The map is locked only to look a room up and to put a command in its queue, never across an await. A room that
//! is empty takes itself out under the same lock, and only while its queue is empty: so no one is ever sent to a room
//! that is gone, and no empty room stays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use duologue_protocol::RoomId;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use crate::room::{self, Command, Newcomer};

/// How many commands may wait for one room. A room never waits for anyone, so this only evens out bursts.
const QUEUE: usize = 256;

/// The rooms of a server. Clones are the same rooms.
#[derive(Debug, Clone)]
pub struct Rooms {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    rooms: Mutex<HashMap<RoomId, mpsc::Sender<Command>>>,
    size: usize,
    stopping: CancellationToken,
}

impl Rooms {
    /// No rooms yet; each will hold `size` people, and end when `stopping` is cancelled.
    pub(crate) fn new(size: usize, stopping: CancellationToken) -> Self {
        Self { shared: Arc::new(Shared { rooms: Mutex::default(), size, stopping }) }
    }

    /// How many rooms there are. A room is there while someone is in it.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// How many people a room holds.
    pub(crate) fn size(&self) -> usize {
        self.shared.size
    }

    /// Sends the newcomer to the room, which is opened if it is not there, and gives the way to reach it.
    pub(crate) async fn join(&self, id: &RoomId, newcomer: Newcomer) -> mpsc::Sender<Command> {
        let mut command = Command::Join(Box::new(newcomer));
        loop {
            let busy = {
                let mut rooms = self.lock();
                let room = match rooms.get(id) {
                    Some(room) => room.clone(),
                    None => self.open(&mut rooms, id),
                };
                match room.try_send(command) {
                    Ok(()) => return room,
                    Err(TrySendError::Full(unsent)) => {
                        command = unsent;
                        room
                    }
                    Err(TrySendError::Closed(unsent)) => {
                        // Its task did not end in the ordinary way. Begin afresh rather than refuse for ever.
                        rooms.remove(id);
                        command = unsent;
                        continue;
                    }
                }
            };
            // Wait for a place without the lock, then look again: the room may have closed by then.
            let _ = busy.reserve().await;
        }
    }

    fn open(&self, rooms: &mut HashMap<RoomId, mpsc::Sender<Command>>, id: &RoomId) -> mpsc::Sender<Command> {
        let (sender, commands) = mpsc::channel(QUEUE);
        rooms.insert(id.clone(), sender.clone());
        tokio::spawn(room::run(id.clone(), commands, self.clone(), self.shared.stopping.clone()));
        sender
    }

    /// Takes a room out of the registry, unless a command waits for it. True if the room is to end.
    pub(crate) fn close_if_idle(&self, id: &RoomId, commands: &mpsc::Receiver<Command>) -> bool {
        let mut rooms = self.lock();
        if commands.is_empty() {
            rooms.remove(id);
            return true;
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomId, mpsc::Sender<Command>>> {
        // Nothing that runs under the lock leaves the map half changed.
        self.shared.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
