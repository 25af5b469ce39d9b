//! A room comes to this node, which was a guest so far, or goes on at another one, whose guest this is from then on.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::{Late, Owner};
use crate::cluster::guest::Guest;
use crate::cluster::speech::{command, said_by_client};
use crate::cluster::wire::{Item, Said};
use crate::pace::{Counted, Permit};
use crate::room::Command;

impl Owner {
    /// This node was a guest so far: its members go on, say again what was not confirmed, and wait for those of other nodes.
    pub(in crate::cluster) fn take_over(&mut self, guest: Guest, now: Instant) {
        let here: HashSet<u64> = guest.connections().collect();
        let (locals, removes, locked) = guest.into_parts();
        let (inside, asking): (Vec<_>, Vec<_>) = locals.into_iter().partition(|local| local.is_inside());
        let mut pending = Vec::new();
        for local in inside {
            if here.contains(&local.place.connection) {
                self.room.adopt(&local.profile, local.outbox.clone(), locked, now);
                self.said.insert(local.place.connection, local.n);
            }
            pending.push((local.place, local.pending));
        }
        for (place, said) in pending {
            for waits in said {
                let counted = Counted {
                    said: Said { connection: place.connection, n: waits.n },
                    own: waits.permit,
                    receipt: None,
                };
                let permit = Some(Permit::Counted(Box::new(counted)));
                if let Some(command) = command(&waits.text, place.clone(), permit) {
                    self.room.handle(command, now);
                }
            }
        }
        if self.room.awaits() {
            self.settles = Some(self.settled(now));
        } else if self.room.is_empty() {
            // Whoever asks to come in here knows nobody.
            self.wait_for_announcements(now);
        }
        for local in asking {
            if let Some(command) = local.ask_again() {
                self.local(command, now);
            }
        }
        for (id, done) in removes {
            self.room.handle(Command::Remove { id, done }, now);
        }
    }

    /// The room had another owner, who is dead, and nothing is known of it here. If others are guests of it, they have yet to say
    /// who is in it, and whether it is locked.
    pub(in crate::cluster) fn wait_for_announcements(&mut self, now: Instant) {
        self.inherited = true;
        self.settles = Some(self.settled(now));
    }

    /// When everyone is announced: the others see in the time of a beat that the owner is gone.
    fn settled(&self, now: Instant) -> Instant {
        now + self.node.pulse().beat * 3 / 2
    }

    /// Another node owns the room from now on. Gives those who are connected here, who have yet to be announced there.
    pub(in crate::cluster) fn step_down(self, owner: String, epoch: u64) -> Guest {
        // What has not come to those of other nodes is said again to the other owner, so it is not done with.
        self.void.store(true, Ordering::Release);
        // A guest that nobody asks anything looks only now and then who owns the room.
        let guests: HashSet<&str> = self.afar.values().map(|afar| afar.node.as_str()).collect();
        guests.into_iter().for_each(|guest| self.way(guest).send(Item::Stale));
        let Self { key, mut room, node, rooms, afar, said, late, .. } = self;
        room.lose_absent();
        let unconfirmed = node.unconfirmed(key.as_str());
        let locked = room.is_locked();
        let (members, waiting) = room.take_apart();
        let mut guest = Guest::new(key, owner, epoch, node, rooms);
        guest.locked = locked;
        for (profile, outbox) in members {
            let connection = profile.connection;
            if !afar.contains_key(&connection) {
                guest.go_on(profile, outbox, said.get(&connection).copied().unwrap_or_default());
            }
        }
        for newcomer in waiting.into_iter().filter(|newcomer| !afar.contains_key(&newcomer.connection)) {
            guest.join(newcomer);
        }
        for late in late {
            // Those of other nodes ask there.
            if let Late::Here(command) = late {
                guest.local(command);
            }
        }
        // What members of this node said to those of others, and may not have arrived there.
        for item in unconfirmed {
            if let Item::Tell { id, text, by: Some(by), .. } = item
                && let Some(text) = said_by_client(&text, &id)
            {
                guest.say_again(by, text);
            }
        }
        guest
    }
}
