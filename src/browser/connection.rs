//! RTCPeerConnection: runs the operations the engine asks for, reports what happens.

use std::rc::Rc;

use duologue_engine::{Failure, LinkState, Operation, Party, SignalingState};
use duologue_protocol::{Candidate, Description, IceServer, SdpType, to_json};
use gloo_events::EventListener;
use js_sys::{Array, JSON, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    MediaStream, MediaStreamTrack, RtcConfiguration, RtcIceCandidateInit, RtcPeerConnection,
    RtcPeerConnectionIceEvent, RtcPeerConnectionState, RtcRtpTransceiver, RtcRtpTransceiverDirection,
    RtcRtpTransceiverInit, RtcSdpType, RtcSessionDescription, RtcSessionDescriptionInit, RtcSignalingState,
    RtcTrackEvent,
};

use super::answers::Answers;
use super::bindings::{IceErrorEvent, PeerConnection, Sender};
use super::data_channel::{DataChannel, DataChannelEvent, DataChannelKind};
use super::stats;
use super::words;

/// Sound or picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

impl MediaKind {
    /// Both, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Audio, Self::Video];

    /// The word the browser uses for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

/// Which ways a connection may take (W3C webrtc-pc, section 4.2.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TransportPolicy {
    /// Any.
    #[default]
    All,
    /// Only through a TURN relay: the other side does not learn our address.
    Relay,
}

/// How to connect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RtcOptions {
    /// STUN and TURN servers. With none, nothing outside the two computers' networks is contacted.
    pub ice_servers: Vec<IceServer>,
    /// Which ways may be taken.
    pub transport_policy: TransportPolicy,
}

impl RtcOptions {
    fn configuration(&self) -> Result<RtcConfiguration, String> {
        let configuration = RtcConfiguration::new();
        if !self.ice_servers.is_empty() {
            let servers = JSON::parse(&to_json(&self.ice_servers));
            configuration.set_ice_servers(&servers.map_err(|error| words(&error))?);
        }
        let set = |name: &str, value: &str| {
            Reflect::set(&configuration, &JsValue::from_str(name), &JsValue::from_str(value))
        };
        // One transport for everything: fewer ports, fewer candidates, quicker.
        let _ = set("bundlePolicy", "max-bundle");
        if self.transport_policy == TransportPolicy::Relay {
            let _ = set("iceTransportPolicy", "relay");
        }
        Ok(configuration)
    }
}

/// A STUN or TURN server did not do what it is for (W3C webrtc-pc, section 4.8.3). Other ways may still be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerProblem {
    /// Its address.
    pub url: String,
    /// The STUN error code (RFC 8489, section 14.8), or 701 if the server could not be reached.
    pub code: u16,
    /// What it said.
    pub text: String,
}

/// What happens on a connection.
#[derive(Debug, Clone)]
pub enum ConnectionEvent {
    /// The tracks or channels call for a negotiation.
    NegotiationNeeded,
    /// A candidate was gathered; the last of a generation is [`Candidate::end`].
    Candidate {
        /// The candidate.
        candidate: Candidate,
        /// What is spoken with the relay (`udp`, `tcp` or `tls`), for a relayed one of our own.
        relay_protocol: Option<String>,
        /// The STUN or TURN server that it was gathered from, where the browser tells.
        server: Option<String>,
    },
    /// It changed its state.
    State(LinkState),
    /// The other side will send this track.
    Track(MediaStreamTrack),
    /// A STUN or TURN server is of no help.
    ServerProblem(ServerProblem),
}

/// A connection. Dropping it removes the listeners and closes it, and what was asked of it is reported no more: a
/// browser allows a few hundred, and counts those that wait to be collected.
pub struct Connection {
    connection: RtcPeerConnection,
    answers: Answers,
    _listeners: [EventListener; 5],
}

impl Connection {
    /// Makes a connection that reports to `on_event`.
    ///
    /// # Errors
    /// What the browser said, in words: most often a STUN or TURN address it cannot read.
    pub fn new(options: &RtcOptions, on_event: impl Fn(ConnectionEvent) + 'static) -> Result<Self, String> {
        Self::reporting_to(&(Rc::new(on_event) as Rc<dyn Fn(ConnectionEvent)>), options)
    }

