//! The signaling messages of Duologue: types, limits and validation, shared by client and server.
//!
//! The protocol is JSON, one object to a message, with a `type`. It is a superset of the plainest room protocol in
//! use on the web, so that a page which knows only `join`, `ready`, `offer`, `answer` and `candidate` can call a
//! Duologue tab. `docs/protocol.md` tells it in prose, `docs/protocol.schema.json` for programs; the tests of this
//! crate hold both against the types here.
//!
//! No input makes this crate panic, and none makes it allocate more than a small multiple of its own length.

mod client;
mod code;
mod decode;
pub mod limits;
mod media;
mod rights;
mod server;
mod text;
pub mod value;
pub mod write;

pub use client::{About, Answer, ClientMessage, Join, Lock, Offer, Ping, Resume, Trickle};
pub use code::{ErrorCode, LeaveReason};
pub use decode::DecodeError;
pub use limits::Limits;
pub use media::{Candidate, Description, IceServer, SdpType};
pub use rights::Rights;
pub use server::{
    AnswerFrom, GoingAway, IceServers, Knock, Locked, Numbered, OfferFrom, PeerInfo, PeerLeft, PeerMoved,
    Ready, Refusal, Resumed, Role, ServerMessage, TrickleFrom, Welcome,
};
pub use text::{InvalidText, JoinKey, Name, PairToken, PeerId, RoomId, SessionToken};
pub use write::to_json;

/// The version of the protocol this crate speaks.
pub const VERSION: u32 = 1;
