//! The connections of the whole server. Above the limit a connection is only told so, and only a few at a time are:
//! what is more than that is dropped without a word.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many are told at the same time that there is no place.
const TOLD: usize = 64;

/// A place, for as long as it is kept.
pub(crate) type Slot = OwnedSemaphorePermit;

/// Lets connections in.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    places: Arc<Semaphore>,
    told: Arc<Semaphore>,
}

/// How a connection comes in.
#[derive(Debug)]
pub(crate) enum Entrance {
    /// It has a place.
    Open(Slot),
    /// It has none, and may be told so.
    Full(Slot),
    /// It has none, and so have too many others.
    Shut,
}

impl Door {
    /// A door to so many places.
    pub(crate) fn new(connections: usize) -> Self {
        let places = Semaphore::new(connections.min(Semaphore::MAX_PERMITS));
        Self { places: Arc::new(places), told: Arc::new(Semaphore::new(TOLD)) }
    }

    /// The next connection.
    pub(crate) fn enter(&self) -> Entrance {
        let take = |places: &Arc<Semaphore>| places.clone().try_acquire_owned().ok();
        match take(&self.places) {
            Some(slot) => Entrance::Open(slot),
            None => take(&self.told).map_or(Entrance::Shut, Entrance::Full),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn above_the_limit_some_are_told_and_the_rest_is_dropped() {
        let door = Door::new(2);
        let first = door.enter();
        let second = door.enter();
        assert!(matches!((&first, &second), (Entrance::Open(_), Entrance::Open(_))));
        let told: Vec<_> = (0..TOLD).map(|_| door.enter()).collect();
        assert!(told.iter().all(|entrance| matches!(entrance, Entrance::Full(_))));
        assert!(matches!(door.enter(), Entrance::Shut));
        drop(first);
        assert!(matches!(door.enter(), Entrance::Open(_)));
        drop(told);
        drop(second);
        assert!(matches!(door.enter(), Entrance::Open(_)));
    }
}
