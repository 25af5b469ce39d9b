//! What a client says to the server.

use crate::decode::{DecodeError, kind};
use crate::limits;
use crate::media::{Candidate, Description, SdpType};
use crate::text::{JoinKey, Name, PairToken, PeerId, RoomId, SessionToken};
use crate::value::{Reader, Value};
use crate::write::{Fields, Writer};

/// A message from a client to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMessage {
    /// Enter a room.
    Join(Join),
    /// Leave it, and say so.
    Leave,
    /// Relay an offer.
    Offer(Offer),
    /// Relay an answer.
    Answer(Answer),
    /// Relay a candidate.
    Candidate(Trickle),
    /// Take up a session after the socket dropped.
    Resume(Resume),
    /// Ask for the STUN and TURN servers again, with credentials that last.
    IceServers,
    /// Ask for a `pong`: a browser cannot send the ping frames of RFC 6455 itself.
    Ping(Ping),
    /// Lock the room, or open it again. For admins.
    Lock(Lock),
    /// Let in somebody who knocked. For admins.
    Admit(About),
    /// Do not let in somebody who knocked. For admins.
    Deny(About),
    /// Take somebody out of the room. For admins.
    Remove(About),
}

/// `lock`: whether newcomers have to knock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// Whether it is to be locked from now on.
    pub locked: bool,
}

impl Fields for Lock {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("locked", &self.locked);
    }
}

/// `admit`, `deny` and `remove`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Whom it is about.
    pub peer: PeerId,
}

impl Fields for About {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("peer", &self.peer);
    }
}

/// `join`: enter a room. Only `room` is required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The room.
    pub room: RoomId,
    /// The name to show to others.
    pub name: Option<Name>,
    /// What lets one in, where the server asks for it; at most [`limits::ROOM_TOKEN`] bytes.
    pub token: Option<String>,
    /// The version of the protocol the client speaks; a page that knows only the plain messages leaves it out.
    pub protocol: Option<u32>,
    /// A secret of the client's own. Whoever joins with the key of somebody in the room is the same client, whose earlier
    /// connection broke before it could learn its session.
    pub key: Option<JoinKey>,
    /// The pairs whose connections are still up from an earlier stay: the tokens of their `ready`. At most
    /// [`limits::PAIRS`].
    pub pairs: Vec<PairToken>,
}

impl Fields for Join {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("room", &self.room);
        writer.field("name", &self.name);
        writer.field("token", &self.token);
        writer.field("protocol", &self.protocol);
        writer.field("key", &self.key);
        if !self.pairs.is_empty() {
            writer.field("pairs", &self.pairs);
        }
    }
}

/// `offer`: a session description for one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The description; its `type` is `offer`.
    pub offer: Description,
    /// Who it is for. May be left out while exactly two are in the room.
    pub to: Option<PeerId>,
    /// The id of the negotiation this offer opens: it grows with every offer to the same peer.
    pub negotiation: Option<u32>,
}

impl Fields for Offer {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("offer", &self.offer);
        writer.field("to", &self.to);
        writer.field("negotiation", &self.negotiation);
    }
}

/// `answer`: the other half of a negotiation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The description; its `type` is `answer`.
    pub answer: Description,
    /// Who it is for. May be left out while exactly two are in the room.
    pub to: Option<PeerId>,
    /// The id of the offer that is answered.
    pub negotiation: Option<u32>,
}

impl Fields for Answer {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("answer", &self.answer);
        writer.field("to", &self.to);
        writer.field("negotiation", &self.negotiation);
    }
}

/// `candidate`: one trickled ICE candidate (RFC 8838).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trickle {
    /// The candidate. `null`, as an `icecandidate` event has it at its end, is read as end-of-candidates.
    pub candidate: Candidate,
    /// Who it is for. May be left out while exactly two are in the room.
    pub to: Option<PeerId>,
}

impl Fields for Trickle {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("candidate", &self.candidate);
        writer.field("to", &self.to);
    }
}

