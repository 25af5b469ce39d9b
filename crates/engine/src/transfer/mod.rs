//! Files to and from one peer: whole and unaltered, or an error that says why.
//!
//! The rules:
//! - A file is cut into chunks of [`CHUNK`] bytes. Each travels with its SHA-256, and is taken only if that is true; one
//!   that is not is asked for again, three times. The file is done when the hash over all these hashes, the *root*, is
//!   the same on both sides, and what was received is saved. Nothing else counts as success.
//! - The receiver asks for ranges of chunks. What is asked for and not yet saved stays below [`WINDOW`], so that neither
//!   a quick sender nor a slow disk can fill the memory. Nothing is ever set aside for a size that somebody declared, and
//!   no byte beyond it is taken.
//! - A connection that is replaced costs what was on its way. A receiver that still has chunks from an earlier try asks
//!   for their hashes, and only for those chunks that it lacks.
//! - All files to one peer take turns, piece by piece. Words have their own channel, and little lies in that for bytes, so
//!   that nothing waits behind a file.
//!
//! The machine never sees a file's bytes. It tells its driver which to read, send, put together, hash and write, and
//! names what the driver holds for it by a [`Buffer`].

mod live;
mod name;
mod pace;
mod ranges;
mod receiving;
mod sending;
mod transfers;
mod wire;

use std::time::Duration;

pub use name::safe_name;
pub use ranges::Ranges;
pub use transfers::Transfers;

/// The bytes of a chunk; the last of a file may have fewer.
pub const CHUNK: u32 = 256 * 1024;
/// The most bytes that are asked for and not saved, for all files from one peer together.
pub const WINDOW: u64 = 8 * 1024 * 1024;
/// The most bytes of a frame of bytes that the machine has to see.
pub const MOST_HEAD_BYTES: usize = wire::PieceHead::MOST_BYTES;

/// A SHA-256.
pub type Hash = [u8; 32];

/// Names bytes that the driver holds.
pub type Buffer = u32;

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Us.
    Here,
    /// The peer.
    There,
}

/// A transfer with a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Who sends the file.
    pub sender: Side,
    /// The sender's number for it.
    pub number: u32,
}

/// What is told of a file before it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// Its name. From a peer it is as told; [`safe_name`] makes one that can be used.
    pub name: String,
    /// Its media type (MIME), as the sender's browser guessed it; may be empty.
    pub kind: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was last changed, in milliseconds since 1970.
    pub modified: u64,
}

impl FileInfo {
    /// How many chunks it has; `None` if they cannot be counted.
    #[must_use]
    pub fn chunks(&self) -> Option<u32> {
        u32::try_from(self.size.div_ceil(u64::from(CHUNK))).ok()
    }

    /// Where chunk number `chunk` begins, and how many bytes it has.
    #[must_use]
    pub fn extent(&self, chunk: u32) -> (u64, u32) {
        let from = u64::from(chunk) * u64::from(CHUNK);
        let length = self.size.saturating_sub(from).min(u64::from(CHUNK));
        (from, u32::try_from(length).unwrap_or(CHUNK))
    }
}

/// Why a transfer is over without having reached its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where the reason lies.
    pub by: Side,
    /// What it is.
    pub reason: Reason,
}

/// What can end a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A person stopped it.
    Cancelled,
    /// A person does not want the file, and may have said why.
    Declined(String),
    /// The file is not what it was when it was offered.
    Changed,
    /// The file cannot be read, with the browser's words.
    Unreadable(String),
    /// What arrives cannot be saved, with the browser's words.
    CannotSave(String),
    /// The same chunk arrived altered again and again.
    Damaged,
    /// Something was said that makes no sense.
    Malformed,
    /// One side knows nothing of this transfer any more.
    Forgotten,
    /// There are too many at once.
    TooMany,
    /// The call with the peer is over.
    Left,
}

impl Reason {
    fn code(&self) -> u8 {
        match self {
            Self::Cancelled => 0,
            Self::Declined(_) => 1,
            Self::Changed => 2,
            Self::Unreadable(_) => 3,
            Self::CannotSave(_) => 4,
            Self::Damaged => 5,
            Self::Malformed => 6,
            Self::Forgotten => 7,
            Self::TooMany => 8,
            Self::Left => 9,
        }
    }

    fn words(&self) -> &str {
        match self {
            Self::Declined(words) | Self::Unreadable(words) | Self::CannotSave(words) => words,
            _ => "",
        }
    }

    fn from_code(code: u8, words: String) -> Self {
        match code {
            1 => Self::Declined(words),
            2 => Self::Changed,
            3 => Self::Unreadable(words),
            4 => Self::CannotSave(words),
            5 => Self::Damaged,
            6 => Self::Malformed,
            7 => Self::Forgotten,
            8 => Self::TooMany,
            9 => Self::Left,
            _ => Self::Cancelled,
        }
    }

