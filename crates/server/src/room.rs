//! One room: a task that owns who is in it, so that everything in a room happens in one order.
//!
//! The task never waits for a client. What it has to say goes into the client's outbox; whoever's outbox overflows is
//! out of the room, and the others are told.

use duologue_protocol::{
    AnswerFrom, Candidate, Description, IceServers, LeaveReason, Limits, OfferFrom, PeerId, PeerInfo,
    PeerLeft, Ready, Role, RoomId, ServerMessage, SessionToken, TrickleFrom, Welcome,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::outbox::Outbox;
use crate::pace::Permit;
use crate::refusal;
use crate::registry::Rooms;

/// What a room is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Someone wants to come in.
    Join(Box<Newcomer>),
    /// A member has something for another.
    Relay {
        /// Who says it.
        from: PeerId,
        /// Who it is for; `None` if there is only one it can be for.
        to: Option<PeerId>,
        /// What it is.
        what: Relayed,
        /// The sender's.
        permit: Option<Permit>,
    },
    /// A member is gone.
    Leave {
        /// Who.
        id: PeerId,
        /// Why.
        reason: LeaveReason,
    },
}

/// Someone who wants to come in.
#[derive(Debug)]
pub(crate) struct Newcomer {
    /// What the others will know of them.
    pub(crate) info: PeerInfo,
    /// What `welcome` says besides.
    pub(crate) session: SessionToken,
    /// See [`Newcomer::session`].
    pub(crate) ice: IceServers,
    /// Where to write to them.
    pub(crate) outbox: Outbox,
    /// Theirs, for the message that brought them here.
    pub(crate) permit: Option<Permit>,
    /// Told whether they are in, after `welcome` or the refusal went into the outbox.
    pub(crate) admitted: oneshot::Sender<bool>,
}

/// What members say to each other.
#[derive(Debug)]
pub(crate) enum Relayed {
    /// An offer, and the id of the negotiation it opens.
    Offer(Description, Option<u32>),
    /// An answer, and the id of the offer it answers.
    Answer(Description, Option<u32>),
    /// A candidate.
    Candidate(Candidate),
}

impl Relayed {
    fn from(self, from: PeerId) -> ServerMessage {
        match self {
            Self::Offer(offer, negotiation) => ServerMessage::Offer(OfferFrom { offer, from, negotiation }),
            Self::Answer(answer, negotiation) => {
                ServerMessage::Answer(AnswerFrom { answer, from, negotiation })
            }
            Self::Candidate(candidate) => ServerMessage::Candidate(TrickleFrom { candidate, from }),
        }
    }
}

/// Runs a room until nobody is in it and nobody waits to come in, or until the server stops.
pub(crate) async fn run(
    id: RoomId,
    mut commands: mpsc::Receiver<Command>,
    rooms: Rooms,
    stopping: CancellationToken,
) {
    let mut room = Room { members: Vec::new(), size: rooms.size() };
    loop {
        let command = tokio::select! {
            biased;
            () = stopping.cancelled() => None,
            command = commands.recv() => command,
        };
        let Some(command) = command else { return };
        room.handle(command);
        if room.members.is_empty() && rooms.close_if_idle(&id, &commands) {
            return;
        }
    }
}

struct Room {
    /// In the order in which they came.
    members: Vec<Member>,
    size: usize,
}

struct Member {
    info: PeerInfo,
    outbox: Outbox,
}

impl Room {
    fn handle(&mut self, command: Command) {
        match command {
            Command::Join(newcomer) => self.join(*newcomer),
            Command::Relay { from, to, what, permit } => self.relay(&from, to.as_ref(), what, permit),
            Command::Leave { id, reason } => self.dismiss(vec![(id, reason)]),
        }
    }

    fn join(&mut self, newcomer: Newcomer) {
        let Newcomer { info, session, ice, outbox, permit, admitted } = newcomer;
        if self.members.len() >= self.size {
            let _ = outbox.push(&refusal::room_full(self.size), permit);
            let _ = admitted.send(false);
            return;
        }
        let welcome = Welcome { id: info.id.clone(), session, ice, limits: Limits::default() };
        if outbox.push(&ServerMessage::Welcome(welcome), permit).is_err() {
            let _ = admitted.send(false);
            return;
        }
        // Whoever cannot even take this in is out before the newcomer hears of them.
        let ready = ServerMessage::Ready(Ready { role: Role::Caller, peer: info.clone(), pair: None });
        let mut gone = Vec::new();
        for member in &self.members {
            if member.outbox.push(&ready, None).is_err() {
                gone.push((member.info.id.clone(), LeaveReason::Lost));
            }
        }
        self.dismiss(gone);
        let mut overflowed = false;
        for member in &self.members {
            let ready =
                ServerMessage::Ready(Ready { role: Role::Callee, peer: member.info.clone(), pair: None });
            overflowed |= outbox.push(&ready, None).is_err();
        }
        let id = info.id.clone();
        self.members.push(Member { info, outbox });
        let _ = admitted.send(!overflowed);
        if overflowed {
            self.dismiss(vec![(id, LeaveReason::Lost)]);
        }
    }

    fn relay(&mut self, from: &PeerId, to: Option<&PeerId>, what: Relayed, permit: Option<Permit>) {
        // A member that was dismissed may still have something in the queue.
        let Some(sender) = self.members.iter().find(|member| member.info.id == *from) else { return };
        let mut others = self.members.iter().filter(|member| member.info.id != *from);
        let recipient = match to {
            Some(to) => others.find(|member| member.info.id == *to).ok_or_else(|| refusal::no_recipient(to)),
            None => match (others.next(), others.next()) {
                (Some(only), None) => Ok(only),
                (None, _) => Err(refusal::alone()),
                (Some(_), Some(_)) => Err(refusal::ambiguous_recipient()),
            },
        };
        let (whose, message) = match recipient {
            Ok(recipient) => (recipient, what.from(from.clone())),
            Err(refused) => (sender, refused),
        };
        if whose.outbox.push(&message, permit).is_err() {
            let id = whose.info.id.clone();
            self.dismiss(vec![(id, LeaveReason::Lost)]);
        }
    }

    /// Takes members out and tells the others; and those, too, who overflow on being told.
    fn dismiss(&mut self, mut gone: Vec<(PeerId, LeaveReason)>) {
        while let Some((peer, reason)) = gone.pop() {
            let Some(at) = self.members.iter().position(|member| member.info.id == peer) else { continue };
            self.members.remove(at);
            let left = ServerMessage::PeerLeft(PeerLeft { peer, reason });
            for member in &self.members {
                if member.outbox.push(&left, None).is_err() {
                    gone.push((member.info.id.clone(), LeaveReason::Lost));
                }
            }
        }
    }
}
