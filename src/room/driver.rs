//! The task of a room: takes what happens, one thing at a time, through the engine to the browser.
//!
//! Browser callbacks only put a [`Happening`] into the queue. So nothing is ever borrowed twice, everything has an
//! order, and the engine sees the world as it was tested.

use std::cell::Cell;
use std::rc::Rc;

use crate::queue::{Receiver, Sender};
use duologue_engine::{
    Failure, Governing, RecoveryInput, Session, SessionEvent, SessionInput, SessionOutput, Signal, Timing,
    Way,
};
use duologue_protocol::{Description, IceServer, Join, LeaveReason, PeerId, PeerInfo, Role};
use futures_channel::oneshot;
use futures_util::StreamExt;

use super::duologue::{Duologue, Output};
use super::event::{Event, Peer};
use super::local_media::Watch;
use super::{Options, Recipients};
use crate::browser::{self, Alarm, ConnectionEvent, DataChannelEvent, File, Listener, RtcOptions};
use crate::error::Error;
use crate::exchange::{self, Exchange, Transfer};
use crate::signaling::{self, Signaling, Transport, TransportEvent};

/// Something the room's task has to deal with.
pub(super) enum Happening {
    Command(Command),
    /// From the transport of this number; one that was replaced is not listened to any more.
    Transport(u32, TransportEvent),
    Pair(PeerId, PairHappening),
    /// A peer's messages and files.
    Exchange(Peer, exchange::Event),
    MediaChanged,
    /// The page is shown again.
    Shown,
    /// The computer is online again, or in another network.
    NetworkChanged,
    Timer,
}

/// Something that concerns one pair.
pub(super) enum PairHappening {
    Connection(ConnectionEvent),
    Control(DataChannelEvent),
    Operation(Result<Option<Description>, Failure>),
    /// For the recovery: bytes have arrived, the network has changed, or somebody asks.
    Recovery(RecoveryInput),
    /// A moment has come that somebody waited for.
    Timer,
    /// The peer says this.
    Signal(Signal),
    /// Whether signals get to the peer has changed, and what our part is.
    Way(Way, Role),
    /// Other STUN and TURN servers, for the next restart.
    Reconfigure(RtcOptions),
    /// Our own camera or microphone has changed.
    MediaChanged,
}

/// Something the application wants.
pub(super) enum Command {
    Enter(Join, oneshot::Sender<Result<PeerId, Error>>),
    Exit,
    Govern(Governing),
    Retry,
    SendFile {
        file: File,
        to: Option<PeerId>,
        answer: oneshot::Sender<Result<Transfer, Error>>,
    },
    Subscribe(Sender<Rc<Event>>),
    /// The room was dropped.
    End,
}

pub(super) struct Driver {
    signaling: Signaling,
    options: Options,
    session: Session,
    transport: Option<Box<dyn Transport>>,
    /// Counts the transports.
    transport_number: u32,
    /// STUN and TURN servers that the signaling server told of.
    told_servers: Vec<IceServer>,
    duologues: Vec<Duologue>,
    recipients: Recipients,
    subscribers: Vec<Sender<Rc<Event>>>,
    /// Who waits to hear how entering went.
    entering: Option<oneshot::Sender<Result<PeerId, Error>>>,
    /// Whether that is for somebody inside to decide.
    waiting: bool,
    /// Whether we may be seen and heard.
    speaks: Rc<Cell<bool>>,
    happenings: Sender<Happening>,
    alarm: Alarm,
    _media: Option<Watch>,
    _listeners: [Option<Listener>; 3],
}

