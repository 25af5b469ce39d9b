//! What the server says to a client.

use crate::code::{ErrorCode, LeaveReason};
use crate::decode::{DecodeError, kind};
use crate::limits::Limits;
use crate::media::{Candidate, Description, IceServer, SdpType};
use crate::rights::Rights;
use crate::text::{Name, PairToken, PeerId, SessionToken};
use crate::value::{Read, Reader, Value};
use crate::write::{Fields, Write, Writer};

/// A message from the server to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The server is about to close the connection because it ends.
    GoingAway(GoingAway),
    /// The answer to `ping`.
    Pong,
    /// You knocked: somebody inside has to let you in. The answer to `join` comes when they have decided.
    Waiting,
    /// Somebody wants to be let in. For admins.
    Knock(Knock),
    /// Somebody who knocked is in, was not let in, or has gone. For admins.
    KnockOver(PeerMoved),
    /// The room was locked, or opened again.
    Locked(Locked),
}

/// `welcome`: the answer to `join`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// Your id in the room.
    pub id: PeerId,
    /// The token that resumes this session.
    pub session: SessionToken,
    /// STUN and TURN servers to use; often none.
    pub ice: IceServers,
    /// What the server allows.
    pub limits: Limits,
    /// What you may do.
    pub rights: Rights,
    /// Whether newcomers have to knock.
    pub locked: bool,
}

impl Fields for Welcome {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("id", &self.id);
        writer.field("session", &self.session);
        self.ice.write_fields(writer);
        writer.field("limits", &self.limits);
        if self.rights != Rights::USUAL {
            writer.field("rights", &self.rights);
        }
        if self.locked {
            writer.field("locked", &true);
        }
    }
}

/// `resumed`: the answer to `resume`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resumed {
    /// STUN and TURN servers to use from now on.
    pub ice: IceServers,
}

impl Fields for Resumed {
    fn write_fields(&self, writer: &mut Writer) {
        self.ice.write_fields(writer);
    }
}

/// STUN and TURN servers to use; often none. As a message, the answer to `ice-servers`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IceServers {
    /// The servers.
    pub ice_servers: Vec<IceServer>,
    /// For how many seconds the credentials last, if they end at all. What is set up with them goes on.
    pub ttl: Option<u32>,
}

impl Fields for IceServers {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("iceServers", &self.ice_servers);
        writer.field("ttl", &self.ttl);
    }
}

impl IceServers {
    fn of<V: Value>(reader: &mut Reader<V>) -> Self {
        Self {
            ice_servers: reader.field::<Option<_>>("iceServers").unwrap_or_default(),
            ttl: reader.field("ttl"),
        }
    }
}

/// `ready`: one for each pair of people in a room, to both of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Your part in this pair. The newcomer is `callee`.
    pub role: Role,
    /// The other.
    pub peer: PeerInfo,
    /// What the two will know each other by, should the server forget them. If it is one that was named in `join`, this
    /// is the same pair as before, and its connection goes on.
    pub pair: Option<PairToken>,
}

impl Fields for Ready {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("role", &self.role);
        writer.field("peer", &self.peer);
        writer.field("pair", &self.pair);
    }
}

/// Who begins the first negotiation of a pair, and who gives way when both begin one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Makes the first offer; impolite (W3C webrtc-pc, "perfect negotiation example").
    Caller,
    /// Waits for the first offer; polite.
    Callee,
}

impl Write for Role {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Caller => "caller".write(writer),
            Self::Callee => "callee".write(writer),
        }
    }
}

impl Read for Role {
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        match String::read(reader).as_str() {
            "caller" => return Self::Caller,
            "callee" => {}
            _ => reader.unfit("it must be \"caller\" or \"callee\""),
        }
        Self::Callee
    }
}

/// What is known of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// Their id, unique in the room.
    pub id: PeerId,
    /// The name they gave, if any.
    pub name: Option<Name>,
    /// The version of the protocol they speak. A page that knows only the plain messages has none.
    pub protocol: Option<u32>,
    /// Whether they may be seen and heard, and send messages and files. What somebody sends who may not is to be ignored.
    pub speaks: bool,
}

