//! The room has another owner: whoever is here is announced to it, and what may not have arrived is said again. Or it is this
//! node that owns it from now on, or did so until now.

use std::collections::VecDeque;

use super::{Guest, Left, Removal};
use crate::cluster::local::{Local, Standing, Waits};
use crate::cluster::wire::{Item, Profile, Said};
use crate::dismissal::Dismissal;
use crate::outbox::Outbox;
use crate::room::Place;

impl Guest {
    /// There is another owner, or the same that has forgotten this node: everyone is announced, and says again what is not
    /// confirmed.
    pub(in crate::cluster) fn announce(&mut self, owner: String, epoch: u64) {
        (self.owner, self.epoch) = (owner, epoch);
        let way = self.way();
        for local in self.locals.values() {
            match local.asks() {
                Some(ask) => way.send(ask),
                None => {
                    let who = Box::new(local.profile.clone());
                    way.send(Item::Announce { who, locked: self.locked });
                    for waits in &local.pending {
                        way.send(local.say(waits.n, waits.text.clone()));
                    }
                }
            }
        }
        // What they said last is in doubt to those whose connection has ended. An owner that never had their connection would only
        // ask for it to be announced.
        for Left { local, parting, .. } in self.left.drain(..) {
            way.send(local.end(parting));
        }
        for (question, (id, _)) in &self.removes {
            way.send(Item::Remove { id: id.to_string(), question: *question });
        }
    }

    /// A member that was in the room when this node owned it.
    pub(in crate::cluster) fn go_on(&mut self, profile: Profile, outbox: Outbox, n: u64) {
        let Some(info) = profile.is.info() else { return outbox.dismiss(Dismissal::Moved) };
        let place = Place { id: info.id, connection: profile.connection };
        let pending = VecDeque::new();
        let standing = Standing::Inside;
        let local = Local { place, outbox, profile, n, pending, standing, acknowledged: None };
        self.locals.insert(local.place.connection, local);
    }

    /// What a member said before and may not have arrived is to be said to the next owner.
    pub(in crate::cluster) fn say_again(&mut self, by: Said, text: String) {
        if let Some(local) = self.locals.get_mut(&by.connection) {
            let at = local.pending.partition_point(|waits| waits.n < by.n);
            local.pending.insert(at, Waits { n: by.n, text, permit: None });
        }
    }

    /// This node owns the room from now on. Gives everyone who is here or has gone with something that is not confirmed, who is to
    /// be taken out, and whether newcomers have to knock.
    pub(in crate::cluster) fn into_parts(self) -> (Vec<Local>, Vec<Removal>, bool) {
        let left = self.left.into_iter().map(|left| left.local);
        let mut locals: Vec<_> = self.locals.into_values().chain(left).collect();
        // In the order in which they came, as far as that is known.
        locals.sort_by_key(|local| local.place.connection);
        (locals, self.removes.into_values().collect(), self.locked)
    }
}
