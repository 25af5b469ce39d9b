//! What clients say and are told, on its way between their node and the owner of their room.

use duologue_protocol::{
    About, Answer, AnswerFrom, ClientMessage, Lock, Numbered, Offer, OfferFrom, PeerId, Ping, ServerMessage,
    Trickle, TrickleFrom, to_json,
};

use crate::pace::Permit;
use crate::relayed::{Kind, Relayed};
use crate::room::{Command, Governing, Place};

/// What a client says, as its room is asked to do it. Only what a guest passes on.
pub(super) fn command(text: &str, from: Place, permit: Option<Permit>) -> Option<Command> {
    let me = from.id.clone();
    let relay = |to, kind, message: &ServerMessage, permit| {
        Some(Command::Relay { from: from.clone(), to, what: Relayed::of(kind, message), permit })
    };
    let govern = |what, permit| Some(Command::Govern { from: from.clone(), what, permit });
    match ClientMessage::from_json(text).ok()? {
        ClientMessage::Offer(Offer { offer, to, negotiation }) => {
            let message = ServerMessage::Offer(OfferFrom { offer, from: me, negotiation });
            relay(to, Kind::Offer, &message, permit)
        }
        ClientMessage::Answer(Answer { answer, to, negotiation }) => {
            let message = ServerMessage::Answer(AnswerFrom { answer, from: me, negotiation });
            relay(to, Kind::Answer, &message, permit)
        }
        ClientMessage::Candidate(Trickle { candidate, to }) => {
            let message = ServerMessage::Candidate(TrickleFrom { candidate, from: me });
            relay(to, Kind::Candidate, &message, permit)
        }
        ClientMessage::Lock(lock) => govern(Governing::Lock(lock.locked), permit),
        ClientMessage::Admit(m) => govern(Governing::Admit(m.peer), permit),
        ClientMessage::Deny(m) => govern(Governing::Deny(m.peer), permit),
        ClientMessage::Remove(m) => govern(Governing::Remove(m.peer), permit),
        ClientMessage::Ping(ping) => Some(Command::Acknowledge { from, seq: ping.seq? }),
        _ => None,
    }
}

/// What a guest passes on.
pub(super) fn spoken(command: &Command) -> Option<String> {
    let message = match command {
        Command::Relay { to, what, .. } => return relayed(what.message()?, to.clone()),
        Command::Govern { what, .. } => match what {
            Governing::Lock(locked) => ClientMessage::Lock(Lock { locked: *locked }),
            Governing::Admit(peer) => ClientMessage::Admit(About { peer: peer.clone() }),
            Governing::Deny(peer) => ClientMessage::Deny(About { peer: peer.clone() }),
            Governing::Remove(peer) => ClientMessage::Remove(About { peer: peer.clone() }),
        },
        Command::Acknowledge { seq, .. } => ClientMessage::Ping(Ping { seq: Some(*seq) }),
        _ => return None,
    };
    Some(to_json(&message))
}

/// What a client was told, as the text that somebody said to it.
pub(super) fn said_by_client(text: &str, to: &str) -> Option<String> {
    let to = PeerId::new(to.to_owned()).ok()?;
    relayed(Numbered::from_json(text).ok()?.message, Some(to))
}

/// What a client is told, as it was said to it; nothing if it was not relayed.
fn relayed(message: ServerMessage, to: Option<PeerId>) -> Option<String> {
    Some(to_json(&match message {
        ServerMessage::Offer(m) => {
            ClientMessage::Offer(Offer { offer: m.offer, to, negotiation: m.negotiation })
        }
        ServerMessage::Answer(m) => {
            ClientMessage::Answer(Answer { answer: m.answer, to, negotiation: m.negotiation })
        }
        ServerMessage::Candidate(m) => ClientMessage::Candidate(Trickle { candidate: m.candidate, to }),
        _ => return None,
    }))
}
