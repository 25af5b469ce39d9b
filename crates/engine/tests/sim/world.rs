//! Two to four people, their sessions and connections, a server and a network. The schedule decides what happens next.
//!
//! The network keeps the order of one sender's messages to one receiver, and the server's own words in place; messages
//! of different senders overtake each other, wait as long as the schedule likes, and arrive twice.

use std::collections::{BTreeMap, VecDeque};

use duologue_engine::{
    Instant, Negotiator, NegotiatorInput, NegotiatorOutput, Session, SessionEvent, SessionInput,
    SessionOutput, Timing,
};
use duologue_protocol::{
    AnswerFrom, ClientMessage, Join, LeaveReason, OfferFrom, PeerId, PeerInfo, PeerLeft, Ready, Role, RoomId,
    ServerMessage, SessionToken, TrickleFrom, Welcome,
};

use super::connection::Connection;

const NOW: Instant = Instant::from_origin(std::time::Duration::ZERO);

/// One thing that can happen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The server takes the next message of this person.
    ServerTakes(usize),
    /// This person gets the message at this place in their queue.
    Deliver(usize, usize),
    /// The same, and it will come again.
    Duplicate(usize, usize),
    /// The operation under way takes effect.
    Execute(usize, PeerId),
    /// Its completion is reported.
    Report(usize, PeerId),
    /// `negotiationneeded` fires.
    Fire(usize, PeerId),
    /// A candidate is gathered.
    Gather(usize, PeerId),
    /// The application adds a track.
    AddTrack(usize, PeerId),
    /// The application restarts ICE.
    RestartIce(usize, PeerId),
    Leave(usize),
    Join(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It happens sooner or later.
    UnderWay,
    Provoked,
    ComingOrGoing,
}

impl Action {
    fn kind(&self) -> Kind {
        match self {
            Self::Duplicate(..) | Self::AddTrack(..) | Self::RestartIce(..) => Kind::Provoked,
            Self::Leave(_) | Self::Join(_) => Kind::ComingOrGoing,
            _ => Kind::UnderWay,
        }
    }
}

struct Pair {
    role: Role,
    negotiator: Negotiator,
    connection: Connection,
}

struct Person {
    session: Session,
    wants_in: bool,
    pairs: BTreeMap<PeerId, Pair>,
    to_server: VecDeque<ClientMessage>,
    from_server: Vec<ServerMessage>,
    /// The id the server knows this person by.
    id: Option<PeerId>,
}

pub struct World {
    people: Vec<Person>,
    next_peer: u32,
    next_description: u32,
    violations: Vec<String>,
    trace: Vec<String>,
    settling: bool,
}

impl World {
    pub fn new(people: usize) -> Self {
        let mut world = Self {
            people: Vec::new(),
            next_peer: 0,
            next_description: 0,
            violations: Vec::new(),
            trace: Vec::new(),
            settling: false,
        };
        for index in 0..people {
            world.people.push(Person {
                session: Session::new(NOW, Timing::default()),
                wants_in: false,
                pairs: BTreeMap::new(),
                to_server: VecDeque::new(),
                from_server: Vec::new(),
                id: None,
            });
            world.session(index, SessionInput::Opened);
            world.act(&Action::Join(index));
        }
        world.trace.clear();
        world
    }

    /// Everything that could happen now.
    pub fn possible(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for (index, person) in self.people.iter().enumerate() {
            if !person.to_server.is_empty() {
                actions.push(Action::ServerTakes(index));
            }
            for place in deliverable(&person.from_server) {
                actions.push(Action::Deliver(index, place));
                if sender(&person.from_server[place]).is_some() {
                    actions.push(Action::Duplicate(index, place));
                }
            }
            for (peer, Pair { connection, .. }) in &person.pairs {
                if connection.can_execute() {
                    actions.push(Action::Execute(index, peer.clone()));
                }
                if connection.can_report() {
                    actions.push(Action::Report(index, peer.clone()));
                }
                if connection.can_fire() {
                    actions.push(Action::Fire(index, peer.clone()));
                }
                if connection.can_gather() {
                    actions.push(Action::Gather(index, peer.clone()));
                }
                actions.push(Action::AddTrack(index, peer.clone()));
                actions.push(Action::RestartIce(index, peer.clone()));
            }
            actions.push(if person.wants_in { Action::Leave(index) } else { Action::Join(index) });
        }
        actions
    }

