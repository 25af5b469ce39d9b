//! What a session is told, and what it says.

use std::time::Duration;

use duologue_protocol::{
    ClientMessage, IceServer, Join, LeaveReason, Limits, Numbered, PeerId, PeerInfo, Refusal, Rights, Role,
};

use crate::negotiation::Signal;

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The transport is open.
    Opened,
    /// The transport is closed, or could not be opened. `random` is a fresh random number, for the pause before the
    /// next try.
    Closed {
        /// Any number, each as likely as the other.
        random: u32,
    },
    /// The server sent this.
    Received(Numbered),
    /// The user wants to be in this room.
    Join(Join),
    /// The user wants to be in no room. The transport stays open.
    Leave,
    /// The user is done: close the transport and do nothing more.
    End,
    /// Tell this peer this. What is said while there is no way to them is dropped: the negotiator repeats it when
    /// there is one again.
    Send(PeerId, Signal),
    /// The call with this peer is over, whatever the server may still say of them.
    Forget(PeerId),
    /// The user decides about the room. The server refuses it from one who is no admin.
    Govern(Governing),
    /// Something suggests that the network is back, or another one: do not wait for the next try, and do not trust a
    /// transport that says it is open.
    Reachable,
    /// The moment of [`super::Session::deadline`] has come.
    Timeout {
        /// Any number, each as likely as the other.
        random: u32,
    },
}

/// What admins decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Governing {
    /// Newcomers have to knock from now on, or no longer.
    Lock(bool),
    /// Let in this one who knocked.
    Admit(PeerId),
    /// Do not let in this one who knocked.
    Deny(PeerId),
    /// Take this peer out of the room.
    Remove(PeerId),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open the transport; report [`Input::Opened`] or [`Input::Closed`].
    Open,
    /// Send this.
    Transmit(ClientMessage),
    /// Close the transport. Nothing it does from now on is to be reported.
    Close,
    /// Tell the application.
    Event(Event),
}

/// What the application should know. Peers keep the id they were first known by, however often the server gives them
/// another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The server has spoken: it is there.
    Reached,
    /// The server is not there, or no longer. A call that is up goes on; the next try comes by itself.
    Unreached {
        /// Whether it was there before.
        before: bool,
        /// How long until the next try.
        retry_in: Duration,
    },
    /// We are in the room.
    Joined {
        /// Our id.
        id: PeerId,
        /// STUN and TURN servers to use.
        ice_servers: Vec<IceServer>,
        /// What the server allows.
        limits: Limits,
        /// What we may do.
        rights: Rights,
        /// Whether newcomers have to knock.
        locked: bool,
    },
    /// We have to be let in: somebody inside decides.
    Waiting,
    /// Somebody wants to be let in. When we join, also anew, nobody does until this says so.
    Knock(PeerInfo),
    /// Somebody who knocked is in, was not let in, or has gone.
    KnockOver(PeerId),
    /// The room was locked, or opened again.
    Locked(bool),
    /// STUN and TURN servers to use from now on, in the place of those before.
    IceServers(Vec<IceServer>),
    /// We and this peer are to call each other.
    PeerJoined {
        /// The other.
        peer: PeerInfo,
        /// Our part.
        role: Role,
    },
    /// Whether signals get to this peer has changed. The connection to them is another matter.
    Way {
        /// Who.
        peer: PeerId,
        /// How it is now. When it gets [`Way::Open`], what was said before may be lost.
        way: Way,
        /// Our part with this peer.
        role: Role,
    },
    /// This peer is gone, and the call with them over.
    PeerLeft {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: LeaveReason,
    },
    /// This peer says this.
    Signal {
        /// Who.
        from: PeerId,
        /// What.
        signal: Signal,
    },
    /// After [`Input::Reachable`]: the server can be reached indeed.
    Confirmed,
    /// The server would not let us in.
    Rejected(Refusal),
    /// The server refused something else. Nothing changed.
    Refused(Refusal),
    /// We were in the room and are no longer, for good: somebody removed us, or the session was taken up elsewhere.
    /// All calls are over.
    Ended(Refusal),
}

/// Whether what we say gets to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// It does.
    Open,
    /// We have no connection to the server.
    Cut,
    /// They have none, and are expected back.
    Away,
    /// The server knows nothing of them any more. They may still come back under another id.
    Lost,
}
