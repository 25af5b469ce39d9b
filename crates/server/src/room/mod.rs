//! One room: a task that owns who is in it, so that everything in a room happens in one order.
//!
//! The task never waits for a client. What it has to say goes into the client's outbox; whoever's outbox overflows has
//! no connection any more. A member whose session can be taken up keeps its seat for a while without one, the others
//! hear that it is away, and what it misses is kept; any other is out of the room.

mod command;
mod door;
mod govern;
mod member;
mod pairs;
mod rebuild;
mod session_log;
#[cfg(test)]
mod tests;

use std::pin::pin;

use duologue_protocol::{LeaveReason, PeerId, PeerLeft, PeerMoved, RoomId, ServerMessage};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::dismissal::Dismissal;
use crate::pace::Permit;
use crate::refusal;
use crate::registry::Rooms;
use crate::relayed::Relayed;

pub(crate) use command::{Admission, Answer, Command, Governing, Newcomer, Parting, Place, Resumption};
use member::{Fate, Member};

/// Runs a room until nobody is in it and nobody waits to come in, or until the server stops.
pub(crate) async fn run(
    id: RoomId,
    mut commands: mpsc::Receiver<Box<Command>>,
    rooms: Rooms,
    stopping: CancellationToken,
) {
    let mut room = Room::new(id.clone(), rooms.clone());
    // Once for all commands: to begin to listen for it costs as much as a command does.
    let mut stopping = pin!(stopping.cancelled());
    loop {
        let command = tokio::select! {
            biased;
            () = &mut stopping => return,
            // Before the clock: whoever comes back at the last moment is back.
            command = commands.recv() => match command {
                Some(command) => Some(command),
                None => return,
            },
            () = reached(room.first_end_of_a_grace()) => None,
        };
        let now = Instant::now();
        if let Some(command) = command {
            room.handle(*command, now);
        }
        room.expire(now);
        if room.is_empty() && rooms.close_if_idle(&id, &commands) {
            return;
        }
    }
}

/// Waits until then; for ever, if there is nothing to wait for.
pub(crate) async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// A room.
pub(crate) struct Room {
    id: RoomId,
    /// In the order in which they came.
    members: Vec<Member>,
    /// Who has to be let in, in the order in which they knocked.
    waiting: Vec<Newcomer>,
    /// Whether everyone has to be let in.
    locked: bool,
    rooms: Rooms,
}

impl Room {
    /// A room with nobody in it.
    pub(crate) fn new(id: RoomId, rooms: Rooms) -> Self {
        // Most rooms are for two.
        Self { id, members: Vec::with_capacity(2), waiting: Vec::new(), locked: false, rooms }
    }

    /// Whether nobody is in it, and nobody waits to come in.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.waiting.is_empty()
    }

    /// Does what it is asked.
    pub(crate) fn handle(&mut self, command: Command, now: Instant) {
        match command {
            Command::Join(newcomer) => self.join(newcomer, now),
            Command::Resume(resumption) => self.resume(resumption),
            Command::Relay { from, to, what, permit } => self.relay(&from, to.as_ref(), what, permit),
            Command::Govern { from, what, permit } => self.govern(&from, what, permit, now),
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
            // What nodes say to each other is taken apart before it comes here.
            Command::Node(_) => {}
            Command::Remove { id, done } => {
                // Whoever asked may not wait for the answer.
                let _ = done.send(self.remove(&id));
            }
        }
        self.settle(now);
    }

    fn resume(&mut self, resumption: Resumption) {
        let id = resumption.id.clone();
        let at = self
            .position(&id)
            .filter(|at| self.members.get(*at).is_some_and(|member| member.has_session(&resumption.session)));
        let Some((at, member)) = at.and_then(|at| Some((at, self.members.get_mut(at)?))) else {
            // The session ended while this was on its way.
            return resumption.refuse();
        };
        if member.can_resume_from(resumption.seq) {
            self.rooms.metrics().resumed();
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
            // Of another node it may be late, and its client thinks that it has been taken in.
            if permit.as_ref().is_some_and(|permit| permit.said().is_some())
                && let Some(at) = self.position(&from.id)
                && let Some(member) = self.members.get_mut(at)
            {
                member.answer(&refusal::not_delivered(), permit);
            }
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
            Ok((_, recipient)) => {
                if recipient.has_had(permit.as_ref().and_then(Permit::said)) {
                    // It was said again because another node did not know whether it had been taken in.
                    return;
                }
                self.rooms.metrics().relayed(what.kind);
                recipient.pass_on(what, permit);
            }
            Err(refused) => {
                if let Some(sender) = self.members.get_mut(sender) {
                    sender.answer(&refused, permit);
                }
            }
        }
    }

    fn end(&mut self, of: &Place, parting: Parting) {
        let Some(member) = self.member(of) else { return self.no_longer_waits(of) };
        match parting {
            Parting::Broken => member.disconnected(),
            Parting::Left => {
                if let Some(at) = self.position(&of.id) {
                    self.dismiss(at, LeaveReason::Left);
                }
            }
        }
    }

    /// Whoever was away for too long is lost.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.members.iter_mut().for_each(|member| member.expire(now));
        self.settle(now);
        self.open_if_empty(now);
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

    pub(crate) fn first_end_of_a_grace(&self) -> Option<Instant> {
        self.members.iter().filter_map(Member::until).min()
    }

    fn position(&self, id: &PeerId) -> Option<usize> {
        self.members.iter().position(|member| member.info.id == *id)
    }

    fn member(&mut self, place: &Place) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.is(&place.id, place.connection))
    }
}
