//! A room among the tabs of one browser, with no server: every tab runs one of these in the server's place.
//!
//! Towards its own [`Session`](crate::Session) it speaks the wire protocol as the server does. Towards the other tabs
//! it speaks [`Bus`] messages, which every tab of the room hears. A newcomer says `Hello`; each member answers `Here`,
//! and that makes a pair.
//!
//! Two newcomers may or may not hear each other's `Hello`, and neither can know. So seniority decides who answers, not
//! who was there first: a junior that hears the `Hello` of a senior does not answer it, but says its own once more, to
//! that one alone. Whatever order the messages take, exactly one of the two says `Here`.
//!
//! Each stay in a room goes by an id of its own, as with the server. So what was said to an earlier stay finds nobody.
//!
//! The first answer decides whether a newcomer is in. Where several arrive at once at the limit, the room can come to
//! hold more than its size.

use std::collections::VecDeque;
use std::time::Duration;

use duologue_protocol::{
    Answer, AnswerFrom, ClientMessage, ErrorCode, IceServers, Join, LeaveReason, Limits, Name, Offer,
    OfferFrom, PeerId, PeerInfo, PeerLeft, Ready, Refusal, Rights, Role, RoomId, ServerMessage, SessionToken,
    Trickle, TrickleFrom, Welcome,
};

use crate::time::Instant;

/// How long a newcomer waits for a first answer before it takes the room to be empty. Tabs answer within milliseconds.
const FIRST_ANSWER: Duration = Duration::from_millis(250);

/// What one tab says to the others in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bus {
    /// Who says it.
    pub from: PeerId,
    /// Who it is for; `None` for all.
    pub to: Option<PeerId>,
    /// What.
    pub body: BusBody,
}

/// The words on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusBody {
    /// I am new; who is here? Or, to one alone: I am here as well, and it is for you to answer.
    Hello {
        /// The senior of two, who answers, is the one with the smaller.
        seniority: u64,
        /// My name.
        name: Option<Name>,
    },
    /// I am, and we are a pair.
    Here {
        /// My name.
        name: Option<Name>,
    },
    /// I am, but the room is full.
    Full,
    /// I am leaving.
    Bye,
    /// For your session.
    Relay(ServerMessage),
}

