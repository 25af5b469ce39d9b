//! A room that another node had, made again from what the nodes of its members tell.
//!
//! Each node announces its own members, and with each whom they know to be there. Whoever is known and not announced yet is
//! *awaited*: a member like any other that is away, for as long as a seat is kept, except that it is not known what they
//! have been told; so what they are to be told is kept as it is, and numbered when they are announced. Everyone in a room
//! knows everyone, also here: what is not so yet when somebody is announced, is made so by introducing them.

use duologue_protocol::{
    LeaveReason, Locked, PairToken, PeerId, PeerInfo, PeerLeft, PeerMoved, Ready, Role, ServerMessage,
};
use tokio::time::Instant;

use super::Room;
use super::command::Newcomer;
use super::member::Member;
use super::pairs::Pairs;
use crate::cluster::{Person, Profile, Said};
use crate::dismissal::Dismissal;
use crate::ids;
use crate::outbox::Outbox;

impl Room {
    /// Somebody is here who was in the room before. Says nothing to them that they know.
    pub(crate) fn adopt(&mut self, who: &Profile, outbox: Outbox, locked: bool, now: Instant) {
        let (Some(info), Some(session)) =
            (who.is.info(), who.session().or_else(|| ids::fresh().map(|it| it.1)))
        else {
            return outbox.dismiss(Dismissal::Moved);
        };
        let id = info.id.clone();
        let mut held = (Vec::new(), false);
        let mut was_awaited = None;
        if let Some(at) = self.position(&id) {
            let Some(member) = self.members.get_mut(at) else { return };
            if !member.is_awaited() {
                if !member.has_session(&session) || !member.can_resume_from(who.seq) {
                    return outbox.dismiss(Dismissal::Moved);
                }
                if member.outbox().is_some() && member.connection() != who.connection {
                    // It has come back over a newer one, which its node did not know.
                    return outbox.dismiss(Dismissal::Moved);
                }
                if member.attach(outbox, who.connection, who.seq) {
                    self.tell_others(&id, &ServerMessage::PeerBack(PeerMoved { peer: id.clone() }));
                }
                return self.settle(now);
            }
            held = member.kept();
            self.members.remove(at);
            was_awaited = Some(at);
        }
        let settings = self.rooms.settings();
        let enrolment = info.protocol.is_some().then(|| self.rooms.enrol(session, &self.id, &id));
        let pairs = Pairs::named(who.pairs());
        let way = (outbox, who.connection);
        let mut member =
            Member::new(info.clone(), who.rights(), who.key(), pairs, way, enrolment, settings.queue);
        member.goes_on(who.seq, &who.heard, settings.queue);
        member.counted = Some(self.rooms.metrics().member());
        let known = self.without_older_selves(who, &mut member, &mut held.0);
        if self.locked != locked && self.members.iter().all(Member::is_awaited) {
            self.locked = locked;
        } else if self.locked != locked {
            member.tell(ServerMessage::Locked(Locked { locked: self.locked }), None);
        }
        match was_awaited {
            Some(at) => {
                let (held, said) = held;
                if said {
                    self.tell_others(&id, &ServerMessage::PeerBack(PeerMoved { peer: id.clone() }));
                }
                self.reconcile(&mut member, &known, &held);
                for (message, said) in held {
                    if !member.has_had(said) {
                        member.tell(message, None);
                    }
                }
                self.members.insert(at, member);
            }
            None => self.introduce_again(member, &known),
        }
        for (other, pair) in known {
            self.expect(&id, other, pair, now);
        }
        self.settle(now);
    }

    /// Whom somebody knows that comes, but for those who have come in anew meanwhile: of these they are told here, and
    /// that they are the same.
    fn without_older_selves(
        &mut self,
        who: &Profile,
        comes: &mut Member,
        held: &mut Vec<(ServerMessage, Option<Said>)>,
    ) -> Vec<(PeerInfo, Option<PairToken>)> {
        let mut known: Vec<_> = who.knows().filter(|(other, _)| other.id != comes.info.id).collect();
        for member in self.members.iter_mut().filter(|member| !member.is_awaited()) {
            let is_older = |(other, pair): &(PeerInfo, Option<PairToken>)| {
                other.id != member.info.id && pair.as_ref().is_some_and(|pair| member.pairs.has(pair))
            };
            let Some(at) = known.iter().position(is_older) else { continue };
            let (older, _) = known.remove(at);
            let left = PeerLeft { peer: older.id, reason: LeaveReason::Replaced };
            comes.tell(ServerMessage::PeerLeft(left), None);
            // Whoever was awaited was introduced to them as a stranger. Now it is known that they are none.
            let is_of = |it: &ServerMessage| match it {
                ServerMessage::Ready(ready) => ready.peer.id == member.info.id,
                _ => false,
            };
            if held.iter().any(|(it, _)| is_of(it)) {
                held.retain(|(it, _)| !is_of(it));
                let left = PeerLeft { peer: comes.info.id.clone(), reason: LeaveReason::Lost };
                member.tell(ServerMessage::PeerLeft(left), None);
                bring_together(member, comes);
                known.push((member.info.clone(), None));
            }
        }
        known
    }

