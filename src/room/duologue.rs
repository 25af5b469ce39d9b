//! One pair of people: the connection between them, and what negotiates it.

use std::time::Duration;

use crate::queue::Sender;
use duologue_engine::{
    ConnectionState, Instant, Negotiator, NegotiatorInput, NegotiatorOutput, Operation, Recovery,
    RecoveryInput, RecoveryOutput, RecoveryTiming, Signal, Way,
};
use duologue_protocol::{LeaveReason, PeerInfo, Role, to_json};

use super::control::{self, Control, Sending};
use super::driver::{Happening, PairHappening};
use super::event::{Event, Peer, PeerState};
use super::local_media::LocalMedia;
use super::reason::Reason;
use crate::browser::{
    self, Connection, ConnectionEvent, DataChannel, DataChannelEvent, MediaKind, MediaStream, RtcOptions,
    ServerProblem,
};
use crate::error::Error;
use crate::exchange::{Attached, Exchange};

/// What a pair asks of its room.
pub(super) enum Output {
    /// Send this to the peer.
    Signal(Signal),
    /// Tell the application.
    Event(Event),
    /// Look whether the signaling server is still there.
    DoubtSignaling,
    /// Begin anew with this peer: as the callee of this offer, or as the caller.
    Supersede(Option<Signal>),
    /// The call with this peer is over.
    End(LeaveReason),
}

/// Between two looks at what arrives while the connection is up. Each is one `getStats()`.
const LOOK: Duration = Duration::from_secs(1);
/// More problems with servers than these tell nobody more.
const MOST_PROBLEMS: usize = 16;

pub(super) struct Duologue {
    pub(super) peer: Peer,
    /// The same, as the server told it.
    pub(super) info: PeerInfo,
    /// A page that knows only the plain messages: it has no control channel, and renegotiation may break it.
    plain: bool,
    negotiator: Negotiator,
    recovery: Recovery,
    /// When to look next at what arrives.
    look: Instant,
    rtc: RtcOptions,
    /// The servers that were of no help since the connection was last up.
    problems: Vec<ServerProblem>,
    /// Whether the application was told that they are away.
    away: bool,
    control: Option<DataChannel>,
    /// The channels for messages and files, and what deals with them. A page that knows only the plain messages has none.
    attached: Option<Attached>,
    pub(super) exchange: Option<Exchange>,
    connection: Connection,
    /// What the application gave us, or an empty stream: the one our tracks belong to.
    outgoing: MediaStream,
    media: Option<LocalMedia>,
    incoming: Option<MediaStream>,
    happenings: Sender<Happening>,
    outputs: Vec<Output>,
}

impl Duologue {
    /// Makes the connection. The caller's side begins to negotiate by itself. `exchange` is that of the connection before,
    /// if there was one.
    pub(super) fn new(
        info: PeerInfo,
        role: Role,
        rtc: RtcOptions,
        media: Option<LocalMedia>,
        exchange: Option<Exchange>,
        happenings: Sender<Happening>,
    ) -> Result<Self, Error> {
        let peer = Peer::from(&info);
        let report = {
            let (happenings, id) = (happenings.clone(), peer.id.clone());
            move |happening| {
                // Fails only once the room is gone.
                let _ = happenings.send(Happening::Pair(id.clone(), happening));
            }
        };
        let on_event = {
            let report = report.clone();
            move |event| report(PairHappening::Connection(event))
        };
        let connection = Connection::new(&rtc, on_event).map_err(Error::Connection)?;
        let outgoing = match &media {
            Some(media) => media.stream(),
            None => {
                MediaStream::new().map_err(|_| Error::Connection("it has no media streams".to_owned()))?
            }
        };
        let plain = info.protocol.is_none();
        let control = (!plain).then(|| {
            connection.data_channel(&control::CHANNEL, move |event| report(PairHappening::Control(event)))
        });
        let exchange = exchange.or_else(|| (!plain).then(Exchange::new));
        let attached = exchange.as_ref().map(|exchange| exchange.attach(&connection));
        let mut duologue = Self {
            peer,
            info,
            plain,
            negotiator: Negotiator::new(role, browser::random()),
            recovery: Recovery::new(browser::now(), role, RecoveryTiming::default()),
            look: browser::now(),
            rtc,
            problems: Vec::new(),
            away: false,
            control,
            attached,
            exchange,
            connection,
            outgoing,
            media,
            incoming: None,
            happenings,
            outputs: Vec::new(),
        };
        if role == Role::Caller {
            // The callee's tracks travel in the caller's media sections, so there must be one of each kind, wanted
            // here or not; and they are offered before there is a camera, which joins later without a negotiation.
            duologue.send_tracks(true);
            // The browser will say so too, but not before it has drawn whatever the page does about the newcomer.
            duologue.negotiate(NegotiatorInput::NegotiationNeeded);
        }
        Ok(duologue)
    }

