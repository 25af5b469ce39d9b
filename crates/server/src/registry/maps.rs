//! The maps of rooms and sessions, which give back what they have no use for any more.

use std::collections::HashMap;
use std::hash::Hash;

use duologue_protocol::{RoomId, SessionToken};
use tokio::sync::mpsc;

use super::Whereabouts;
use crate::room::Command;

/// What is locked together.
#[derive(Debug, Default)]
pub(super) struct Maps {
    /// The way to each room.
    pub(super) rooms: HashMap<RoomId, mpsc::Sender<Box<Command>>>,
    /// Where each session is. If there may be other nodes, its token says so as well.
    pub(super) sessions: HashMap<SessionToken, Whereabouts>,
}

/// Gives back what a map has no use for any more once most of those have left for whom it grew.
pub(super) fn shrink<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    const SMALL: usize = 256;
    if map.capacity() > SMALL && map.len() < map.capacity() / 8 {
        map.shrink_to(map.capacity() / 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_from_which_most_have_left_does_not_keep_their_places() {
        let mut map: HashMap<u32, u32> = (0..10_000).map(|n| (n, n)).collect();
        for n in 0..5000 {
            map.remove(&n);
            shrink(&mut map);
        }
        // What was removed may leave a place that cannot be taken again before the map is made anew.
        assert!(map.capacity() >= 10_000, "{}: half of them are there", map.capacity());
        for n in 5000..9990 {
            map.remove(&n);
            shrink(&mut map);
        }
        assert_eq!(map.len(), 10);
        assert!(map.capacity() < 512, "{}", map.capacity());
    }
}