    /// Not generic, so that it is compiled once.
    fn reporting_to(on_event: &Rc<dyn Fn(ConnectionEvent)>, options: &RtcOptions) -> Result<Self, String> {
        let configuration = options.configuration()?;
        let connection =
            RtcPeerConnection::new_with_configuration(&configuration).map_err(|error| words(&error))?;
        let listen =
            |name: &'static str,
             report: fn(&RtcPeerConnection, &web_sys::Event) -> Option<ConnectionEvent>| {
                let on_event = Rc::clone(on_event);
                let target = connection.clone();
                EventListener::new(&connection, name, move |event| {
                    if let Some(event) = report(&target, event) {
                        on_event(event);
                    }
                })
            };
        let listeners = [
            listen("negotiationneeded", |_, _| Some(ConnectionEvent::NegotiationNeeded)),
            listen("icecandidate", |_, event| Some(gathered(event.dyn_ref::<RtcPeerConnectionIceEvent>()?))),
            listen("connectionstatechange", |connection, _| {
                link_state(connection).map(ConnectionEvent::State)
            }),
            listen("icecandidateerror", |_, event| {
                let event = event.unchecked_ref::<IceErrorEvent>();
                Some(ConnectionEvent::ServerProblem(ServerProblem {
                    url: event.url().unwrap_or_default(),
                    code: event.error_code().unwrap_or_default(),
                    text: event.error_text().unwrap_or_default(),
                }))
            }),
            listen("track", |_, event| {
                event.dyn_ref::<RtcTrackEvent>().map(|event| ConnectionEvent::Track(event.track()))
            }),
        ];
        Ok(Self { connection, answers: Answers::default(), _listeners: listeners })
    }

    /// Starts an operation at once and calls `report` when it is done, unless this is dropped before.
    pub fn run(
        &self,
        operation: Operation,
        report: impl FnOnce(Result<Option<Description>, Failure>) + 'static,
    ) {
        self.run_boxed(operation, Box::new(report));
    }

    /// Not generic, so that it is compiled once.
    fn run_boxed(&self, operation: Operation, report: Box<dyn FnOnce(Result<Option<Description>, Failure>)>) {
        let connection = self.connection.clone();
        let (promise, makes_description) = self.start(operation);
        self.answers.wait(&promise, move |answer| {
            let outcome = match answer {
                Ok(_) if !makes_description => Ok(None),
                Ok(_) => local_description(&connection).map(Some),
                Err(error) => Err(words(&error)),
            };
            report(outcome.map_err(|message| Failure { state: signaling_state(&connection), message }));
        });
    }

    fn start(&self, operation: Operation) -> (Promise, bool) {
        match operation {
            Operation::Offer | Operation::Answer => {
                (self.connection.unchecked_ref::<PeerConnection>().set_implicit_local_description(), true)
            }
            Operation::Apply(description) => {
                let init = RtcSessionDescriptionInit::new(match description.kind {
                    SdpType::Offer => RtcSdpType::Offer,
                    SdpType::Answer => RtcSdpType::Answer,
                });
                init.set_sdp(&description.sdp);
                (self.connection.set_remote_description(&init), false)
            }
            Operation::Rollback { offer_of } => {
                let init = RtcSessionDescriptionInit::new(RtcSdpType::Rollback);
                let promise = match offer_of {
                    Party::Local => self.connection.set_local_description(&init),
                    Party::Remote => self.connection.set_remote_description(&init),
                };
                (promise, false)
            }
        }
    }

    /// Restarts ICE with the next negotiation, which the browser asks for as soon as there can be one.
    pub fn restart_ice(&self) {
        self.connection.unchecked_ref::<PeerConnection>().restart_ice();
    }

    /// Other servers, for the next gathering.
    ///
    /// # Errors
    /// What the browser said, in words; then those before stay.
    pub fn reconfigure(&self, options: &RtcOptions) -> Result<(), String> {
        let configuration = options.configuration()?;
        let changed = self.connection.unchecked_ref::<PeerConnection>().set_configuration(&configuration);
        changed.map_err(|error| words(&error))
    }

    /// Whether this browser tells of STUN and TURN servers that are of no help.
    #[must_use]
    pub fn reports_server_problems(&self) -> bool {
        Reflect::has(&self.connection, &JsValue::from_str("onicecandidateerror")).unwrap_or(false)
    }

    /// Calls `report` with the number of bytes that have arrived in all.
    pub fn measure(&self, report: impl FnOnce(u64) + 'static) {
        self.answers.wait(&self.connection.get_stats(), |answer| {
            report(answer.map_or(0, |it| stats::bytes_received(&it)));
        });
    }

    /// Hands a remote candidate to the connection. One that it cannot use (a `.local` name that does not resolve, an
    /// address family that is not there) is no reason to stop: others come.
    pub fn add_candidate(&self, candidate: &Candidate) {
        let init = RtcIceCandidateInit::new(&candidate.candidate);
        init.set_sdp_mid(candidate.sdp_mid.as_deref());
        init.set_sdp_m_line_index(candidate.sdp_m_line_index);
        if let Some(ufrag) = &candidate.username_fragment {
            let _ = Reflect::set(&init, &JsValue::from_str("usernameFragment"), &JsValue::from_str(ufrag));
        }
        let added = self.connection.add_ice_candidate_with_opt_rtc_ice_candidate_init(Some(&init));
        self.answers.wait(&added, drop);
    }

