//! What two sides tell each other about files: short binary frames on a channel of their own, and the file's bytes in
//! pieces on another, so that no word ever queues behind bytes. `docs/data.md` has the tables.

use super::{FileInfo, Hash, Reason, Side};

/// A frame on the channel for words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Control {
    /// I have this file for you.
    Offer { number: u32, file: FileInfo },
    /// The hash over the hashes of all chunks of my file.
    Root { number: u32, root: Hash },
    /// The hashes of these chunks of my file.
    Hashes { number: u32, first: u32, hashes: Vec<Hash> },
    /// I have offered all that I have to offer since the channel opened.
    Synced,
    /// I take your file.
    Accept { number: u32 },
    /// Send me these chunks of your file. So many bytes of it are safe here.
    Want { number: u32, safe: u64, ranges: Vec<(u32, u32)> },
    /// Tell me the hashes of these chunks of your file: I have them.
    Check { number: u32, first: u32, count: u32 },
    /// I have all of your file.
    Done { number: u32 },
    /// This transfer is over. `sender` is who sends the file, as the one who says this sees it.
    Cancel { sender: Side, number: u32, reason: Reason },
    /// I pause this transfer, or no longer do.
    Pause { sender: Side, number: u32, paused: bool },
}

const OFFER: u8 = 1;
const ROOT: u8 = 2;
const HASHES: u8 = 3;
const SYNCED: u8 = 4;
const ACCEPT: u8 = 5;
const WANT: u8 = 6;
const CHECK: u8 = 7;
const DONE: u8 = 8;
const CANCEL: u8 = 9;
const PAUSE: u8 = 10;

/// The most hashes in one frame, which so stays below 16 KiB: the largest message that any browser takes.
pub(super) const MOST_HASHES: u32 = 480;
/// The most ranges in one frame.
pub(super) const MOST_RANGES: usize = 512;
/// The most bytes of a text: a name, a type, a reason.
pub(super) const MOST_TEXT: usize = 1024;

impl Control {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Offer { number, file } => {
                head(&mut out, OFFER, *number);
                out.extend(file.size.to_le_bytes());
                out.extend(file.modified.to_le_bytes());
                text(&mut out, &file.name);
                text(&mut out, &file.kind);
            }
            Self::Root { number, root } => {
                head(&mut out, ROOT, *number);
                out.extend(root);
            }
            Self::Hashes { number, first, hashes } => {
                head(&mut out, HASHES, *number);
                out.extend(first.to_le_bytes());
                hashes.iter().for_each(|hash| out.extend(hash));
            }
            Self::Synced => head(&mut out, SYNCED, 0),
            Self::Accept { number } => head(&mut out, ACCEPT, *number),
            Self::Want { number, safe, ranges } => {
                head(&mut out, WANT, *number);
                out.extend(safe.to_le_bytes());
                for (first, count) in ranges {
                    out.extend(first.to_le_bytes());
                    out.extend(count.to_le_bytes());
                }
            }
            Self::Check { number, first, count } => {
                head(&mut out, CHECK, *number);
                out.extend(first.to_le_bytes());
                out.extend(count.to_le_bytes());
            }
            Self::Done { number } => head(&mut out, DONE, *number),
            Self::Cancel { sender, number, reason } => {
                head(&mut out, CANCEL, *number);
                out.push(u8::from(*sender == Side::There));
                out.push(reason.code());
                text(&mut out, reason.words());
            }
            Self::Pause { sender, number, paused } => {
                head(&mut out, PAUSE, *number);
                out.push(u8::from(*sender == Side::There));
                out.push(u8::from(*paused));
            }
        }
        out
    }

    pub(super) fn read(frame: &[u8]) -> Option<Self> {
        let mut rest = Reader(frame);
        let kind = rest.byte()?;
        let number = rest.number()?;
        let control = match kind {
            OFFER => {
                let (size, modified) = (rest.long()?, rest.long()?);
                Self::Offer {
                    number,
                    file: FileInfo { size, modified, name: rest.text()?, kind: rest.text()? },
                }
            }
            ROOT => Self::Root { number, root: rest.hash()? },
            HASHES => {
                let first = rest.number()?;
                let mut hashes = Vec::new();
                while !rest.0.is_empty() {
                    hashes.push(rest.hash()?);
                }
                (hashes.len() <= MOST_HASHES as usize).then_some(())?;
                Self::Hashes { number, first, hashes }
            }
            SYNCED => Self::Synced,
            ACCEPT => Self::Accept { number },
            WANT => {
                let safe = rest.long()?;
                let mut ranges = Vec::new();
                while !rest.0.is_empty() {
                    ranges.push((rest.number()?, rest.number()?));
                }
                (ranges.len() <= MOST_RANGES).then_some(())?;
                Self::Want { number, safe, ranges }
            }
            CHECK => Self::Check { number, first: rest.number()?, count: rest.number()? },
            DONE => Self::Done { number },
            CANCEL => {
                let sender = rest.side()?;
                let code = rest.byte()?;
                Self::Cancel { sender, number, reason: Reason::from_code(code, rest.text()?) }
            }
            PAUSE => Self::Pause { sender: rest.side()?, number, paused: rest.byte()? != 0 },
            _ => return None,
        };
        Some(control)
    }
}

/// What stands before the bytes of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PieceHead {
    pub(super) number: u32,
    pub(super) chunk: u32,
    /// Where in the chunk these bytes go.
    pub(super) at: u32,
    /// The hash of the whole chunk, before its first piece.
    pub(super) hash: Option<Hash>,
}

impl PieceHead {
    /// The most bytes it takes.
    pub(super) const MOST_BYTES: usize = 44;

    pub(super) fn len(&self) -> usize {
        if self.hash.is_some() { Self::MOST_BYTES } else { 12 }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len());
        for word in [self.number, self.chunk, self.at] {
            out.extend(word.to_le_bytes());
        }
        out.extend(self.hash.iter().flatten());
        out
    }

    pub(super) fn read(frame: &[u8]) -> Option<Self> {
        let mut rest = Reader(frame);
        let (number, chunk, at) = (rest.number()?, rest.number()?, rest.number()?);
        let hash = if at == 0 { Some(rest.hash()?) } else { None };
        Some(Self { number, chunk, at, hash })
    }
}

fn head(out: &mut Vec<u8>, kind: u8, number: u32) {
    out.push(kind);
    out.extend(number.to_le_bytes());
}

/// At most [`MOST_TEXT`] bytes of `text`, after their number.
fn text(out: &mut Vec<u8>, text: &str) {
    let kept = super::name::shorten(text, MOST_TEXT);
    out.extend(u16::try_from(kept.len()).unwrap_or_default().to_le_bytes());
    out.extend(kept.as_bytes());
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn hash(&mut self) -> Option<Hash> {
        self.take()
    }

    /// Who sends, as we see it: the one who wrote `0` meant themselves.
    fn side(&mut self) -> Option<Side> {
        self.byte().map(|byte| if byte == 0 { Side::There } else { Side::Here })
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(u16::from_le_bytes(self.take()?));
        let (text, rest) = self.0.split_at_checked(length).filter(|_| length <= MOST_TEXT)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}
