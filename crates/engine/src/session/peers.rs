//! The peers a session knows, and where the server has them.

use duologue_protocol::{PairToken, PeerId, Role};

use super::interface::Way;
use crate::time::Instant;

/// A peer that the application knows.
#[derive(Debug)]
pub(super) struct Known {
    /// What the application calls them: the id they were first known by.
    pub(super) id: PeerId,
    /// What the server calls them now.
    pub(super) address: PeerId,
    /// What the two of us are called, should the server forget us.
    pub(super) pair: Option<PairToken>,
    /// Our part with them, as the server said last.
    pub(super) role: Role,
    pub(super) presence: Presence,
    /// What the application was told last.
    pub(super) told: Way,
}

/// Where the server has a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Here,
    /// Without a connection; the server says when it has waited long enough.
    Away,
    /// The server forgot us both, and they have not come back yet. We wait until then.
    Awaited {
        until: Instant,
    },
    Lost,
}

impl Presence {
    pub(super) fn way(self) -> Way {
        match self {
            Self::Here => Way::Open,
            Self::Away | Self::Awaited { .. } => Way::Away,
            Self::Lost => Way::Lost,
        }
    }

    /// Whether the server passes on what is said to them, now or when they are back.
    pub(super) fn is_addressable(self) -> bool {
        matches!(self, Self::Here | Self::Away)
    }
}