    /// Lets one possible thing happen. Most choices are for what is under way, some for an application that asks for
    /// more or a network that repeats itself, a few for someone coming or going.
    pub fn step(&mut self, choice: u16) {
        let kind = match choice >> 12 {
            0..=11 => Kind::UnderWay,
            12..=14 => Kind::Provoked,
            _ => Kind::ComingOrGoing,
        };
        let mut actions = self.possible();
        actions.retain(|action| action.kind() == kind);
        if let Some(action) = actions.get(usize::from(choice & 0xfff) % actions.len().max(1)) {
            self.act(&action.clone());
        }
    }

    /// Lets everything that is under way come to its end, fairly, with nobody touching anything.
    pub fn settle(&mut self) {
        self.settling = true;
        for _ in 0..2_000 {
            let mut actions = self.possible();
            actions.retain(|action| action.kind() == Kind::UnderWay);
            if actions.is_empty() {
                return;
            }
            for action in actions {
                if self.possible().contains(&action) {
                    self.act(&action);
                }
            }
        }
        self.violations.push("it never comes to rest".to_owned());
    }

    /// What is wrong with the world, now that it is at rest.
    pub fn verdict(mut self) -> Result<(), String> {
        for index in 0..self.people.len() {
            let expected: Vec<PeerId> = if self.people[index].wants_in {
                let others = self
                    .people
                    .iter()
                    .enumerate()
                    .filter(|(other, person)| *other != index && person.wants_in);
                let mut ids: Vec<PeerId> = others.filter_map(|(_, person)| person.id.clone()).collect();
                ids.sort();
                ids
            } else {
                Vec::new()
            };
            let person = &self.people[index];
            let known: Vec<PeerId> = person.pairs.keys().cloned().collect();
            if known != expected {
                self.violations
                    .push(format!("person {index} is connected to {known:?} instead of {expected:?}"));
                continue;
            }
            for (peer, pair) in &person.pairs {
                let other = self.people.iter().find(|person| person.id.as_ref() == Some(peer)).unwrap();
                let twin = &other.pairs[person.id.as_ref().unwrap()];
                let (agreed, theirs) = (pair.negotiator.agreed(), twin.negotiator.agreed());
                if pair.role == twin.role {
                    self.violations.push("both are in the same role".to_owned());
                }
                if agreed.map(|it| it.id) != theirs.map(|it| it.id)
                    || agreed.map(|it| it.offer_by) == theirs.map(|it| it.offer_by)
                {
                    self.violations.push(format!("agreed on {agreed:?} and {theirs:?}"));
                }
                if !pair.negotiator.is_at_rest() || pair.negotiator.held_candidates() > 0 {
                    self.violations.push(format!("something is left over at person {index} for {peer}"));
                }
                self.violations.extend(pair.connection.disagreement(&twin.connection));
            }
        }
        for person in &mut self.people {
            for pair in person.pairs.values_mut() {
                self.violations.append(&mut pair.connection.violations);
            }
        }
        if self.violations.is_empty() {
            return Ok(());
        }
        let trace = self.trace.join("\n");
        Err(format!("{:#?}\nafter this schedule, and then all that was under way:\n{trace}", self.violations))
    }

