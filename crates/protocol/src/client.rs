//! What a client says to the server.

use serde::Serialize;

use crate::decode::{DecodeError, check_candidate, check_description, check_seq, kind, require};
use crate::limits;
use crate::media::{Candidate, Description, SdpType};
use crate::text::{JoinKey, Name, PairToken, PeerId, RoomId, SessionToken};
use crate::value::{Value, field};

/// A message from a client to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
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
}

/// `join`: enter a room. Only `room` is required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Join {
    /// The room.
    pub room: RoomId,
    /// The name to show to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// What lets one in, where the server asks for it; at most [`limits::ROOM_TOKEN`] bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The version of the protocol the client speaks; a page that knows only the plain messages leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u32>,
    /// A secret of the client's own. Whoever joins with the key of somebody in the room is the same client, whose earlier
    /// connection broke before it could learn its session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<JoinKey>,
    /// The pairs whose connections are still up from an earlier stay: the tokens of their `ready`. At most
    /// [`limits::PAIRS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<PairToken>,
}

/// `offer`: a session description for one peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// The description; its `type` is `offer`.
    pub offer: Description,
    /// Who it is for. May be left out while exactly two are in the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<PeerId>,
    /// The id of the negotiation this offer opens: it grows with every offer to the same peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negotiation: Option<u32>,
}

/// `answer`: the other half of a negotiation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The description; its `type` is `answer`.
    pub answer: Description,
    /// Who it is for. May be left out while exactly two are in the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<PeerId>,
    /// The id of the offer that is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negotiation: Option<u32>,
}

/// `candidate`: one trickled ICE candidate (RFC 8838).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trickle {
    /// The candidate. `null`, as an `icecandidate` event has it at its end, is read as end-of-candidates.
    pub candidate: Candidate,
    /// Who it is for. May be left out while exactly two are in the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<PeerId>,
}

/// `resume`: take up a session again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resume {
    /// The token from `welcome`.
    pub session: SessionToken,
    /// The number of the last message that arrived, at most [`limits::SEQ`]; 0 for none.
    pub seq: u64,
}

/// `ping`: are you there?
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ping {
    /// The number of the last message that arrived: the server need not keep it, nor those before it, any longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

impl ClientMessage {
    /// Reads a message, whatever form its fields are in, and holds it to the limits.
    ///
    /// # Errors
    /// Says what is wrong with it; [`DecodeError::code`] is the same for programs.
    pub fn decode(value: &impl Value) -> Result<Self, DecodeError> {
        let kind = kind(value)?;
        Ok(match kind.as_str() {
            "join" => {
                let join = Join {
                    room: field(value, "room")?,
                    name: field(value, "name")?,
                    token: field(value, "token")?,
                    protocol: field(value, "protocol")?,
                    key: field(value, "key")?,
                    pairs: field::<Option<_>>(value, "pairs")?.unwrap_or_default(),
                };
                require(join.pairs.len() <= limits::PAIRS, "pairs: there must be at most 64 of them")?;
                let fits = join.token.as_ref().is_none_or(|token| token.len() <= limits::ROOM_TOKEN);
                require(fits, "token: it must be at most 4096 bytes long")?;
                Self::Join(join)
            }
            "leave" => Self::Leave,
            "offer" => Self::Offer(Offer {
                offer: check_description(field(value, "offer")?, SdpType::Offer)?,
                to: field(value, "to")?,
                negotiation: field(value, "negotiation")?,
            }),
            "answer" => Self::Answer(Answer {
                answer: check_description(field(value, "answer")?, SdpType::Answer)?,
                to: field(value, "to")?,
                negotiation: field(value, "negotiation")?,
            }),
            "candidate" => {
                Self::Candidate(Trickle { candidate: check_candidate(value)?, to: field(value, "to")? })
            }
            "resume" => Self::Resume(Resume {
                session: field(value, "session")?,
                seq: check_seq(field(value, "seq")?)?,
            }),
            "ice-servers" => Self::IceServers,
            "ping" => {
                let seq: Option<u64> = field(value, "seq")?;
                Self::Ping(Ping { seq: seq.map(check_seq).transpose()? })
            }
            _ => return Err(DecodeError::unknown_type(kind)),
        })
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
