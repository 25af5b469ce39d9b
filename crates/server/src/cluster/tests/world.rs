//! What nodes have between them, in memory, and what can happen to it: it loses, repeats and delays what is posted, is out of
//! reach, or does not answer. `bus` is how a node sees it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use super::bus::Memory;
use crate::cluster::bus::Bus;

#[derive(Debug, Default)]
pub(super) struct World {
    state: Mutex<State>,
    /// Told when something was posted, or can be reached again.
    changed: Notify,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) alive: HashMap<String, Instant>,
    pub(super) rooms: HashMap<String, (String, u64)>,
    pub(super) inboxes: HashMap<String, VecDeque<Vec<u8>>>,
    /// Who cannot reach it, and is told so.
    pub(super) cut: HashSet<String>,
    /// Who gets no answer of it.
    pub(super) hung: HashSet<String>,
    /// Who does not get what is in its inbox.
    pub(super) deaf: HashSet<String>,
    /// Whose envelopes to whom are lost.
    pub(super) severed: HashSet<(String, String)>,
    /// Of so many that are posted, one is lost, one comes twice, and each comes up to so many milliseconds late.
    pub(super) chaos: Option<(u64, u64)>,
    random: u64,
    pub(super) epoch: u64,
}

impl State {
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % n
    }
}

impl World {
    pub(super) fn new() -> Arc<Self> {
        let world = Arc::new(Self::default());
        world.state().random = 0x9E37_79B9_7F4A_7C15;
        world
    }

    pub(super) fn bus(self: &Arc<Self>, node: &str) -> Arc<dyn Bus> {
        Arc::new(Memory { world: self.clone(), node: node.to_owned() })
    }

    /// A node is cut off, and no other: whatever it asks fails at once.
    pub(super) fn cut(&self, node: &str, is: bool) {
        self.change(|state| set(&mut state.cut, node.to_owned(), is));
    }

    /// The packets of a node are dropped: whatever it asks is answered when that is over, if it still waits.
    pub(super) fn hang(&self, node: &str, is: bool) {
        self.change(|state| set(&mut state.hung, node.to_owned(), is));
    }

    /// What comes for a node stays in its inbox until that is over.
    pub(super) fn deafen(&self, node: &str, is: bool) {
        self.change(|state| set(&mut state.deaf, node.to_owned(), is));
    }

    /// What a node posts to this other is lost.
    pub(super) fn sever(&self, from: &str, to: &str, is: bool) {
        self.change(|state| set(&mut state.severed, (from.to_owned(), to.to_owned()), is));
    }

    /// As after a restart of a Redis that writes nothing down.
    pub(super) fn forget_everything(&self) {
        let mut state = self.state();
        state.alive.clear();
        state.rooms.clear();
        state.inboxes.clear();
    }

    pub(super) fn chaos(&self, one_in: u64, late: u64) {
        self.state().chaos = Some((one_in, late));
    }

    pub(super) fn put(&self, node: &str, bytes: &[u8]) {
        self.change(|state| state.inboxes.entry(node.to_owned()).or_default().push_back(bytes.to_vec()));
    }

    pub(super) fn owners(&self) -> Vec<(String, u64)> {
        self.state().rooms.values().cloned().collect()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Resolves at the next change after this.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    fn change(&self, act: impl FnOnce(&mut State)) {
        act(&mut self.state());
        self.changed.notify_waiters();
    }
}

fn set<T: std::hash::Hash + Eq>(all: &mut HashSet<T>, one: T, is: bool) {
    if is {
        all.insert(one);
    } else {
        all.remove(&one);
    }
}
