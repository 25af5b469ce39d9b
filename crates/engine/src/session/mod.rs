//! One person's place in a room: the connection to the signaling server, who else is here, and coming back after a
//! drop. It does not carry the call: a session that is lost leaves the connections between peers as they are.

mod timing;

use std::collections::VecDeque;
use std::time::Duration;

use duologue_protocol::{
    Answer, ClientMessage, ErrorCode, IceServer, Join, LeaveReason, Limits, Offer, PeerId, PeerInfo, Ready,
    Refusal, Role, SdpType, ServerMessage, Trickle, Welcome,
};

use crate::negotiation::Signal;
use crate::time::Instant;

pub use timing::Timing;

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The transport is open.
    Opened,
    /// The transport is closed, or could not be opened. `random` is a fresh random number, for the pause before the
    /// next try.
    Closed {
        /// Any number, each as likely as the other.
        random: u32,
    },
    /// The server sent this.
    Received(ServerMessage),
    /// The user wants to be in this room.
    Join(Join),
    /// The user wants to be in no room. The transport stays open.
    Leave,
    /// The user is done: close the transport and do nothing more.
    End,
    /// Tell this peer this.
    Send(PeerId, Signal),
    /// The network may be back: do not wait any longer before the next try.
    Reachable,
    /// The moment of [`Session::deadline`] has come.
    Timeout {
        /// Any number, each as likely as the other.
        random: u32,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open the transport; report [`Input::Opened`] or [`Input::Closed`].
    Open,
    /// Send this.
    Transmit(ClientMessage),
    /// Close the transport. Nothing it does from now on is to be reported.
    Close,
    /// Tell the application.
    Event(Event),
}

/// What the application should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The server has spoken: it is there.
    Reached,
    /// The server is not there, or no longer. A call that is up goes on; the next try comes by itself.
    Unreached {
        /// Whether it was there before.
        before: bool,
        /// How long until the next try.
        retry_in: Duration,
    },
    /// We are in the room.
    Joined {
        /// Our id.
        id: PeerId,
        /// STUN and TURN servers to use.
        ice_servers: Vec<IceServer>,
        /// What the server allows.
        limits: Limits,
    },
    /// We and this peer are to call each other.
    PeerJoined {
        /// The other.
        peer: PeerInfo,
        /// Our part.
        role: Role,
    },
    /// This peer is gone.
    PeerLeft {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: LeaveReason,
    },
    /// This peer says this.
    Signal {
        /// Who.
        from: PeerId,
        /// What.
        signal: Signal,
    },
    /// The server would not let us in.
    Rejected(Refusal),
    /// The server refused something else. Nothing changed.
    Refused(Refusal),
}

/// Where the connection to the server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Link {
    /// Over for good.
    Ended,
    /// The transport is opening; given up at `until`.
    Opening { until: Instant },
    /// The transport is open.
    Open {
        /// When the server last said something; `None` before its first word.
        heard: Option<Instant>,
        /// When it was asked whether it is there, if the answer is outstanding.
        asked: Option<Instant>,
        place: Place,
    },
    /// Between two tries.
    Pausing { until: Instant },
}

/// Where we stand with the server, on an open transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Joining,
    Inside,
}

