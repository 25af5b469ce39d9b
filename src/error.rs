//! What can go wrong, in words that say what to do.

use duologue_engine::messages::Loss;
use duologue_protocol::{ErrorCode, InvalidText, Refusal};

use crate::later::NotLoaded;
use crate::room::Peer;

/// What can go wrong with a room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The signaling server does not answer.
    #[error("The signaling server does not answer. Check the address and your connection, then try again.")]
    Unreachable,
    /// The server would not let us in, or refused something else.
    #[error("{message}")]
    Refused {
        /// What, for programs.
        code: ErrorCode,
        /// What, for people, as the server put it.
        message: String,
    },
    /// A name of a room or a person that cannot be.
    #[error("That name cannot be used: {0}.")]
    InvalidName(#[from] InvalidText),
    /// The browser would not make or change a connection to a peer.
    #[error("The browser could not connect to the other side: {0}")]
    Connection(String),
    /// Something arrived that is no message; it was ignored.
    #[error("The server sent something that could not be read, and it was ignored: {0}")]
    Unreadable(String),
    /// A message was not delivered to everyone it was for.
    #[error("{}", undelivered(.0))]
    Undelivered(Vec<(Peer, Loss)>),
    /// So many messages were sent to a peer, and their connection ended before they said that they have them.
    #[error("{} of the messages sent to {} may not have arrived: the connection ended.", .1, name(.0))]
    Unconfirmed(Peer, usize),
    /// Nobody in the room has that id.
    #[error("Whom this is for is not in the room any more.")]
    NoSuchPeer,
    /// There are several in the room, or none, and it was not said whom this is for.
    #[error("A file goes to one person: say to whom.")]
    WhichPeer,
    /// The peer's page knows no messages and files.
    #[error("The page that {} uses takes no messages and files.", name(.0))]
    TakesNoFiles(Peer),
    /// The token that let us in gives no right to speak: nobody would take what we send.
    #[error("You were invited to watch and listen, and cannot send anything.")]
    Listener,
    /// A peer sent something that is no message and no file; it was ignored.
    #[error("{} sent something that could not be read, and it was ignored: {}.", name(.0), .1)]
    Malformed(Peer, &'static str),
    /// A part of the program did not load. It is tried again by itself.
    #[error(transparent)]
    NotLoaded(#[from] NotLoaded),
    /// The room was left before this was done.
    #[error("The room was left before this was done.")]
    Left,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { code: refusal.code, message: refusal.message }
    }
}

impl Error {
    /// A word for programs: the protocol's error code, or one of `unreachable`, `invalid-name`, `connection`,
    /// `unreadable`, `undelivered`, `unconfirmed`, `no-such-peer`, `which-peer`, `takes-no-files`, `not-allowed`, `malformed`,
    /// `not-loaded` and `left`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Refused { code, .. } => code.as_str(),
            Self::InvalidName(_) => "invalid-name",
            Self::Connection(_) => "connection",
            Self::Unreadable(_) => "unreadable",
            Self::Undelivered(_) => "undelivered",
            Self::Unconfirmed(..) => "unconfirmed",
            Self::NoSuchPeer => "no-such-peer",
            Self::WhichPeer => "which-peer",
            Self::TakesNoFiles(_) => "takes-no-files",
            Self::Listener => "not-allowed",
            Self::Malformed(..) => "malformed",
            Self::NotLoaded(_) => "not-loaded",
            Self::Left => "left",
        }
    }
}

/// Who did not get a message, and why, in a sentence for each.
fn undelivered(losses: &[(Peer, Loss)]) -> String {
    let sentences = losses.iter().map(|(peer, loss)| {
        let why = match loss {
            Loss::TooLarge => "it is too large; send it as a file",
            Loss::TooMuchWaiting => "too much waits to be sent already; send it again in a moment",
            Loss::NotConnected => "there is no connection yet",
            Loss::Unsent => "the call ended before it was sent",
            Loss::Unconfirmed => "the connection ended before they said that they have it",
            Loss::Unsupported => "the page they use takes no messages",
        };
        format!("{} did not get the message: {why}.", name(peer))
    });
    sentences.collect::<Vec<_>>().join(" ")
}

/// What to call a peer.
fn name(peer: &Peer) -> &str {
    if peer.name.is_empty() { "The other side" } else { &peer.name }
}
