//! Two to four people, their sessions and connections, a server and a network. The schedule decides what happens next,
//! and when time passes.
//!
//! What can go wrong: messages are late or come twice, wires break in silence, the server forgets everything, computers
//! sleep, and the paths between people break and need another ICE generation.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use duologue_engine::{
    ConnectionState, Instant, LinkState, Negotiator, NegotiatorInput, NegotiatorOutput, Recovery,
    RecoveryInput, RecoveryOutput, RecoveryTiming, Session, SessionEvent, SessionInput, SessionOutput,
    Signal, Timing, Way,
};
use duologue_protocol::{ErrorCode, Join, JoinKey, Numbered, PeerId, Role, RoomId};

use super::connection::Connection;
use super::server::{Server, WireId};

/// How long a computer sleeps.
const SLEEP: Duration = Duration::from_secs(600);

/// One thing that can happen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// This person's new wire is open.
    Connect(usize),
    /// The server takes the next message of a wire.
    ServerTakes(WireId),
    /// This person gets the next message.
    Deliver(usize),
    /// The same, and it will come again.
    Duplicate(usize),
    /// The operation under way takes effect.
    Execute(usize, PeerId),
    /// Its completion is reported.
    Report(usize, PeerId),
    /// `negotiationneeded` fires.
    Fire(usize, PeerId),
    /// A candidate is gathered.
    Gather(usize, PeerId),
    /// The connection reports that it is up, or that it has failed.
    ReportLink(usize, PeerId),
    /// The server notices that a wire has ended.
    ServerNotices(WireId),
    /// A person's browser notices.
    ClientNotices(usize),
    /// Time passes until somebody waits no longer.
    Wait,
    /// The application adds a track.
    AddTrack(usize, PeerId),
    /// The application restarts ICE.
    RestartIce(usize, PeerId),
    Leave(usize),
    Join(usize),
    /// This person's wire breaks, and neither end knows.
    Cut(usize),
    /// The server forgets everything.
    RestartServer,
    /// The path between this person and that peer breaks. Only another ICE generation mends it.
    BreakPath(usize, PeerId),
    /// Ten minutes pass in which nothing happens.
    Sleep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It happens sooner or later.
    UnderWay,
    Provoked,
    ComingOrGoing,
    /// What is between person and server goes wrong.
    Signaling,
    /// Other things go wrong.
    Trouble,
}

impl Action {
    fn kind(&self) -> Kind {
        match self {
            Self::Duplicate(..) | Self::AddTrack(..) | Self::RestartIce(..) => Kind::Provoked,
            Self::Leave(_) | Self::Join(_) => Kind::ComingOrGoing,
            Self::Cut(_) | Self::RestartServer => Kind::Signaling,
            Self::BreakPath(..) | Self::Sleep => Kind::Trouble,
            _ => Kind::UnderWay,
        }
    }
}

/// What a schedule may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faults {
    /// Everything there is.
    All,
    /// Only what is between people and the server breaks; nobody leaves, and no path does.
    OnlySignaling,
}

struct Pair {
    role: Role,
    negotiator: Negotiator,
    recovery: Recovery,
    connection: Connection,
    /// How the connection is, and what was last reported of it.
    link: LinkState,
    reported: LinkState,
}

struct Person {
    session: Session,
    wants_in: bool,
    /// By the ids this person knows the others by.
    pairs: BTreeMap<PeerId, Pair>,
    wire: Option<WireId>,
    opening: bool,
}

pub struct World {
    now: Instant,
    people: Vec<Person>,
    server: Server,
    /// Everybody the server ever named.
    named: HashMap<PeerId, usize>,
    /// The pairs of ICE generations whose path is broken.
    broken: HashSet<(String, String)>,
    next_description: u32,
    next_connection: u32,
    /// How often somebody heard that a call with somebody was over.
    pub partings: u32,
    violations: Vec<String>,
    trace: Vec<String>,
    settling: bool,
}