/// Keeps one person's place in a room. See the crate's documentation for how to drive it.
#[derive(Debug)]
pub struct Session {
    timing: Timing,
    link: Link,
    /// The room the user wants to be in.
    wanted: Option<Join>,
    /// The peers the application knows of. They outlive a lost connection: their calls go on.
    peers: Vec<PeerId>,
    reached_before: bool,
    attempt: u32,
    /// Joins that were taken back before the server answered them: that many answers are void.
    void_joins: u32,
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
            peers: Vec::new(),
            reached_before: false,
            attempt: 0,
            void_joins: 0,
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
                self.try_join();
            }
            Input::Leave => self.leave(),
            Input::End => self.end(),
            Input::Send(to, signal) => self.send(to, signal),
            Input::Reachable => {
                if matches!(self.link, Link::Pausing { .. }) {
                    self.open(now);
                }
            }
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
        match self.link {
            Link::Ended => None,
            Link::Opening { until } | Link::Pausing { until } => Some(until),
            Link::Open { asked: Some(asked), heard, .. } => {
                Some(asked + if heard.is_some() { self.timing.answer } else { self.timing.connect })
            }
            Link::Open { heard, asked: None, .. } => heard.map(|heard| heard + self.timing.quiet),
        }
    }

    /// Whether we are in the room.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        matches!(self.link, Link::Open { place: Place::Inside, .. })
    }

    /// The peers the application was told of.
    #[must_use]
    pub fn peers(&self) -> &[PeerId] {
        &self.peers
    }

    fn open(&mut self, now: Instant) {
        self.link = Link::Opening { until: now + self.timing.connect };
        self.outputs.push_back(Output::Open);
    }

    fn opened(&mut self, now: Instant) {
        if !matches!(self.link, Link::Opening { .. }) {
            return;
        }
        // A socket that opens is not yet a server: a proxy accepts it too and drops it a moment later. The answer to
        // this ping is the proof; a join need not wait for it.
        self.link = Link::Open { heard: None, asked: Some(now), place: Place::Outside };
        self.void_joins = 0;
        self.outputs.push_back(Output::Transmit(ClientMessage::Ping));
        self.try_join();
    }

    fn try_join(&mut self) {
        if let Link::Open { place, .. } = &mut self.link
            && *place == Place::Outside
            && let Some(join) = &self.wanted
        {
            *place = Place::Joining;
            self.outputs.push_back(Output::Transmit(ClientMessage::Join(join.clone())));
        }
    }

    fn closed(&mut self, now: Instant, random: u32) {
        if !matches!(self.link, Link::Opening { .. } | Link::Open { .. }) {
            return;
        }
        self.attempt = self.attempt.saturating_add(1);
        let retry_in = self.timing.pause(self.attempt, random);
        self.link = Link::Pausing { until: now + retry_in };
        self.event(Event::Unreached { before: self.reached_before, retry_in });
    }

    fn timeout(&mut self, now: Instant, random: u32) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match &mut self.link {
            Link::Pausing { .. } => self.open(now),
            Link::Open { asked: asked @ None, .. } => {
                *asked = Some(now);
                self.outputs.push_back(Output::Transmit(ClientMessage::Ping));
            }
            // A half-dead socket says it is open for minutes; silence says otherwise.
            Link::Opening { .. } | Link::Open { .. } => {
                self.outputs.push_back(Output::Close);
                self.closed(now, random);
            }
            Link::Ended => {}
        }
    }

    fn received(&mut self, now: Instant, message: ServerMessage) {
        let Link::Open { heard, asked, .. } = &mut self.link else { return };
        *asked = None;
        if heard.replace(now).is_none() {
            self.reached_before = true;
            self.attempt = 0;
            self.event(Event::Reached);
        }
        match message {
            ServerMessage::Pong => {}
            ServerMessage::Welcome(welcome) => self.welcomed(welcome),
            ServerMessage::Ready(Ready { role, peer }) => self.peer_joined(peer, role),
            ServerMessage::PeerLeft(left) => self.peer_left(&left.peer, left.reason),
            ServerMessage::Offer(offer) => {
                self.signal(offer.from, description(offer.offer, offer.negotiation))
            }
            ServerMessage::Answer(answer) => {
                self.signal(answer.from, description(answer.answer, answer.negotiation));
            }
            ServerMessage::Candidate(trickle) => {
                self.signal(trickle.from, Signal::Candidate(trickle.candidate))
            }
            ServerMessage::Error(refusal) => self.refused(refusal),
        }
    }

    fn welcomed(&mut self, welcome: Welcome) {
        let Link::Open { place, .. } = &mut self.link else { return };
        // One that our own leaving overtook is void: the server has the `leave` next in line.
        if self.void_joins > 0 {
            self.void_joins -= 1;
            return;
        }
        if *place != Place::Joining {
            return;
        }
        *place = Place::Inside;
        // What was left of an earlier stay ends here: the server gives everyone a new id, and `ready` for each pair.
        for peer in std::mem::take(&mut self.peers) {
            self.event(Event::PeerLeft { peer, reason: LeaveReason::Replaced });
        }
        let Welcome { id, ice_servers, limits, .. } = welcome;
        self.event(Event::Joined { id, ice_servers, limits });
    }

    fn peer_joined(&mut self, peer: PeerInfo, role: Role) {
        if self.is_joined() && !self.peers.contains(&peer.id) {
            self.peers.push(peer.id.clone());
            self.event(Event::PeerJoined { peer, role });
        }
    }

    fn peer_left(&mut self, peer: &PeerId, reason: LeaveReason) {
        if let Some(index) = self.peers.iter().position(|known| known == peer) {
            let peer = self.peers.remove(index);
            self.event(Event::PeerLeft { peer, reason });
        }
    }

    /// Passes on what a peer says, if it is one we know: what crossed their leaving is void.
    fn signal(&mut self, from: PeerId, signal: Signal) {
        if self.is_joined() && self.peers.contains(&from) {
            self.event(Event::Signal { from, signal });
        }
    }

    fn refused(&mut self, refusal: Refusal) {
        let Link::Open { place, .. } = &mut self.link else { return };
        let about_joining = matches!(
            refusal.code,
            ErrorCode::RoomFull | ErrorCode::UnsupportedProtocol | ErrorCode::BadMessage | ErrorCode::Busy
        );
        if about_joining && self.void_joins > 0 {
            self.void_joins -= 1;
        } else if about_joining && *place == Place::Joining {
            *place = Place::Outside;
            // Trying again by itself would only fill the log of a server that has said no.
            self.wanted = None;
            self.event(Event::Rejected(refusal));
        } else {
            self.event(Event::Refused(refusal));
        }
    }

    fn leave(&mut self) {
        self.wanted = None;
        self.peers.clear();
        if let Link::Open { place, .. } = &mut self.link
            && *place != Place::Outside
        {
            self.void_joins += u32::from(*place == Place::Joining);
            *place = Place::Outside;
            self.outputs.push_back(Output::Transmit(ClientMessage::Leave));
        }
    }

    fn end(&mut self) {
        self.leave();
        if matches!(self.link, Link::Opening { .. } | Link::Open { .. }) {
            self.outputs.push_back(Output::Close);
        }
        self.link = Link::Ended;
    }

    fn send(&mut self, to: PeerId, signal: Signal) {
        if !self.is_joined() || !self.peers.contains(&to) {
            return;
        }
        let to = Some(to);
        let message = match signal {
            Signal::Candidate(candidate) => ClientMessage::Candidate(Trickle { candidate, to }),
            Signal::Description { description, negotiation } => match description.kind {
                SdpType::Offer => ClientMessage::Offer(Offer { offer: description, to, negotiation }),
                SdpType::Answer => ClientMessage::Answer(Answer { answer: description, to, negotiation }),
            },
        };
        self.outputs.push_back(Output::Transmit(message));
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

fn description(description: duologue_protocol::Description, negotiation: Option<u32>) -> Signal {
    Signal::Description { description, negotiation }
}
