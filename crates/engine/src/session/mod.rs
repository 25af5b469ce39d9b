//! One person's place in a room: the connection to the signaling server, who else is here, and coming back after a
//! drop. It does not carry the call: a session that is lost leaves the connections between peers as they are.
//!
//! There are two ways back. If the server still knows the session, `resume` takes it up: the same id, and everything
//! that was missed. If it does not, `join` names the pairs whose connections are still up, and the server tells when it
//! has both ends of one again. Either way the application sees peers that were away for a while, under the ids it knows.

mod interface;
mod peers;
mod timing;

use std::collections::VecDeque;

use duologue_protocol::{
    Answer, ClientMessage, ErrorCode, IceServers, Join, LeaveReason, Numbered, Offer, PeerId, PeerInfo, Ping,
    Ready, Refusal, Resume, Role, SdpType, ServerMessage, SessionToken, Trickle, Welcome, limits,
};

use crate::negotiation::Signal;
use crate::time::Instant;
use peers::{Known, Presence};

pub use interface::{Event, Input, Output, Way};
pub use timing::Timing;

/// After so many numbered messages the server is told that they have arrived, and need not keep them any longer.
const ACKNOWLEDGE_AFTER: u64 = 16;

/// Where the connection to the server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Link {
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

/// Where we stand with the server, on an open transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    /// Asked to be let in.
    Joining,
    /// Asked to take up the session.
    Resuming,
    /// Refused on the way back, although calls are up. To be asked again.
    Refused {
        until: Instant,
    },
    Inside,
}

