//! This node among the others: its lease, and its links to them. Whoever has a handle of it says things and asks; what it does
//! of itself, all the time, is in `duties`.

mod duties;
mod pulse;

use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::bus::{Bus, Claim, Down, Tenancy};
use super::lease::Lease;
use super::link::Link;
use super::wire::{Item, Parcel};
use crate::outbox::Held;

pub(crate) use pulse::Pulse;

/// What a room hears of other nodes.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// Another node says this.
    Parcel {
        /// Which.
        from: String,
        /// What.
        parcel: Parcel,
    },
    /// That node does not live, or has forgotten all that was said to it.
    Gone(String),
    /// Redis was away or forgot this node: what is owned has to be looked at again. Kept until that is done.
    Returned(Arc<Pause>),
}

/// While this is kept, the node says nothing to others and hears nothing of them: it does not know yet which rooms it still owns,
/// and what it keeps for others is needed if it does not.
#[derive(Debug)]
pub(crate) struct Pause {
    node: Node,
    /// Which one it is. Only the end of the last means something.
    number: u64,
}

impl Drop for Pause {
    fn drop(&mut self) {
        let mut state = self.node.lock();
        if state.pauses == self.number {
            state.paused = false;
            drop(state);
            self.node.0.goes_on.notify_waiters();
        }
    }
}

/// This node.
#[derive(Clone)]
pub(crate) struct Node(Arc<Inner>);

/// What all handles have in common.
struct Inner {
    id: String,
    bus: Arc<dyn Bus>,
    pulse: Pulse,
    state: Mutex<State>,
    /// Told when there may be something to post.
    wake: Notify,
    /// Told when a pause is over.
    goes_on: Notify,
}

/// What changes. It is locked only to look something up and to put something in, never across an await.
struct State {
    lease: Lease,
    /// By the node at the other end.
    links: HashMap<String, Link<Held>>,
    /// Whether there is a pause, and how many there have been.
    paused: bool,
    pauses: u64,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("id", &self.0.id).finish_non_exhaustive()
    }
}

impl Node {
    /// A node of this id, which no other has, nor had before.
    pub(crate) fn new(id: String, bus: Arc<dyn Bus>, pulse: Pulse) -> Self {
        let lease = Lease::new(pulse.lease, pulse.settle);
        let state = Mutex::new(State { lease, links: HashMap::new(), paused: false, pauses: 0 });
        Self(Arc::new(Inner { id, bus, pulse, state, wake: Notify::new(), goes_on: Notify::new() }))
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }

    /// How long things may take.
    pub(crate) fn pulse(&self) -> Pulse {
        self.0.pulse
    }

    /// Whether Redis answers.
    pub(crate) fn is_up(&self) -> bool {
        self.lock().lease.is_up()
    }

    /// Whether Redis was asked, and does not answer.
    pub(crate) fn is_cut(&self) -> bool {
        self.lock().lease.is_cut()
    }

    /// Whether Redis was away until a moment ago.
    pub(crate) fn is_settling(&self) -> bool {
        self.lock().lease.is_settling(Instant::now())
    }

    /// Whether what this node owns is its own for certain.
    pub(crate) fn holds(&self) -> bool {
        self.lock().lease.holds(Instant::now())
    }

    /// Says something to another node.
    pub(crate) fn send(&self, to: &str, parcel: Parcel, guard: Option<Held>) {
        let mut state = self.lock();
        if let Some(link) = state.links.get_mut(to) {
            link.send(parcel, guard);
        } else {
            let mut link = Link::new(fresh());
            link.send(parcel, guard);
            state.links.insert(to.to_owned(), link);
        }
        drop(state);
        self.0.wake.notify_one();
    }

    /// What was said to others for this room, and they have not confirmed.
    pub(crate) fn unconfirmed(&self, room: &str) -> Vec<Item> {
        let state = self.lock();
        state
            .links
            .values()
            .flat_map(|link| link.unconfirmed(room))
            .map(|parcel| parcel.item.clone())
            .collect()
    }

    /// Whether this node may speak to others and hear them: Redis answers, the lease lasts, and it is known what it owns.
    fn may_speak(&self) -> bool {
        let state = self.lock();
        !state.paused && state.lease.is_up() && state.lease.holds(Instant::now())
    }

    /// Waits until it may.
    async fn goes_on(&self) {
        loop {
            let mut goes_on = pin!(self.0.goes_on.notified());
            // From here on nothing is missed.
            goes_on.as_mut().enable();
            if self.may_speak() {
                return;
            }
            goes_on.await;
        }
    }

    /// How much was said to others that they have not confirmed.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.lock().links.values().map(Link::waiting).sum()
    }

    /// Asks who owns a room, and takes it if nobody does.
    pub(crate) async fn claim(&self, room: &str, held: u64) -> Result<Tenancy, Down> {
        self.answer(self.0.bus.claim(Claim { room, held })).await
    }

    /// This node does not own the room any longer. If Redis does not hear it, this node opens it again when somebody asks for it.
    pub(crate) async fn release(&self, room: &str, epoch: u64) {
        let _ = self.answer(self.0.bus.release(Claim { room, held: epoch })).await;
    }

    /// Waits for an answer of Redis, no longer than it may take.
    async fn answer<T>(&self, answer: impl Future<Output = Result<T, Down>>) -> Result<T, Down> {
        timeout(self.0.pulse.answer, answer).await.unwrap_or(Err(Down))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that nobody had before.
fn fresh() -> u64 {
    // Without randomness, links that begin anew would pass for the older ones; the time tells them apart as well.
    getrandom::u64().unwrap_or_else(|_| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}
