//! "Why can't I connect?": looks at everything a call needs, and says in one sentence what it comes to.

use std::time::Duration;

use crate::queue::{Sender, queue};
use duologue_engine::diagnosis::{Facts, Findings, Gathered, Reach};
use duologue_engine::{Instant, Operation};
use duologue_protocol::{ClientMessage, Description, Join, Ping, RoomId, ServerMessage, VERSION};
use futures_channel::oneshot;
use futures_util::StreamExt;
use futures_util::future::{Either, join, select};
use gloo_timers::future::TimeoutFuture;

use crate::browser::{
    self, Connection, ConnectionEvent, DataChannel, DataChannelEvent, DataChannelKind, MediaKind,
    MediaProblem, RtcOptions, ServerProblem, TransportPolicy,
};
use crate::signaling::{self, Signaling, TransportEvent};

/// The channel that a word goes over.
const CHANNEL: DataChannelKind = DataChannelKind { label: "check", id: 0, lossy: false };

/// For the signaling server to answer.
const SIGNALING: Duration = Duration::from_secs(6);
/// For candidates to be gathered. No browser gives up a server that does not answer within this time (Firefox does after
/// 11 s, Chromium after 40 s): what ends before has not waited for one, and what it reports could not be asked at all.
const GATHERING: Duration = Duration::from_secs(10);
/// For a connection of this page with itself over the relay.
const RELAY: Duration = Duration::from_secs(12);

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
    let camera = browser::device_problem(MediaKind::Video).await;
    let microphone = browser::device_problem(MediaKind::Audio).await;
    let answer = ask(signaling).await;
    let mut rtc = rtc.clone();
    if rtc.ice_servers.is_empty() {
        rtc.ice_servers = answer.ice_servers;
    }
    let of_kind = |kind: &str| -> Vec<String> {
        let urls = rtc.ice_servers.iter().flat_map(|server| &server.urls);
        urls.filter(|url| url.starts_with(kind)).cloned().collect()
    };
    let (stun, turn) = (of_kind("stun"), of_kind("turn"));
    let (found, relay) = join(gather(&rtc), try_relay(&rtc, !turn.is_empty())).await;
    let unhelpful = found.problems.iter().map(|problem| problem.url.clone()).collect();
    let facts = Facts {
        signaling: answer.reach,
        stun,
        turn,
        gathered: found.candidates,
        unhelpful,
        reports: found.reports,
        complete: found.complete,
        relay,
    };
    let findings = Findings::of(&facts);
    Diagnosis { camera, microphone, facts, problems: found.problems, findings }
}

/// `future`, unless it takes too long.
async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    let millis = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    match select(std::pin::pin!(future), TimeoutFuture::new(millis)).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => None,
    }
}

/// What the signaling server says.
struct Answer {
    reach: Reach,
    ice_servers: Vec<duologue_protocol::IceServer>,
}

async fn ask(signaling: &Signaling) -> Answer {
    let mut answer = Answer { reach: Reach::Unreached, ice_servers: Vec::new() };
    if matches!(signaling, Signaling::Tabs { .. }) {
        answer.reach = Reach::NotTried;
        return answer;
    }
    let (sender, mut events) = queue();
    let transport = signaling::open(signaling, move |event| {
        // Fails only once this check is over.
        let _ = sender.send(event);
    });
    let conversation = async {
        let mut asked = Instant::default();
        while let Some(event) = events.next().await {
            match event {
                TransportEvent::Opened => {
                    asked = browser::now();
                    transport.send(&ClientMessage::Ping(Ping::default()));
                }
                TransportEvent::Received(message) => match message.message {
                    ServerMessage::Pong => {
                        answer.reach = Reach::Reached(browser::now().since(asked));
                        let Ok(room) = RoomId::new(["check ", &browser::random_token::<26>()].concat())
                        else {
                            break;
                        };
                        let protocol = Some(VERSION);
                        let join =
                            Join { room, name: None, token: None, protocol, key: None, pairs: Vec::new() };
                        transport.send(&ClientMessage::Join(join));
                    }
                    ServerMessage::Welcome(welcome) => {
                        answer.ice_servers = welcome.ice.ice_servers;
                        transport.send(&ClientMessage::Leave);
                        break;
                    }
                    // It is there, and lets nobody in. What it would have told of is not known then.
                    ServerMessage::Error(_) => break,
                    _ => {}
                },
                TransportEvent::Malformed(_) => {}
                TransportEvent::Closed => break,
            }
        }
    };
    within(SIGNALING, conversation).await;
    answer
}