impl World {
    pub fn new(people: usize) -> Self {
        let now = Instant::from_origin(Duration::from_secs(1000));
        let mut world = Self {
            now,
            people: Vec::new(),
            server: Server::default(),
            named: HashMap::new(),
            broken: HashSet::new(),
            next_description: 0,
            next_connection: 0,
            partings: 0,
            violations: Vec::new(),
            trace: Vec::new(),
            settling: false,
        };
        for index in 0..people {
            world.people.push(Person {
                session: Session::new(now, Timing::default()),
                wants_in: false,
                pairs: BTreeMap::new(),
                wire: None,
                opening: false,
            });
            world.carry_out(index);
            world.act(&Action::Connect(index));
            world.act(&Action::Join(index));
        }
        world.trace.clear();
        world
    }

    /// How many connections have been made.
    pub fn connections_made(&self) -> u32 {
        self.next_connection
    }

    /// Everything that could happen now.
    pub fn possible(&self) -> Vec<Action> {
        let mut actions = vec![Action::RestartServer, Action::Sleep, Action::Wait];
        for (wire, it) in self.server.wires.iter().enumerate() {
            if !it.up.is_empty() && it.is_open() {
                actions.push(Action::ServerTakes(wire));
            }
            if self.server.can_notice(wire) {
                actions.push(Action::ServerNotices(wire));
            }
        }
        for (index, person) in self.people.iter().enumerate() {
            if person.opening {
                actions.push(Action::Connect(index));
            }
            if let Some(wire) = person.wire.and_then(|wire| self.server.wires.get(wire)) {
                // What the server sent before it closed still arrives.
                if let Some(message) = wire.down.front().filter(|_| !wire.cut) {
                    actions.push(Action::Deliver(index));
                    if message.seq.is_some() {
                        actions.push(Action::Duplicate(index));
                    }
                }
                if wire.cut || (wire.closed_by_server && wire.down.is_empty()) {
                    actions.push(Action::ClientNotices(index));
                }
                if wire.is_open() {
                    actions.push(Action::Cut(index));
                }
            }
            for (peer, Pair { connection, link, reported, .. }) in &person.pairs {
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
                if link != reported {
                    actions.push(Action::ReportLink(index, peer.clone()));
                }
                if *link == LinkState::Connected {
                    actions.push(Action::BreakPath(index, peer.clone()));
                }
                actions.push(Action::AddTrack(index, peer.clone()));
                actions.push(Action::RestartIce(index, peer.clone()));
            }
            actions.push(if person.wants_in { Action::Leave(index) } else { Action::Join(index) });
        }
        actions
    }

    /// Lets one possible thing happen. Most choices are for what is under way; the others for an application that asks
    /// for more, a network that repeats itself, someone coming or going, and what goes wrong.
    pub fn step(&mut self, choice: u16, faults: Faults) {
        let kind = match (choice >> 12, faults) {
            (0..=10, _) => Kind::UnderWay,
            (11..=12, _) => Kind::Provoked,
            (13, Faults::All) => Kind::ComingOrGoing,
            (14, Faults::All) => Kind::Trouble,
            _ => Kind::Signaling,
        };
        let mut actions = self.possible();
        actions.retain(|action| action.kind() == kind);
        if let Some(action) = actions.get(usize::from(choice & 0xfff) % actions.len().max(1)) {
            self.act(&action.clone());
        }
    }

    /// Lets everything that is under way come to its end, fairly, with nobody touching anything; time passes only when
    /// nothing else can happen. Where a connection has been given up, a person asks for another try.
    pub fn settle(&mut self) {
        self.settling = true;
        for _ in 0..2_000 {
            let mut actions = self.possible();
            actions.retain(|action| action.kind() == Kind::UnderWay && *action != Action::Wait);
            if actions.is_empty() {
                if self.is_at_rest() {
                    self.settling = false;
                    return;
                }
                self.ask_again();
                actions.push(Action::Wait);
            }
            for action in actions {
                if self.possible().contains(&action) {
                    self.act(&action);
                }
            }
        }
        self.violations.push("it never comes to rest".to_owned());
    }