    /// Somebody who was awaited is here. All who are here know them, but for those who were awaited when they were; and what
    /// was kept for them may tell of somebody whom they know from before, who has forgotten them.
    fn reconcile(
        &mut self,
        comes: &mut Member,
        known: &[(PeerInfo, Option<PairToken>)],
        held: &[(ServerMessage, Option<Said>)],
    ) {
        for member in &mut self.members {
            let peer = member.info.id.clone();
            let knows = known.iter().any(|(other, _)| other.id == peer);
            let is_told =
                held.iter().any(|(it, _)| matches!(it, ServerMessage::Ready(ready) if ready.peer.id == peer));
            if knows && is_told {
                comes.tell(ServerMessage::PeerLeft(PeerLeft { peer, reason: LeaveReason::Lost }), None);
            } else if !knows && !is_told {
                if !member.is_awaited() {
                    let left = PeerLeft { peer: comes.info.id.clone(), reason: LeaveReason::Lost };
                    member.tell(ServerMessage::PeerLeft(left), None);
                }
                bring_together(member, comes);
            }
        }
    }

    /// Somebody comes of whom nobody here knows; but they may know some who are here.
    fn introduce_again(&mut self, mut newcomer: Member, known: &[(PeerInfo, Option<PairToken>)]) {
        for member in &mut self.members {
            let peer = member.info.id.clone();
            if known.iter().any(|(other, _)| other.id == peer) {
                let left = PeerLeft { peer, reason: LeaveReason::Lost };
                newcomer.tell(ServerMessage::PeerLeft(left), None);
            }
            bring_together(member, &mut newcomer);
        }
        self.members.push(newcomer);
    }

    /// Somebody knows this other, who is to be announced, or lost.
    fn expect(&mut self, by: &PeerId, other: PeerInfo, pair: Option<PairToken>, now: Instant) {
        if let Some(at) = self.position(&other.id) {
            if let (Some(member), Some(pair)) = (self.members.get_mut(at), pair)
                && member.is_awaited()
            {
                member.pairs.remember(pair);
            }
            return;
        }
        let settings = self.rooms.settings();
        let mut awaited = Member::awaited(other, now + settings.grace, settings.queue);
        if let Some(pair) = pair {
            awaited.pairs.remember(pair);
        }
        // Two who are awaited most likely know each other.
        let here = self.members.iter_mut().filter(|member| member.info.id != *by && !member.is_awaited());
        here.for_each(|member| bring_together(member, &mut awaited));
        self.members.push(awaited);
    }

    /// Whoever is awaited and has one of these pairs with somebody who is here comes in anew instead. Whether there was one.
    pub(super) fn end_awaited(&mut self, named: &[PairToken], now: Instant) -> bool {
        let is = |awaited: &Member| {
            let others = || self.members.iter().filter(|other| other.info.id != awaited.info.id);
            // A pair that nobody else has is one of the newcomer and the one who is awaited.
            let is_theirs = |pair: &PairToken| others().any(|other| other.pairs.has(pair));
            awaited.is_awaited() && awaited.pairs.iter().any(|pair| named.contains(pair) && is_theirs(pair))
        };
        let Some(at) = self.members.iter().position(is) else { return false };
        self.dismiss(at, LeaveReason::Replaced);
        self.settle(now);
        true
    }

    /// Whether somebody has yet to be announced.
    pub(crate) fn awaits(&self) -> bool {
        self.members.iter().any(Member::is_awaited)
    }

    /// All that is to be known of the member of this connection.
    pub(crate) fn profile(&self, connection: u64) -> Option<Profile> {
        let member = self.members.iter().find(|member| member.connection() == connection)?;
        let others = self.members.iter().filter(|other| other.info.id != member.info.id);
        let knows = others.map(|other| {
            let pair = member.pairs.shared(&other.pairs).map(ToString::to_string);
            (Person::from(&other.info), pair)
        });
        Some(Profile { knows: knows.collect(), ..member.profile() })
    }

    /// Whether a member or somebody who knocks has this connection.
    pub(crate) fn has(&self, connection: u64) -> bool {
        self.members.iter().any(|member| member.outbox().is_some() && member.connection() == connection)
            || self.waiting.iter().any(|newcomer| newcomer.connection == connection)
    }

    /// Whether newcomers have to knock.
    pub(crate) fn is_locked(&self) -> bool {
        self.locked
    }

    /// The room goes on elsewhere, where nobody knows what is kept here for those who are away: the others are told that they
    /// are lost, and so is what was said to them. If they are there after all, they are introduced again.
    pub(crate) fn lose_absent(&mut self) {
        while let Some(at) = self.members.iter().position(Member::is_away) {
            self.dismiss(at, LeaveReason::Lost);
        }
    }

    /// The room goes on elsewhere. Gives those who are connected, and those who knock.
    pub(crate) fn take_apart(self) -> (Vec<(Profile, Outbox)>, Vec<Newcomer>) {
        let connected = self
            .members
            .iter()
            .filter_map(|member| Some((self.profile(member.connection())?, member.outbox()?.clone())));
        (connected.collect(), self.waiting)
    }
}

/// Introduces two to each other, and tells who of them is away.
fn bring_together(caller: &mut Member, callee: &mut Member) {
    let pair = self::pair(caller, callee);
    let tell = |one: &mut Member, other: &mut Member, role, pair| {
        one.tell(ServerMessage::Ready(Ready { role, peer: other.info.clone(), pair }), None);
        if other.is_away() {
            other.said_to_be_away();
            one.tell(ServerMessage::PeerAway(PeerMoved { peer: other.info.id.clone() }), None);
        }
    };
    tell(caller, callee, Role::Caller, pair.clone());
    tell(callee, caller, Role::Callee, pair);
}

/// The token of two who are introduced: one that they have, or a fresh one.
fn pair(one: &mut Member, other: &mut Member) -> Option<PairToken> {
    if one.info.protocol.is_none() || other.info.protocol.is_none() {
        return None;
    }
    let pair = one.pairs.shared(&other.pairs).cloned().or_else(ids::fresh_pair)?;
    one.pairs.remember(pair.clone());
    other.pairs.remember(pair.clone());
    Some(pair)
}
