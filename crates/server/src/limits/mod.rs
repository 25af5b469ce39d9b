//! What a server takes from its clients, and what it does about more.
//!
//! - `check` says what is wrong with limits that make no sense.
//! - `breach` names each limit, for the counters.
//! - `door` counts the connections of the server, `visitors` those of each address.
//! - `lobby` is how long a connection may say nothing, and be in no room.
//! - `shape` looks at the size and the depth of a message, `throttle` at how many there are.

mod breach;
mod check;
mod door;
mod lobby;
mod shape;
mod throttle;
mod visitors;

use std::time::Duration;

pub use check::LimitsError;

pub(crate) use breach::Limit;
pub(crate) use door::{Door, Entrance, Slot};
pub(crate) use lobby::Lobby;
pub(crate) use shape::{fits, may_be_read};
pub(crate) use throttle::Throttle;
pub(crate) use visitors::{Visitor, Visitors};

/// What a server takes. The defaults cost no call anything; `docs/server.md` has them in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections of the whole server, those that only fetch the page among them.
    pub connections: usize,
    /// WebSockets from one address. An IPv6 address counts by its first 64 bits.
    pub connections_per_address: usize,
    /// Those of them that are in no room.
    pub lobby_per_address: usize,
    /// Within this time after the handshake a client must say something.
    pub first_message: Duration,
    /// How long a connection may be in no room. Generous: a page keeps its connection in the lobby, too.
    pub lobby: Duration,
    /// Rooms.
    pub rooms: usize,
    /// The sizes of messages and what is in them. Never more than the protocol's own, which are the default.
    pub sizes: duologue_protocol::Limits,
    /// How many objects and arrays may be inside of each other in a message.
    pub json_depth: usize,
    /// Frames from one client, whatever is in them.
    pub messages: Rate,
    /// Offers and answers among them.
    pub offers: Rate,
    /// Candidates among them.
    pub candidates: Rate,
    /// A client that is over one of these rates is read more slowly. When it had to be waited for without a break for
    /// so long, it is let go.
    pub flood: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 1000,
            lobby_per_address: 20,
            first_message: Duration::from_secs(5),
            lobby: Duration::from_secs(3600),
            rooms: 10_000,
            sizes: duologue_protocol::Limits::default(),
            json_depth: 16,
            messages: Rate { per_second: 30, burst: 60 },
            offers: Rate { per_second: 5, burst: 10 },
            candidates: Rate { per_second: 20, burst: 40 },
            flood: Duration::from_secs(10),
        }
    }
}

/// How often something may happen: a token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How often a second, in the long run.
    pub per_second: u32,
    /// How often at once. A server takes more at once if its rooms are so large that a call may need it.
    pub burst: u32,
}

impl Rate {
    fn with_burst_of(self, least: usize) -> Self {
        Self { burst: self.burst.max(u32::try_from(least).unwrap_or(u32::MAX)), ..self }
    }
}

/// What a client may say to each other person in the room at once. Whoever comes into a room answers everybody there;
/// whoever comes back repeats an offer or an answer to everybody, and perhaps offers anew. A browser with several
/// network interfaces, IPv6 and two TURN servers finds some thirty candidates.
const DESCRIPTIONS_A_PEER: usize = 4;
/// See [`DESCRIPTIONS_A_PEER`].
const CANDIDATES_A_PEER: usize = 40;
/// What a client may say besides: `join`, `resume`, pings.
const BESIDES: usize = 16;

impl Limits {
    /// Bursts in which a client can call everybody in a room of this size at once, so that no call ever waits.
    pub(crate) fn for_rooms_of(self, size: usize) -> Self {
        let others = size.saturating_sub(1);
        let (offers, candidates) =
            (others.saturating_mul(DESCRIPTIONS_A_PEER), others.saturating_mul(CANDIDATES_A_PEER));
        let messages = offers.saturating_add(candidates).saturating_add(BESIDES);
        Self {
            messages: self.messages.with_burst_of(messages),
            offers: self.offers.with_burst_of(offers),
            candidates: self.candidates.with_burst_of(candidates),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_room_of_two_the_defaults_are_enough_and_in_a_larger_one_the_bursts_grow() {
        let Limits { messages, offers, candidates, .. } = Limits::default().for_rooms_of(2);
        assert_eq!((messages.burst, offers.burst, candidates.burst), (60, 10, 40));
        let Limits { messages, offers, candidates, .. } = Limits::default().for_rooms_of(8);
        assert_eq!((messages.burst, offers.burst, candidates.burst), (324, 28, 280));
        assert_eq!(messages.per_second, 30);
        let most = Limits::default().for_rooms_of(usize::MAX);
        assert_eq!(most.messages.burst, u32::MAX);
    }

    #[test]
    fn the_protocol_says_the_same_times_and_depth() {
        let protocol = include_str!("../../../../docs/protocol.md").replace('\n', " ");
        let Limits { first_message, flood, json_depth, .. } = Limits::default();
        for words in [
            format!("says something within {} seconds", first_message.as_secs()),
            format!("without a break for {} seconds", flood.as_secs()),
            format!("the message itself included | {json_depth} |"),
        ] {
            assert!(protocol.contains(&words), "{words}");
        }
    }
}
