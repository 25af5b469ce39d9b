//! What a room is asked to do, by the connections of its members and by whoever embeds the server.

use duologue_protocol::{
    AnswerFrom, Candidate, Description, IceServers, JoinKey, OfferFrom, PairToken, PeerId, PeerInfo,
    ServerMessage, SessionToken, TrickleFrom,
};
use tokio::sync::oneshot;

use crate::outbox::Outbox;
use crate::pace::Permit;
use crate::refusal;

/// What a room is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Someone wants to come in.
    Join(Box<Newcomer>),
    /// A member has a newer connection.
    Resume(Box<Resumption>),
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

/// Someone who wants to come in.
#[derive(Debug)]
pub(crate) struct Newcomer {
    /// What the others will know of them.
    pub(crate) info: PeerInfo,
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
    /// Told whether they are in, after `welcome` or the refusal went into the outbox.
    pub(crate) admitted: oneshot::Sender<bool>,
}

/// A member over a newer connection.
#[derive(Debug)]
pub(crate) struct Resumption {
    /// Who.
    pub(crate) id: PeerId,
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
    /// Told whether they are in again, after `resumed` or the refusal went into the outbox.
    pub(crate) admitted: oneshot::Sender<bool>,
}

impl Resumption {
    /// The session cannot be taken up.
    pub(super) fn refuse(self) {
        let _ = self.outbox.say(&refusal::session_unknown(), self.permit);
        let _ = self.admitted.send(false);
    }
}

/// What members say to each other.
#[derive(Debug)]
pub(crate) enum Relayed {
    /// An offer, and the id of the negotiation it opens.
    Offer(Description, Option<u32>),
    /// An answer, and the id of the offer it answers.
    Answer(Description, Option<u32>),
    /// A candidate.
    Candidate(Candidate),
}

impl Relayed {
    /// The same, as it arrives.
    pub(super) fn from(self, from: PeerId) -> ServerMessage {
        match self {
            Self::Offer(offer, negotiation) => ServerMessage::Offer(OfferFrom { offer, from, negotiation }),
            Self::Answer(answer, negotiation) => {
                ServerMessage::Answer(AnswerFrom { answer, from, negotiation })
            }
            Self::Candidate(candidate) => ServerMessage::Candidate(TrickleFrom { candidate, from }),
        }
    }
}
