//! What admins decide: who has to knock, who comes in, who has to go.

use duologue_protocol::{LeaveReason, Locked, PeerId, ServerMessage};
use tokio::time::Instant;

use super::Room;
use super::command::{Governing, Place};
use crate::dismissal::Dismissal;
use crate::pace::Permit;
use crate::refusal;

impl Room {
    pub(super) fn govern(&mut self, from: &Place, what: Governing, permit: Option<Permit>, now: Instant) {
        let Some(member) = self.member(from) else { return };
        let refused =
            if member.rights.admin { self.decide(what, now).err() } else { Some(refusal::not_allowed()) };
        // An admin who took themselves out hears that from elsewhere.
        if let (Some(refused), Some(member)) = (refused, self.member(from)) {
            member.answer(&refused, permit);
        }
    }

    fn decide(&mut self, what: Governing, now: Instant) -> Result<(), ServerMessage> {
        match what {
            Governing::Lock(locked) => {
                if self.locked != locked {
                    self.locked = locked;
                    for member in &mut self.members {
                        member.tell(ServerMessage::Locked(Locked { locked }), None);
                    }
                }
            }
            Governing::Admit(id) => {
                let at = self.at_the_door(&id)?;
                if let Some(full) = self.full() {
                    return Err(full);
                }
                let newcomer = self.open_door(at);
                self.enter(newcomer, now);
            }
            Governing::Deny(id) => {
                let at = self.at_the_door(&id)?;
                self.open_door(at).turn_away();
            }
            Governing::Remove(id) => {
                if !self.remove(&id) {
                    return Err(refusal::no_recipient(&id));
                }
            }
        }
        Ok(())
    }

    fn at_the_door(&self, id: &PeerId) -> Result<usize, ServerMessage> {
        self.waiting.iter().position(|it| it.info.id == *id).ok_or_else(|| refusal::nobody_knocks(id))
    }

    /// Takes a member out, and gives whether there was one. What they knew of the others does not open a locked room for
    /// them any more.
    pub(super) fn remove(&mut self, id: &PeerId) -> bool {
        let Some((at, member)) = self.position(id).and_then(|at| Some((at, self.members.get_mut(at)?)))
        else {
            return false;
        };
        member.dismiss(Dismissal::Removed);
        let pairs = std::mem::take(&mut member.pairs);
        self.members.iter_mut().for_each(|other| other.pairs.forget(&pairs));
        self.dismiss(at, LeaveReason::Removed);
        true
    }
}