    /// Whether time would change nothing but the number of pings.
    fn is_at_rest(&self) -> bool {
        self.server.deadline().is_none()
            && self.people.iter().all(|person| {
                person.session.is_joined() == person.wants_in
                    && person.wire.is_some_and(|wire| self.server.wires[wire].is_open())
                    && person.pairs.values().all(|pair| {
                        pair.recovery.state() == ConnectionState::Connected
                            && pair.recovery.deadline().is_none()
                    })
            })
    }

    fn ask_again(&mut self) {
        for index in 0..self.people.len() {
            for peer in self.people[index].pairs.keys().cloned().collect::<Vec<_>>() {
                if matches!(self.people[index].pairs[&peer].recovery.state(), ConnectionState::Failed(_)) {
                    self.recover(index, &peer, RecoveryInput::Retry);
                }
            }
        }
    }

    /// What is wrong with the world, now that it is at rest.
    pub fn verdict(&mut self) -> Result<(), String> {
        let mut violations = std::mem::take(&mut self.violations);
        violations.append(&mut self.server.violations);
        for (index, person) in self.people.iter().enumerate() {
            let others = self.people.iter().enumerate();
            let expected: Vec<usize> = others
                .filter(|(other, it)| *other != index && it.wants_in && person.wants_in)
                .map(|(other, _)| other)
                .collect();
            let mut known: Vec<usize> = person.pairs.keys().map(|peer| self.named[peer]).collect();
            known.sort_unstable();
            if known != expected {
                violations.push(format!("person {index} is connected to {known:?} instead of {expected:?}"));
                continue;
            }
            for (peer, pair) in &person.pairs {
                let Some(twin) = self.twin(index, peer) else { continue };
                let (agreed, theirs) = (pair.negotiator.agreed(), twin.negotiator.agreed());
                if agreed.map(|it| it.id) != theirs.map(|it| it.id)
                    || agreed.map(|it| it.offer_by) == theirs.map(|it| it.offer_by)
                {
                    violations.push(format!("agreed on {agreed:?} and {theirs:?}"));
                }
                if !pair.negotiator.is_at_rest() || pair.negotiator.held_candidates() > 0 {
                    violations.push(format!("something is left over at person {index} for {peer}"));
                }
                if pair.role == twin.role {
                    violations.push("both are in the same role".to_owned());
                }
                if pair.link != LinkState::Connected || pair.recovery.state() != ConnectionState::Connected {
                    violations.push(format!(
                        "{index}→{peer} is {:?} and said to be {:?}",
                        pair.link, pair.recovery
                    ));
                }
                violations.extend(pair.connection.disagreement(&twin.connection));
            }
        }
        for person in &mut self.people {
            for pair in person.pairs.values_mut() {
                violations.append(&mut pair.connection.violations);
            }
        }
        if violations.is_empty() {
            return Ok(());
        }
        let trace = self.trace.join("\n");
        Err(format!("{violations:#?}\nafter this schedule, and then all that was under way:\n{trace}"))
    }

    /// The other end of a pair, as the person at it has it.
    fn twin(&self, index: usize, peer: &PeerId) -> Option<&Pair> {
        let other = self.people.get(*self.named.get(peer)?)?;
        other.pairs.iter().find(|(id, _)| self.named.get(*id) == Some(&index)).map(|(_, pair)| pair)
    }

