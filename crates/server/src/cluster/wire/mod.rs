//! What nodes say to each other. It comes over Redis, where anybody might write: whatever is too large, of another version or
//! no sense is dropped, and every word a client could be told is read by the types of the protocol again.
//!
//! Here is what is said; `profile` is what is told of people, and `encoding` how all of it is written and read.

mod encoding;
mod profile;

use serde::{Deserialize, Serialize};

pub(super) use encoding::{ice_servers, written};
pub(crate) use profile::{Person, Profile};

/// The version of what nodes say to each other. Nodes of different versions do not understand each other, and say so in their
/// logs.
pub(super) const VERSION: u32 = 1;

/// What goes from one node to another in one piece.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Envelope {
    /// See [`VERSION`].
    pub(super) v: u32,
    /// The node that sent it.
    pub(super) from: String,
    /// The number of its end of the link between the two.
    pub(super) link: u64,
    /// The number of the first parcel that it keeps: all before were confirmed.
    pub(super) kept: u64,
    /// The number of the first of these parcels, or of the next if there are none.
    pub(super) first: u64,
    /// The end of the link whose parcels are confirmed.
    pub(super) ack_link: u64,
    /// The number of the last of these that arrived.
    pub(super) ack: u64,
    /// An end of the recipient's that has said more before than the sender knows of: it has to begin anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unknown: Option<u64>,
    /// What it says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parcels: Vec<Parcel>,
}

/// Something that concerns one room.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Parcel {
    /// The key of the room.
    pub(crate) room: String,
    /// The epoch in which it was said. It means nothing in any other.
    pub(crate) epoch: u64,
    /// What is said.
    pub(crate) item: Item,
}

/// What is said of a room, by a guest to its owner or the other way round.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub(crate) enum Item {
    /// To the owner: somebody wants to come in.
    Join { who: Box<Profile>, ice: String },
    /// To the owner: a member has a newer connection.
    Resume { id: String, session: String, connection: u64, seq: u64, ice: String },
    /// To the owner: a member is here, and was already.
    Announce { who: Box<Profile>, locked: bool },
    /// To the owner: a member says this. `n` counts what has to be confirmed; 0 is not.
    Say { id: String, connection: u64, n: u64, text: String },
    /// To the owner: a connection has ended.
    End { id: String, connection: u64, left: bool },
    /// To the owner: a member is to be taken out.
    Remove { id: String, question: u64 },
    /// To a guest: what has become of somebody who wanted to come in.
    Admitted { connection: u64, how: How, who: Option<Box<Profile>>, locked: bool },
    /// To a guest: a connection is told this. `by` is which message it was, if a member said it.
    Tell { id: String, connection: u64, text: String, by: Option<Said> },
    /// To a guest: what a connection said is with whom it was for, or answered.
    Done { connection: u64, n: u64 },
    /// To a guest: a connection is let go.
    Dismiss { connection: u64, why: String },
    /// To a guest: a connection is told nothing more.
    Over { connection: u64 },
    /// To a guest: whether there was such a member.
    Removed { question: u64, was: bool },
    /// To either: this is not the owner, or not in that epoch.
    Stale,
}

/// By what a message is told from all others: the number that its connection gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// The connection it was said over.
    pub(crate) connection: u64,
    /// Its number there, from 1.
    pub(crate) n: u64,
}

/// What has become of somebody who wanted to come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum How {
    /// They are in.
    Inside,
    /// Somebody has to let them in.
    Waiting,
}

impl Item {
    /// Whether it is said to the owner of a room.
    pub(super) fn is_for_an_owner(&self) -> bool {
        matches!(
            self,
            Self::Join { .. }
                | Self::Resume { .. }
                | Self::Announce { .. }
                | Self::Say { .. }
                | Self::End { .. }
                | Self::Remove { .. }
        )
    }

    /// Whether somebody waits for what comes of it, so that the room is opened for it.
    pub(super) fn opens(&self) -> bool {
        matches!(self, Self::Join { .. } | Self::Resume { .. } | Self::Announce { .. } | Self::Remove { .. })
    }
}

impl Parcel {
    /// About how many bytes it takes, so that envelopes stay within what is read.
    pub(super) fn weight(&self) -> usize {
        let more = match &self.item {
            Item::Tell { text, .. } | Item::Say { text, .. } => text.len() + text.len() / 8,
            Item::Join { ice, who } => ice.len() + who.weight(),
            Item::Resume { ice, .. } => ice.len() + 512,
            Item::Announce { who, .. } | Item::Admitted { who: Some(who), .. } => who.weight(),
            _ => 0,
        };
        256 + more
    }
}