    pub(super) fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    pub(super) fn handle(&mut self, happening: PairHappening) {
        match happening {
            PairHappening::Connection(event) => self.connection_event(event),
            PairHappening::Control(event) => self.control_event(event),
            PairHappening::Operation(Ok(description)) => {
                self.negotiate(NegotiatorInput::Completed(description))
            }
            PairHappening::Operation(Err(failure)) => self.negotiate(NegotiatorInput::Failed(failure)),
            PairHappening::Recovery(input) => self.recover(input),
            PairHappening::Timer => self.timer(),
            PairHappening::Signal(signal) => self.negotiate(NegotiatorInput::Remote(signal)),
            PairHappening::Way(way, role) => self.way_changed(way, role),
            PairHappening::Reconfigure(rtc) => self.reconfigure(rtc),
            PairHappening::MediaChanged => {
                self.send_tracks(false);
                self.tell_sending();
            }
        }
    }

    /// When to tell of [`PairHappening::Timer`].
    pub(super) fn deadline(&self) -> Option<Instant> {
        let look = self.is_up().then_some(self.look);
        [self.recovery.deadline(), look].into_iter().flatten().min()
    }

    /// Whether the connection is up, and nothing is done about it.
    fn is_up(&self) -> bool {
        self.recovery.state() == ConnectionState::Connected && self.recovery.deadline().is_none()
    }

    fn timer(&mut self) {
        self.recover(RecoveryInput::Timeout);
        if self.is_up() && browser::now() >= self.look {
            self.look = browser::now() + LOOK;
            self.measure();
        }
    }

    fn measure(&self) {
        let (happenings, id) = (self.happenings.clone(), self.peer.id.clone());
        self.connection.measure(move |bytes| {
            // Fails only once the room is gone.
            let _ =
                happenings.send(Happening::Pair(id, PairHappening::Recovery(RecoveryInput::Received(bytes))));
        });
    }

    fn way_changed(&mut self, way: Way, role: Role) {
        if way == Way::Away && !self.away {
            self.away = true;
            self.event(Event::PeerAway(self.peer.clone()));
        }
        if way == Way::Open {
            if std::mem::take(&mut self.away) {
                self.event(Event::PeerBack(self.peer.clone()));
            }
            self.negotiate(NegotiatorInput::Interrupted { role });
        }
        self.recover(RecoveryInput::Way(way));
    }

    fn reconfigure(&mut self, rtc: RtcOptions) {
        let outcome = self.connection.reconfigure(&rtc);
        self.rtc = rtc;
        if let Err(words) = outcome {
            self.event(Event::Error(Error::Connection(words)));
        }
    }

    fn connection_event(&mut self, event: ConnectionEvent) {
        match event {
            ConnectionEvent::NegotiationNeeded => self.negotiate(NegotiatorInput::NegotiationNeeded),
            ConnectionEvent::Candidate { candidate, .. } => {
                self.negotiate(NegotiatorInput::LocalCandidate(candidate))
            }
            ConnectionEvent::State(state) => self.recover(RecoveryInput::Link(state)),
            ConnectionEvent::ServerProblem(problem) => {
                if self.problems.len() < MOST_PROBLEMS && !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
            }
            // The server cannot hold back what does not pass it.
            ConnectionEvent::Track(_) if !self.peer.speaks => {}
            ConnectionEvent::Track(track) => {
                let first = self.incoming.is_none();
                let stream = match &self.incoming {
                    Some(stream) => Clone::clone(stream),
                    None => match MediaStream::new() {
                        Ok(stream) => stream,
                        Err(_) => return,
                    },
                };
                stream.add_track(&track);
                self.incoming = Some(Clone::clone(&stream));
                if first {
                    self.event(Event::Stream { peer: self.peer.clone(), stream });
                }
            }
        }
    }

