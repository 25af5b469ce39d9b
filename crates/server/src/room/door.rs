//! Coming in: at once, or after somebody inside has opened.

use std::collections::HashMap;

use duologue_protocol::{
    JoinKey, Knock, LeaveReason, PairToken, PeerId, PeerInfo, PeerMoved, Ready, Rights, Role, ServerMessage,
    Welcome,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Room;
use super::command::{Admission, Answer, Newcomer, Place};
use super::member::Member;
use super::pairs::{Holders, Pairs};
use crate::dismissal::Dismissal;
use crate::ids;
use crate::refusal;

/// How many may wait to be let into one room.
const MOST_WAITING: usize = 16;

impl Room {
    pub(super) fn join(&mut self, mut newcomer: Newcomer, now: Instant) {
        // A plain page knows nothing of sessions and pairs.
        if newcomer.info.protocol.is_none() {
            (newcomer.key, newcomer.pairs) = (None, Vec::new());
        }
        let asked_before = self.replace_same(&mut newcomer, now);
        let replaced = self.replace(newcomer.key.as_ref(), now) || asked_before;
        let awaited = self.end_awaited(&newcomer.pairs, now);
        let comes_back = replaced || awaited || self.shares_a_pair(&newcomer.pairs);
        if comes_back || self.may_enter(newcomer.rights) {
            self.enter(newcomer, now);
        } else {
            self.knock(newcomer);
        }
    }

    fn may_enter(&self, rights: Rights) -> bool {
        rights.admin || rights.join && !self.locked
    }

    /// Ends who has the same id. Another node asks again for somebody whose connection was lost here, and cannot know that they
    /// came in; to the others they stay the same. Whether there was one.
    fn replace_same(&mut self, newcomer: &mut Newcomer, now: Instant) -> bool {
        let Some(at) = self.position(&newcomer.info.id) else { return false };
        if let Some(older) = self.members.get(at) {
            newcomer.pairs.extend(older.pairs.iter().cloned());
        }
        self.dismiss(at, LeaveReason::Replaced);
        self.settle(now);
        true
    }

    /// Ends the earlier self of a client. Whether that was inside.
    fn replace(&mut self, key: Option<&JoinKey>, now: Instant) -> bool {
        let Some(key) = key else { return false };
        if let Some(at) = self.waiting.iter().position(|it| it.key.as_ref() == Some(key)) {
            let earlier = self.open_door(at);
            earlier.outbox.dismiss(Dismissal::Replaced);
        }
        let Some(at) = self.members.iter().position(|it| it.has_key(key)) else { return false };
        if let Some(earlier) = self.members.get(at) {
            earlier.dismiss(Dismissal::Replaced);
        }
        self.dismiss(at, LeaveReason::Replaced);
        self.settle(now);
        true
    }

    fn shares_a_pair(&self, named: &[PairToken]) -> bool {
        let holders = Holders::find(named, self.members.iter().map(|member| &member.pairs));
        (0..self.members.len()).any(|at| holders.shared_with(at).is_some())
    }

    /// Why nobody else comes in, if the room is full.
    pub(super) fn full(&self) -> Option<ServerMessage> {
        let settings = self.rooms.settings();
        let away = self.members.iter().any(Member::is_away).then_some(settings.grace);
        (self.members.len() >= settings.size).then(|| refusal::room_full(settings.size, away))
    }

    pub(super) fn enter(&mut self, newcomer: Newcomer, now: Instant) {
        let refused = self.full();
        let Newcomer { info, rights, key, pairs, session, ice, outbox, connection, permit, admitted } =
            newcomer;
        if let Some(refused) = refused {
            let _ = outbox.say(&refused, permit);
            return admitted.send(false);
        }
        let id = info.id.clone();
        let settings = self.rooms.settings();
        // Before the client knows the token.
        let knows = info.protocol.is_some();
        let enrolment = knows.then(|| self.rooms.enrol(session.clone(), &self.id, &id));
        let (limits, locked) = (settings.limits.sizes, self.locked);
        let welcome = Welcome { id, session, ice, limits, rights, locked };
        if outbox.say(&ServerMessage::Welcome(welcome), permit).is_err() {
            return admitted.send(false);
        }
        // Whoever cannot even take this in is away or out before the newcomer hears of them.
        let mut agreed = self.introduce(&info, &pairs);
        self.settle(now);
        let pairs = Pairs::named(pairs);
        let mut newcomer =
            Member::new(info, rights, key, pairs, (outbox, connection), enrolment, settings.queue);
        newcomer.counted = Some(self.rooms.metrics().member());
        for member in &mut self.members {
            let pair = agreed.remove(&member.info.id);
            if let Some(pair) = &pair {
                newcomer.pairs.remember(pair.clone());
            }
            let ready = Ready { role: Role::Callee, peer: member.info.clone(), pair };
            newcomer.tell(ServerMessage::Ready(ready), None);
            if member.is_away() {
                member.said_to_be_away();
                newcomer.tell(ServerMessage::PeerAway(PeerMoved { peer: member.info.id.clone() }), None);
            }
        }
        if rights.admin {
            for it in &self.waiting {
                newcomer.tell(ServerMessage::Knock(Knock { peer: it.info.clone() }), None);
            }
        }
        self.members.push(newcomer);
        admitted.send(true);
    }

    /// Tells everyone of a newcomer. Gives the tokens of the newcomer's pairs with them: the one they share already, or
    /// a fresh one.
    fn introduce(&mut self, newcomer: &PeerInfo, named: &[PairToken]) -> HashMap<PeerId, PairToken> {
        let holders = Holders::find(named, self.members.iter().map(|member| &member.pairs));
        let mut agreed = HashMap::new();
        for (at, member) in self.members.iter_mut().enumerate() {
            let both_know = newcomer.protocol.is_some() && member.info.protocol.is_some();
            let pair =
                if both_know { holders.shared_with(at).cloned().or_else(ids::fresh_pair) } else { None };
            if let Some(pair) = &pair {
                member.pairs.remember(pair.clone());
                agreed.insert(member.info.id.clone(), pair.clone());
            }
            let ready = Ready { role: Role::Caller, peer: newcomer.clone(), pair };
            member.tell(ServerMessage::Ready(ready), None);
        }
        agreed
    }

    fn knock(&mut self, mut newcomer: Newcomer) {
        let permit = newcomer.permit.take();
        if self.waiting.len() >= MOST_WAITING {
            let _ = newcomer.outbox.say(&refusal::too_many_knock(), permit);
            return newcomer.admitted.send(false);
        }
        if newcomer.outbox.say(&ServerMessage::Waiting, permit).is_err() {
            return newcomer.admitted.send(false);
        }
        let (decided, end) = oneshot::channel();
        newcomer.admitted = match newcomer.admitted {
            Answer::Join(sender) => {
                // If nobody hears it, the connection has ended, and the room will hear of that.
                let _ = sender.send(Admission::Waiting(end));
                Answer::Knock(decided)
            }
            // They knocked where the room was before.
            knocked @ Answer::Knock(_) => knocked,
        };
        self.tell_admins(&ServerMessage::Knock(Knock { peer: newcomer.info.clone() }));
        self.waiting.push(newcomer);
    }

    /// Gives the one who waits at this place, who does so no longer.
    pub(super) fn open_door(&mut self, at: usize) -> Newcomer {
        let newcomer = self.waiting.remove(at);
        self.tell_admins(&ServerMessage::KnockOver(PeerMoved { peer: newcomer.info.id.clone() }));
        newcomer
    }

    /// A connection is gone, or somebody has taken their knock back: each `join` has one answer, also that one.
    pub(super) fn no_longer_waits(&mut self, of: &Place) {
        let is = |it: &Newcomer| it.info.id == of.id && it.connection == of.connection;
        if let Some(at) = self.waiting.iter().position(is) {
            self.open_door(at).turn_away();
        }
    }

    /// When nobody is inside any more, nothing is locked: otherwise whoever knocks would wait for ever.
    pub(super) fn open_if_empty(&mut self, now: Instant) {
        if !self.members.is_empty() {
            return;
        }
        self.locked = false;
        while let Some(at) = self.waiting.iter().position(|it| self.may_enter(it.rights)) {
            let newcomer = self.open_door(at);
            self.enter(newcomer, now);
        }
    }

    fn tell_admins(&mut self, message: &ServerMessage) {
        for admin in self.members.iter_mut().filter(|member| member.rights.admin) {
            admin.tell(message.clone(), None);
        }
    }
}