    /// Adds a media section of its own for `kind`, to send (where `sends`) and to receive.
    pub fn add_transceiver(&self, kind: MediaKind, stream: &MediaStream, sends: bool) {
        let init = RtcRtpTransceiverInit::new();
        init.set_direction(direction(sends));
        init.set_streams(&Array::of1(stream));
        self.connection.add_transceiver_with_str_and_init(kind.as_str(), &init);
    }

    /// Sends `track` in the first media section of its kind, or nothing there; `sends` says whether a track may come
    /// later. A direction that changes calls for a negotiation, a track does not. `false` where there is no such
    /// section yet.
    pub fn send_track(
        &self,
        kind: MediaKind,
        track: Option<&MediaStreamTrack>,
        stream: &MediaStream,
        sends: bool,
    ) -> bool {
        let Some(transceiver) = self.transceiver(kind) else { return false };
        let sender = transceiver.sender();
        if transceiver.direction() != direction(sends) {
            transceiver.set_direction(direction(sends));
        }
        if sends {
            // Browsers without it still send the track; only a page that reads `event.streams` would miss it.
            let _ = sender.unchecked_ref::<Sender>().set_streams(stream);
        }
        if sender.track().as_ref() != track {
            self.answers.wait(&sender.replace_track(track), drop);
        }
        true
    }

    fn transceiver(&self, kind: MediaKind) -> Option<RtcRtpTransceiver> {
        let transceivers = self.connection.get_transceivers();
        let mut transceivers = transceivers.iter().filter_map(|it| it.dyn_into::<RtcRtpTransceiver>().ok());
        transceivers.find(|it| it.receiver().track().kind() == kind.as_str())
    }

    /// Makes a data channel that the other side makes as well, of the same kind: it opens with the connection and needs
    /// no message of its own.
    #[must_use]
    pub fn data_channel(
        &self,
        kind: &DataChannelKind,
        on_event: impl Fn(DataChannelEvent) + 'static,
    ) -> DataChannel {
        let channel = self.connection.create_data_channel_with_data_channel_dict(kind.label, &kind.init());
        DataChannel::new(channel, Rc::new(on_event))
    }

    /// The most bytes that the other side takes in a message, once there is a connection.
    #[must_use]
    pub fn most_message_bytes(&self) -> usize {
        let sctp = self.connection.unchecked_ref::<PeerConnection>().sctp();
        // Where it is not said, RFC 8841, section 6.1 says 64 KiB; "any size" is infinity.
        sctp.map_or(64.0 * 1024.0, |sctp| sctp.max_message_size()) as usize
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connection.close();
    }
}

fn direction(sends: bool) -> RtcRtpTransceiverDirection {
    if sends { RtcRtpTransceiverDirection::Sendrecv } else { RtcRtpTransceiverDirection::Recvonly }
}

fn gathered(event: &RtcPeerConnectionIceEvent) -> ConnectionEvent {
    let Some(candidate) = event.candidate() else {
        return ConnectionEvent::Candidate {
            candidate: Candidate::end(),
            relay_protocol: None,
            server: None,
        };
    };
    let text = |name: &str| Reflect::get(&candidate, &JsValue::from_str(name)).ok()?.as_string();
    ConnectionEvent::Candidate {
        candidate: Candidate {
            candidate: candidate.candidate(),
            sdp_mid: candidate.sdp_mid(),
            sdp_m_line_index: candidate.sdp_m_line_index(),
            username_fragment: text("usernameFragment"),
        },
        relay_protocol: text("relayProtocol"),
        server: text("url"),
    }
}

fn link_state(connection: &RtcPeerConnection) -> Option<LinkState> {
    match connection.connection_state() {
        RtcPeerConnectionState::New | RtcPeerConnectionState::Connecting => Some(LinkState::Connecting),
        RtcPeerConnectionState::Connected => Some(LinkState::Connected),
        RtcPeerConnectionState::Disconnected => Some(LinkState::Disconnected),
        RtcPeerConnectionState::Failed => Some(LinkState::Failed),
        _ => None,
    }
}

fn signaling_state(connection: &RtcPeerConnection) -> SignalingState {
    match connection.signaling_state() {
        RtcSignalingState::HaveLocalOffer => SignalingState::HaveLocalOffer,
        RtcSignalingState::HaveRemoteOffer => SignalingState::HaveRemoteOffer,
        _ => SignalingState::Stable,
    }
}

fn local_description(connection: &RtcPeerConnection) -> Result<Description, String> {
    let description: RtcSessionDescription =
        connection.local_description().ok_or("the browser made no description")?;
    let kind = match description.type_() {
        RtcSdpType::Offer => SdpType::Offer,
        RtcSdpType::Answer => SdpType::Answer,
        _ => return Err("the browser made a description of another kind".to_owned()),
    };
    Ok(Description { kind, sdp: description.sdp() })
}