/// `resume`: take up a session again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The token from `welcome`.
    pub session: SessionToken,
    /// The number of the last message that arrived, at most [`limits::SEQ`]; 0 for none.
    pub seq: u64,
}

impl Fields for Resume {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("session", &self.session);
        writer.field("seq", &self.seq);
    }
}

/// `ping`: are you there?
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ping {
    /// The number of the last message that arrived: the server need not keep it, nor those before it, any longer.
    pub seq: Option<u64>,
}

impl Fields for Ping {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("seq", &self.seq);
    }
}

impl ClientMessage {
    /// Reads a message, whatever form its fields are in, and holds it to the limits.
    ///
    /// # Errors
    /// Says what is wrong with it; [`DecodeError::code`] is the same for programs.
    pub fn decode(value: &impl Value) -> Result<Self, DecodeError> {
        let mut reader = Reader::of(value.clone());
        let kind = kind(&mut reader)?;
        let message = match kind.as_str() {
            "join" => {
                let join = Join {
                    room: reader.field("room"),
                    name: reader.field("name"),
                    token: reader.field("token"),
                    protocol: reader.field("protocol"),
                    key: reader.field("key"),
                    pairs: reader.field::<Option<_>>("pairs").unwrap_or_default(),
                };
                reader.require(join.pairs.len() <= limits::PAIRS, "pairs: there must be at most 64 of them");
                let fits = join.token.as_ref().is_none_or(|token| token.len() <= limits::ROOM_TOKEN);
                reader.require(fits, "token: it must be at most 4096 bytes long");
                Self::Join(join)
            }
            "leave" => Self::Leave,
            "offer" => Self::Offer(Offer {
                offer: reader.description("offer", SdpType::Offer),
                to: reader.field("to"),
                negotiation: reader.field("negotiation"),
            }),
            "answer" => Self::Answer(Answer {
                answer: reader.description("answer", SdpType::Answer),
                to: reader.field("to"),
                negotiation: reader.field("negotiation"),
            }),
            "candidate" => Self::Candidate(Trickle { candidate: reader.candidate(), to: reader.field("to") }),
            "resume" => Self::Resume(Resume { session: reader.field("session"), seq: reader.seq() }),
            "ice-servers" => Self::IceServers,
            "ping" => Self::Ping(Ping { seq: reader.seq() }),
            "lock" => Self::Lock(Lock { locked: reader.field("locked") }),
            "admit" => Self::Admit(About { peer: reader.field("peer") }),
            "deny" => Self::Deny(About { peer: reader.field("peer") }),
            "remove" => Self::Remove(About { peer: reader.field("peer") }),
            _ => return Err(DecodeError::unknown_type(kind)),
        };
        reader.finish(message)
    }
}

impl Fields for ClientMessage {
    fn write_fields(&self, writer: &mut Writer) {
        match self {
            Self::Join(join) => writer.message("join", join),
            Self::Leave => writer.message("leave", &()),
            Self::Offer(offer) => writer.message("offer", offer),
            Self::Answer(answer) => writer.message("answer", answer),
            Self::Candidate(trickle) => writer.message("candidate", trickle),
            Self::Resume(resume) => writer.message("resume", resume),
            Self::IceServers => writer.message("ice-servers", &()),
            Self::Ping(ping) => writer.message("ping", ping),
            Self::Lock(lock) => writer.message("lock", lock),
            Self::Admit(about) => writer.message("admit", about),
            Self::Deny(about) => writer.message("deny", about),
            Self::Remove(about) => writer.message("remove", about),
        }
    }
}

#[cfg(feature = "json")]
impl ClientMessage {
    /// Reads a message from JSON text.
    ///
    /// # Errors
    /// Says what is wrong with it; [`DecodeError::code`] is the same for programs.
    pub fn from_json(text: &str) -> Result<Self, DecodeError> {
        Self::decode(&&crate::decode::parse(text)?)
    }
}