    fn act(&mut self, action: &Action) {
        if !self.settling {
            self.trace.push(format!("    {action:?}"));
        }
        match action {
            Action::ServerTakes(index) => {
                if let Some(message) = self.people[*index].to_server.pop_front() {
                    self.server(*index, message);
                }
            }
            Action::Deliver(index, place) => {
                let message = self.people[*index].from_server.remove(*place);
                self.session(*index, SessionInput::Received(message));
            }
            Action::Duplicate(index, place) => {
                let message = self.people[*index].from_server[*place].clone();
                self.session(*index, SessionInput::Received(message));
            }
            Action::Execute(index, peer) => {
                let pair = self.people[*index].pairs.get_mut(peer).unwrap();
                pair.connection.execute(&mut self.next_description);
            }
            Action::Report(index, peer) => self.browser(*index, peer, Connection::report),
            Action::Fire(index, peer) => self.browser(*index, peer, Connection::fire),
            Action::Gather(index, peer) => self.browser(*index, peer, Connection::gather),
            Action::AddTrack(index, peer) => {
                self.people[*index].pairs.get_mut(peer).unwrap().connection.add_track();
            }
            Action::RestartIce(index, peer) => {
                self.people[*index].pairs.get_mut(peer).unwrap().connection.restart_ice();
            }
            Action::Join(index) => {
                self.people[*index].wants_in = true;
                let room = RoomId::new("room").unwrap();
                let join = Join { room, name: None, token: None, protocol: Some(1) };
                self.session(*index, SessionInput::Join(join));
            }
            Action::Leave(index) => {
                self.people[*index].wants_in = false;
                self.close_all(*index);
                self.session(*index, SessionInput::Leave);
            }
        }
    }

    fn browser(&mut self, index: usize, peer: &PeerId, event: fn(&mut Connection) -> NegotiatorInput) {
        let pair = self.people[index].pairs.get_mut(peer).unwrap();
        let input = event(&mut pair.connection);
        self.negotiate(index, peer, input);
    }

    fn negotiate(&mut self, index: usize, peer: &PeerId, input: NegotiatorInput) {
        let Some(pair) = self.people[index].pairs.get_mut(peer) else { return };
        pair.negotiator.handle(input);
        let mut signals = Vec::new();
        while let Some(output) = pair.negotiator.poll() {
            match output {
                NegotiatorOutput::Run(operation) => pair.connection.run(operation),
                NegotiatorOutput::AddCandidate(candidate) => pair.connection.add_candidate(&candidate),
                NegotiatorOutput::Send(signal) => signals.push(signal),
                NegotiatorOutput::Agreed(_) => {}
                NegotiatorOutput::GivenUp(failure) => self.violations.push(format!("given up: {failure:?}")),
            }
        }
        for signal in signals {
            self.session(index, SessionInput::Send(peer.clone(), signal));
        }
    }

    fn session(&mut self, index: usize, input: SessionInput) {
        self.people[index].session.handle(NOW, input);
        while let Some(output) = self.people[index].session.poll() {
            match output {
                SessionOutput::Open => {}
                SessionOutput::Transmit(message) => self.people[index].to_server.push_back(message),
                SessionOutput::Close => self.violations.push("the session closed its transport".to_owned()),
                SessionOutput::Event(event) => self.event(index, event),
            }
        }
    }

    fn event(&mut self, index: usize, event: SessionEvent) {
        match event {
            SessionEvent::PeerJoined { peer, role } => {
                let connection = Connection::new(role, format!("{index}→{}", peer.id));
                let pair = Pair { role, negotiator: Negotiator::new(role), connection };
                self.people[index].pairs.insert(peer.id, pair);
            }
            SessionEvent::PeerLeft { peer, .. } => self.close(index, &peer),
            SessionEvent::Signal { from, signal } => {
                self.negotiate(index, &from, NegotiatorInput::Remote(signal));
            }
            SessionEvent::Refused(refusal) => {
                // Words that crossed a leaving find nobody; every other refusal is a mistake of ours.
                if refusal.code != duologue_protocol::ErrorCode::NoRecipient {
                    self.violations.push(format!("refused: {refusal:?}"));
                }
            }
            SessionEvent::Rejected(refusal) => self.violations.push(format!("rejected: {refusal:?}")),
            SessionEvent::Reached | SessionEvent::Joined { .. } | SessionEvent::Unreached { .. } => {}
        }
    }