/// What happened.
#[derive(Debug, Clone)]
pub enum LocalInput {
    /// The session says this.
    Client(ClientMessage),
    /// Another tab says this.
    Bus(Bus),
    /// The tab that [`LocalOutput::Watch`] named is gone without a goodbye.
    Gone(PeerId),
    /// The moment of [`LocalRoom::deadline`] has come.
    Timeout,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalOutput {
    /// Hear the bus of this room, and only this one.
    Enter(RoomId),
    /// Hear no bus any more.
    Exit,
    /// Say this on the bus.
    Say(Bus),
    /// Report [`LocalInput::Gone`] when this tab is gone.
    Watch(PeerId),
    /// Tell the session this.
    Client(ServerMessage),
}

#[derive(Debug)]
enum State {
    Outside,
    /// `Hello` is said; nobody has answered yet.
    Asking {
        until: Instant,
    },
    Inside,
}

/// The server's part among the tabs of one browser. See the module's documentation.
#[derive(Debug)]
pub struct LocalRoom {
    tab: PeerId,
    /// The id of this stay in a room: [`Self::tab`] and a number.
    me: PeerId,
    stays: u32,
    session: SessionToken,
    seniority: u64,
    /// How many may be in a room.
    size: usize,
    state: State,
    name: Option<Name>,
    members: Vec<PeerId>,
    outputs: VecDeque<LocalOutput>,
}

impl LocalRoom {
    /// A tab in no room yet. `tab` must be unique among all tabs, `seniority` is best the time of arrival, and `size` is
    /// how many a room holds. In a room it goes by an id that begins with `tab`.
    #[must_use]
    pub fn new(tab: PeerId, session: SessionToken, seniority: u64, size: usize) -> Self {
        Self {
            me: tab.clone(),
            tab,
            stays: 0,
            session,
            seniority,
            size,
            state: State::Outside,
            name: None,
            members: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened. Afterwards, [`poll`](Self::poll) until it gives `None`.
    pub fn handle(&mut self, now: Instant, input: LocalInput) {
        match input {
            LocalInput::Client(message) => self.client(now, message),
            LocalInput::Bus(bus) => self.bus(bus),
            LocalInput::Gone(tab) => {
                if let Some(peer) = self.members.iter().find(|member| tab_of(member) == tab.as_str()) {
                    // A tab that is gone is closed, whether it said so or not: it will not come back.
                    self.drop_member(&peer.clone(), LeaveReason::Left);
                }
            }
            LocalInput::Timeout => {
                if self.deadline().is_some_and(|until| now >= until) {
                    self.welcome();
                }
            }
        }
    }

    /// The next thing to do, in order.
    pub fn poll(&mut self) -> Option<LocalOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`handle`](Self::handle) with [`LocalInput::Timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Asking { until } => Some(until),
            State::Outside | State::Inside => None,
        }
    }

    fn client(&mut self, now: Instant, message: ClientMessage) {
        let from = self.me.clone();
        match message {
            ClientMessage::Ping(_) => self.tell(ServerMessage::Pong),
            ClientMessage::Join(join) => self.join(now, join),
            ClientMessage::Leave => self.leave(),
            ClientMessage::Offer(Offer { offer, to, negotiation }) => {
                self.relay(to, ServerMessage::Offer(OfferFrom { offer, from, negotiation }));
            }
            ClientMessage::Answer(Answer { answer, to, negotiation }) => {
                self.relay(to, ServerMessage::Answer(AnswerFrom { answer, from, negotiation }));
            }
            ClientMessage::Candidate(Trickle { candidate, to }) => {
                self.relay(to, ServerMessage::Candidate(TrickleFrom { candidate, from }));
            }
            ClientMessage::IceServers => self.tell(ServerMessage::IceServers(IceServers::default())),
            ClientMessage::Resume(_) => {
                self.refuse(ErrorCode::SessionUnknown, "Tabs keep no sessions. Join the room again.");
            }
            ClientMessage::Lock(_)
            | ClientMessage::Admit(_)
            | ClientMessage::Deny(_)
            | ClientMessage::Remove(_) => {
                self.refuse(ErrorCode::NotAllowed, "Rooms among tabs have no admins.");
            }
        }
    }

    fn join(&mut self, now: Instant, join: Join) {
        if !matches!(self.state, State::Outside) {
            self.refuse(ErrorCode::AlreadyJoined, "This tab is in a room already. Leave it first.");
            return;
        }
        self.stays = self.stays.wrapping_add(1);
        // Only an id that is too long already cannot grow.
        self.me = PeerId::new(format!("{}/{}", self.tab, self.stays)).unwrap_or_else(|_| self.tab.clone());
        self.name = join.name;
        self.state = State::Asking { until: now + FIRST_ANSWER };
        self.outputs.push_back(LocalOutput::Enter(join.room));
        self.hello(None);
    }

    fn hello(&mut self, to: Option<PeerId>) {
        self.say(to, BusBody::Hello { seniority: self.seniority, name: self.name.clone() });
    }

    fn leave(&mut self) {
        if !matches!(self.state, State::Outside) {
            // Every join is answered, also one that is taken back: the session counts on it.
            self.welcome();
            self.exit();
        }
    }

    fn exit(&mut self) {
        self.say(None, BusBody::Bye);
        self.state = State::Outside;
        self.members.clear();
        self.outputs.push_back(LocalOutput::Exit);
    }

    fn bus(&mut self, bus: Bus) {
        let Bus { from, to, body } = bus;
        if to.as_ref().is_some_and(|to| *to != self.me) || tab_of(&from) == self.tab.as_str() {
            return;
        }
        match (body, &self.state) {
            (_, State::Outside) => {}
            (BusBody::Hello { seniority, name }, _) => {
                if self.members.contains(&from) {
                    // Our answer is on its way.
                } else if self.members.len() + 1 >= self.size {
                    self.say(Some(from), BusBody::Full);
                } else if to.is_some() || (self.seniority, &self.me) < (seniority, &from) {
                    self.welcome();
                    self.say(Some(from.clone()), BusBody::Here { name: self.name.clone() });
                    self.pair(from, name, Role::Caller);
                } else {
                    self.hello(Some(from));
                }
            }
            (BusBody::Here { name }, _) => {
                self.welcome();
                self.pair(from, name, Role::Callee);
            }
            (BusBody::Full, State::Asking { .. }) => {
                self.exit();
                self.refuse(
                    ErrorCode::RoomFull,
                    "As many tabs as the room holds are in it. Close one of them, or choose another room.",
                );
            }
            (BusBody::Full, State::Inside) => {}
            (BusBody::Bye, _) => self.drop_member(&from, LeaveReason::Left),
            (BusBody::Relay(message), _) => {
                if self.members.contains(&from) {
                    self.tell(message);
                }
            }
        }
    }

    /// Lets our own session in, if it is not in yet.
    fn welcome(&mut self) {
        if let State::Asking { .. } = self.state {
            self.state = State::Inside;
            self.tell(ServerMessage::Welcome(Welcome {
                id: self.me.clone(),
                session: self.session.clone(),
                ice: IceServers::default(),
                limits: Limits::default(),
                rights: Rights::USUAL,
                locked: false,
            }));
        }
    }

    fn pair(&mut self, peer: PeerId, name: Option<Name>, role: Role) {
        if self.members.contains(&peer) {
            return;
        }
        self.members.push(peer.clone());
        if let Ok(tab) = PeerId::new(tab_of(&peer)) {
            self.outputs.push_back(LocalOutput::Watch(tab));
        }
        let protocol = Some(duologue_protocol::VERSION);
        self.tell(ServerMessage::Ready(Ready {
            role,
            peer: PeerInfo { id: peer, name, protocol, speaks: true },
            pair: None,
        }));
    }

    fn drop_member(&mut self, peer: &PeerId, reason: LeaveReason) {
        if let Some(index) = self.members.iter().position(|member| member == peer) {
            let peer = self.members.remove(index);
            self.tell(ServerMessage::PeerLeft(PeerLeft { peer, reason }));
        }
    }

    fn relay(&mut self, to: Option<PeerId>, message: ServerMessage) {
        let to = match to {
            Some(to) => Some(to),
            None if self.members.len() > 1 => {
                self.refuse(
                    ErrorCode::AmbiguousRecipient,
                    "Several others are in the room: say in \"to\" which.",
                );
                return;
            }
            None => self.members.first().cloned(),
        };
        match to.filter(|to| self.members.contains(to)) {
            Some(to) => self.say(Some(to), BusBody::Relay(message)),
            None => self.refuse(ErrorCode::NoRecipient, "That tab is not in the room."),
        }
    }

    fn say(&mut self, to: Option<PeerId>, body: BusBody) {
        self.outputs.push_back(LocalOutput::Say(Bus { from: self.me.clone(), to, body }));
    }

    fn tell(&mut self, message: ServerMessage) {
        self.outputs.push_back(LocalOutput::Client(message));
    }

    fn refuse(&mut self, code: ErrorCode, message: &str) {
        self.tell(ServerMessage::Error(Refusal { code, message: message.to_owned(), fatal: false }));
    }
}

/// The tab whose stay goes by this id.
fn tab_of(id: &PeerId) -> &str {
    id.as_str().rsplit_once('/').map_or(id.as_str(), |(tab, _)| tab)
}
