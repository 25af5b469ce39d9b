//! What the application hears of a room.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::queue::Receiver;
use duologue_engine::messages::{Body, Mode};
use duologue_protocol::{LeaveReason, Name, PeerId, PeerInfo, Refusal, Rights};
use futures_core::Stream;

use super::reason::Reason;
use crate::browser::MediaStream;
use crate::error::Error;
use crate::exchange::Transfer;

/// Another person in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Their id, unique in the room.
    pub id: PeerId,
    /// The name they gave; may be empty.
    pub name: String,
    /// Whether they may be seen and heard, and send messages and files. Of one who may not, nothing of that is let through.
    pub speaks: bool,
}

impl From<&PeerInfo> for Peer {
    fn from(info: &PeerInfo) -> Self {
        let name = info.name.as_ref().map(Name::to_string).unwrap_or_default();
        Self { id: info.id.clone(), name, speaks: info.speaks }
    }
}

/// Where the connection to a peer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerState {
    /// Not up yet.
    Connecting,
    /// Up.
    Connected,
    /// Nothing arrives at the moment; it may come back.
    Reconnecting,
    /// It did not come up, or did not come back, after all that could be tried. It may yet, if what was in the way goes
    /// away.
    Failed,
}

impl PeerState {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Failed => "failed",
        }
    }
}

/// Something happened in the room.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The signaling server is there.
    Reached,
    /// The signaling server is not there, or no longer. Calls go on; the next try comes by itself.
    Unreached {
        /// Whether it was there before.
        before: bool,
        /// How long until the next try.
        retry_in: Duration,
    },
    /// We have to be let in: somebody inside decides. [`Room::exit`](super::Room::exit) takes it back.
    Waiting,
    /// We are in the room. Comes again, with another id, if the server had to be joined anew.
    Joined {
        /// Our id.
        id: PeerId,
        /// What we may do.
        rights: Rights,
        /// Whether newcomers have to knock.
        locked: bool,
    },
    /// The room was locked, or opened again.
    Locked(bool),
    /// Someone wants to be let in. Only admins hear of it, and decide with [`Room::govern`](super::Room::govern).
    Knock(Peer),
    /// Someone who knocked is in, was not let in, or has gone.
    KnockOver(PeerId),
    /// Someone is in the room with us.
    Peer(Peer),
    /// Someone's connection to the signaling server broke, and they are expected back. The call with them goes on if
    /// only that is broken.
    PeerAway(Peer),
    /// Someone who was away is back.
    PeerBack(Peer),
    /// Someone is no longer.
    PeerLeft {
        /// Who.
        peer: Peer,
        /// Why.
        reason: LeaveReason,
    },
    /// What a peer sends can be shown. Tracks may be added to the stream later.
    Stream {
        /// Who.
        peer: Peer,
        /// Their sound and picture.
        stream: MediaStream,
    },
    /// The connection to a peer changed.
    State {
        /// Who.
        peer: Peer,
        /// How it is now.
        state: PeerState,
        /// Why it has failed, if it has.
        reason: Option<Reason>,
    },
    /// A peer turned their microphone or camera on or off. Never comes from a page that knows only the plain messages.
    Media {
        /// Who.
        peer: Peer,
        /// Whether they can be heard.
        audio: bool,
        /// Whether they can be seen.
        video: bool,
    },
    /// A message has arrived.
    Message {
        /// From whom.
        peer: Peer,
        /// What.
        body: Body,
        /// How.
        mode: Mode,
    },
    /// A peer offers a file, which is to be accepted or declined.
    File(Transfer),
    /// We were in the room and are no longer: somebody removed us, or the same session was taken up elsewhere. All
    /// calls are over.
    Ended(Refusal),
    /// Something went wrong that changed nothing else.
    Error(Error),
}

/// The events of a room, in order, from the moment it was asked for. Ends when the room is dropped. Whoever else listens has
/// the same ones: they are not copied.
#[derive(Debug)]
pub struct Events(pub(super) Receiver<Rc<Event>>);

impl Stream for Events {
    type Item = Rc<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Rc<Event>>> {
        Pin::new(&mut self.0).poll_next(context)
    }
}
