//! Requests that are turned away at the door.

use super::Label;

/// What a request is turned away for before it can say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// It asks by a name that the server does not go by.
    Host,
    /// It is of a page that may not connect.
    Origin,
}

impl Stranger {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::Host, Self::Origin];

    /// What the counter is called by.
    pub(super) fn label(self) -> Label {
        [("by", if self == Self::Host { "host" } else { "origin" })]
    }
}
