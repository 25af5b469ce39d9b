//! What a room is asked to do, by the connections of its members and by whoever embeds the server.

use duologue_protocol::{
    IceServers, JoinKey, PairToken, PeerId, PeerInfo, Rights, ServerMessage, SessionToken,
};
use tokio::sync::oneshot;

use crate::cluster::Event;
use crate::outbox::Outbox;
use crate::pace::Permit;
use crate::refusal;
use crate::relayed::Relayed;

/// What a room is asked to do. It goes through the room's queue in a box: an empty queue has room for some dozens, and there
/// are many rooms in which nothing happens.
#[derive(Debug)]
pub(crate) enum Command {
    /// Someone wants to come in.
    Join(Newcomer),
    /// A member has a newer connection.
    Resume(Resumption),
    /// A member has something for another.
    Relay {
        /// Who says it.
        from: Place,
        /// Who it is for; `None` if there is only one it can be for.
        to: Option<PeerId>,
        /// What it is.
        what: Relayed,
        /// The sender's.
        permit: Option<Permit>,
    },
    /// A member decides about the room.
    Govern {
        /// Who.
        from: Place,
        /// What.
        what: Governing,
        /// The sender's.
        permit: Option<Permit>,
    },
    /// What a member was told up to this number has arrived.
    Acknowledge {
        /// Who says so.
        from: Place,
        /// The number.
        seq: u64,
    },
    /// A member's connection is no longer there, or no longer in the room.
    End {
        /// Whose, and which.
        of: Place,
        /// How it ended.
        parting: Parting,
        /// Told when the room will write nothing more to that connection.
        heard: Option<oneshot::Sender<()>>,
    },
    /// Other nodes have something to say.
    Node(Event),
    /// A member is to be taken out.
    Remove {
        /// Who.
        id: PeerId,
        /// Told whether there was such a member.
        done: oneshot::Sender<bool>,
    },
}

/// A member, as one connection knows it. What comes over a connection that was replaced by a newer one means nothing.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The member.
    pub(crate) id: PeerId,
    /// The connection, see [`Rooms::connection`].
    pub(crate) connection: u64,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parting {
    /// The client meant it.
    Left,
    /// It broke, or the server let go of it.
    Broken,
}

/// What only admins may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Governing {
    /// Newcomers have to knock from now on, or no longer.
    Lock(bool),
    /// Who knocked comes in.
    Admit(PeerId),
    /// Who knocked stays outside.
    Deny(PeerId),
    /// A member is taken out.
    Remove(PeerId),
}

/// The room's answer to somebody who wants to come in.
#[derive(Debug)]
pub(crate) enum Admission {
    /// They are in.
    Inside,
    /// They are not.
    Outside,
    /// They have to be let in. Told whether they are, when that is decided.
    Waiting(oneshot::Receiver<bool>),
}

/// Who hears whether somebody is in.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Whoever brought their `join`.
    Join(oneshot::Sender<Admission>),
    /// The same, who has heard that they wait.
    Knock(oneshot::Sender<bool>),
}

impl Answer {
    /// Tells.
    pub(crate) fn send(self, inside: bool) {
        // Whoever asked may be gone.
        let _ = match self {
            Self::Join(sender) => {
                let admission = if inside { Admission::Inside } else { Admission::Outside };
                sender.send(admission).is_ok()
            }
            Self::Knock(sender) => sender.send(inside).is_ok(),
        };
    }
}

/// Someone who wants to come in.
#[derive(Debug)]
pub(crate) struct Newcomer {
    /// What the others will know of them.
    pub(crate) info: PeerInfo,
    /// What they may do.
    pub(crate) rights: Rights,
    /// By what they can be told to be the same as somebody who is there.
    pub(crate) key: Option<JoinKey>,
    /// The tokens of the pairs whose connections they still have.
    pub(crate) pairs: Vec<PairToken>,
    /// What `welcome` says besides.
    pub(crate) session: SessionToken,
    /// See [`Newcomer::session`].
    pub(crate) ice: IceServers,
    /// Where to write to them.
    pub(crate) outbox: Outbox,
    /// Which connection that is.
    pub(crate) connection: u64,
    /// Theirs, for the message that brought them here.
    pub(crate) permit: Option<Permit>,
    /// Told after `welcome`, `waiting` or the refusal went into the outbox.
    pub(crate) admitted: Answer,
}

/// A member over a newer connection.
#[derive(Debug)]
pub(crate) struct Resumption {
    /// Who.
    pub(crate) id: PeerId,
    /// Their session.
    pub(crate) session: SessionToken,
    /// The number of the last message that arrived.
    pub(crate) seq: u64,
    /// What `resumed` says.
    pub(crate) ice: IceServers,
    /// Where to write from now on.
    pub(crate) outbox: Outbox,
    /// Which connection that is.
    pub(crate) connection: u64,
    /// Theirs, for the message that brought them here.
    pub(crate) permit: Option<Permit>,
    /// Told after `resumed` or the refusal went into the outbox.
    pub(crate) admitted: oneshot::Sender<Admission>,
}

impl Newcomer {
    /// They do not come in, for this reason.
    pub(crate) fn refuse(self, why: &ServerMessage) {
        let _ = self.outbox.say(why, self.permit);
        self.admitted.send(false);
    }

    /// They knocked, and do not come in.
    pub(super) fn turn_away(self) {
        let _ = self.outbox.say(&refusal::denied(), None);
        self.admitted.send(false);
    }
}

impl Resumption {
    /// The session cannot be taken up.
    pub(super) fn refuse(self) {
        self.refuse_with(&refusal::session_unknown());
    }

    /// The session is not taken up, for this reason.
    pub(crate) fn refuse_with(self, why: &ServerMessage) {
        let _ = self.outbox.say(why, self.permit);
        let _ = self.admitted.send(Admission::Outside);
    }
}