/// What the server knows us by.
#[derive(Debug)]
struct Stay {
    session: SessionToken,
    /// The number of the last message.
    seq: u64,
    /// The last number that the server was told of.
    acknowledged: u64,
    /// When to ask for credentials that last longer.
    renew: Option<Instant>,
}

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

    /// When something is to be asked of the server, apart from whether it is there.
    fn next_question(&self) -> Option<Instant> {
        match self.link {
            Link::Open { place: Place::Inside, .. } => self.stay.as_ref()?.renew,
            Link::Open { place: Place::Refused { until }, .. } => Some(until),
            _ => None,
        }
    }

    /// When a peer that is awaited is given up.
    fn next_loss(&self) -> Option<Instant> {
        let awaited = self.known.iter().filter_map(|known| match known.presence {
            Presence::Awaited { until } => Some(until),
            _ => None,
        });
        awaited.min()
    }

    // The connection to the server.

    fn open(&mut self, now: Instant) {
        self.link = Link::Opening { since: now, until: now + self.timing.connect };
        self.outputs.push_back(Output::Open);
    }

    fn opened(&mut self, now: Instant) {
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

    fn closed(&mut self, now: Instant, random: u32) {
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
        let retry_in = self.timing.pause(self.attempt, random, in_call);
        self.link = Link::Pausing { until: now + retry_in };
        self.event(Event::Unreached { before: self.reached_before, retry_in });
        self.tell_ways();
    }

    /// Something suggests that the network has changed.
    fn hurry(&mut self, now: Instant) {
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

    fn timeout(&mut self, now: Instant, random: u32) {
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

    fn ping(&mut self) {
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

    // Getting in, and back in.

    fn enter(&mut self) {
        let Link::Open { place, .. } = &mut self.link else { return };
        if *place != Place::Outside {
            return;
        }
        let Some(join) = &self.wanted else { return };
        let message = match &self.stay {
            Some(stay) => {
                *place = Place::Resuming;
                ClientMessage::Resume(Resume { session: stay.session.clone(), seq: stay.seq })
            }
            None => {
                *place = Place::Joining;
                let mut join = join.clone();
                let pairs = self.known.iter().filter_map(|known| known.pair.clone());
                join.pairs = pairs.take(limits::PAIRS).collect();
                ClientMessage::Join(join)
            }
        };
        self.transmit(message);
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

    fn welcomed(&mut self, now: Instant, welcome: Welcome) {
        let Link::Open { place, .. } = &mut self.link else { return };
        // One that our own leaving overtook is void: the server has the `leave` next in line.
        if self.void_answers > 0 {
            self.void_answers -= 1;
            return;
        }
        if *place != Place::Joining {
            return;
        }
        *place = Place::Inside;
        self.refusals = 0;
        let Welcome { id, session, ice, limits } = welcome;
        let renew = self.renewal(now, &ice);
        self.stay = Some(Stay { session, seq: 0, acknowledged: 0, renew });
        self.event(Event::Joined { id, ice_servers: ice.ice_servers, limits });
        // The server had forgotten us, and with us our peers. Where their connections are up, they name the same pairs.
        let until = now + self.timing.grace;
        for known in &mut self.known {
            known.presence = Presence::Awaited { until };
        }
        self.tell_ways();
    }

    fn resumed(&mut self, now: Instant, ice: IceServers) {
        let Link::Open { place, .. } = &mut self.link else { return };
        if self.void_answers > 0 {
            self.void_answers -= 1;
        } else if *place == Place::Resuming {
            *place = Place::Inside;
            self.refusals = 0;
            self.take_ice_servers(now, ice);
            self.tell_ways();
        }
    }

    fn take_ice_servers(&mut self, now: Instant, ice: IceServers) {
        let renew = self.renewal(now, &ice);
        if let Some(stay) = &mut self.stay {
            stay.renew = renew;
        }
        self.event(Event::IceServers(ice.ice_servers));
    }

    /// Credentials are renewed when half their time is over: then the next ones come before these end, even if the
    /// server cannot be asked for a while.
    fn renewal(&self, now: Instant, ice: &IceServers) -> Option<Instant> {
        let ttl = std::time::Duration::from_secs(u64::from(ice.ttl?));
        Some(now + (ttl / 2).max(self.timing.quiet))
    }

    fn refused(&mut self, now: Instant, refusal: Refusal) {
        let Link::Open { place, .. } = &mut self.link else { return };
        if refusal.fatal && matches!(refusal.code, ErrorCode::Replaced | ErrorCode::Removed) {
            *place = Place::Outside;
            self.forget_stay();
            self.event(Event::Ended(refusal));
            return;
        }
        let about_entering = !matches!(
            refusal.code,
            ErrorCode::NoRecipient
                | ErrorCode::AmbiguousRecipient
                | ErrorCode::NotJoined
                | ErrorCode::SdpTooLarge
                | ErrorCode::CandidateTooLarge
                | ErrorCode::TooSlow
        );
        match place {
            _ if about_entering && self.void_answers > 0 => self.void_answers -= 1,
            Place::Resuming if about_entering => {
                *place = Place::Outside;
                self.stay = None;
                self.enter();
            }
            Place::Joining if about_entering && self.known.is_empty() => {
                *place = Place::Outside;
                // Trying again by itself would only fill the log of a server that has said no.
                self.wanted = None;
                self.event(Event::Rejected(refusal));
            }
            Place::Joining if about_entering => {
                // Calls are up, and their signaling is worth another try.
                self.refusals = self.refusals.saturating_add(1);
                *place = Place::Refused { until: now + self.timing.pause(self.refusals, u32::MAX / 2, true) };
                self.event(Event::Refused(refusal));
            }
            // What we said before we knew that we were out.
            Place::Outside | Place::Joining | Place::Resuming if refusal.code == ErrorCode::NotJoined => {}
            _ => self.event(Event::Refused(refusal)),
        }
    }

    fn leave(&mut self) {
        self.forget_stay();
        if let Link::Open { place, .. } = &mut self.link
            && *place != Place::Outside
        {
            let asked = matches!(place, Place::Joining | Place::Resuming);
            let refused = matches!(place, Place::Refused { .. });
            self.void_answers += u32::from(asked);
            *place = Place::Outside;
            if !refused {
                self.transmit(ClientMessage::Leave);
            }
        }
    }

    fn forget_stay(&mut self) {
        self.wanted = None;
        self.stay = None;
        self.known.clear();
        self.refusals = 0;
    }

    fn end(&mut self) {
        self.leave();
        if matches!(self.link, Link::Opening { .. } | Link::Open { .. }) {
            self.outputs.push_back(Output::Close);
        }
        self.link = Link::Ended;
    }

    // The others.

    fn peer_joined(&mut self, Ready { role, peer, pair }: Ready) {
        if !self.is_joined() {
            return;
        }
        let same = |known: &&mut Known| known.address == peer.id || (pair.is_some() && known.pair == pair);
        if let Some(known) = self.known.iter_mut().find(same) {
            known.address = peer.id;
            known.presence = Presence::Here;
            known.role = role;
            self.tell_ways();
        } else {
            self.meet(peer, role, pair);
        }
    }

    fn meet(&mut self, peer: PeerInfo, role: Role, pair: Option<duologue_protocol::PairToken>) {
        let (id, address) = (peer.id.clone(), peer.id.clone());
        self.known.push(Known { id, address, pair, role, presence: Presence::Here, told: Way::Open });
        self.event(Event::PeerJoined { peer, role });
    }

    fn peer_moved(&mut self, address: &PeerId, presence: Presence) {
        if self.is_joined()
            && let Some(known) = self.known.iter_mut().find(|known| known.address == *address)
        {
            known.presence = presence;
            self.tell_ways();
        }
    }

    fn peer_left(&mut self, address: &PeerId, reason: LeaveReason) {
        let Some(index) = self.known.iter().position(|known| known.address == *address) else { return };
        match reason {
            LeaveReason::Left | LeaveReason::Removed => {
                let peer = self.known.remove(index).id;
                self.event(Event::PeerLeft { peer, reason });
            }
            // Only the server has lost sight of them: the connection may be up, and outlive this.
            LeaveReason::Lost | LeaveReason::Replaced | LeaveReason::Other(_) => {
                self.peer_moved(address, Presence::Lost);
            }
        }
    }

    fn give_up_awaited(&mut self, now: Instant) {
        for known in &mut self.known {
            if matches!(known.presence, Presence::Awaited { until } if now >= until) {
                known.presence = Presence::Lost;
            }
        }
        self.tell_ways();
    }

    /// Tells the application which ways have changed.
    fn tell_ways(&mut self) {
        let joined = self.is_joined();
        for known in &mut self.known {
            let way = match known.presence.way() {
                Way::Lost => Way::Lost,
                way if joined => way,
                _ => Way::Cut,
            };
            if way != known.told {
                known.told = way;
                let event = Event::Way { peer: known.id.clone(), way, role: known.role };
                self.outputs.push_back(Output::Event(event));
            }
        }
    }

    /// Passes on what a peer says, if it is one we know: what crossed their leaving is void.
    fn signal(&mut self, from: &PeerId, signal: Signal) {
        if self.is_joined()
            && let Some(known) = self.known.iter().find(|known| known.address == *from)
        {
            let from = known.id.clone();
            self.event(Event::Signal { from, signal });
        }
    }

    fn send(&mut self, to: &PeerId, signal: Signal) {
        if !self.is_joined() {
            return;
        }
        let Some(known) = self.known.iter().find(|known| known.id == *to) else { return };
        if !known.presence.is_addressable() {
            return;
        }
        let to = Some(known.address.clone());
        self.transmit(match signal {
            Signal::Candidate(candidate) => ClientMessage::Candidate(Trickle { candidate, to }),
            Signal::Description { description, negotiation } => match description.kind {
                SdpType::Offer => ClientMessage::Offer(Offer { offer: description, to, negotiation }),
                SdpType::Answer => ClientMessage::Answer(Answer { answer: description, to, negotiation }),
            },
        });
    }

    fn transmit(&mut self, message: ClientMessage) {
        self.outputs.push_back(Output::Transmit(message));
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

fn description(description: duologue_protocol::Description, negotiation: Option<u32>) -> Signal {
    Signal::Description { description, negotiation }
}
