//! "Why can't I connect?": looks at everything a call needs, and says in one sentence what it comes to.

use crate::queue::{Sender, queue};
use duologue_engine::diagnosis::{Facts, Findings, Gathered, Reach};
use duologue_engine::{Failure, Instant, Operation};
use duologue_protocol::{ClientMessage, Description, IceServer, Join, Ping, RoomId, ServerMessage, VERSION};
use futures_util::StreamExt;
use gloo_timers::callback::Timeout;

use crate::browser::{
    self, Connection, ConnectionEvent, DataChannel, DataChannelEvent, DataChannelKind, MediaKind,
    MediaProblem, RtcOptions, ServerProblem, TransportPolicy,
};
use crate::signaling::{self, Signaling, TransportEvent};

/// The channel that a word goes over.
const CHANNEL: DataChannelKind = DataChannelKind { label: "check", id: 0, lossy: false };

/// For the signaling server to answer.
const SIGNALING_MILLIS: u32 = 6_000;
/// For candidates to be gathered. No browser gives up a server that does not answer within this time (Firefox does after
/// 11 s, Chromium after 40 s): what ends before has not waited for one, and what it reports could not be asked at all.
const GATHERING_MILLIS: u32 = 10_000;
/// For a connection of this page with itself over the relay.
const RELAY_MILLIS: u32 = 12_000;

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What is the matter with the camera; `None` if nothing is, as far as can be seen without opening it.
    pub camera: Option<MediaProblem>,
    /// The same for the microphone.
    pub microphone: Option<MediaProblem>,
    /// What was tried, and what came of it.
    pub facts: Facts,
    /// What the STUN and TURN servers that were of no help said.
    pub problems: Vec<ServerProblem>,
    /// What it means; [`Verdict::sentence`](duologue_engine::diagnosis::Verdict::sentence) says it to a person.
    pub findings: Findings,
}

/// Checks everything a call needs, from this page: camera and microphone (without opening them), the signaling server,
/// and the ways out of this network. Takes a second where everything answers, and up to half a minute where not.
///
/// `rtc` names the STUN and TURN servers to look at. With none there, those that the signaling server tells of are
/// taken: for that, a room of a random name is entered for a moment.
pub async fn diagnose(signaling: &Signaling, rtc: &RtcOptions) -> Diagnosis {
    let (mut camera, mut microphone) = (None, None);
    for (problem, kind) in [(&mut camera, MediaKind::Video), (&mut microphone, MediaKind::Audio)] {
        *problem = browser::device_problem(kind).await;
    }
    let mut facts = Facts {
        signaling: Reach::NotTried,
        stun: Vec::new(),
        turn: Vec::new(),
        gathered: Vec::new(),
        unhelpful: Vec::new(),
        reports: false,
        complete: false,
        relay: Reach::NotTried,
    };
    let mut rtc = rtc.clone();
    let told = ask(signaling, &mut facts).await;
    if rtc.ice_servers.is_empty() {
        rtc.ice_servers = told;
    }
    for url in rtc.ice_servers.iter().flat_map(|server| &server.urls) {
        if url.starts_with("stun") {
            facts.stun.push(url.clone());
        } else if url.starts_with("turn") {
            facts.turn.push(url.clone());
        }
    }
    let (sender, mut happenings) = queue();
    let mut ways = Ways::try_all(&rtc, facts, &sender);
    while ways.are_open()
        && let Some((side, happening)) = happenings.next().await
    {
        ways.take(side, happening);
    }
    let Ways { facts, problems, .. } = ways;
    let findings = Findings::of(&facts);
    Diagnosis { camera, microphone, facts, problems, findings }
}

/// Asks the signaling server. Whether it answers is noted in `facts`; gives the STUN and TURN servers that it tells of.
async fn ask(signaling: &Signaling, facts: &mut Facts) -> Vec<IceServer> {
    if !signaling.has_server() {
        return Vec::new();
    }
    facts.signaling = Reach::Unreached;
    let (sender, mut events) = queue();
    let late = sender.clone();
    // Here and below: sending fails only once this check is over.
    let _late = Timeout::new(SIGNALING_MILLIS, move || _ = late.send(TransportEvent::Closed));
    let transport = signaling::open(signaling, move |event| _ = sender.send(event));
    let mut asked = Instant::default();
    while let Some(event) = events.next().await {
        match event {
            TransportEvent::Opened => {
                asked = browser::now();
                transport.send(&ClientMessage::Ping(Ping::default()));
            }
            TransportEvent::Received(message) => match message.message {
                ServerMessage::Pong => {
                    facts.signaling = Reach::Reached(browser::now().since(asked));
                    let Ok(room) = RoomId::new(["check ", &browser::random_token::<26>()].concat()) else {
                        break;
                    };
                    let protocol = Some(VERSION);
                    let join = Join { room, name: None, token: None, protocol, key: None, pairs: Vec::new() };
                    transport.send(&ClientMessage::Join(join));
                }
                ServerMessage::Welcome(welcome) => {
                    transport.send(&ClientMessage::Leave);
                    return welcome.ice.ice_servers;
                }
                // It is there, and lets nobody in. What it would have told of is not known then.
                ServerMessage::Error(_) => break,
                _ => {}
            },
            TransportEvent::Malformed(_) => {}
            TransportEvent::Closed => break,
        }
    }
    Vec::new()
}