    fn act(&mut self, action: &Action) {
        if !self.settling {
            self.trace.push(format!("    {action:?}"));
        }
        match action {
            Action::Connect(index) => {
                self.people[*index].opening = false;
                self.people[*index].wire = Some(self.server.connect());
                self.session(*index, SessionInput::Opened);
            }
            Action::ServerTakes(wire) => {
                self.server.take(*wire);
                for (id, key) in self.server.named.drain(..) {
                    let index = (0..self.people.len()).find(|index| key == key_of(*index)).unwrap();
                    self.named.insert(id, index);
                }
            }
            Action::Deliver(index) => {
                let wire = self.people[*index].wire.unwrap();
                let message = self.server.wires[wire].down.pop_front().unwrap();
                self.deliver(*index, message);
            }
            Action::Duplicate(index) => {
                let wire = self.people[*index].wire.unwrap();
                let message = self.server.wires[wire].down.front().unwrap().clone();
                self.deliver(*index, message);
            }
            Action::Execute(index, peer) => {
                let pair = self.people[*index].pairs.get_mut(peer).unwrap();
                pair.connection.execute(&mut self.next_description);
            }
            Action::Report(index, peer) => self.browser(*index, peer, Connection::report),
            Action::Fire(index, peer) => self.browser(*index, peer, Connection::fire),
            Action::Gather(index, peer) => self.browser(*index, peer, Connection::gather),
            Action::ReportLink(index, peer) => {
                let pair = self.people[*index].pairs.get_mut(peer).unwrap();
                pair.reported = pair.link;
                let link = pair.link;
                self.recover(*index, peer, RecoveryInput::Link(link));
            }
            Action::ServerNotices(wire) => self.server.notice(self.now, *wire),
            Action::ClientNotices(index) => {
                let wire = self.people[*index].wire.take().unwrap();
                self.server.wires[wire].closed_by_client = true;
                self.session(*index, SessionInput::Closed { random: 0 });
            }
            Action::Wait => self.wait(),
            Action::AddTrack(index, peer) => {
                self.people[*index].pairs.get_mut(peer).unwrap().connection.add_track();
            }
            Action::RestartIce(index, peer) => {
                self.people[*index].pairs.get_mut(peer).unwrap().connection.restart_ice();
            }
            Action::Join(index) => {
                self.people[*index].wants_in = true;
                let (room, key) = (RoomId::new("room").unwrap(), Some(key_of(*index)));
                let join = Join { room, name: None, token: None, protocol: Some(1), key, pairs: Vec::new() };
                self.session(*index, SessionInput::Join(join));
            }
            Action::Leave(index) => {
                self.people[*index].wants_in = false;
                for peer in self.people[*index].pairs.keys().cloned().collect::<Vec<_>>() {
                    self.close(*index, &peer);
                }
                self.session(*index, SessionInput::Leave);
            }
            Action::Cut(index) => {
                let wire = self.people[*index].wire.unwrap();
                self.server.wires[wire].cut = true;
            }
            Action::RestartServer => self.server.restart(),
            Action::BreakPath(index, peer) => {
                let pair = &self.people[*index].pairs[peer];
                let (local, remote) = pair.connection.generations().unwrap();
                self.broken.insert((local.to_owned(), remote.to_owned()));
                self.broken.insert((remote.to_owned(), local.to_owned()));
            }
            Action::Sleep => {
                self.now = self.now + SLEEP;
                self.timers();
            }
        }
        self.look_at_links();
    }

    /// To the next moment that somebody waits for.
    fn wait(&mut self) {
        let sessions = self.people.iter().filter_map(|person| person.session.deadline());
        let pairs = self.people.iter().flat_map(|person| person.pairs.values());
        let recoveries = pairs.filter_map(|pair| pair.recovery.deadline());
        let next = sessions.chain(recoveries).chain(self.server.deadline()).min();
        self.now = next.map_or(self.now, |next| next.max(self.now));
        self.timers();
    }

    fn timers(&mut self) {
        self.server.time_passes(self.now);
        for index in 0..self.people.len() {
            self.session(index, SessionInput::Timeout { random: 0 });
            for peer in self.people[index].pairs.keys().cloned().collect::<Vec<_>>() {
                self.recover(index, &peer, RecoveryInput::Timeout);
                self.look(index, &peer);
            }
        }
    }

