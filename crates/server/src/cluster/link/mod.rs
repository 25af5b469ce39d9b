//! What one node says to another: in order, each thing once, over a way that loses and repeats. Knows no clock and no Redis.
//!
//! What is said is numbered, kept until the other has confirmed it, and said again until then (`sending`). The other takes the
//! next number and no other (`receiving`). A link ends when its other end has forgotten it: whoever speaks on it is told, and
//! begins a new one. What was under way on the old one is then a matter of the rooms, which say again what has to be said.

mod receiving;
mod sending;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use tokio::time::Instant;

use super::wire::Parcel;

/// This node's end of a link. `G` is kept with each parcel until it is confirmed.
#[derive(Debug)]
pub(super) struct Link<G> {
    /// By which the other tells this end from those that this node had before.
    id: u64,
    /// What is not confirmed, without a gap; the first has the number `first`.
    kept: VecDeque<(Parcel, Option<G>)>,
    first: u64,
    /// The number of the next that has not gone out yet.
    next: u64,
    /// Since when something has gone out, and nothing of it was confirmed.
    waits: Option<Instant>,
    /// The other's end, and the last number that came from it.
    theirs: Option<(u64, u64)>,
    /// Whether the other has yet to be told that what it said has come.
    owes: bool,
    /// An end of theirs that is not known here, of which they are yet to be told.
    unknown: Option<u64>,
}

/// What an envelope brought.
#[derive(Debug)]
pub(super) struct Brought<G> {
    /// The other has begun anew, and knows nothing of what was before.
    pub(super) anew: bool,
    /// What it says, in order.
    pub(super) parcels: Vec<Parcel>,
    /// What was kept with that which it has confirmed. To be dropped outside of any lock.
    pub(super) released: Vec<(Parcel, Option<G>)>,
}

impl<G> Link<G> {
    /// An end of this number, which no other had before.
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            kept: VecDeque::new(),
            first: 1,
            next: 1,
            waits: None,
            theirs: None,
            owes: false,
            unknown: None,
        }
    }

    /// How much is not confirmed.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.kept.len()
    }

    fn begin_anew(&mut self, fresh: u64) -> Vec<(Parcel, Option<G>)> {
        let theirs = self.theirs;
        let before = std::mem::replace(self, Self::new(fresh));
        self.theirs = theirs;
        before.kept.into()
    }

    /// One more than the number of the last that was said.
    fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }
}
