//! What several tests need: the schema, and messages made at random.

#![allow(dead_code, reason = "each test uses its part")]

use duologue_protocol::*;
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};

pub const SCHEMA: &str = include_str!("../../../../docs/protocol.schema.json");

pub fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("the schema is JSON")
}

/// The part of the schema for one direction: `client` or `server`.
pub fn validator(direction: &str) -> Validator {
    let mut schema = schema();
    let definitions = schema["$defs"].take();
    jsonschema::draft202012::new(&json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/$defs/{direction}"),
        "$defs": definitions,
    }))
    .expect("the schema is a schema")
}

/// The definitions of the messages of one direction, by type.
pub fn definitions(direction: &str) -> Vec<(String, Value)> {
    let schema = schema();
    let list = schema["$defs"][direction]["oneOf"].as_array().expect("a list of messages").clone();
    list.iter()
        .map(|entry| {
            let name = entry["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            let definition = schema["$defs"][name].clone();
            let kind = definition["properties"]["type"]["const"].as_str().expect("a type").to_owned();
            assert_eq!(name, format!("{direction}-{kind}"), "definitions are named after their type");
            (kind, definition)
        })
        .collect()
}

/// The `type` of a message. A new message does not compile until it is named here.
pub fn client_kind(message: &ClientMessage) -> &'static str {
    match message {
        ClientMessage::Join(_) => "join",
        ClientMessage::Leave => "leave",
        ClientMessage::Offer(_) => "offer",
        ClientMessage::Answer(_) => "answer",
        ClientMessage::Candidate(_) => "candidate",
        ClientMessage::Resume(_) => "resume",
        ClientMessage::IceServers => "ice-servers",
        ClientMessage::Ping(_) => "ping",
        ClientMessage::Lock(_) => "lock",
        ClientMessage::Admit(_) => "admit",
        ClientMessage::Deny(_) => "deny",
        ClientMessage::Remove(_) => "remove",
    }
}

/// The `type` of a message. A new message does not compile until it is named here.
pub fn server_kind(message: &ServerMessage) -> &'static str {
    match message {
        ServerMessage::Welcome(_) => "welcome",
        ServerMessage::Resumed(_) => "resumed",
        ServerMessage::Ready(_) => "ready",
        ServerMessage::Offer(_) => "offer",
        ServerMessage::Answer(_) => "answer",
        ServerMessage::Candidate(_) => "candidate",
        ServerMessage::PeerAway(_) => "peer-away",
        ServerMessage::PeerBack(_) => "peer-back",
        ServerMessage::PeerLeft(_) => "peer-left",
        ServerMessage::IceServers(_) => "ice-servers",
        ServerMessage::Error(_) => "error",
        ServerMessage::GoingAway(_) => "going-away",
        ServerMessage::Pong => "pong",
        ServerMessage::Waiting => "waiting",
        ServerMessage::Knock(_) => "knock",
        ServerMessage::KnockOver(_) => "knock-over",
        ServerMessage::Locked(_) => "locked",
    }
}

/// Whether a message is numbered: whether it says what happens in the room. A new message does not compile until it is
/// named here.
pub fn happens_in_the_room(message: &ServerMessage) -> bool {
    match message {
        ServerMessage::Ready(_)
        | ServerMessage::Offer(_)
        | ServerMessage::Answer(_)
        | ServerMessage::Candidate(_)
        | ServerMessage::PeerAway(_)
        | ServerMessage::PeerBack(_)
        | ServerMessage::PeerLeft(_)
        | ServerMessage::Knock(_)
        | ServerMessage::KnockOver(_)
        | ServerMessage::Locked(_) => true,
        ServerMessage::Welcome(_)
        | ServerMessage::Resumed(_)
        | ServerMessage::IceServers(_)
        | ServerMessage::Error(_)
        | ServerMessage::GoingAway(_)
        | ServerMessage::Pong
        | ServerMessage::Waiting => false,
    }
}