    /// A connection is up when both ends are in the same ICE generations and the path between is not broken. While they
    /// are about to change generations, it is as it was.
    fn look_at_links(&mut self) {
        let mut links = Vec::new();
        for (index, person) in self.people.iter().enumerate() {
            for (peer, pair) in &person.pairs {
                let Some((local, remote)) = pair.connection.generations() else { continue };
                let twin = self.twin(index, peer);
                let is_partner =
                    twin.is_some_and(|twin| Some(twin.connection.id) == pair.connection.partner());
                let fits = twin.and_then(|twin| twin.connection.generations()) == Some((remote, local));
                let broken = self.broken.contains(&(local.to_owned(), remote.to_owned()));
                let link = match (is_partner, fits) {
                    (false, _) => LinkState::Failed,
                    (true, true) if broken => LinkState::Failed,
                    (true, true) => LinkState::Connected,
                    (true, false) => continue,
                };
                links.push((index, peer.clone(), link));
            }
        }
        for (index, peer, link) in links {
            self.people[index].pairs.get_mut(&peer).unwrap().link = link;
        }
    }

    fn deliver(&mut self, index: usize, message: Numbered) {
        self.session(index, SessionInput::Received(message));
    }

    fn browser(&mut self, index: usize, peer: &PeerId, event: fn(&mut Connection) -> NegotiatorInput) {
        let pair = self.people[index].pairs.get_mut(peer).unwrap();
        let input = event(&mut pair.connection);
        self.negotiate(index, peer, input);
    }

    fn negotiate(&mut self, index: usize, peer: &PeerId, input: NegotiatorInput) {
        let Some(pair) = self.people[index].pairs.get_mut(peer) else { return };
        pair.negotiator.handle(input);
        let (mut signals, mut agreed, mut superseded) = (Vec::new(), false, None);
        while let Some(output) = pair.negotiator.poll() {
            match output {
                NegotiatorOutput::Run(operation) => pair.connection.run(operation),
                NegotiatorOutput::AddCandidate(candidate) => pair.connection.add_candidate(&candidate),
                NegotiatorOutput::Send(signal) => signals.push(signal),
                NegotiatorOutput::Agreed(_) => agreed = true,
                NegotiatorOutput::GivenUp(failure) => self.violations.push(format!("given up: {failure:?}")),
                NegotiatorOutput::Superseded(offer) => superseded = Some(offer),
            }
        }
        for signal in signals {
            self.session(index, SessionInput::Send(peer.clone(), signal));
        }
        if agreed {
            self.recover(index, peer, RecoveryInput::Agreed);
        }
        if let Some(offer) = superseded {
            self.begin_anew(index, peer, offer);
        }
    }

    fn begin_anew(&mut self, index: usize, peer: &PeerId, offer: Option<Signal>) {
        self.close(index, peer);
        self.connect(index, peer.clone(), if offer.is_some() { Role::Callee } else { Role::Caller });
        if let Some(offer) = offer {
            self.negotiate(index, peer, NegotiatorInput::Remote(offer));
        }
    }

    fn recover(&mut self, index: usize, peer: &PeerId, input: RecoveryInput) {
        let Some(pair) = self.people[index].pairs.get_mut(peer) else { return };
        pair.recovery.handle(self.now, input);
        let (mut doubt, mut measure, mut end) = (false, false, false);
        while let Some(output) = pair.recovery.poll() {
            match output {
                RecoveryOutput::Measure => measure = true,
                RecoveryOutput::Restart => pair.connection.restart_ice(),
                RecoveryOutput::DoubtSignaling => doubt = true,
                RecoveryOutput::State(_) => {}
                RecoveryOutput::End(_) => end = true,
            }
        }
        if measure {
            self.tell_bytes(index, peer);
        }
        if doubt {
            self.session(index, SessionInput::Reachable);
        }
        if end {
            self.partings += 1;
            self.close(index, peer);
            self.session(index, SessionInput::Forget(peer.clone()));
        }
    }

    /// What a driver does each second while the connection is up.
    fn look(&mut self, index: usize, peer: &PeerId) {
        let Some(pair) = self.people[index].pairs.get(peer) else { return };
        if pair.recovery.state() == ConnectionState::Connected && pair.recovery.deadline().is_none() {
            self.tell_bytes(index, peer);
        }
    }

