//! What the server says to a client.

use serde::Serialize;

use crate::code::{ErrorCode, LeaveReason};
use crate::decode::{DecodeError, check_candidate, check_description, check_seq, kind};
use crate::limits::Limits;
use crate::media::{Candidate, Description, IceServer, SdpType};
use crate::text::{Name, PairToken, PeerId, SessionToken};
use crate::value::{Read, Unfit, Value, field};

/// A message from the server to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ServerMessage {
    /// You are in.
    Welcome(Welcome),
    /// You are in again, and nothing has changed; what you missed follows.
    Resumed(Resumed),
    /// You and this peer are to call each other.
    Ready(Ready),
    /// An offer from a peer.
    Offer(OfferFrom),
    /// An answer from a peer.
    Answer(AnswerFrom),
    /// A candidate from a peer.
    Candidate(TrickleFrom),
    /// A peer's connection to the server broke; they may be back soon.
    PeerAway(PeerMoved),
    /// A peer's connection to the server is up again.
    PeerBack(PeerMoved),
    /// A peer is no longer in the room.
    PeerLeft(PeerLeft),
    /// The STUN and TURN servers, with credentials that last.
    IceServers(IceServers),
    /// Something was refused.
    Error(Refusal),
    /// The answer to `ping`.
    Pong,
}

/// `welcome`: the answer to `join`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// Your id in the room.
    pub id: PeerId,
    /// The token that resumes this session.
    pub session: SessionToken,
    /// STUN and TURN servers to use; often none.
    #[serde(flatten)]
    pub ice: IceServers,
    /// What the server allows.
    pub limits: Limits,
}

/// `resumed`: the answer to `resume`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Resumed {
    /// STUN and TURN servers to use from now on.
    #[serde(flatten)]
    pub ice: IceServers,
}

/// STUN and TURN servers to use; often none. As a message, the answer to `ice-servers`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IceServers {
    /// The servers.
    pub ice_servers: Vec<IceServer>,
    /// For how many seconds the credentials last, if they end at all. What is set up with them goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
}

impl IceServers {
    fn of(message: &impl Value) -> Result<Self, Unfit> {
        Ok(Self {
            ice_servers: field::<Option<_>>(message, "iceServers")?.unwrap_or_default(),
            ttl: field(message, "ttl")?,
        })
    }
}

/// `ready`: one for each pair of people in a room, to both of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// Your part in this pair. The newcomer is `callee`.
    pub role: Role,
    /// The other.
    pub peer: PeerInfo,
    /// What the two will know each other by, should the server forget them. If it is one that was named in `join`, this
    /// is the same pair as before, and its connection goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<PairToken>,
}

/// Who begins the first negotiation of a pair, and who gives way when both begin one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Makes the first offer; impolite (W3C webrtc-pc, "perfect negotiation example").
    Caller,
    /// Waits for the first offer; polite.
    Callee,
}

impl Read for Role {
    fn read(value: &impl Value) -> Result<Self, Unfit> {
        match String::read(value)?.as_str() {
            "caller" => Ok(Self::Caller),
            "callee" => Ok(Self::Callee),
            _ => Err(Unfit::new("it must be \"caller\" or \"callee\"")),
        }
    }
}

/// What is known of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeerInfo {
    /// Their id, unique in the room.
    pub id: PeerId,
    /// The name they gave, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The version of the protocol they speak. A page that knows only the plain messages has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u32>,
}

impl Read for PeerInfo {
    fn read(value: &impl Value) -> Result<Self, Unfit> {
        Ok(Self { id: field(value, "id")?, name: field(value, "name")?, protocol: field(value, "protocol")? })
    }
}

/// `offer`, as it arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfferFrom {
    /// The description.
    pub offer: Description,
    /// Who sent it; set by the server.
    pub from: PeerId,
    /// The id of the negotiation it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negotiation: Option<u32>,
}

/// `answer`, as it arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerFrom {
    /// The description.
    pub answer: Description,
    /// Who sent it; set by the server.
    pub from: PeerId,
    /// The id of the offer it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negotiation: Option<u32>,
}

