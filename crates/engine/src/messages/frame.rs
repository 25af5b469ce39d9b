//! Messages as frames: one byte that says what follows, then that.

use super::Body;

/// What the first byte of a frame says. `docs/data.md` lists them.
const TEXT: u8 = 0;
const BYTES: u8 = 1;
const FIRST_OF_TEXT: u8 = 2;
const FIRST_OF_BYTES: u8 = 3;
const MIDDLE: u8 = 4;
const LAST: u8 = 5;
const ARRIVED: u8 = 6;

/// A frame that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// A message that needs no other frame.
    Whole(Kind, &'a [u8]),
    /// The first part of one that does.
    First(Kind, &'a [u8]),
    /// Neither the first part nor the last.
    Middle(&'a [u8]),
    /// The last part.
    Last(&'a [u8]),
    /// So many messages have arrived since the channel opened, modulo 2^32.
    Arrived(u32),
}

/// What a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bytes,
}

impl Frame<'_> {
    pub(super) fn read(frame: &[u8]) -> Result<Frame<'_>, &'static str> {
        let (first, rest) = frame.split_first().ok_or("an empty frame")?;
        match *first {
            TEXT => Ok(Frame::Whole(Kind::Text, rest)),
            BYTES => Ok(Frame::Whole(Kind::Bytes, rest)),
            FIRST_OF_TEXT => Ok(Frame::First(Kind::Text, rest)),
            FIRST_OF_BYTES => Ok(Frame::First(Kind::Bytes, rest)),
            MIDDLE => Ok(Frame::Middle(rest)),
            LAST => Ok(Frame::Last(rest)),
            ARRIVED => {
                let count =
                    rest.try_into().map_err(|_| "a count of arrived messages that is not four bytes")?;
                Ok(Frame::Arrived(u32::from_le_bytes(count)))
            }
            _ => Err("a frame of an unknown kind"),
        }
    }
}

/// Says how many messages have arrived.
pub(super) fn arrived(count: u32) -> Vec<u8> {
    let [a, b, c, d] = count.to_le_bytes();
    vec![ARRIVED, a, b, c, d]
}

/// A message that is cut into frames, as they are asked for.
#[derive(Debug)]
pub(super) struct Cut {
    body: Vec<u8>,
    kind: Kind,
    at: usize,
}

impl Cut {
    pub(super) fn new(body: Body) -> Self {
        match body {
            Body::Text(text) => Self { body: text.into_bytes(), kind: Kind::Text, at: 0 },
            Body::Bytes(body) => Self { body, kind: Kind::Bytes, at: 0 },
        }
    }

    /// How many bytes of the message are not in a frame yet.
    pub(super) fn left(&self) -> usize {
        self.body.len().saturating_sub(self.at)
    }

    /// Whether a part of it is in a frame.
    pub(super) fn begun(&self) -> bool {
        self.at > 0
    }

    /// The next frame, of at most `most` bytes, and whether it is the last.
    pub(super) fn next(&mut self, most: usize) -> (Vec<u8>, bool) {
        // A browser that takes less than two bytes takes nothing.
        let rest = self.body.get(self.at..).unwrap_or_default();
        let part = rest.get(..most.max(2) - 1).unwrap_or(rest);
        let first = match (self.kind, self.at == 0, part.len() == rest.len()) {
            (Kind::Text, true, true) => TEXT,
            (Kind::Bytes, true, true) => BYTES,
            (Kind::Text, true, false) => FIRST_OF_TEXT,
            (Kind::Bytes, true, false) => FIRST_OF_BYTES,
            (_, false, false) => MIDDLE,
            (_, false, true) => LAST,
        };
        let mut frame = Vec::with_capacity(part.len() + 1);
        frame.push(first);
        frame.extend_from_slice(part);
        let last = part.len() == rest.len();
        self.at += part.len();
        (frame, last)
    }
}
