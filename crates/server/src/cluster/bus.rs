//! What nodes have between them: who lives, who owns which room, and an inbox for each.

use std::fmt;

use futures_util::future::BoxFuture;

/// Who owns a room, and since when: a higher epoch is a later owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tenancy {
    /// The owner.
    pub(crate) owner: String,
    /// Grows with each owner.
    pub(crate) epoch: u64,
    /// Whether it was given just now, and another node had it before, which is dead: there may be people in it.
    pub(crate) inherited: bool,
}

/// How a room is asked for.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(any(feature = "redis", test)),
    expect(dead_code, reason = "without Redis there is nobody to ask")
)]
pub(crate) struct Claim<'a> {
    /// The key of the room.
    pub(crate) room: &'a str,
    /// The epoch in which the node that asks owns it, as far as it knows; 0 if it does not.
    pub(crate) held: u64,
}

/// Who lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Living {
    /// Whether this node did, before it said so.
    pub(crate) known: bool,
    /// Whether each of the others does.
    pub(crate) others: Vec<bool>,
}

/// It cannot be reached, or does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Down;

/// An answer that comes later.
pub(crate) type Answer<'a, T> = BoxFuture<'a, Result<T, Down>>;

/// The way from node to node. It may lose, repeat and delay what is posted, and forget everything; what it says of owners is
/// the same to all who ask it.
pub(crate) trait Bus: fmt::Debug + Send + Sync {
    /// Says that this node lives, for as long as a lease, and asks which of these others do.
    fn beat<'a>(&'a self, others: &'a [String]) -> Answer<'a, Living>;

    /// Makes this node the owner of a room that has none that lives, and gives who owns it then. Who says to hold it gets it
    /// back where nothing is known, or only an earlier epoch.
    fn claim<'a>(&'a self, claim: Claim<'a>) -> Answer<'a, Tenancy>;

    /// This node does not own the room any longer, if it did in that epoch.
    fn release<'a>(&'a self, claim: Claim<'a>) -> Answer<'a, ()>;

    /// Puts something in the inbox of a node.
    fn post<'a>(&'a self, to: &'a str, envelope: String) -> Answer<'a, ()>;

    /// Waits a while for something in the inbox of this node.
    fn receive(&self) -> Answer<'_, Vec<Vec<u8>>>;

    /// This node ends.
    fn farewell(&self) -> Answer<'_, ()>;
}