    fn recover(&mut self, input: RecoveryInput) {
        self.recovery.handle(browser::now(), input);
        while let Some(output) = self.recovery.poll() {
            match output {
                RecoveryOutput::Measure => self.measure(),
                RecoveryOutput::Restart => self.connection.restart_ice(),
                RecoveryOutput::DoubtSignaling => self.outputs.push(Output::DoubtSignaling),
                RecoveryOutput::State(state) => self.tell_state(state),
                RecoveryOutput::End(reason) => self.outputs.push(Output::End(reason)),
            }
        }
    }

    fn tell_state(&mut self, state: ConnectionState) {
        let (state, reason) = match state {
            ConnectionState::Connecting => (PeerState::Connecting, None),
            ConnectionState::Connected => (PeerState::Connected, None),
            ConnectionState::Reconnecting => (PeerState::Reconnecting, None),
            ConnectionState::Failed(cause) => {
                (PeerState::Failed, Some(Reason::new(cause, &self.rtc, &self.problems)))
            }
        };
        if state == PeerState::Connected {
            self.problems.clear();
            self.start_exchange();
        }
        self.event(Event::State { peer: self.peer.clone(), state, reason });
    }

    /// Now that the call is up, there is time to load what messages and files need.
    fn start_exchange(&mut self) {
        if let Some(exchange) = &mut self.exchange {
            let (happenings, peer) = (self.happenings.clone(), self.peer.clone());
            exchange.start(&self.peer, move |event| {
                // Fails only once the room is gone.
                let _ = happenings.send(Happening::Exchange(peer.clone(), event));
            });
        }
    }

    fn control_event(&mut self, event: DataChannelEvent) {
        match event {
            DataChannelEvent::Opened => {
                self.tell_sending();
                if let Some(attached) = &self.attached {
                    attached.up(self.connection.most_message_bytes());
                }
            }
            DataChannelEvent::Closed => self.recover(RecoveryInput::Closed),
            DataChannelEvent::Bytes(_) | DataChannelEvent::Drained => {}
            DataChannelEvent::Text(text) => {
                // What cannot be read is from a newer version, or of no use: either way nothing changes.
                if let Ok(Control::Media(Sending { audio, video })) = Control::read(&text)
                    && self.peer.speaks
                {
                    self.event(Event::Media { peer: self.peer.clone(), audio, video });
                }
            }
        }
    }

    fn negotiate(&mut self, input: NegotiatorInput) {
        self.negotiator.handle(input);
        while let Some(output) = self.negotiator.poll() {
            match output {
                NegotiatorOutput::Run(operation) => self.run(operation),
                NegotiatorOutput::AddCandidate(candidate) => self.connection.add_candidate(&candidate),
                NegotiatorOutput::Send(signal) => self.outputs.push(Output::Signal(signal)),
                // The other side may have offered fewer media sections than we have tracks.
                NegotiatorOutput::Agreed(_) => {
                    self.send_tracks(!self.plain);
                    self.recover(RecoveryInput::Agreed);
                }
                NegotiatorOutput::Superseded(offer) => self.outputs.push(Output::Supersede(offer)),
                NegotiatorOutput::GivenUp(failure) => {
                    self.event(Event::Error(Error::Connection(failure.message)))
                }
            }
        }
    }

    fn run(&mut self, operation: Operation) {
        if operation == Operation::Answer {
            // The offer's media sections are there now, and ours to send in.
            self.send_tracks(false);
        }
        let (happenings, id) = (self.happenings.clone(), self.peer.id.clone());
        self.connection.run(operation, move |outcome| {
            // Fails only once the room is gone.
            let _ = happenings.send(Happening::Pair(id, PairHappening::Operation(outcome)));
        });
    }

    /// Puts our tracks into the media sections there are; where `may_add`, one of each kind is made if there is none.
    fn send_tracks(&mut self, may_add: bool) {
        for kind in MediaKind::ALL {
            let track = self.media.as_ref().and_then(|media| media.track(kind));
            let sends = self.media.as_ref().is_some_and(|media| media.may_send(kind));
            let place =
                |connection: &Connection| connection.send_track(kind, track.as_ref(), &self.outgoing, sends);
            if !place(&self.connection) && may_add {
                self.connection.add_transceiver(kind, &self.outgoing, sends);
                place(&self.connection);
            }
        }
    }

    fn tell_sending(&self) {
        let Some(control) = &self.control else { return };
        let sending = self.media.as_ref().map_or(Sending { audio: false, video: false }, LocalMedia::sending);
        // Not open yet: it is told when it opens.
        let _ = control.send(&to_json(&Control::Media(sending)));
    }

    fn event(&mut self, event: Event) {
        self.outputs.push(Output::Event(event));
    }
}
