//! A connection's place in a room.

use duologue_protocol::PeerId;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use crate::pace::Permit;
use crate::relayed::Relayed;
use crate::room::{Command, Governing, Parting, Place};

/// A place in a room. The room hears when its connection ends, however it ends.
pub(crate) struct Membership {
    place: Place,
    room: mpsc::Sender<Box<Command>>,
    /// What the room hears when this is dropped.
    unless_said: Option<Parting>,
    /// How knocking ends, while it has not.
    knocking: Option<oneshot::Receiver<bool>>,
}

impl Membership {
    /// A place in this room. Until something else is said, it ends with a connection that breaks.
    pub(crate) fn new(place: Place, room: mpsc::Sender<Box<Command>>) -> Self {
        Self { place, room, unless_said: Some(Parting::Broken), knocking: None }
    }

    /// The member's id.
    pub(crate) fn id(&self) -> &PeerId {
        &self.place.id
    }

    /// Somebody inside has to decide first, and is heard of here.
    pub(crate) fn wait_for(&mut self, end: oneshot::Receiver<bool>) {
        self.knocking = Some(end);
    }

    /// Whether one waits to be let in, as far as is known here.
    pub(crate) fn is_knocking(&self) -> bool {
        self.knocking.is_some()
    }

    /// How knocking ended, told once: whether one is in.
    pub(crate) fn end_of_knocking(&mut self) -> Option<bool> {
        let inside = match self.knocking.as_mut()?.try_recv() {
            Ok(inside) => inside,
            Err(TryRecvError::Closed) => false,
            Err(TryRecvError::Empty) => return None,
        };
        self.knocking = None;
        Some(inside)
    }

    /// The connection ends; this is what the room hears of it, if anything.
    pub(crate) fn ends(&mut self, parting: Option<Parting>) {
        self.unless_said = parting;
    }

    /// Says something to another member.
    pub(crate) async fn relay(&self, to: Option<PeerId>, what: Relayed, permit: Option<Permit>) {
        let command = Command::Relay { from: self.place.clone(), to, what, permit };
        self.tell(Box::new(command)).await;
    }

    /// Decides something about the room.
    pub(crate) async fn govern(&self, what: Governing, permit: Option<Permit>) {
        let command = Command::Govern { from: self.place.clone(), what, permit };
        self.tell(Box::new(command)).await;
    }

    /// What the room said up to this number has arrived.
    pub(crate) async fn acknowledge(&self, seq: u64) {
        let command = Command::Acknowledge { from: self.place.clone(), seq };
        self.tell(Box::new(command)).await;
    }

    /// Tells the room. A room that is gone has nobody to be told; that only happens while the server stops.
    async fn tell(&self, command: Box<Command>) {
        if let Err(TrySendError::Full(command)) = self.room.try_send(command) {
            // In a box: it is rare, and the space that it takes is taken for as long as the connection lasts.
            let _ = Box::pin(self.room.send(command)).await;
        }
    }

    /// Leaves at one's own wish. When this returns, the room has said its last word to the client: what the next one
    /// says is numbered from 1 again, and must not be taken for this one's.
    pub(crate) async fn leave(mut self) {
        self.unless_said = Some(Parting::Left);
        let (heard, end) = oneshot::channel();
        let command = Command::End { of: self.place.clone(), parting: Parting::Left, heard: Some(heard) };
        if self.room.send(Box::new(command)).await.is_ok() {
            self.unless_said = None;
            let _ = end.await;
        }
    }

    /// The room did not let one in, so there is nothing to tell it.
    pub(crate) fn never_was(mut self) {
        self.unless_said = None;
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let Some(parting) = self.unless_said.take() else { return };
        let command = Command::End { of: self.place.clone(), parting, heard: None };
        if let Err(TrySendError::Full(command)) = self.room.try_send(Box::new(command))
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let room = self.room.clone();
            runtime.spawn(async move { room.send(command).await });
        }
    }
}
