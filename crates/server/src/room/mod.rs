//! One room: a task that owns who is in it, so that everything in a room happens in one order.
//!
//! The task never waits for a client. What it has to say goes into the client's outbox; whoever's outbox overflows has
//! no connection any more. A member whose session can be taken up keeps its seat for a while without one, the others
//! hear that it is away, and what it misses is kept; any other is out of the room.

mod command;
mod member;
mod pairs;
mod session_log;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use duologue_protocol::{
    LeaveReason, Limits, PairToken, PeerId, PeerInfo, PeerLeft, PeerMoved, Ready, Role, RoomId,
    ServerMessage, Welcome,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::ids;
use crate::outbox::Dismissal;
use crate::pace::Permit;
use crate::refusal;
use crate::registry::Rooms;

pub(crate) use command::{Command, Newcomer, Parting, Place, Relayed, Resumption};
use member::{Fate, Member};
use pairs::{Holders, Pairs};

/// Runs a room until nobody is in it and nobody waits to come in, or until the server stops.
pub(crate) async fn run(
    id: RoomId,
    mut commands: mpsc::Receiver<Command>,
    rooms: Rooms,
    stopping: CancellationToken,
) {
    let mut room = Room { id: id.clone(), members: Vec::new(), rooms: rooms.clone() };
    loop {
        let command = tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            // Before the clock: whoever comes back at the last moment is back.
            command = commands.recv() => match command {
                Some(command) => Some(command),
                None => return,
            },
            () = reached(room.first_end_of_a_grace()) => None,
        };
        let now = Instant::now();
        if let Some(command) = command {
            room.handle(command, now);
        }
        room.expire(now);
        if room.members.is_empty() && rooms.close_if_idle(&id, &commands) {
            return;
        }
    }
}

async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

struct Room {
    id: RoomId,
    /// In the order in which they came.
    members: Vec<Member>,
    rooms: Rooms,
}

impl Room {
    fn handle(&mut self, command: Command, now: Instant) {
        match command {
            Command::Join(newcomer) => self.join(*newcomer, now),
            Command::Resume(resumption) => self.resume(*resumption),
            Command::Relay { from, to, what, permit } => self.relay(&from, to.as_ref(), what, permit),
            Command::Acknowledge { from, seq } => {
                if let Some(member) = self.member(&from) {
                    member.acknowledge(seq);
                }
            }
            Command::End { of, parting, heard } => {
                self.end(&of, parting);
                if let Some(heard) = heard {
                    let _ = heard.send(());
                }
            }
            Command::Remove { id, done } => self.remove(&id, done),
        }
        self.settle(now);
    }