/// The ways out of this network, while they are tried: a connection that gathers, and two that are connected with each
/// other over the relay alone. Each is dropped when all is known that it can tell.
struct Ways {
    facts: Facts,
    problems: Vec<ServerProblem>,
    gathering: Option<End>,
    relayed: Option<(End, End)>,
    /// When the first word went over the relay.
    begun: Instant,
}

impl Ways {
    fn try_all(rtc: &RtcOptions, facts: Facts, happenings: &Happenings) -> Self {
        let begun = Instant::default();
        let mut ways = Self { facts, problems: Vec::new(), gathering: None, relayed: None, begun };
        ways.gathering = End::new(rtc, Side::Alone, GATHERING_MILLIS, happenings);
        if let Some(end) = &ways.gathering {
            ways.facts.reports = end.connection.reports_server_problems();
            end.run(Operation::Offer);
        }
        if !ways.facts.turn.is_empty() {
            ways.facts.relay = Reach::Unreached;
            let rtc = RtcOptions { transport_policy: TransportPolicy::Relay, ..rtc.clone() };
            let [one, two] =
                [Side::One, Side::Two].map(|side| End::new(&rtc, side, RELAY_MILLIS, happenings));
            ways.relayed = one.zip(two);
            if let Some((one, _)) = &ways.relayed {
                one.run(Operation::Offer);
            }
        }
        ways
    }

    /// Whether there is more to know.
    fn are_open(&self) -> bool {
        self.gathering.is_some() || self.relayed.is_some()
    }

    fn take(&mut self, side: Side, happening: Happening) {
        let (this, other) = match (side, &self.relayed) {
            (Side::Alone, _) => return self.gathered(happening),
            (Side::One, Some((one, two))) => (one, two),
            (Side::Two, Some((one, two))) => (two, one),
            (_, None) => return,
        };
        match happening {
            Happening::Connection(ConnectionEvent::Candidate { candidate, .. }) => {
                other.connection.add_candidate(&candidate);
            }
            Happening::Done(Ok(Some(description))) => other.run(Operation::Apply(description)),
            // The offer was applied.
            Happening::Done(Ok(None)) if side == Side::Two => this.run(Operation::Answer),
            Happening::Channel(DataChannelEvent::Opened) if side == Side::One => {
                self.begun = browser::now();
                let _ = this.channel.send("there");
            }
            Happening::Channel(DataChannelEvent::Text(_)) if side == Side::Two => {
                let _ = this.channel.send("back");
            }
            Happening::Channel(DataChannelEvent::Text(_)) => {
                self.facts.relay = Reach::Reached(browser::now().since(self.begun));
                self.relayed = None;
            }
            Happening::Done(Err(_)) | Happening::Late => self.relayed = None,
            _ => {}
        }
    }

    fn gathered(&mut self, happening: Happening) {
        if self.gathering.is_none() {
            return;
        }
        match happening {
            Happening::Connection(ConnectionEvent::Candidate { candidate, .. }) if candidate.is_end() => {
                self.facts.complete = true;
                self.gathering = None;
            }
            Happening::Connection(ConnectionEvent::Candidate { candidate, relay_protocol, server }) => {
                self.facts.gathered.extend(Gathered::read(
                    &candidate.candidate,
                    relay_protocol.as_deref(),
                    server.as_deref(),
                ));
            }
            Happening::Connection(ConnectionEvent::ServerProblem(problem)) => {
                self.facts.unhelpful.push(problem.url.clone());
                self.problems.push(problem);
            }
            Happening::Done(Err(_)) | Happening::Late => self.gathering = None,
            _ => {}
        }
    }
}

/// Which connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The one that gathers.
    Alone,
    /// The two that are connected with each other.
    One,
    Two,
}

enum Happening {
    Connection(ConnectionEvent),
    Channel(DataChannelEvent),
    /// An operation is done, or was refused; what is inside is the description that it made, if it makes one.
    Done(Result<Option<Description>, Failure>),
    /// It has had all the time it gets.
    Late,
}

type Happenings = Sender<(Side, Happening)>;

/// A connection that is made only to see what becomes of it.
struct End {
    connection: Connection,
    channel: DataChannel,
    side: Side,
    happenings: Happenings,
    _late: Timeout,
}

impl End {
    fn new(rtc: &RtcOptions, side: Side, millis: u32, happenings: &Happenings) -> Option<Self> {
        let (events, words, late) = (happenings.clone(), happenings.clone(), happenings.clone());
        let connection =
            Connection::new(rtc, move |event| _ = events.send((side, Happening::Connection(event))));
        let connection = connection.ok()?;
        let channel =
            connection.data_channel(&CHANNEL, move |event| _ = words.send((side, Happening::Channel(event))));
        let late = Timeout::new(millis, move || _ = late.send((side, Happening::Late)));
        Some(Self { connection, channel, side, happenings: happenings.clone(), _late: late })
    }

    /// Runs an operation, and tells what came of it.
    fn run(&self, operation: Operation) {
        let (side, happenings) = (self.side, self.happenings.clone());
        self.connection.run(operation, move |done| _ = happenings.send((side, Happening::Done(done))));
    }
}
