//! What the owner says to the clients of this node.

use duologue_protocol::Numbered;
use tokio::sync::oneshot;

use super::Guest;
use crate::cluster::local::Standing;
use crate::cluster::wire::{How, Item, Profile, Said};
use crate::dismissal::Dismissal;
use crate::room::{Admission, Answer};

impl Guest {
    /// The owner says this, in this epoch.
    pub(in crate::cluster) fn hear(&mut self, item: Item) {
        match item {
            Item::Admitted { connection, how, who, locked } => {
                self.locked = locked;
                self.admitted(connection, how, who);
            }
            Item::Tell { connection, text, by, .. } => self.tell(connection, text, by),
            Item::Done { connection, n } => {
                let left = self.left.iter_mut().map(|left| &mut left.local);
                let mut all = self.locals.values_mut().chain(left);
                if let Some(local) = all.find(|local| local.place.connection == connection) {
                    local.pending.retain(|waits| waits.n != n);
                }
                self.left.retain(|left| !left.local.pending.is_empty());
            }
            Item::Dismiss { connection, why } => {
                if let Some(local) = self.locals.get(&connection) {
                    let named = Dismissal::ALL.into_iter().find(|dismissal| dismissal.name() == why);
                    local.outbox.dismiss(named.unwrap_or(Dismissal::Moved));
                }
            }
            Item::Over { connection } => {
                // Somebody who was not let in and has been told why, or is still here, and whom the room has lost: they come
                // in anew.
                match self.locals.get(&connection) {
                    Some(local) if local.is_inside() => local.outbox.dismiss(Dismissal::Moved),
                    _ => self.outside(connection),
                }
            }
            Item::Removed { question, was } => {
                if let Some((_, done)) = self.removes.remove(&question) {
                    let _ = done.send(was);
                }
            }
            // What a guest says.
            Item::Join { .. }
            | Item::Resume { .. }
            | Item::Announce { .. }
            | Item::Say { .. }
            | Item::End { .. }
            | Item::Remove { .. }
            | Item::Stale => {}
        }
    }

    /// Somebody is not let in; the room has told them why.
    fn outside(&mut self, connection: u64) {
        match self.locals.remove(&connection).map(|local| local.standing) {
            Some(Standing::Joins { answer, .. }) => answer.send(false),
            Some(Standing::Resumes { answer, .. }) => {
                let _ = answer.send(Admission::Outside);
            }
            Some(Standing::Inside) | None => {}
        }
    }

    /// The room has decided about somebody who wanted to come in.
    fn admitted(&mut self, connection: u64, how: How, who: Option<Box<Profile>>) {
        let Some(local) = self.locals.get_mut(&connection) else { return };
        match how {
            How::Waiting => {
                if let Standing::Joins { answer, permit, .. } = &mut local.standing
                    && matches!(answer, Answer::Join(_))
                {
                    *permit = None;
                    let (decided, end) = oneshot::channel();
                    if let Answer::Join(sender) = std::mem::replace(answer, Answer::Knock(decided)) {
                        let _ = sender.send(Admission::Waiting(end));
                    }
                }
            }
            How::Inside => {
                if let Some(who) = who {
                    // What it has been told is known better here.
                    let (seq, connection) = (local.profile.seq, local.profile.connection);
                    let heard = std::mem::take(&mut local.profile.heard);
                    local.profile = Profile { seq, connection, ..*who };
                    for said in heard {
                        local.heard(said);
                    }
                }
                match std::mem::replace(&mut local.standing, Standing::Inside) {
                    Standing::Inside => {}
                    Standing::Joins { answer, .. } => answer.send(true),
                    Standing::Resumes { answer, .. } => {
                        let _ = answer.send(Admission::Inside);
                    }
                }
            }
        }
    }

    /// The room tells this to a client: it is remembered as far as another owner would have to know it, and written to it.
    fn tell(&mut self, connection: u64, text: String, by: Option<Said>) {
        let Some(local) = self.locals.get_mut(&connection) else { return };
        let Ok(Numbered { message, seq }) = Numbered::from_json(&text) else {
            tracing::warn!("another node said something to a client that is no message");
            return;
        };
        if let Some(seq) = seq {
            // What is missing before it was lost with a link, and all of it is told again when the client is announced.
            if local.profile.seq.checked_add(1) != Some(seq) {
                return;
            }
            local.profile.seq = seq;
        }
        local.told(&message, &mut self.locked);
        if let Some(by) = by {
            local.heard(by);
        }
        // One who does not read is let go, and the room hears of it when the connection has ended.
        let _ = local.outbox.push(text.into(), None);
    }
}