impl Driver {
    pub(super) fn new(
        signaling: Signaling,
        options: Options,
        happenings: Sender<Happening>,
        recipients: Recipients,
        speaks: Rc<Cell<bool>>,
    ) -> Self {
        let tell = |happening: fn() -> Happening| {
            let happenings = happenings.clone();
            move || {
                // Fails only once the room is gone.
                let _ = happenings.send(happening());
            }
        };
        let media = options.media.as_ref().map(|media| media.watch(tell(|| Happening::MediaChanged)));
        let listeners = [
            browser::on_window("online", tell(|| Happening::NetworkChanged)),
            browser::on_network_change(tell(|| Happening::NetworkChanged)),
            browser::on_shown(tell(|| Happening::Shown)),
        ];
        let alarm = Alarm::new(tell(|| Happening::Timer));
        Self {
            signaling,
            session: Session::new(browser::now(), Timing::default()),
            options,
            transport: None,
            transport_number: 0,
            told_servers: Vec::new(),
            duologues: Vec::new(),
            recipients,
            subscribers: Vec::new(),
            entering: None,
            waiting: false,
            speaks,
            happenings,
            alarm,
            _media: media,
            _listeners: listeners,
        }
    }

    /// Runs until the room is dropped; then everything the room held is released.
    pub(super) async fn run(mut self, mut queue: Receiver<Happening>) {
        self.carry_out();
        while let Some(happening) = queue.next().await {
            if let Happening::Command(Command::End) = happening {
                break;
            }
            self.handle(happening);
            self.set_timer();
        }
        self.duologues.clear();
        self.list();
        self.tell_session(SessionInput::End);
    }

