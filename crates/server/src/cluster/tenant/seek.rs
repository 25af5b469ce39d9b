//! Who owns the room, and what becomes of it here when that has changed.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Role, Tenant};
use crate::cluster::bus::{Down, Tenancy};
use crate::cluster::guest::Guest;
use crate::cluster::node::Pause;
use crate::cluster::owner::Owner;

/// Redis was asked, and has not answered yet.
pub(super) struct Asked {
    /// The epoch in which the room was owned then.
    epoch: u64,
    answer: oneshot::Receiver<Result<Tenancy, Down>>,
}

/// Waits for the answer; for ever, if nothing was asked.
pub(super) async fn answered(asked: &mut Option<Asked>) -> (u64, Result<Tenancy, Down>) {
    let Some(Asked { epoch, answer }) = asked else { return std::future::pending().await };
    let (epoch, answer) = (*epoch, answer.await.unwrap_or(Err(Down)));
    *asked = None;
    (epoch, answer)
}

impl Tenant {
    /// Redis was away. An owner says at once that it is there; others leave it the time.
    pub(super) async fn returned(&mut self, pause: Arc<Pause>) {
        // The owner may have taken this node for dead.
        self.urged = true;
        match self.role {
            Role::None => self.look = None,
            Role::Owner(_) => {
                self.pause = Some(pause);
                // If Redis does not answer, it is asked again later.
                let _ = self.seek().await;
            }
            Role::Guest(_) => self.look = Some(Instant::now() + self.node.pulse().settle),
        }
    }

    /// The owner does not live, or does not know this guest any more: asks again, and announces everyone to whoever it is.
    pub(super) fn urge(&mut self, now: Instant) {
        self.urged = true;
        // Everything that is said to an owner who does not know it any more is answered with the same word.
        let again = self.announced.map_or(now, |at| at + self.node.pulse().beat);
        self.look = Some(again.max(now));
    }

    /// If this node was stopped for so long that another may own the room by now, it asks before it does anything.
    pub(super) async fn sure(&mut self) {
        if let Role::Owner(_) = &self.role
            && self.node.is_up()
            && !self.node.holds()
        {
            let _ = self.seek().await;
        }
    }

    /// Asks who owns the room, and is its owner or a guest of that node from then on.
    ///
    /// # Errors
    /// Redis does not answer. Everything is as before, and it is asked again after a beat.
    pub(super) async fn seek(&mut self) -> Result<(), Down> {
        let held = match &self.role {
            Role::Owner(owner) => owner.epoch,
            Role::None | Role::Guest(_) => 0,
        };
        self.asked = None;
        let asked = self.node.claim(self.key.as_str(), held).await;
        self.learn(asked)
    }

    /// Asks whether this node still owns the room, since this epoch, and does not wait for the answer.
    pub(super) fn ask(&mut self, epoch: u64) {
        let (node, key) = (self.node.clone(), self.key.clone());
        let (sender, answer) = oneshot::channel();
        tokio::spawn(async move {
            let _ = sender.send(node.claim(key.as_str(), epoch).await);
        });
        // Until then it is not asked again.
        self.look = None;
        self.asked = Some(Asked { epoch, answer });
    }

    /// Redis has answered the owner, or has not.
    pub(super) fn answered(&mut self, (epoch, answer): (u64, Result<Tenancy, Down>)) {
        if let Role::Owner(owner) = &self.role
            && owner.epoch == epoch
        {
            // Without an answer everything is as before.
            let _ = self.learn(answer);
        }
    }

    /// Is what Redis says from now on.
    fn learn(&mut self, asked: Result<Tenancy, Down>) -> Result<(), Down> {
        let pulse = self.node.pulse();
        let now = Instant::now();
        // An owner looks again by and by, also to keep the key; a guest hears when something is the matter.
        self.look = Some(now + if asked.is_ok() { pulse.look } else { pulse.beat });
        let tenancy = asked?;
        let urged = std::mem::take(&mut self.urged);
        let is_mine = tenancy.owner == self.node.id();
        self.role = match std::mem::replace(&mut self.role, Role::None) {
            Role::Owner(mut owner) if is_mine => {
                owner.epoch = tenancy.epoch;
                Role::Owner(owner)
            }
            Role::Owner(owner) => {
                tracing::info!("a room goes on at another node");
                let mut guest = owner.step_down(tenancy.owner.clone(), tenancy.epoch);
                guest.announce(tenancy.owner, tenancy.epoch);
                Role::Guest(Box::new(guest))
            }
            Role::Guest(guest) if is_mine => {
                tracing::info!("a room goes on at this node");
                let mut owner = self.owner(tenancy.epoch);
                owner.take_over(*guest, now);
                Role::Owner(Box::new(owner))
            }
            Role::Guest(mut guest) => {
                if urged || guest.owner != tenancy.owner || guest.epoch != tenancy.epoch {
                    self.announced = Some(now);
                    guest.announce(tenancy.owner, tenancy.epoch);
                }
                Role::Guest(guest)
            }
            Role::None if is_mine => {
                let mut owner = self.owner(tenancy.epoch);
                if tenancy.inherited {
                    tracing::info!("a room goes on at this node");
                    owner.wait_for_announcements(now);
                }
                Role::Owner(Box::new(owner))
            }
            Role::None => {
                let (node, rooms) = (self.node.clone(), self.rooms.clone());
                let guest = Guest::new(self.key.clone(), tenancy.owner, tenancy.epoch, node, rooms);
                Role::Guest(Box::new(guest))
            }
        };
        self.pause = None;
        Ok(())
    }

    /// Nobody is in the room any more, as far as this node has to do with it.
    pub(super) async fn let_go(&mut self) {
        if let Role::Owner(owner) = std::mem::replace(&mut self.role, Role::None) {
            self.node.release(self.key.as_str(), owner.epoch).await;
        }
        (self.look, self.asked, self.pause) = (None, None, None);
    }

    /// The room, owned by this node since that epoch, with nobody in it.
    fn owner(&self, epoch: u64) -> Owner {
        Owner::new(self.key.clone(), epoch, self.node.clone(), self.rooms.clone(), self.news.clone())
    }
}