pub fn room() -> impl Strategy<Value = RoomId> {
    prop_oneof!["[a-z0-9 -]{1,128}", "\\PC{1,128}"]
        .prop_filter_map("not a room id", |text| RoomId::new(text).ok())
}

pub fn name() -> impl Strategy<Value = Name> {
    prop_oneof!["[A-Za-z '-]{0,64}", "\\PC{0,64}", ".{0,64}"]
        .prop_filter_map("not a name", |text| Name::new(text).ok())
}

pub fn peer_id() -> impl Strategy<Value = PeerId> {
    prop_oneof!["[A-Za-z0-9_-]{1,24}", "\\PC{1,256}"]
        .prop_filter_map("not an id", |text| PeerId::new(text).ok())
}

fn session() -> impl Strategy<Value = SessionToken> {
    "[ -~]{1,256}".prop_map(|text| SessionToken::new(text).expect("printable"))
}

fn pair() -> impl Strategy<Value = PairToken> {
    "\\PC{1,256}".prop_filter_map("not a token", |text| PairToken::new(text).ok())
}

/// As the server makes them: as many as a `join` may name fit into a message.
fn minted_pair() -> impl Strategy<Value = PairToken> {
    "[0-9a-f]{32}".prop_map(|text| PairToken::new(text).expect("printable"))
}

fn description(kind: SdpType) -> impl Strategy<Value = Description> {
    "(?s).{0,200}".prop_map(move |sdp| Description { kind, sdp })
}

fn candidate() -> impl Strategy<Value = Candidate> {
    (
        prop_oneof![Just(String::new()), "candidate:[ -~]{0,500}", "(?s).{0,128}"],
        prop::option::of("(?s).{0,256}"),
        any::<Option<u16>>(),
        prop::option::of("[A-Za-z0-9+/]{0,256}"),
    )
        .prop_map(|(candidate, sdp_mid, sdp_m_line_index, username_fragment)| Candidate {
            candidate,
            sdp_mid,
            sdp_m_line_index,
            username_fragment,
        })
}

fn ice_server() -> impl Strategy<Value = IceServer> {
    (
        prop::collection::vec("(stun|turns?):[a-z.]{1,20}(:[0-9]{1,5})?", 0..3),
        prop::option::of(".{0,20}"),
        prop::option::of(".{0,20}"),
    )
        .prop_map(|(urls, username, credential)| IceServer { urls, username, credential })
}

fn ice_servers() -> impl Strategy<Value = IceServers> {
    (prop::collection::vec(ice_server(), 0..3), any::<Option<u32>>())
        .prop_map(|(ice_servers, ttl)| IceServers { ice_servers, ttl })
}

fn announced() -> impl Strategy<Value = Limits> {
    any::<[u32; 5]>().prop_map(|[message, sdp, candidate, name, room]| Limits {
        message,
        sdp,
        candidate,
        name,
        room,
    })
}

fn word(known: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(known).prop_map(str::to_owned), "[a-z-]{0,20}"]
}

fn join_key() -> impl Strategy<Value = JoinKey> {
    pair().prop_map(|pair| JoinKey::new(pair.as_str()).unwrap())
}