/// `candidate`, as it arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrickleFrom {
    /// The candidate.
    pub candidate: Candidate,
    /// Who sent it; set by the server.
    pub from: PeerId,
}

/// `peer-away` and `peer-back`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeerMoved {
    /// Who.
    pub peer: PeerId,
}

/// `peer-left`: a peer is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeerLeft {
    /// Who.
    pub peer: PeerId,
    /// Why.
    pub reason: LeaveReason,
}

/// `error`: something was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// What, for programs.
    pub code: ErrorCode,
    /// What, for people.
    pub message: String,
    /// Whether the server closes the connection after this. A refused message changes nothing otherwise.
    pub fatal: bool,
}

impl ServerMessage {
    /// Reads a message, whatever form its fields are in, and holds it to the limits.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn decode(value: &impl Value) -> Result<Self, DecodeError> {
        let kind = kind(value)?;
        Ok(match kind.as_str() {
            "welcome" => Self::Welcome(Welcome {
                id: field(value, "id")?,
                session: field(value, "session")?,
                ice: IceServers::of(value)?,
                limits: field::<Option<_>>(value, "limits")?.unwrap_or_default(),
            }),
            "resumed" => Self::Resumed(Resumed { ice: IceServers::of(value)? }),
            "ready" => Self::Ready(Ready {
                role: field(value, "role")?,
                peer: field(value, "peer")?,
                pair: field(value, "pair")?,
            }),
            "offer" => Self::Offer(OfferFrom {
                offer: check_description(field(value, "offer")?, SdpType::Offer)?,
                from: field(value, "from")?,
                negotiation: field(value, "negotiation")?,
            }),
            "answer" => Self::Answer(AnswerFrom {
                answer: check_description(field(value, "answer")?, SdpType::Answer)?,
                from: field(value, "from")?,
                negotiation: field(value, "negotiation")?,
            }),
            "candidate" => Self::Candidate(TrickleFrom {
                candidate: check_candidate(value)?,
                from: field(value, "from")?,
            }),
            "peer-away" => Self::PeerAway(PeerMoved { peer: field(value, "peer")? }),
            "peer-back" => Self::PeerBack(PeerMoved { peer: field(value, "peer")? }),
            "peer-left" => {
                Self::PeerLeft(PeerLeft { peer: field(value, "peer")?, reason: field(value, "reason")? })
            }
            "ice-servers" => Self::IceServers(IceServers::of(value)?),
            "error" => Self::Error(Refusal {
                code: field(value, "code")?,
                message: field(value, "message")?,
                fatal: field::<Option<_>>(value, "fatal")?.unwrap_or_default(),
            }),
            "pong" => Self::Pong,
            _ => return Err(DecodeError::unknown_type(kind)),
        })
    }
}

/// A message from the server, with its number if it has one.
///
/// What happens in the room is numbered from 1 in each session, in the order in which it happened; whoever resumes the
/// session names the last number it saw and gets the rest. Answers to the client itself have no number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Numbered {
    /// The message.
    #[serde(flatten)]
    pub message: ServerMessage,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

impl Numbered {
    /// Reads a message and its number, whatever form its fields are in, and holds it to the limits.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn decode(value: &impl Value) -> Result<Self, DecodeError> {
        let message = ServerMessage::decode(value)?;
        let seq: Option<u64> = field(value, "seq")?;
        Ok(Self { message, seq: seq.map(check_seq).transpose()? })
    }
}

impl From<ServerMessage> for Numbered {
    fn from(message: ServerMessage) -> Self {
        Self { message, seq: None }
    }
}

#[cfg(feature = "json")]
impl Numbered {
    /// Reads a message from JSON text.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, DecodeError> {
        Self::decode(&&crate::decode::parse(text)?)
    }
}

#[cfg(feature = "json")]
impl ServerMessage {
    /// Reads a message from JSON text.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, DecodeError> {
        Self::decode(&&crate::decode::parse(text)?)
    }
}
