//! The connection to the signaling server: opening it, finding out by silence that it is dead, trying again.

use duologue_protocol::{ClientMessage, Ping};

use super::entry::Place;
use super::{Event, Output, Session};
use crate::time::Instant;

/// Where the connection to the server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// Over for good.
    Ended,
    /// The transport is opening; given up at `until`.
    Opening { since: Instant, until: Instant },
    /// The transport is open.
    Open {
        since: Instant,
        /// When the server last said something; `None` before its first word.
        heard: Option<Instant>,
        /// By when it must answer, if it was asked whether it is there.
        due: Option<Instant>,
        /// Whether somebody wants to know that it is.
        doubted: bool,
        place: Place,
    },
    /// Between two tries.
    Pausing { until: Instant },
}

impl Session {
    pub(super) fn open(&mut self, now: Instant) {
        self.link = Link::Opening { since: now, until: now + self.timing.connect };
        self.outputs.push_back(Output::Open);
    }

    pub(super) fn opened(&mut self, now: Instant) {
        if !matches!(self.link, Link::Opening { .. }) {
            return;
        }
        // A socket that opens is not yet a server: a proxy accepts it too and drops it a moment later. The answer to
        // this ping is the proof; a join need not wait for it.
        let due = Some(now + self.timing.connect);
        self.link = Link::Open { since: now, heard: None, due, doubted: false, place: Place::Outside };
        self.void_answers = 0;
        self.transmit(ClientMessage::Ping(Ping::default()));
        self.enter();
    }

    pub(super) fn closed(&mut self, now: Instant, random: u32) {
        match self.link {
            Link::Opening { .. } => {}
            Link::Open { since, heard, .. } => {
                // A server that lets everybody in and drops them at once is as good as none.
                if heard.is_some() && now.since(since) >= self.timing.settled {
                    self.attempt = 0;
                }
            }
            Link::Ended | Link::Pausing { .. } => return,
        }
        self.attempt = self.attempt.saturating_add(1);
        let in_call = !self.known.is_empty();
        let retry_in = match self.retry_after.take() {
            Some(seconds) => self.timing.pause_as_told(seconds, random),
            None => self.timing.pause(self.attempt, random, in_call),
        };
        self.link = Link::Pausing { until: now + retry_in };
        self.event(Event::Unreached { before: self.reached_before, retry_in });
        self.tell_ways();
    }

    /// Something suggests that the network has changed.
    pub(super) fn hurry(&mut self, now: Instant) {
        match &mut self.link {
            Link::Ended => {}
            Link::Pausing { .. } => self.open(now),
            // What was sent into a dead network is repeated after pauses that double; a new try is sent now.
            Link::Opening { since, .. } => {
                if now.since(*since) >= self.timing.probe {
                    self.outputs.push_back(Output::Close);
                    self.open(now);
                }
            }
            Link::Open { due, doubted, .. } => {
                *doubted = true;
                let asked = due.is_some();
                let soon = now + self.timing.probe;
                *due = Some(due.map_or(soon, |due| due.min(soon)));
                if !asked {
                    self.ping();
                }
            }
        }
    }

    pub(super) fn timeout(&mut self, now: Instant, random: u32) {
        self.give_up_awaited(now);
        let has_come = |moment: Option<Instant>| moment.is_some_and(|moment| now >= moment);
        if has_come(self.next_question()) {
            match &mut self.link {
                Link::Open { place: place @ Place::Refused { .. }, .. } => {
                    *place = Place::Outside;
                    self.enter();
                }
                _ => self.ask_for_ice_servers(now),
            }
        }
        match &mut self.link {
            Link::Pausing { until } if now >= *until => self.open(now),
            Link::Open { heard: Some(heard), due: due @ None, .. } if now >= *heard + self.timing.quiet => {
                // A clock that jumped says that the computer slept; what was connected then hardly is now.
                let slept = now.since(*heard) >= self.timing.quiet + self.timing.answer;
                let patience = if slept { self.timing.probe } else { self.timing.answer };
                *due = Some(now + patience);
                self.ping();
            }
            // A half-dead socket says it is open for minutes; silence says otherwise.
            Link::Opening { until: due, .. } | Link::Open { due: Some(due), .. } if now >= *due => {
                self.outputs.push_back(Output::Close);
                self.closed(now, random);
            }
            _ => {}
        }
    }

    /// When something is to be asked of the server, apart from whether it is there.
    pub(super) fn next_question(&self) -> Option<Instant> {
        match self.link {
            Link::Open { place: Place::Inside, .. } => self.stay.as_ref()?.renew,
            Link::Open { place: Place::Refused { until }, .. } => Some(until),
            _ => None,
        }
    }

    pub(super) fn ping(&mut self) {
        let seq = self.stay.as_mut().map(|stay| {
            stay.acknowledged = stay.seq;
            stay.seq
        });
        self.transmit(ClientMessage::Ping(Ping { seq: seq.filter(|seq| *seq > 0) }));
    }

    fn ask_for_ice_servers(&mut self, now: Instant) {
        if let Some(stay) = &mut self.stay {
            // In case the answer never comes.
            stay.renew = Some(now + self.timing.quiet);
            self.transmit(ClientMessage::IceServers);
        }
    }

    pub(super) fn end(&mut self) {
        self.leave();
        if matches!(self.link, Link::Opening { .. } | Link::Open { .. }) {
            self.outputs.push_back(Output::Close);
        }
        self.link = Link::Ended;
    }
}