/// What gathering has found.
#[derive(Default)]
struct Found {
    candidates: Vec<Gathered>,
    problems: Vec<ServerProblem>,
    /// Whether the browser tells of problems at all.
    reports: bool,
    complete: bool,
}

async fn gather(rtc: &RtcOptions) -> Found {
    let mut found = Found::default();
    let (happening, mut happenings) = queue();
    let Some(end) = End::new(rtc, Side::One, &happening) else { return found };
    found.reports = end.connection.reports_server_problems();
    let gathering = async {
        end.run(Operation::Offer).await?;
        loop {
            let (_, Happening::Connection(event)) = happenings.next().await? else { continue };
            match event {
                ConnectionEvent::Candidate { candidate, .. } if candidate.is_end() => {
                    found.complete = true;
                    return Some(());
                }
                ConnectionEvent::Candidate { candidate, relay_protocol, server } => {
                    found.candidates.extend(Gathered::read(
                        &candidate.candidate,
                        relay_protocol.as_deref(),
                        server.as_deref(),
                    ));
                }
                ConnectionEvent::ServerProblem(problem) => found.problems.push(problem),
                _ => {}
            }
        }
    };
    within(GATHERING, gathering).await;
    found
}

/// Connects this page with itself over the relay alone, and measures how long a word takes there and back.
async fn try_relay(rtc: &RtcOptions, there_is_one: bool) -> Reach {
    if !there_is_one {
        return Reach::NotTried;
    }
    let rtc = RtcOptions { transport_policy: TransportPolicy::Relay, ..rtc.clone() };
    let trip = async {
        let (happening, mut happenings) = queue();
        let one = End::new(&rtc, Side::One, &happening)?;
        let two = End::new(&rtc, Side::Two, &happening)?;
        let offer = one.run(Operation::Offer).await??;
        two.run(Operation::Apply(offer)).await?;
        let answer = two.run(Operation::Answer).await??;
        one.run(Operation::Apply(answer)).await?;
        let mut begun = Instant::default();
        loop {
            let (side, happening) = happenings.next().await?;
            match (side, happening) {
                (Side::One, Happening::Connection(event)) => two.take(event),
                (Side::Two, Happening::Connection(event)) => one.take(event),
                (Side::One, Happening::Channel(DataChannelEvent::Opened)) => {
                    begun = browser::now();
                    let _ = one.channel.send("there");
                }
                (Side::Two, Happening::Channel(DataChannelEvent::Text(_))) => {
                    let _ = two.channel.send("back");
                }
                (Side::One, Happening::Channel(DataChannelEvent::Text(_))) => {
                    return Some(browser::now().since(begun));
                }
                (_, Happening::Channel(_)) => {}
            }
        }
    };
    match within(RELAY, trip).await {
        Some(Some(time)) => Reach::Reached(time),
        _ => Reach::Unreached,
    }
}

/// Which of two connections.
#[derive(Clone, Copy)]
enum Side {
    One,
    Two,
}

enum Happening {
    Connection(ConnectionEvent),
    Channel(DataChannelEvent),
}

/// A connection that is made only to see what becomes of it.
struct End {
    connection: Connection,
    channel: DataChannel,
}

impl End {
    fn new(rtc: &RtcOptions, side: Side, happenings: &Sender<(Side, Happening)>) -> Option<Self> {
        let (events, words) = (happenings.clone(), happenings.clone());
        // Fails only once this check is over.
        let connection = Connection::new(rtc, move |event| {
            let _ = events.send((side, Happening::Connection(event)));
        });
        let connection = connection.ok()?;
        let channel = connection.data_channel(&CHANNEL, move |event| {
            let _ = words.send((side, Happening::Channel(event)));
        });
        Some(Self { connection, channel })
    }

    /// Runs an operation. `None` if it was refused; what is inside is the description that it made, if it makes one.
    async fn run(&self, operation: Operation) -> Option<Option<Description>> {
        let (report, outcome) = oneshot::channel();
        self.connection.run(operation, move |done| {
            // Fails only once this check is over.
            let _ = report.send(done.ok());
        });
        outcome.await.ok()?
    }

    /// The other end has found a candidate.
    fn take(&self, event: ConnectionEvent) {
        if let ConnectionEvent::Candidate { candidate, .. } = event {
            self.connection.add_candidate(&candidate);
        }
    }
}
