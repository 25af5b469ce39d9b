//! Why the server lets go of a client.

/// Why the server lets go of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dismissal {
    /// It does not read what is sent to it.
    Slow,
    /// Its session goes on over a newer connection.
    Replaced,
    /// It was taken out of the room.
    Removed,
    /// The session ended with the node that had it; the room goes on.
    Moved,
    /// It sends more than is taken.
    TooFast,
    /// It has not said anything.
    SaidNothing,
    /// It was in no room for too long.
    JoinedNothing,
}

impl Dismissal {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Slow,
        Self::Replaced,
        Self::Removed,
        Self::Moved,
        Self::TooFast,
        Self::SaidNothing,
        Self::JoinedNothing,
    ];

    /// What the counters call it: the code of the error that the client is told, if it is told one.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Slow => "too-slow",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
            Self::Moved => "moved",
            Self::TooFast => "too-fast",
            Self::SaidNothing => "first-message-timeout",
            Self::JoinedNothing => "lobby-timeout",
        }
    }
}
