//! Joins the parts of a message.

use super::frame::{Frame, Kind};
use super::{Body, MOST_BYTES};

/// What has arrived of a message that is not whole yet.
#[derive(Debug, Default)]
pub(super) enum Joined {
    /// No part is awaited.
    #[default]
    Nothing,
    /// These are there; nothing is ever set aside for more than has arrived.
    Parts(Kind, Vec<u8>),
    /// The rest of a message that cannot be had, which was reported.
    Skipping,
}

/// What a frame has brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Brought {
    /// A message is whole.
    Message(Body),
    /// More frames are awaited.
    Part,
    /// The end of a message that cannot be had.
    Skipped,
    /// Something that is no message; `ends` where it is the last frame of one.
    Malformed { what: &'static str, ends: bool },
}

impl Joined {
    /// Whether a message is cut off by this frame: one that begins another.
    pub(super) fn cut_off_by(&self, frame: &Frame<'_>) -> bool {
        matches!((self, frame), (Self::Parts(..), Frame::Whole(..) | Frame::First(..) | Frame::Several(_)))
    }

    /// Takes a frame that holds a message or a part of one.
    pub(super) fn take(&mut self, frame: &Frame<'_>) -> Brought {
        match (frame, std::mem::take(self)) {
            (Frame::Whole(kind, body), _) => whole(*kind, body.to_vec()),
            (Frame::First(kind, part), _) => self.keep(*kind, Vec::new(), part),
            (Frame::Middle(part), Self::Parts(kind, parts)) => self.keep(kind, parts, part),
            (Frame::Last(part), Self::Parts(kind, mut parts)) => {
                if parts.len() + part.len() > MOST_BYTES {
                    return Brought::Malformed { what: TOO_LARGE, ends: true };
                }
                parts.extend_from_slice(part);
                whole(kind, parts)
            }
            (Frame::Middle(_), Self::Skipping) => {
                *self = Self::Skipping;
                Brought::Part
            }
            (Frame::Last(_), Self::Skipping) => Brought::Skipped,
            (Frame::Middle(_), Self::Nothing) => {
                *self = Self::Skipping;
                Brought::Malformed { what: NOT_BEGUN, ends: false }
            }
            (Frame::Last(_), Self::Nothing) => Brought::Malformed { what: NOT_BEGUN, ends: true },
            (Frame::Several(_) | Frame::Arrived(_), before) => {
                *self = before;
                Brought::Part
            }
        }
    }

    fn keep(&mut self, kind: Kind, mut parts: Vec<u8>, part: &[u8]) -> Brought {
        if parts.len() + part.len() > MOST_BYTES {
            *self = Self::Skipping;
            return Brought::Malformed { what: TOO_LARGE, ends: false };
        }
        parts.extend_from_slice(part);
        *self = Self::Parts(kind, parts);
        Brought::Part
    }
}

const TOO_LARGE: &str = "a message that is too large";
const NOT_BEGUN: &str = "a part of a message that has not begun";

fn whole(kind: Kind, body: Vec<u8>) -> Brought {
    match kind {
        Kind::Bytes => Brought::Message(Body::Bytes(body)),
        Kind::Text => match String::from_utf8(body) {
            Ok(text) => Brought::Message(Body::Text(text)),
            Err(_) => Brought::Malformed { what: "a text that is not UTF-8", ends: true },
        },
    }
}