impl Fields for PeerInfo {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("id", &self.id);
        writer.field("name", &self.name);
        writer.field("protocol", &self.protocol);
        if !self.speaks {
            writer.field("speaks", &false);
        }
    }
}

impl Read for PeerInfo {
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        Self {
            id: reader.field("id"),
            name: reader.field("name"),
            protocol: reader.field("protocol"),
            speaks: reader.field::<Option<_>>("speaks").unwrap_or(true),
        }
    }
}

/// `offer`, as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferFrom {
    /// The description.
    pub offer: Description,
    /// Who sent it; set by the server.
    pub from: PeerId,
    /// The id of the negotiation it opens.
    pub negotiation: Option<u32>,
}

impl Fields for OfferFrom {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("offer", &self.offer);
        writer.field("from", &self.from);
        writer.field("negotiation", &self.negotiation);
    }
}

/// `answer`, as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerFrom {
    /// The description.
    pub answer: Description,
    /// Who sent it; set by the server.
    pub from: PeerId,
    /// The id of the offer it answers.
    pub negotiation: Option<u32>,
}

impl Fields for AnswerFrom {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("answer", &self.answer);
        writer.field("from", &self.from);
        writer.field("negotiation", &self.negotiation);
    }
}

/// `candidate`, as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrickleFrom {
    /// The candidate.
    pub candidate: Candidate,
    /// Who sent it; set by the server.
    pub from: PeerId,
}

impl Fields for TrickleFrom {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("candidate", &self.candidate);
        writer.field("from", &self.from);
    }
}

/// `peer-away` and `peer-back`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerMoved {
    /// Who.
    pub peer: PeerId,
}

impl Fields for PeerMoved {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("peer", &self.peer);
    }
}

/// `peer-left`: a peer is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerLeft {
    /// Who.
    pub peer: PeerId,
    /// Why.
    pub reason: LeaveReason,
}

impl Fields for PeerLeft {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("peer", &self.peer);
        writer.field("reason", &self.reason);
    }
}

/// `going-away`: the server ends, and closes the connection after this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoingAway {
    /// In how many seconds to connect again at the earliest; up to as long again is for chance, so that not all come back
    /// at once.
    pub retry_after: u32,
}

impl Fields for GoingAway {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("retryAfter", &self.retry_after);
    }
}

/// `knock`: somebody wants to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knock {
    /// Who, and the id that they will have in the room.
    pub peer: PeerInfo,
}

impl Fields for Knock {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("peer", &self.peer);
    }
}

/// `locked`: the room was locked, or opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    /// Whether newcomers have to knock from now on.
    pub locked: bool,
}

impl Fields for Locked {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("locked", &self.locked);
    }
}

/// `error`: something was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What, for programs.
    pub code: ErrorCode,
    /// What, for people.
    pub message: String,
    /// Whether the server closes the connection after this. A refused message changes nothing otherwise.
    pub fatal: bool,
}

impl Fields for Refusal {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("code", &self.code);
        writer.field("message", &self.message);
        writer.field("fatal", &self.fatal);
    }
}

