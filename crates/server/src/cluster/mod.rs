//! More than one node: each room has one owner among them, which runs it as a server alone would, and a *guest* on every
//! other node that has clients in it. `docs/scaling.md` has the design, and what is promised when something breaks.
//!
//! `lease`, `link` and `wire` know neither clock nor Redis; `bus` is all that is wanted of Redis, `redis` is that.
//! `node` is this node among the others, `tenant` the task of a room, which is its `owner` or its `guest`, and may become
//! the other; `way` is how these two reach each other. `local` is a connection of a guest, `afar` one of another node as the
//! owner has it, `speech` what is said over them. In the folder of each, `mod.rs` says what its files are.

mod afar;
mod bus;
mod guest;
mod lease;
mod link;
mod local;
mod node;
mod owner;
#[cfg(feature = "redis")]
mod redis;
mod settings;
mod speech;
mod tenant;
#[cfg(test)]
mod tests;
mod way;
mod wire;

use duologue_protocol::{PeerId, RoomId, SessionToken};
use sha2::{Digest, Sha256};

use crate::ids;
use crate::registry::Whereabouts;

pub(crate) use afar::Receipt;
pub(crate) use node::{Event, Node};
pub(crate) use settings::connect;
pub use settings::{ClusterConfig, ClusterError};
pub(crate) use tenant::run;
pub(crate) use wire::{Person, Profile, Said};

/// How long a key of a room is.
const KEY: usize = 64;

/// By what a room is known among nodes: a hash of its name, so that nobody reads names in Redis.
pub(crate) fn key(room: &RoomId) -> Option<RoomId> {
    let hash = Sha256::new().chain_update("duologue room\0").chain_update(room.as_str()).finalize();
    RoomId::new(ids::hex(&hash)).ok()
}

/// A key that another node named, if it can be one.
fn key_of(text: &str) -> Option<RoomId> {
    let is = text.len() == KEY && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is.then(|| RoomId::new(text.to_owned()).ok()).flatten()
}

/// A session that tells any node where it is. Only the owner of the room knows whether it is one.
pub(crate) fn session(id: &PeerId, secret: &SessionToken, key: &RoomId) -> Option<SessionToken> {
    SessionToken::new(format!("{id}.{}.{}", secret.as_str(), key.as_str())).ok()
}

/// Where a session is, if it is one.
pub(crate) fn whereabouts(session: &SessionToken) -> Option<Whereabouts> {
    let mut parts = session.as_str().split('.');
    let (id, _, key) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Whereabouts { id: PeerId::new(id.to_owned()).ok()?, room: key_of(key)? })
}
