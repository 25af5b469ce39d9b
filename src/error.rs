//! What can go wrong, in words that say what to do.

use duologue_protocol::{ErrorCode, InvalidText, Refusal};

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
    /// `unreadable` and `left`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Refused { code, .. } => code.as_str(),
            Self::InvalidName(_) => "invalid-name",
            Self::Connection(_) => "connection",
            Self::Unreadable(_) => "unreadable",
            Self::Left => "left",
        }
    }
}