    fn join(&mut self, newcomer: Newcomer, now: Instant) {
        let Newcomer { info, key, pairs, session, ice, outbox, connection, permit, admitted } = newcomer;
        // A plain page knows nothing of sessions and pairs.
        let knows = info.protocol.is_some();
        let named = if knows { pairs } else { Vec::new() };
        let key = key.filter(|_| knows);
        if let Some(at) = self.members.iter().position(|it| key.as_ref().is_some_and(|key| it.has_key(key))) {
            if let Some(earlier) = self.members.get(at) {
                earlier.dismiss(Dismissal::Replaced);
            }
            self.dismiss(at, LeaveReason::Replaced);
            self.settle(now);
        }
        let settings = self.rooms.settings();
        if self.members.len() >= settings.size {
            let away = self.members.iter().any(Member::is_away);
            let _ = outbox.say(&refusal::room_full(settings.size, away.then_some(settings.grace)), permit);
            let _ = admitted.send(false);
            return;
        }
        let id = info.id.clone();
        // Before the client knows the token.
        let enrolment = knows.then(|| self.rooms.enrol(session.clone(), &self.id, &id));
        let welcome = Welcome { id, session, ice, limits: Limits::default() };
        if outbox.say(&ServerMessage::Welcome(welcome), permit).is_err() {
            let _ = admitted.send(false);
            return;
        }
        // Whoever cannot even take this in is away or out before the newcomer hears of them.
        let mut agreed = self.introduce(&info, &named);
        self.settle(now);
        let mut newcomer =
            Member::new(info, key, Pairs::named(named), (outbox, connection), enrolment, settings.queue);
        for member in &self.members {
            let pair = agreed.remove(&member.info.id);
            if let Some(pair) = &pair {
                newcomer.pairs.remember(pair.clone());
            }
            let ready = Ready { role: Role::Callee, peer: member.info.clone(), pair };
            newcomer.tell(ServerMessage::Ready(ready), None);
            if member.is_away() {
                newcomer.tell(ServerMessage::PeerAway(PeerMoved { peer: member.info.id.clone() }), None);
            }
        }
        self.members.push(newcomer);
        let _ = admitted.send(true);
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

    fn resume(&mut self, resumption: Resumption) {
        let id = resumption.id.clone();
        let at = self.position(&id);
        let Some((at, member)) = at.and_then(|at| Some((at, self.members.get_mut(at)?))) else {
            // The session ended while this was on its way.
            return resumption.refuse();
        };
        if member.can_resume_from(resumption.seq) {
            if member.resume(resumption) {
                self.tell_others(&id, &ServerMessage::PeerBack(PeerMoved { peer: id.clone() }));
            }
        } else {
            member.dismiss(Dismissal::Replaced);
            self.dismiss(at, LeaveReason::Lost);
            resumption.refuse();
        }
    }

    fn relay(&mut self, from: &Place, to: Option<&PeerId>, what: Relayed, permit: Option<Permit>) {
        // A member that was dismissed or has a newer connection may still have something in the queue.
        let Some(sender) = self.members.iter().position(|member| member.is(&from.id, from.connection)) else {
            return;
        };
        let mut others = self.members.iter_mut().enumerate().filter(|(at, _)| *at != sender);
        let recipient = match to {
            Some(to) => {
                others.find(|(_, member)| member.info.id == *to).ok_or_else(|| refusal::no_recipient(to))
            }
            None => match (others.next(), others.next()) {
                (Some(only), None) => Ok(only),
                (None, _) => Err(refusal::alone()),
                (Some(_), Some(_)) => Err(refusal::ambiguous_recipient()),
            },
        };
        match recipient {
            Ok((_, recipient)) => recipient.tell(what.from(from.id.clone()), permit),
            Err(refused) => {
                if let Some(sender) = self.members.get_mut(sender) {
                    sender.answer(&refused, permit);
                }
            }
        }
    }

    fn end(&mut self, of: &Place, parting: Parting) {
        let Some(member) = self.member(of) else { return };
        match parting {
            Parting::Broken => member.disconnected(),
            Parting::Left => {
                if let Some(at) = self.position(&of.id) {
                    self.dismiss(at, LeaveReason::Left);
                }
            }
        }
    }

    fn remove(&mut self, id: &PeerId, done: oneshot::Sender<bool>) {
        let at = self.position(id);
        if let Some((at, member)) = at.and_then(|at| Some((at, self.members.get(at)?))) {
            member.dismiss(Dismissal::Removed);
            self.dismiss(at, LeaveReason::Removed);
        }
        // Whoever asked may not wait for the answer.
        let _ = done.send(at.is_some());
    }

    /// Whoever was away for too long is lost.
    fn expire(&mut self, now: Instant) {
        self.members.iter_mut().for_each(|member| member.expire(now));
        self.settle(now);
    }

    /// Acts on what members have come to, and on what others come to when they are told of it, until all is said.
    fn settle(&mut self, now: Instant) {
        while let Some(at) = self.members.iter().position(Member::has_fate) {
            let Some(member) = self.members.get_mut(at) else { return };
            match member.take_fate() {
                Some(Fate::Disconnected) => {
                    member.go_away(now + self.rooms.settings().grace);
                    let id = member.info.id.clone();
                    self.tell_others(&id, &ServerMessage::PeerAway(PeerMoved { peer: id.clone() }));
                }
                Some(Fate::Lost) => self.dismiss(at, LeaveReason::Lost),
                None => {}
            }
        }
    }

    /// Takes the member at this place out, and tells the others.
    fn dismiss(&mut self, at: usize, reason: LeaveReason) {
        let peer = self.members.remove(at).info.id;
        self.tell_others(&peer, &ServerMessage::PeerLeft(PeerLeft { peer: peer.clone(), reason }));
    }

    fn tell_others(&mut self, who: &PeerId, message: &ServerMessage) {
        for member in self.members.iter_mut().filter(|member| member.info.id != *who) {
            member.tell(message.clone(), None);
        }
    }

    fn first_end_of_a_grace(&self) -> Option<Instant> {
        self.members.iter().filter_map(Member::until).min()
    }

    fn position(&self, id: &PeerId) -> Option<usize> {
        self.members.iter().position(|member| member.info.id == *id)
    }

    fn member(&mut self, place: &Place) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.is(&place.id, place.connection))
    }
}