    fn handle(&mut self, happening: Happening) {
        match happening {
            Happening::Command(command) => self.command(command),
            Happening::Transport(number, event) if number == self.transport_number => self.transport(event),
            Happening::Transport(..) => {}
            Happening::Pair(peer, happening) => self.pair(&peer, happening),
            Happening::Exchange(peer, event) => self.exchange_event(peer, event),
            Happening::MediaChanged => self.each_pair(&|| PairHappening::MediaChanged),
            Happening::Shown => self.tell_session(SessionInput::Reachable),
            Happening::NetworkChanged => {
                self.tell_session(SessionInput::Reachable);
                self.each_pair(&|| PairHappening::Recovery(RecoveryInput::NetworkChanged));
            }
            Happening::Timer => {
                self.tell_session(SessionInput::Timeout { random: browser::random() });
                self.each_pair(&|| PairHappening::Timer);
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Enter(join, answer) => {
                // One is in one room at a time.
                self.command(Command::Exit);
                self.entering = Some(answer);
                self.tell_session(SessionInput::Join(join));
                // Somebody waits: this is worth a try now, not when the pause is over.
                self.tell_session(SessionInput::Reachable);
            }
            Command::Exit => {
                self.duologues.clear();
                self.list();
                self.entered(Err(Error::Left));
                self.tell_session(SessionInput::Leave);
            }
            Command::Govern(what) => self.tell_session(SessionInput::Govern(what)),
            Command::Retry => {
                self.tell_session(SessionInput::Reachable);
                self.each_pair(&|| PairHappening::Recovery(RecoveryInput::Retry));
            }
            Command::SendFile { file, to, answer } => {
                // Whoever asked may have stopped waiting: it is offered nevertheless.
                let _ = answer.send(self.send_file(file, to.as_ref()));
            }
            Command::Subscribe(subscriber) => self.subscribers.push(subscriber),
            Command::End => {}
        }
    }

    fn send_file(&self, file: File, to: Option<&PeerId>) -> Result<Transfer, Error> {
        if !self.speaks.get() {
            return Err(Error::Listener);
        }
        let mut peers = self.duologues.iter().filter(|it| to.is_none_or(|to| it.peer.id == *to));
        let duologue = match (peers.next(), peers.next()) {
            (Some(duologue), None) => duologue,
            (None, _) if to.is_some() => return Err(Error::NoSuchPeer),
            _ => return Err(Error::WhichPeer),
        };
        let exchange =
            duologue.exchange.as_ref().ok_or_else(|| Error::TakesNoFiles(duologue.peer.clone()))?;
        Ok(exchange.offer(&duologue.peer, file))
    }

    fn exchange_event(&mut self, peer: Peer, event: exchange::Event) {
        self.event(match event {
            exchange::Event::Messages(_) if !peer.speaks => return,
            exchange::Event::File(transfer) if !peer.speaks => return transfer.decline(""),
            exchange::Event::Messages(messages) => {
                for (mode, body) in messages {
                    self.event(Event::Message { peer: peer.clone(), body, mode });
                }
                return;
            }
            exchange::Event::File(transfer) => Event::File(transfer),
            exchange::Event::Unconfirmed(count) => Event::Error(Error::Unconfirmed(peer, count)),
            exchange::Event::Malformed(what) => Event::Error(Error::Malformed(peer, what)),
            exchange::Event::NotLoaded(error) => Event::Error(error.into()),
        });
    }

    fn transport(&mut self, event: TransportEvent) {
        match event {
            TransportEvent::Opened => self.tell_session(SessionInput::Opened),
            TransportEvent::Received(message) => self.tell_session(SessionInput::Received(message)),
            TransportEvent::Malformed(error) => {
                self.event(Event::Error(Error::Unreadable(error.to_string())))
            }
            TransportEvent::Closed => {
                self.transport = None;
                self.tell_session(SessionInput::Closed { random: browser::random() });
            }
        }
    }

    fn tell_session(&mut self, input: SessionInput) {
        self.session.handle(browser::now(), input);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.session.poll() {
            match output {
                SessionOutput::Open => self.open_transport(),
                SessionOutput::Transmit(message) => {
                    if let Some(transport) = &self.transport {
                        transport.send(&message);
                    }
                }
                SessionOutput::Close => {
                    self.transport_number = self.transport_number.wrapping_add(1);
                    self.transport = None;
                }
                SessionOutput::Event(event) => self.session_event(event),
            }
        }
    }

    fn open_transport(&mut self) {
        self.transport_number = self.transport_number.wrapping_add(1);
        let (number, happenings) = (self.transport_number, self.happenings.clone());
        self.transport = Some(signaling::open(&self.signaling, move |event| {
            // Fails only once the room is gone.
            let _ = happenings.send(Happening::Transport(number, event));
        }));
    }

    fn session_event(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Reached => self.event(Event::Reached),
            SessionEvent::Unreached { before, retry_in } => {
                if self.entering.is_some() && !self.waiting {
                    // Whoever waits is told at once, and may decide to go elsewhere.
                    self.entered(Err(Error::Unreachable));
                    self.tell_session(SessionInput::Leave);
                }
                self.event(Event::Unreached { before, retry_in });
            }
            SessionEvent::Joined { id, ice_servers, rights, locked, .. } => {
                self.told_servers = ice_servers;
                self.speaks.set(rights.speak);
                self.event(Event::Joined { id: id.clone(), rights, locked });
                self.entered(Ok(id));
            }
            SessionEvent::Waiting => {
                self.waiting = true;
                self.event(Event::Waiting);
            }
            SessionEvent::Knock(info) => self.event(Event::Knock(Peer::from(&info))),
            SessionEvent::KnockOver(peer) => self.event(Event::KnockOver(peer)),
            SessionEvent::Locked(locked) => self.event(Event::Locked(locked)),
            SessionEvent::IceServers(ice_servers) => {
                self.told_servers = ice_servers;
                let rtc = self.rtc();
                self.each_pair(&|| PairHappening::Reconfigure(rtc.clone()));
            }
            SessionEvent::PeerJoined { peer, role } => self.peer_joined(peer, role),
            SessionEvent::Way { peer, way, role } => {
                self.pair(&peer, PairHappening::Way(way, role));
            }
            SessionEvent::PeerLeft { peer, reason } => self.peer_left(&peer, reason),
            SessionEvent::Ended(refusal) => {
                self.duologues.clear();
                self.list();
                self.event(Event::Ended(refusal));
            }
            SessionEvent::Signal { from, signal } => self.pair(&from, PairHappening::Signal(signal)),
            SessionEvent::Confirmed => {
                self.each_pair(&|| PairHappening::Recovery(RecoveryInput::SignalingConfirmed));
            }
            SessionEvent::Rejected(refusal) => self.entered(Err(refusal.into())),
            SessionEvent::Refused(refusal) => self.event(Event::Error(refusal.into())),
        }
    }