impl ServerMessage {
    /// Reads a message, whatever form its fields are in, and holds it to the limits.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn decode(value: &impl Value) -> Result<Self, DecodeError> {
        let mut reader = Reader::of(value.clone());
        let kind = kind(&mut reader)?;
        let message = match kind.as_str() {
            "welcome" => Self::Welcome(Welcome {
                id: reader.field("id"),
                session: reader.field("session"),
                ice: IceServers::of(&mut reader),
                limits: reader.field::<Option<_>>("limits").unwrap_or_default(),
                rights: reader.field::<Option<_>>("rights").unwrap_or_default(),
                locked: reader.field::<Option<_>>("locked").unwrap_or_default(),
            }),
            "resumed" => Self::Resumed(Resumed { ice: IceServers::of(&mut reader) }),
            "ready" => Self::Ready(Ready {
                role: reader.field("role"),
                peer: reader.field("peer"),
                pair: reader.field("pair"),
            }),
            "offer" => Self::Offer(OfferFrom {
                offer: reader.description("offer", SdpType::Offer),
                from: reader.field("from"),
                negotiation: reader.field("negotiation"),
            }),
            "answer" => Self::Answer(AnswerFrom {
                answer: reader.description("answer", SdpType::Answer),
                from: reader.field("from"),
                negotiation: reader.field("negotiation"),
            }),
            "candidate" => {
                Self::Candidate(TrickleFrom { candidate: reader.candidate(), from: reader.field("from") })
            }
            "peer-away" => Self::PeerAway(PeerMoved { peer: reader.field("peer") }),
            "peer-back" => Self::PeerBack(PeerMoved { peer: reader.field("peer") }),
            "peer-left" => {
                Self::PeerLeft(PeerLeft { peer: reader.field("peer"), reason: reader.field("reason") })
            }
            "ice-servers" => Self::IceServers(IceServers::of(&mut reader)),
            "error" => Self::Error(Refusal {
                code: reader.field("code"),
                message: reader.field("message"),
                fatal: reader.field::<Option<_>>("fatal").unwrap_or_default(),
            }),
            "going-away" => Self::GoingAway(GoingAway { retry_after: reader.field("retryAfter") }),
            "pong" => Self::Pong,
            "waiting" => Self::Waiting,
            "knock" => Self::Knock(Knock { peer: reader.field("peer") }),
            "knock-over" => Self::KnockOver(PeerMoved { peer: reader.field("peer") }),
            "locked" => Self::Locked(Locked { locked: reader.field("locked") }),
            _ => return Err(DecodeError::unknown_type(kind)),
        };
        reader.finish(message)
    }
}

impl Fields for ServerMessage {
    fn write_fields(&self, writer: &mut Writer) {
        match self {
            Self::Welcome(welcome) => writer.message("welcome", welcome),
            Self::Resumed(resumed) => writer.message("resumed", resumed),
            Self::Ready(ready) => writer.message("ready", ready),
            Self::Offer(offer) => writer.message("offer", offer),
            Self::Answer(answer) => writer.message("answer", answer),
            Self::Candidate(trickle) => writer.message("candidate", trickle),
            Self::PeerAway(moved) => writer.message("peer-away", moved),
            Self::PeerBack(moved) => writer.message("peer-back", moved),
            Self::PeerLeft(left) => writer.message("peer-left", left),
            Self::IceServers(servers) => writer.message("ice-servers", servers),
            Self::Error(refusal) => writer.message("error", refusal),
            Self::GoingAway(going) => writer.message("going-away", going),
            Self::Pong => writer.message("pong", &()),
            Self::Waiting => writer.message("waiting", &()),
            Self::Knock(knock) => writer.message("knock", knock),
            Self::KnockOver(moved) => writer.message("knock-over", moved),
            Self::Locked(locked) => writer.message("locked", locked),
        }
    }
}

/// A message from the server, with its number if it has one.
///
/// What happens in the room is numbered from 1 in each session, in the order in which it happened; whoever resumes the
/// session names the last number it saw and gets the rest. Answers to the client itself have no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// The message.
    pub message: ServerMessage,
    /// Its number.
    pub seq: Option<u64>,
}

impl Fields for Numbered {
    fn write_fields(&self, writer: &mut Writer) {
        self.message.write_fields(writer);
        writer.field("seq", &self.seq);
    }
}

impl Numbered {
    /// Reads a message and its number, whatever form its fields are in, and holds it to the limits.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn decode(value: &impl Value) -> Result<Self, DecodeError> {
        let message = ServerMessage::decode(value)?;
        let mut reader = Reader::of(value.clone());
        let seq = reader.seq();
        reader.finish(Self { message, seq })
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
