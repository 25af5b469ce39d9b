//! What a message may weigh. Client and server hold each other to the same numbers, and the server tells its own
//! in `welcome`, so that a client never has to guess.

use crate::value::{Read, Reader, Value};
use crate::write::{Fields, Writer};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Fields for Limits {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("message", &self.message);
        writer.field("sdp", &self.sdp);
        writer.field("candidate", &self.candidate);
        writer.field("name", &self.name);
        writer.field("room", &self.room);
    }
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
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        let usual = Self::default();
        let mut limit = |name, usual| reader.field::<Option<u32>>(name).unwrap_or(usual);
        Self {
            message: limit("message", usual.message),
            sdp: limit("sdp", usual.sdp),
            candidate: limit("candidate", usual.candidate),
            name: limit("name", usual.name),
            room: limit("room", usual.room),
        }
    }
}