pub fn client_message() -> impl Strategy<Value = ClientMessage> {
    let to = || prop::option::of(peer_id());
    prop_oneof![
        (
            room(),
            prop::option::of(name()),
            prop::option::of("(?s).{0,300}"),
            any::<Option<u32>>(),
            prop::option::of(join_key()),
            prop_oneof![
                prop::collection::vec(pair(), 0..3),
                prop::collection::vec(minted_pair(), 0..=limits::PAIRS)
            ],
        )
            .prop_map(|(room, name, token, protocol, key, pairs)| {
                ClientMessage::Join(Join { room, name, token, protocol, key, pairs })
            }),
        Just(ClientMessage::Leave),
        (description(SdpType::Offer), to(), any::<Option<u32>>())
            .prop_map(|(offer, to, negotiation)| ClientMessage::Offer(Offer { offer, to, negotiation })),
        (description(SdpType::Answer), to(), any::<Option<u32>>())
            .prop_map(|(answer, to, negotiation)| ClientMessage::Answer(Answer { answer, to, negotiation })),
        (candidate(), to()).prop_map(|(candidate, to)| ClientMessage::Candidate(Trickle { candidate, to })),
        (session(), 0..=limits::SEQ)
            .prop_map(|(session, seq)| ClientMessage::Resume(Resume { session, seq })),
        Just(ClientMessage::IceServers),
        prop::option::of(0..=limits::SEQ).prop_map(|seq| ClientMessage::Ping(Ping { seq })),
        any::<bool>().prop_map(|locked| ClientMessage::Lock(Lock { locked })),
        peer_id().prop_map(|peer| ClientMessage::Admit(About { peer })),
        peer_id().prop_map(|peer| ClientMessage::Deny(About { peer })),
        peer_id().prop_map(|peer| ClientMessage::Remove(About { peer })),
    ]
}

pub fn server_message() -> impl Strategy<Value = ServerMessage> {
    let peer = || {
        (peer_id(), prop::option::of(name()), any::<Option<u32>>(), any::<bool>())
            .prop_map(|(id, name, protocol, speaks)| PeerInfo { id, name, protocol, speaks })
    };
    let rights = any::<[bool; 3]>().prop_map(|[join, speak, admin]| Rights { join, speak, admin });
    prop_oneof![
        (peer_id(), session(), ice_servers(), announced(), rights, any::<bool>()).prop_map(
            |(id, session, ice, limits, rights, locked)| {
                ServerMessage::Welcome(Welcome { id, session, ice, limits, rights, locked })
            }
        ),
        ice_servers().prop_map(|ice| ServerMessage::Resumed(Resumed { ice })),
        ice_servers().prop_map(ServerMessage::IceServers),
        peer_id().prop_map(|peer| ServerMessage::PeerAway(PeerMoved { peer })),
        peer_id().prop_map(|peer| ServerMessage::PeerBack(PeerMoved { peer })),
        (prop::sample::select(vec![Role::Caller, Role::Callee]), peer(), prop::option::of(pair()))
            .prop_map(|(role, peer, pair)| ServerMessage::Ready(Ready { role, peer, pair })),
        (description(SdpType::Offer), peer_id(), any::<Option<u32>>()).prop_map(
            |(offer, from, negotiation)| ServerMessage::Offer(OfferFrom { offer, from, negotiation })
        ),
        (description(SdpType::Answer), peer_id(), any::<Option<u32>>()).prop_map(
            |(answer, from, negotiation)| ServerMessage::Answer(AnswerFrom { answer, from, negotiation })
        ),
        (candidate(), peer_id())
            .prop_map(|(candidate, from)| ServerMessage::Candidate(TrickleFrom { candidate, from })),
        (peer_id(), word(LeaveReason::ALL))
            .prop_map(|(peer, reason)| ServerMessage::PeerLeft(PeerLeft { peer, reason: reason.into() })),
        (word(ErrorCode::ALL), "(?s).{0,100}", any::<bool>()).prop_map(|(code, message, fatal)| {
            ServerMessage::Error(Refusal { code: code.into(), message, fatal })
        }),
        any::<u32>().prop_map(|retry_after| ServerMessage::GoingAway(GoingAway { retry_after })),
        Just(ServerMessage::Pong),
        Just(ServerMessage::Waiting),
        peer().prop_map(|peer| ServerMessage::Knock(Knock { peer })),
        peer_id().prop_map(|peer| ServerMessage::KnockOver(PeerMoved { peer })),
        any::<bool>().prop_map(|locked| ServerMessage::Locked(Locked { locked })),
    ]
}

/// What the server can say, with a number or without.
pub fn numbered() -> impl Strategy<Value = Numbered> {
    (server_message(), prop::option::of(0..=limits::SEQ)).prop_map(|(message, seq)| Numbered { message, seq })
}
