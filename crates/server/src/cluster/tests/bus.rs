//! What nodes have between them, as one of them sees it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::world::{State, World};
use crate::cluster::bus::{Answer, Bus, Claim, Down, Living, Tenancy};
use crate::cluster::node::Pulse;

#[derive(Debug)]
pub(super) struct Memory {
    pub(super) world: Arc<World>,
    pub(super) node: String,
}

impl Memory {
    fn reach<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, Down> {
        let mut state = self.world.state();
        if state.cut.contains(&self.node) { Err(Down) } else { Ok(act(&mut state)) }
    }

    /// Waits until this node gets answers.
    async fn answered(&self) {
        loop {
            let changed = self.world.changed();
            if !self.world.state().hung.contains(&self.node) {
                return;
            }
            changed.await;
        }
    }

    fn ask<'a, T>(&'a self, act: impl FnOnce(&mut State) -> T + Send + 'a) -> Answer<'a, T> {
        Box::pin(async move {
            self.answered().await;
            self.reach(act)
        })
    }
}

impl Bus for Memory {
    fn beat<'a>(&'a self, others: &'a [String]) -> Answer<'a, Living> {
        self.ask(|state| {
            let now = Instant::now();
            let before = state.alive.insert(self.node.clone(), now + Pulse::default().lease);
            let lives = |other| state.alive.get(other).is_some_and(|until| *until > now);
            Living {
                known: before.is_some_and(|until| until > now),
                others: others.iter().map(lives).collect(),
            }
        })
    }

    fn claim<'a>(&'a self, claim: Claim<'a>) -> Answer<'a, Tenancy> {
        self.ask(move |state| {
            let now = Instant::now();
            state.epoch += 1;
            let next = state.epoch;
            let (owner, epoch) = state.rooms.get(claim.room).cloned().unwrap_or_default();
            let lives = state.alive.get(&owner).is_some_and(|until| *until > now);
            let (owner, epoch, inherited) = if owner == self.node || (claim.held <= epoch && lives) {
                (owner, epoch, false)
            } else if claim.held > epoch {
                (self.node.clone(), claim.held, false)
            } else {
                (self.node.clone(), next, !owner.is_empty())
            };
            state.rooms.insert(claim.room.to_owned(), (owner.clone(), epoch));
            Tenancy { owner, epoch, inherited }
        })
    }

    fn release<'a>(&'a self, claim: Claim<'a>) -> Answer<'a, ()> {
        self.ask(move |state| {
            if state.rooms.get(claim.room) == Some(&(self.node.clone(), claim.held)) {
                state.rooms.remove(claim.room);
            }
        })
    }

    fn post<'a>(&'a self, to: &'a str, envelope: String) -> Answer<'a, ()> {
        Box::pin(async move {
            self.answered().await;
            let (times, late) = self.reach(|state| match state.chaos {
                _ if state.severed.contains(&(self.node.clone(), to.to_owned())) => (0, 0),
                None => (1, 0),
                Some((one_in, late)) => {
                    let times = match state.below(one_in) {
                        0 => 0,
                        1 => 2,
                        _ => 1,
                    };
                    (times, state.below(late))
                }
            })?;
            for time in 0..times {
                let (world, to, envelope) = (self.world.clone(), to.to_owned(), envelope.clone());
                if late == 0 {
                    world.put(&to, envelope.as_bytes());
                } else {
                    tokio::spawn(async move {
                        sleep(Duration::from_millis(late * (time + 1))).await;
                        world.put(&to, envelope.as_bytes());
                    });
                }
            }
            Ok(())
        })
    }

    fn receive(&self) -> Answer<'_, Vec<Vec<u8>>> {
        Box::pin(async move {
            loop {
                self.answered().await;
                let changed = self.world.changed();
                let found: Vec<_> = self.reach(|state| {
                    if state.deaf.contains(&self.node) {
                        return Vec::new();
                    }
                    state.inboxes.entry(self.node.clone()).or_default().drain(..).collect()
                })?;
                if !found.is_empty() {
                    return Ok(found);
                }
                changed.await;
            }
        })
    }

    fn farewell(&self) -> Answer<'_, ()> {
        self.ask(|state| {
            state.alive.remove(&self.node);
        })
    }
}
