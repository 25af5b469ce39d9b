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
const SEVERAL: u8 = 7;

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
    /// Whole messages, one behind the other: [`each`].
    Several(&'a [u8]),
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
            SEVERAL => Ok(Frame::Several(rest)),
            _ => Err("a frame of an unknown kind"),
        }
    }
}

/// Says how many messages have arrived.
pub(super) fn arrived(count: u32) -> Vec<u8> {
    let [a, b, c, d] = count.to_le_bytes();
    vec![ARRIVED, a, b, c, d]
}

/// Small messages that go together: each as its kind, its length and itself.
#[derive(Debug, Default)]
pub(super) struct Bundle(Vec<u8>);

impl Bundle {
    pub(super) fn add(&mut self, message: &Cut) {
        if self.0.is_empty() {
            self.0.push(SEVERAL);
        }
        self.0.push(if message.kind == Kind::Text { TEXT } else { BYTES });
        self.0.extend(u32::try_from(message.body.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.0.extend_from_slice(&message.body);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The frame, if anything is in it.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        (!self.0.is_empty()).then(|| std::mem::take(&mut self.0))
    }
}

/// The messages of a [`Frame::Several`]; the last is an error where it breaks off.
pub(super) fn each(mut rest: &[u8]) -> impl Iterator<Item = Result<(Kind, &[u8]), &'static str>> {
    std::iter::from_fn(move || {
        let (kind, behind) = rest.split_first()?;
        let kind = if *kind == TEXT { Kind::Text } else { Kind::Bytes };
        let read = behind.split_first_chunk::<4>().and_then(|(length, behind)| {
            behind.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
        });
        let Some((message, behind)) = read else {
            rest = &[];
            return Some(Err("messages that break off"));
        };
        rest = behind;
        Some(Ok((kind, message)))
    })
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