    /// Whether what has arrived is of use when the same file is offered again.
    fn leaves_chunks(&self) -> bool {
        matches!(self, Self::Unreadable(_) | Self::Forgotten | Self::Left)
    }
}

/// How far a transfer is. Both sides count the same: what is safe with the receiver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are safe.
    pub bytes: u64,
    /// Bytes a second, over the last seconds; `None` while it is not known.
    pub rate: Option<u64>,
    /// How long it will take at that rate.
    pub left: Option<Duration>,
    /// Whether we have paused it.
    pub paused_here: bool,
    /// Whether the peer has.
    pub paused_there: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The channels are open; the peer takes messages of up to so many bytes.
    Connected {
        /// `RTCSctpTransport.maxMessageSize`.
        most_bytes: usize,
    },
    /// The channels are gone, with what was in them. New ones may come.
    Interrupted,
    /// The peer is gone for good.
    Ended,
    /// A frame has arrived on the channel for words.
    Control(Vec<u8>),
    /// A frame of `length` bytes has arrived on the channel for bytes, and begins with `head`: all of it or
    /// [`MOST_HEAD_BYTES`]. The driver keeps it until the outputs are done: [`Output::Place`] is about it.
    Piece {
        /// How it begins.
        head: Vec<u8>,
        /// How long it is.
        length: usize,
    },
    /// The channel for bytes holds so many. To be told when it has come down to [`Transfers::low_mark`].
    Buffered(usize),

    /// We want to send a file. `number` was not used before with this peer.
    Offer {
        /// By which it is known from now on.
        number: u32,
        /// What it is.
        file: FileInfo,
    },
    /// We take a file; the driver is ready to write, and has these chunks from an earlier try.
    Accept {
        /// The peer's number for it.
        number: u32,
        /// What is there, and what its hash was.
        held: Vec<(u32, Hash)>,
    },
    /// A transfer is to end: a person said so, or the driver cannot go on.
    Cancel(Id, Reason),
    /// A transfer is to pause, or to go on.
    Pause(Id, bool),

    /// [`Output::Read`] is done: the hash of what was read, or why it could not be.
    Read(Buffer, Result<Hash, String>),
    /// [`Output::Digest`] is done.
    Digested(Buffer, Hash),
    /// [`Output::Write`] is done, or could not be.
    Written(Buffer, Result<(), String>),
    /// [`Output::Root`] is done.
    Root(Id, Hash),
    /// [`Output::Finish`] is done, or could not be.
    Saved(Id, Result<(), String>),
    /// The moment of [`Transfers::deadline`] has come.
    Timeout,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Give this to the channel for words.
    Transmit(Vec<u8>),
    /// Read so many bytes of our file, keep them as `buffer`, and report their hash with [`Input::Read`].
    Read {
        /// Which file.
        id: Id,
        /// What they are called.
        buffer: Buffer,
        /// Where they begin.
        from: u64,
        /// How many they are.
        length: u32,
    },
    /// Give the channel for bytes a frame of `head` and the bytes of `buffer` from `from` to before `to`.
    Send {
        /// How it begins.
        head: Vec<u8>,
        /// Of what.
        buffer: Buffer,
        /// The first byte,
        from: u32,
        /// and the one behind the last.
        to: u32,
    },
    /// Put what follows the first `skip` bytes of the piece into `buffer` at `at`.
    Place {
        /// Whose.
        id: Id,
        /// Into which; it is new if `at` is 0.
        buffer: Buffer,
        /// How many bytes it has in all: never more than [`CHUNK`].
        length: u32,
        /// How many bytes of the piece come before.
        skip: usize,
        /// Where it goes.
        at: u32,
    },
    /// Report the hash of these bytes with [`Input::Digested`].
    Digest(Buffer),
    /// Write this chunk of the peer's file, let the buffer go, and report [`Input::Written`].
    Write {
        /// Which file.
        id: Id,
        /// The chunk's bytes.
        buffer: Buffer,
        /// Its number.
        chunk: u32,
        /// Its hash.
        hash: Hash,
    },
    /// Let the buffer go.
    Discard(Buffer),
    /// Report the SHA-256 of this with [`Input::Root`].
    Root(Id, Vec<u8>),
    /// Everything is written: save it, and report [`Input::Saved`].
    Finish(Id),
    /// Let go of everything that belongs to this transfer. What has arrived may be kept where that is said.
    Release {
        /// Which.
        id: Id,
        /// Whether what has arrived is of use later.
        keep: bool,
    },
    /// Tell the application.
    Event(Event),
}

/// What the application is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The peer offers a file.
    Offered(Id, FileInfo),
    /// The peer takes our file.
    Accepted(Id),
    /// It goes on.
    Progress(Id, Progress),
    /// The receiver has all of it, as it was sent, and has saved it.
    Completed(Id),
    /// It is over, and the file is not there.
    Failed(Id, Failure),
    /// The peer said something that makes no sense; it was passed over.
    Malformed(&'static str),
}