    fn tell_bytes(&mut self, index: usize, peer: &PeerId) {
        let up = self.people[index].pairs[peer].link == LinkState::Connected;
        let bytes = self.now.since(Instant::default()).as_millis() as u64;
        self.recover(index, peer, RecoveryInput::Received(if up { bytes } else { 0 }));
    }

    fn session(&mut self, index: usize, input: SessionInput) {
        self.people[index].session.handle(self.now, input);
        self.carry_out(index);
    }

    fn carry_out(&mut self, index: usize) {
        while let Some(output) = self.people[index].session.poll() {
            match output {
                SessionOutput::Open => self.people[index].opening = true,
                SessionOutput::Transmit(message) => {
                    if let Some(wire) = self.people[index].wire {
                        self.server.wires[wire].up.push_back(message);
                    }
                }
                SessionOutput::Close => {
                    self.people[index].opening = false;
                    if let Some(wire) = self.people[index].wire.take() {
                        self.server.wires[wire].closed_by_client = true;
                    }
                }
                SessionOutput::Event(event) => self.event(index, event),
            }
        }
    }

    fn event(&mut self, index: usize, event: SessionEvent) {
        match event {
            SessionEvent::PeerJoined { peer, role } => self.connect(index, peer.id, role),
            SessionEvent::PeerLeft { peer, .. } => {
                self.partings += 1;
                self.close(index, &peer);
            }
            SessionEvent::Way { peer, way, role } => {
                if way == Way::Open {
                    if let Some(pair) = self.people[index].pairs.get_mut(&peer) {
                        pair.role = role;
                        pair.connection.role = role;
                    }
                    self.negotiate(index, &peer, NegotiatorInput::Interrupted { role });
                }
                self.recover(index, &peer, RecoveryInput::Way(way));
            }
            SessionEvent::Signal { from, signal } => {
                self.negotiate(index, &from, NegotiatorInput::Remote(signal));
            }
            SessionEvent::Refused(refusal) => {
                // Words that crossed a leaving find nobody; every other refusal is a mistake of ours.
                if refusal.code != ErrorCode::NoRecipient {
                    self.violations.push(format!("refused: {refusal:?}"));
                }
            }
            SessionEvent::Rejected(refusal) => self.violations.push(format!("rejected: {refusal:?}")),
            SessionEvent::Ended(refusal) => self.violations.push(format!("ended: {refusal:?}")),
            SessionEvent::Confirmed => {
                for peer in self.people[index].pairs.keys().cloned().collect::<Vec<_>>() {
                    self.recover(index, &peer, RecoveryInput::SignalingConfirmed);
                }
            }
            SessionEvent::Reached
            | SessionEvent::Joined { .. }
            | SessionEvent::IceServers(_)
            | SessionEvent::Unreached { .. }
            | SessionEvent::Waiting
            | SessionEvent::Knock(_)
            | SessionEvent::KnockOver(_)
            | SessionEvent::Locked(_) => {}
        }
    }

    fn connect(&mut self, index: usize, peer: PeerId, role: Role) {
        self.next_connection += 1;
        let connection = Connection::new(self.next_connection, role, format!("{index}→{peer}"));
        let pair = Pair {
            role,
            // As good as random: far from each other, and never the same.
            negotiator: Negotiator::new(role, self.next_connection.wrapping_mul(0x9E37_79B1)),
            recovery: Recovery::new(self.now, role, RecoveryTiming::default()),
            connection,
            link: LinkState::Connecting,
            reported: LinkState::Connecting,
        };
        self.people[index].pairs.insert(peer, pair);
    }

    fn close(&mut self, index: usize, peer: &PeerId) {
        if let Some(mut pair) = self.people[index].pairs.remove(peer) {
            self.violations.append(&mut pair.connection.violations);
        }
    }
}

/// By what the server knows a person who joins again.
fn key_of(index: usize) -> JoinKey {
    JoinKey::new(format!("key{index}")).unwrap()
}
