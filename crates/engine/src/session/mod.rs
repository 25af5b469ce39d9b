//! One person's place in a room: the connection to the signaling server, who else is here, and coming back after a
//! drop. It does not carry the call: a session that is lost leaves the connections between peers as they are.
//!
//! There are two ways back. If the server still knows the session, `resume` takes it up: the same id, and everything
//! that was missed. If it does not, `join` names the pairs whose connections are still up, and the server tells when it
//! has both ends of one again. Either way the application sees peers that were away for a while, under the ids it knows.

mod entry;
mod interface;
mod link;
mod peers;
mod timing;

use std::collections::VecDeque;

use duologue_protocol::{ClientMessage, Description, Join, Numbered, PeerId, ServerMessage};

use crate::negotiation::Signal;
use crate::time::Instant;
use entry::{Place, Stay};
use link::Link;
use peers::{Known, Presence};

pub use interface::{Event, Governing, Input, Output, Way};
pub use timing::Timing;

/// After so many numbered messages the server is told that they have arrived, and need not keep them any longer.
const ACKNOWLEDGE_AFTER: u64 = 16;

/// Keeps one person's place in a room. See the crate's documentation for how to drive it.
#[derive(Debug)]
pub struct Session {
    timing: Timing,
    link: Link,
    /// The room the user wants to be in.
    wanted: Option<Join>,
    stay: Option<Stay>,
    /// The peers the application knows of. They outlive a lost connection: their calls go on.
    known: Vec<Known>,
    reached_before: bool,
    /// Failed connections in a row.
    attempt: u32,
    /// How long the server asked us to stay away, in seconds, should it close the connection.
    retry_after: Option<u32>,
    /// Refusals to let us back in, in a row.
    refusals: u32,
    /// Questions to be let in that were taken back before the server answered them: that many answers are void.
    void_answers: u32,
    outputs: VecDeque<Output>,
}

impl Session {
    /// Begins to connect.
    #[must_use]
    pub fn new(now: Instant, timing: Timing) -> Self {
        let mut session = Self {
            link: Link::Ended,
            timing,
            wanted: None,
            stay: None,
            known: Vec::new(),
            reached_before: false,
            attempt: 0,
            retry_after: None,
            refusals: 0,
            void_answers: 0,
            outputs: VecDeque::new(),
        };
        session.open(now);
        session
    }

    /// Takes in what happened. Afterwards, [`poll`](Self::poll) until it gives `None`.
    pub fn handle(&mut self, now: Instant, input: Input) {
        if self.link == Link::Ended {
            return;
        }
        match input {
            Input::Opened => self.opened(now),
            Input::Closed { random } => self.closed(now, random),
            Input::Received(message) => self.received(now, message),
            Input::Join(join) => {
                self.wanted = Some(join);
                self.enter();
            }
            Input::Leave => self.leave(),
            Input::End => self.end(),
            Input::Send(to, signal) => self.send(&to, signal),
            Input::Forget(peer) => self.known.retain(|known| known.id != peer),
            Input::Govern(what) => self.govern(what),
            Input::Reachable => self.hurry(now),
            Input::Timeout { random } => self.timeout(now, random),
        }
    }

    /// The next thing to do, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`handle`](Self::handle) with [`Input::Timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let link = match self.link {
            Link::Ended => return None,
            Link::Opening { until, .. } | Link::Pausing { until } => Some(until),
            Link::Open { due: Some(due), .. } => Some(due),
            Link::Open { heard, due: None, .. } => heard.map(|heard| heard + self.timing.quiet),
        };
        [link, self.next_question(), self.next_loss()].into_iter().flatten().min()
    }

    /// Whether we are in the room.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        matches!(self.link, Link::Open { place: Place::Inside, .. })
    }

    /// The peers the application was told of.
    pub fn peers(&self) -> impl Iterator<Item = &PeerId> {
        self.known.iter().map(|known| &known.id)
    }

    fn received(&mut self, now: Instant, Numbered { message, seq }: Numbered) {
        let Link::Open { heard, due, doubted, .. } = &mut self.link else { return };
        *due = None;
        let confirmed = std::mem::take(doubted);
        if heard.replace(now).is_none() {
            self.reached_before = true;
            self.event(Event::Reached);
        }
        if confirmed {
            self.event(Event::Confirmed);
        }
        if seq.is_some_and(|seq| !self.count(seq)) {
            return;
        }
        match message {
            ServerMessage::Pong => {}
            ServerMessage::GoingAway(it) => self.retry_after = Some(it.retry_after),
            ServerMessage::Welcome(welcome) => self.welcomed(now, welcome),
            ServerMessage::Resumed(resumed) => self.resumed(now, resumed.ice),
            ServerMessage::Ready(ready) => self.peer_joined(ready),
            ServerMessage::PeerAway(it) => self.peer_moved(&it.peer, Presence::Away),
            ServerMessage::PeerBack(it) => self.peer_moved(&it.peer, Presence::Here),
            ServerMessage::PeerLeft(left) => self.peer_left(&left.peer, left.reason),
            ServerMessage::Offer(offer) => {
                self.signal(&offer.from, description(offer.offer, offer.negotiation));
            }
            ServerMessage::Answer(answer) => {
                self.signal(&answer.from, description(answer.answer, answer.negotiation));
            }
            ServerMessage::Candidate(trickle) => {
                self.signal(&trickle.from, Signal::Candidate(trickle.candidate));
            }
            ServerMessage::IceServers(ice) => {
                if self.is_joined() {
                    self.take_ice_servers(now, ice);
                }
            }
            ServerMessage::Waiting => self.waiting(),
            ServerMessage::Knock(knock) => self.inside_event(Event::Knock(knock.peer)),
            ServerMessage::KnockOver(it) => self.inside_event(Event::KnockOver(it.peer)),
            ServerMessage::Locked(it) => self.inside_event(Event::Locked(it.locked)),
            ServerMessage::Error(refusal) => self.refused(now, refusal),
        }
    }

    /// Takes note of a message's number; `false` if it has been here before.
    fn count(&mut self, seq: u64) -> bool {
        let Some(stay) = &mut self.stay else { return true };
        if seq <= stay.seq {
            return false;
        }
        stay.seq = seq;
        if seq - stay.acknowledged >= ACKNOWLEDGE_AFTER {
            self.ping();
        }
        true
    }

    /// What happens in a room concerns those who are in it.
    fn inside_event(&mut self, event: Event) {
        if self.is_joined() {
            self.event(event);
        }
    }

    fn transmit(&mut self, message: ClientMessage) {
        self.outputs.push_back(Output::Transmit(message));
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

fn description(description: Description, negotiation: Option<u32>) -> Signal {
    Signal::Description { description, negotiation }
}