    fn close(&mut self, index: usize, peer: &PeerId) {
        if let Some(mut pair) = self.people[index].pairs.remove(peer) {
            self.violations.append(&mut pair.connection.violations);
        }
    }

    fn close_all(&mut self, index: usize) {
        for peer in self.people[index].pairs.keys().cloned().collect::<Vec<_>>() {
            self.close(index, &peer);
        }
    }

    fn server(&mut self, index: usize, message: ClientMessage) {
        let from = self.people[index].id.clone();
        let (to, relayed) = match (message, from) {
            (ClientMessage::Ping, _) => return self.people[index].from_server.push(ServerMessage::Pong),
            (ClientMessage::Join(_), _) => return self.server_joins(index),
            (ClientMessage::Leave, _) => return self.server_leaves(index),
            (ClientMessage::Offer(it), Some(from)) => (
                it.to,
                ServerMessage::Offer(OfferFrom { offer: it.offer, from, negotiation: it.negotiation }),
            ),
            (ClientMessage::Answer(it), Some(from)) => (
                it.to,
                ServerMessage::Answer(AnswerFrom { answer: it.answer, from, negotiation: it.negotiation }),
            ),
            (ClientMessage::Candidate(it), Some(from)) => {
                (it.to, ServerMessage::Candidate(TrickleFrom { candidate: it.candidate, from }))
            }
            (message, from) => {
                return self.violations.push(format!("{from:?} sent {message:?} out of turn"));
            }
        };
        if let Some(receiver) = self.people.iter_mut().find(|person| person.id == to) {
            receiver.from_server.push(relayed);
        }
    }

    fn server_joins(&mut self, index: usize) {
        self.next_peer += 1;
        let id = PeerId::new(format!("p{}", self.next_peer)).unwrap();
        let info = |id: &PeerId| PeerInfo { id: id.clone(), name: None, protocol: Some(1) };
        let mut words = vec![ServerMessage::Welcome(Welcome {
            id: id.clone(),
            session: SessionToken::new("s").unwrap(),
            ice_servers: Vec::new(),
            limits: duologue_protocol::Limits::default(),
        })];
        for person in &mut self.people {
            if let Some(member) = &person.id {
                words.push(ServerMessage::Ready(Ready { role: Role::Callee, peer: info(member) }));
                person.from_server.push(ServerMessage::Ready(Ready { role: Role::Caller, peer: info(&id) }));
            }
        }
        self.people[index].id = Some(id);
        self.people[index].from_server.append(&mut words);
    }

    fn server_leaves(&mut self, index: usize) {
        let Some(peer) = self.people[index].id.take() else { return };
        for person in self.people.iter_mut().filter(|person| person.id.is_some()) {
            let left = PeerLeft { peer: peer.clone(), reason: LeaveReason::Left };
            person.from_server.push(ServerMessage::PeerLeft(left));
        }
    }
}

fn sender(message: &ServerMessage) -> Option<&PeerId> {
    match message {
        ServerMessage::Offer(it) => Some(&it.from),
        ServerMessage::Answer(it) => Some(&it.from),
        ServerMessage::Candidate(it) => Some(&it.from),
        _ => None,
    }
}

/// The places in a queue whose message nothing forces to wait: the first of each sender, up to the server's own words.
fn deliverable(queue: &[ServerMessage]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut senders: Vec<&PeerId> = Vec::new();
    for (place, message) in queue.iter().enumerate() {
        match sender(message) {
            Some(sender) if senders.contains(&sender) => {}
            Some(sender) => {
                senders.push(sender);
                places.push(place);
            }
            None => {
                if place == 0 {
                    places.push(0);
                }
                break;
            }
        }
    }
    places
}