    fn peer_joined(&mut self, peer: PeerInfo, role: Role) {
        match self.connect(peer, role, None) {
            Ok(duologue) => {
                let peer = duologue.peer.clone();
                self.duologues.push(duologue);
                self.list();
                self.event(Event::Peer(peer));
            }
            Err(error) => self.event(Event::Error(error)),
        }
    }

    /// Tells the room whom it can send messages to.
    fn list(&self) {
        let outbox = |it: &Duologue| (it.peer.clone(), it.exchange.as_ref().map(Exchange::outbox));
        self.recipients.replace(self.duologues.iter().map(outbox).collect());
    }

    fn connect(&self, peer: PeerInfo, role: Role, exchange: Option<Exchange>) -> Result<Duologue, Error> {
        let media = self.options.media.clone().filter(|_| self.speaks.get());
        Duologue::new(peer, role, self.rtc(), media, exchange, self.happenings.clone())
    }

    /// How to connect: the application's servers come before those that the signaling server tells of.
    fn rtc(&self) -> RtcOptions {
        let mut rtc = self.options.rtc.clone();
        if rtc.ice_servers.is_empty() {
            rtc.ice_servers.clone_from(&self.told_servers);
        }
        rtc
    }

    fn peer_left(&mut self, peer: &PeerId, reason: LeaveReason) {
        if let Some(index) = self.duologues.iter().position(|duologue| duologue.peer.id == *peer) {
            let duologue = self.duologues.remove(index);
            self.list();
            self.event(Event::PeerLeft { peer: duologue.peer.clone(), reason });
        }
    }

    /// The peer has made a new connection: ours gives way to a new one as well, and to the person it stays the same
    /// call.
    fn supersede(&mut self, peer: &PeerId, offer: Option<Signal>) {
        let Some(index) = self.duologues.iter().position(|duologue| duologue.peer.id == *peer) else {
            return;
        };
        let mut before = self.duologues.remove(index);
        let (info, exchange) = (before.info.clone(), before.exchange.take());
        // The old connection goes before there is a new one.
        drop(before);
        let role = if offer.is_some() { Role::Callee } else { Role::Caller };
        match self.connect(info, role, exchange) {
            Ok(duologue) => self.duologues.push(duologue),
            Err(error) => {
                self.list();
                return self.event(Event::Error(error));
            }
        }
        if let Some(offer) = offer {
            self.pair(peer, PairHappening::Signal(offer));
        }
    }

    fn each_pair(&mut self, happening: &dyn Fn() -> PairHappening) {
        let peers: Vec<PeerId> = self.duologues.iter().map(|duologue| duologue.peer.id.clone()).collect();
        for peer in peers {
            self.pair(&peer, happening());
        }
    }

    /// Lets one pair, if it is still there, deal with something, and does what it asks.
    fn pair(&mut self, peer: &PeerId, happening: PairHappening) {
        let Some(duologue) = self.duologues.iter_mut().find(|duologue| duologue.peer.id == *peer) else {
            return;
        };
        duologue.handle(happening);
        for output in duologue.take_outputs() {
            match output {
                Output::Signal(signal) => self.send(peer, signal),
                Output::Event(event) => self.event(event),
                Output::DoubtSignaling => self.tell_session(SessionInput::Reachable),
                Output::Supersede(offer) => return self.supersede(peer, offer),
                Output::End(reason) => {
                    self.tell_session(SessionInput::Forget(peer.clone()));
                    return self.peer_left(peer, reason);
                }
            }
        }
    }

    fn send(&mut self, peer: &PeerId, signal: Signal) {
        self.tell_session(SessionInput::Send(peer.clone(), signal));
    }

    fn entered(&mut self, outcome: Result<PeerId, Error>) {
        self.waiting = false;
        if let Some(entering) = self.entering.take() {
            // Whoever asked may have stopped waiting.
            let _ = entering.send(outcome);
        }
    }

    fn event(&mut self, event: Event) {
        let event = Rc::new(event);
        self.subscribers.retain(|subscriber| subscriber.send(Rc::clone(&event)));
    }

    fn set_timer(&mut self) {
        let deadlines = self.duologues.iter().map(Duologue::deadline).chain([self.session.deadline()]);
        self.alarm.set(deadlines.flatten().min());
    }
}
