//! The WebSockets of each address: all of them, and those that are in no room.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Limit, Limits};
use crate::address::Source;

/// Counts by address. Clones count together. An address without connections takes no place.
#[derive(Debug, Clone)]
pub(crate) struct Visitors {
    counts: Arc<Mutex<HashMap<Source, Count>>>,
    most: Count,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    all: usize,
    lobby: usize,
}

/// One connection of an address, counted for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Visitor {
    visitors: Visitors,
    source: Source,
    in_lobby: bool,
}

impl Visitors {
    /// Nobody yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        let most = Count { all: limits.connections_per_address, lobby: limits.lobby_per_address };
        Self { counts: Arc::default(), most }
    }

    /// Lets a connection of this address into the lobby.
    ///
    /// # Errors
    /// The limit that it would break.
    pub(crate) fn enter(&self, source: Source) -> Result<Visitor, Limit> {
        let mut counts = self.lock();
        let Count { all, lobby } = counts.get(&source).copied().unwrap_or_default();
        if lobby >= self.most.lobby {
            return Err(Limit::LobbyPerAddress);
        }
        if all >= self.most.all {
            return Err(Limit::ConnectionsPerAddress);
        }
        counts.insert(source, Count { all: all + 1, lobby: lobby + 1 });
        Ok(Visitor { visitors: self.clone(), source, in_lobby: true })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Source, Count>> {
        // Nothing that runs under the lock leaves the counts half changed.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visitor {
    /// Whether it is in no room. Whoever comes back from a room is counted, and never refused.
    pub(crate) fn is_in_lobby(&mut self, now: bool) {
        let before = std::mem::replace(&mut self.in_lobby, now);
        if let Some(count) = self.visitors.lock().get_mut(&self.source) {
            count.lobby = (count.lobby + usize::from(now)).saturating_sub(usize::from(before));
        }
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.visitors.lock().entry(self.source) {
            let count = entry.get_mut();
            count.all = count.all.saturating_sub(1);
            count.lobby = count.lobby.saturating_sub(usize::from(self.in_lobby));
            if count.all == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitors(all: usize, lobby: usize) -> Visitors {
        Visitors::new(&Limits { connections_per_address: all, lobby_per_address: lobby, ..Limits::default() })
    }

    fn source(last: u8) -> Source {
        Source::of([192, 0, 2, last].into())
    }

    #[test]
    fn whoever_is_in_a_room_makes_way_in_the_lobby_and_comes_back_even_if_it_is_full() {
        let visitors = visitors(10, 2);
        let mut ada = visitors.enter(source(1)).unwrap();
        let _bob = visitors.enter(source(1)).unwrap();
        assert_eq!(visitors.enter(source(1)).unwrap_err(), Limit::LobbyPerAddress);
        assert!(visitors.enter(source(2)).is_ok(), "another address counts on its own");
        ada.is_in_lobby(false);
        ada.is_in_lobby(false);
        let eve = visitors.enter(source(1)).unwrap();
        ada.is_in_lobby(true);
        drop(eve);
        assert!(visitors.enter(source(1)).is_err(), "Ada and Bob are in the lobby");
        drop(ada);
        assert!(visitors.enter(source(1)).is_ok());
    }

    #[test]
    fn rooms_do_not_make_way_for_more_than_the_address_may_have() {
        let visitors = visitors(2, 2);
        let mut two = [visitors.enter(source(1)).unwrap(), visitors.enter(source(1)).unwrap()];
        two.iter_mut().for_each(|visitor| visitor.is_in_lobby(false));
        assert_eq!(visitors.enter(source(1)).unwrap_err(), Limit::ConnectionsPerAddress);
        drop(two);
        assert!(visitors.lock().is_empty(), "nothing is kept of an address that is gone");
    }
}
