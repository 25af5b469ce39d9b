//! What a message may weigh. Client and server hold each other to the same numbers, and the server tells its own
//! in `welcome`, so that a client never has to guess.

use serde::Serialize;

use crate::value::{Read, Unfit, Value, field};

/// The largest message, in bytes of UTF-8.
pub const MESSAGE: usize = 64 * 1024;
/// The largest session description (SDP), in bytes of UTF-8.
pub const SDP: usize = 32 * 1024;
/// The largest candidate line, in bytes of UTF-8.
pub const CANDIDATE: usize = 512;
/// The longest name of a person, in characters.
pub const NAME: usize = 64;
/// The longest room id, in characters.
pub const ROOM: usize = 128;
/// The longest of the small opaque strings (peer ids, session tokens, `sdpMid`, ufrag), in characters.
pub const TOKEN: usize = 256;
/// The longest room token, in bytes of UTF-8: a JSON Web Token with a few claims fits well inside.
pub const ROOM_TOKEN: usize = 4096;
/// The most pairs that a `join` may name.
pub const PAIRS: usize = 64;
/// The largest sequence number: the largest integer that a JavaScript number, and so a JSON number that is to mean the
/// same everywhere, holds exactly (RFC 8259, section 6).
pub const SEQ: u64 = (1 << 53) - 1;

/// The limits a server announces in `welcome`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The largest message, in bytes.
    pub message: u32,
    /// The largest session description, in bytes.
    pub sdp: u32,
    /// The largest candidate line, in bytes.
    pub candidate: u32,
    /// The longest name, in characters.
    pub name: u32,
    /// The longest room id, in characters.
    pub room: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: MESSAGE as u32,
            sdp: SDP as u32,
            candidate: CANDIDATE as u32,
            name: NAME as u32,
            room: ROOM as u32,
        }
    }
}

impl Read for Limits {
    fn read(value: &impl Value) -> Result<Self, Unfit> {
        let usual = Self::default();
        Ok(Self {
            message: field::<Option<u32>>(value, "message")?.unwrap_or(usual.message),
            sdp: field::<Option<u32>>(value, "sdp")?.unwrap_or(usual.sdp),
            candidate: field::<Option<u32>>(value, "candidate")?.unwrap_or(usual.candidate),
            name: field::<Option<u32>>(value, "name")?.unwrap_or(usual.name),
            room: field::<Option<u32>>(value, "room")?.unwrap_or(usual.room),
        })
    }
}
