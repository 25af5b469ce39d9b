//! A connection of this node, in a room that another node owns: how far it has come, what it has said that is not confirmed,
//! and all that another owner would have to know of it.

use std::collections::VecDeque;
use std::time::Duration;

use duologue_protocol::{LeaveReason, ServerMessage, limits};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::wire::{Item, Person, Profile, Said, ice_servers};
use crate::outbox::Outbox;
use crate::pace::Permit;
use crate::refusal;
use crate::room::{Admission, Answer, Command, Newcomer, Parting, Place, Resumption};

/// A connection of this node.
pub(super) struct Local {
    pub(super) place: Place,
    /// What it is told goes in here.
    pub(super) outbox: Outbox,
    /// What the owner knows of it, and the next would have to.
    pub(super) profile: Profile,
    /// How many messages it has said.
    pub(super) n: u64,
    /// Those that are not confirmed.
    pub(super) pending: VecDeque<Waits>,
    pub(super) standing: Standing,
    /// When it was last passed on what has arrived at the client.
    pub(super) acknowledged: Option<Instant>,
}

/// A message that is not confirmed.
pub(super) struct Waits {
    /// Its number.
    pub(super) n: u64,
    /// As it is passed on.
    pub(super) text: String,
    /// Its client's.
    pub(super) permit: Option<Permit>,
}

/// How many connections are remembered of which a message has come: as many as a room remembers.
const HEARD: usize = 64;

/// The time between two times that it is passed on what has arrived at a client.
const BETWEEN: Duration = Duration::from_secs(1);

/// How far it has come.
pub(super) enum Standing {
    /// It is in the room.
    Inside,
    /// Asked to come in.
    Joins { ice: String, answer: Answer, permit: Option<Permit>, since: Instant },
    /// Asked to take up a session.
    Resumes { ice: String, answer: oneshot::Sender<Admission>, permit: Option<Permit>, since: Instant },
}

impl Local {
    /// Whether it is in.
    pub(super) fn is_inside(&self) -> bool {
        matches!(self.standing, Standing::Inside)
    }

    /// The same question, for a room on this node.
    pub(super) fn ask_again(self) -> Option<Command> {
        let Self { place, outbox, profile, standing, .. } = self;
        match standing {
            Standing::Inside => None,
            Standing::Joins { ice, answer, permit, .. } => {
                let (Some(info), Some(session)) = (profile.is.info(), profile.session()) else { return None };
                Some(Command::Join(Newcomer {
                    info,
                    rights: profile.rights(),
                    key: profile.key(),
                    pairs: profile.pairs(),
                    session,
                    ice: ice_servers(&ice),
                    outbox,
                    connection: place.connection,
                    permit,
                    admitted: answer,
                }))
            }
            Standing::Resumes { ice, answer, permit, .. } => Some(Command::Resume(Resumption {
                id: place.id,
                session: profile.session()?,
                seq: profile.seq,
                ice: ice_servers(&ice),
                outbox,
                connection: place.connection,
                permit,
                admitted: answer,
            })),
        }
    }

    /// What the owner is asked for it; nothing if it is in.
    pub(super) fn asks(&self) -> Option<Item> {
        let profile = Box::new(self.profile.clone());
        match &self.standing {
            Standing::Inside => None,
            Standing::Joins { ice, .. } => Some(Item::Join { who: profile, ice: ice.clone() }),
            Standing::Resumes { ice, .. } => Some(Item::Resume {
                id: self.place.id.to_string(),
                session: self.profile.session.clone(),
                connection: self.place.connection,
                seq: self.profile.seq,
                ice: ice.clone(),
            }),
        }
    }

    /// Since when it waits for the owner.
    pub(super) fn since(&self) -> Option<Instant> {
        match self.standing {
            Standing::Inside => None,
            // Whoever knocks waits for a person.
            Standing::Joins { answer: Answer::Knock(_), .. } => None,
            Standing::Joins { since, .. } | Standing::Resumes { since, .. } => Some(since),
        }
    }

    /// It has asked to come in, and is told to wait and try again.
    pub(super) fn refuse(self) {
        let why = refusal::wait();
        match self.standing {
            Standing::Inside => {}
            Standing::Joins { answer, permit, .. } => {
                let _ = self.outbox.say(&why, permit);
                answer.send(false);
            }
            Standing::Resumes { answer, permit, .. } => {
                let _ = self.outbox.say(&why, permit);
                let _ = answer.send(Admission::Outside);
            }
        }
    }

    /// It was told this: what another owner would have to know of that is remembered. `locked` is whether the room is.
    pub(super) fn told(&mut self, message: &ServerMessage, locked: &mut bool) {
        let knows = &mut self.profile.knows;
        match message {
            ServerMessage::Ready(ready) => {
                let person = Person::from(&ready.peer);
                knows.retain(|(known, _)| known.id != person.id);
                let pair = ready.pair.as_ref().map(ToString::to_string);
                if let Some(pair) = &pair {
                    self.profile.pairs.retain(|known| known != pair);
                    self.profile.pairs.push(pair.clone());
                    if self.profile.pairs.len() > limits::PAIRS {
                        self.profile.pairs.remove(0);
                    }
                }
                knows.push((person, pair));
            }
            ServerMessage::PeerLeft(left) => {
                let is_them = |(known, _): &(Person, Option<String>)| known.id == left.peer.as_str();
                let pair = knows.iter().position(is_them).and_then(|at| knows.remove(at).1);
                if left.reason == LeaveReason::Removed {
                    // By it they would come in again as somebody who was here.
                    self.profile.pairs.retain(|known| Some(known) != pair.as_ref());
                }
            }
            ServerMessage::Locked(it) => *locked = it.locked,
            ServerMessage::Welcome(welcome) => *locked = welcome.locked,
            _ => {}
        }
    }

    /// Whether to pass on what has arrived at the client. Now and then is enough, for the next time says as much; more often would
    /// pile up where the owner does not hear it.
    pub(super) fn may_acknowledge(&mut self, now: Instant) -> bool {
        let may = self.acknowledged.is_none_or(|last| now.duration_since(last) >= BETWEEN);
        if may {
            self.acknowledged = Some(now);
        }
        may
    }

    /// It has this message.
    pub(super) fn heard(&mut self, by: Said) {
        let heard = &mut self.profile.heard;
        heard.retain(|it| it.connection != by.connection);
        heard.push(by);
        if heard.len() > HEARD {
            heard.remove(0);
        }
    }

    /// It has ended, as the owner is told.
    pub(super) fn end(&self, parting: Parting) -> Item {
        let (id, connection) = (self.place.id.to_string(), self.place.connection);
        Item::End { id, connection, left: parting == Parting::Left }
    }

    /// It says this, as the owner is told; `n` is its number, or 0.
    pub(super) fn say(&self, n: u64, text: String) -> Item {
        Item::Say { id: self.place.id.to_string(), connection: self.place.connection, n, text }
    }
}
