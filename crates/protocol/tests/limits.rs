//! Every limit is where it is said to be, and what is not a limit is not refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as loudly as tests"
)]

mod common;

use duologue_protocol::{
    Candidate, ClientMessage, DecodeError, ErrorCode, LeaveReason, Limits, Name, Numbered, Ping,
    ServerMessage, limits,
};
use serde_json::{Value, json};

fn client(value: &Value) -> Result<ClientMessage, DecodeError> {
    ClientMessage::from_json(&value.to_string())
}

fn server(value: &Value) -> Result<ServerMessage, DecodeError> {
    ServerMessage::from_json(&value.to_string())
}

fn numbered(value: &Value) -> Result<Numbered, DecodeError> {
    Numbered::from_json(&value.to_string())
}

/// `message` of a text of `limit` units is read, and of one unit more it is refused with `code`. Where a byte is a
/// character the schema must draw the same line.
#[track_caller]
fn edge(limit: usize, unit: &str, code: ErrorCode, message: impl Fn(&str) -> Value) {
    let (fits, breaks) = (message(&unit.repeat(limit)), message(&unit.repeat(limit + 1)));
    let from_client = ["join", "resume"].map(Value::from).contains(&fits["type"]) || fits.get("to").is_some();
    let decode = |value| if from_client { client(value).map(drop) } else { server(value).map(drop) };
    assert_eq!(decode(&fits), Ok(()), "exactly the limit");
    assert_eq!(decode(&breaks).map_err(|e| e.code()), Err(code), "one more");
    if unit.is_ascii() {
        let schema = common::validator(if from_client { "client" } else { "server" });
        assert!(schema.is_valid(&fits), "exactly the limit is in the schema");
        assert!(!schema.is_valid(&breaks), "one more is not in the schema");
    }
}

#[test]
fn a_message_is_measured_in_bytes_as_it_comes() {
    let around = json!({ "type": "ping", "padding": "" }).to_string().len();
    let message =
        |length: usize| json!({ "type": "ping", "padding": "x".repeat(length - around) }).to_string();
    assert_eq!(message(limits::MESSAGE).len(), limits::MESSAGE);
    assert_eq!(ClientMessage::from_json(&message(limits::MESSAGE)), Ok(ClientMessage::Ping(Ping::default())));
    let problem = ClientMessage::from_json(&message(limits::MESSAGE + 1)).unwrap_err();
    assert_eq!(problem.code(), ErrorCode::MessageTooLarge);
    assert_eq!(problem.to_string(), "a message must be at most 65536 bytes long");
    let problem = ServerMessage::from_json(&message(limits::MESSAGE + 1)).unwrap_err();
    assert_eq!(problem.code(), ErrorCode::MessageTooLarge);
    // White space counts, and it is looked at before anything else is.
    let problem = ClientMessage::from_json(&" ".repeat(limits::MESSAGE + 1)).unwrap_err();
    assert_eq!(problem.code(), ErrorCode::MessageTooLarge);
}

#[test]
fn a_description_is_measured_in_bytes() {
    let units = [("x", limits::SDP), ("é", limits::SDP / 2)];
    for (kind, (unit, limit)) in
        ["offer", "answer"].into_iter().flat_map(|kind| units.map(|unit| (kind, unit)))
    {
        let description = |sdp: &str| json!({ "type": kind, "sdp": sdp });
        edge(
            limit,
            unit,
            ErrorCode::SdpTooLarge,
            |sdp| json!({ "type": kind, kind: description(sdp), "to": "p" }),
        );
        edge(
            limit,
            unit,
            ErrorCode::SdpTooLarge,
            |sdp| json!({ "type": kind, kind: description(sdp), "from": "p" }),
        );
    }
}

#[test]
fn a_candidate_is_measured_in_bytes() {
    for (unit, limit) in [("x", limits::CANDIDATE), ("é", limits::CANDIDATE / 2)] {
        edge(
            limit,
            unit,
            ErrorCode::CandidateTooLarge,
            |line| json!({ "type": "candidate", "candidate": { "candidate": line }, "to": "p" }),
        );
        edge(
            limit,
            unit,
            ErrorCode::CandidateTooLarge,
            |line| json!({ "type": "candidate", "candidate": { "candidate": line }, "from": "p" }),
        );
    }
}

#[test]
fn the_small_strings_of_a_candidate_are_measured_in_characters() {
    let fields = ["sdpMid", "usernameFragment"];
    for (field, unit) in fields.into_iter().flat_map(|field| [(field, "x"), (field, "🎈")]) {
        for party in ["to", "from"] {
            edge(
                limits::TOKEN,
                unit,
                ErrorCode::BadMessage,
                |text| json!({ "type": "candidate", "candidate": { "candidate": "", field: text }, party: "p" }),
            );
        }
    }
}

#[test]
fn names_rooms_ids_and_tokens_are_measured_in_characters() {
    let bad = ErrorCode::BadMessage;
    for unit in ["x", "é", "🎈"] {
        edge(limits::NAME, unit, bad.clone(), |name| json!({ "type": "join", "room": "a", "name": name }));
        edge(
            limits::NAME,
            unit,
            bad.clone(),
            |name| json!({ "type": "ready", "role": "caller", "peer": { "id": "p", "name": name } }),
        );
        edge(limits::ROOM, unit, bad.clone(), |room| json!({ "type": "join", "room": room }));
        edge(
            limits::ROOM,
            unit,
            bad.clone(),
            |room| json!({ "type": "join", "room": format!("  {room}\n") }),
        );
        edge(
            limits::TOKEN,
            unit,
            bad.clone(),
            |to| json!({ "type": "candidate", "candidate": null, "to": to }),
        );
        edge(
            limits::TOKEN,
            unit,
            bad.clone(),
            |id| json!({ "type": "candidate", "candidate": null, "from": id }),
        );
        edge(limits::TOKEN, unit, bad.clone(), |s| json!({ "type": "resume", "session": s, "seq": 0 }));
        edge(
            limits::TOKEN,
            unit,
            bad.clone(),
            |pair| json!({ "type": "join", "room": "a", "pairs": [pair] }),
        );
        edge(limits::TOKEN, unit, bad.clone(), |key| json!({ "type": "join", "room": "a", "key": key }));
        edge(
            limits::TOKEN,
            unit,
            bad.clone(),
            |pair| json!({ "type": "ready", "role": "caller", "peer": { "id": "p" }, "pair": pair }),
        );
        edge(limits::TOKEN, unit, bad.clone(), |peer| json!({ "type": "peer-away", "peer": peer }));
        edge(limits::TOKEN, unit, bad.clone(), |peer| json!({ "type": "peer-back", "peer": peer }));
        edge(limits::TOKEN, unit, bad.clone(), |id| json!({ "type": "welcome", "session": "s", "id": id }));
    }
}

#[test]
fn a_room_token_is_measured_in_bytes() {
    edge(
        limits::ROOM_TOKEN,
        "x",
        ErrorCode::BadMessage,
        |token| json!({ "type": "join", "room": "a", "token": token }),
    );
    edge(
        limits::ROOM_TOKEN / 2,
        "é",
        ErrorCode::BadMessage,
        |token| json!({ "type": "join", "room": "a", "token": token }),
    );
}

#[test]
fn a_join_names_at_most_so_many_pairs() {
    let schema = common::validator("client");
    let join = |pairs: usize| json!({ "type": "join", "room": "a", "pairs": vec!["t"; pairs] });
    for fits in [0, 1, limits::PAIRS] {
        assert!(client(&join(fits)).is_ok() && schema.is_valid(&join(fits)), "{fits}");
    }
    let problem = client(&join(limits::PAIRS + 1)).unwrap_err();
    assert_eq!(problem.code(), ErrorCode::BadMessage);
    assert_eq!(problem.to_string(), format!("pairs: there must be at most {} of them", limits::PAIRS));
    assert!(!schema.is_valid(&join(limits::PAIRS + 1)));
}

#[test]
fn numbers_end_where_their_types_do() {
    type WithNumber = fn(u64) -> Value;
    let from_client: [(u64, WithNumber); 5] = [
        (limits::SEQ, |n| json!({ "type": "resume", "session": "s", "seq": n })),
        (limits::SEQ, |n| json!({ "type": "ping", "seq": n })),
        (u64::from(u32::MAX), |n| json!({ "type": "join", "room": "a", "protocol": n })),
        (
            u64::from(u32::MAX),
            |n| json!({ "type": "offer", "offer": { "type": "offer", "sdp": "" }, "negotiation": n }),
        ),
        (
            u64::from(u16::MAX),
            |n| json!({ "type": "candidate", "candidate": { "candidate": "", "sdpMLineIndex": n } }),
        ),
    ];
    let from_server: [(u64, WithNumber); 4] = [
        (limits::SEQ, |n| json!({ "type": "peer-away", "peer": "p", "seq": n })),
        (u64::from(u32::MAX), |n| json!({ "type": "welcome", "id": "a", "session": "s", "ttl": n })),
        (u64::from(u32::MAX), |n| json!({ "type": "resumed", "ttl": n })),
        (u64::from(u32::MAX), |n| json!({ "type": "ice-servers", "ttl": n })),
    ];
    let cases = from_client.map(|case| ("client", case)).into_iter();
    for (direction, (limit, message)) in cases.chain(from_server.map(|case| ("server", case))) {
        let schema = common::validator(direction);
        let decode = |value| match direction {
            "client" => client(&value).map(drop),
            _ => numbered(&value).map(drop),
        };
        let (fits, breaks) = (message(limit), message(limit + 1));
        assert!(schema.is_valid(&fits) && !schema.is_valid(&breaks), "{fits}");
        assert_eq!(decode(message(0)), Ok(()), "{fits}");
        assert_eq!(decode(fits), Ok(()));
        assert_eq!(decode(breaks.clone()).map_err(|e| e.code()), Err(ErrorCode::BadMessage), "{breaks}");
    }
}

#[test]
fn an_id_a_token_and_a_room_are_never_empty() {
    for message in [
        json!({ "type": "join", "room": "" }),
        json!({ "type": "join", "room": " \t\n" }),
        json!({ "type": "resume", "session": "", "seq": 0 }),
        json!({ "type": "candidate", "candidate": null, "to": "" }),
        json!({ "type": "join", "room": "a", "pairs": [""] }),
    ] {
        assert_eq!(client(&message).unwrap_err().code(), ErrorCode::BadMessage, "{message}");
    }
    let problem = client(&json!({ "type": "join", "room": "" })).unwrap_err().to_string();
    assert_eq!(problem, "room: a room id must not be empty");
}

#[test]
fn control_characters_are_refused_where_they_would_be_kept() {
    for c in ['\u{0}', '\u{1b}', '\u{7f}', '\u{85}'] {
        assert!(client(&json!({ "type": "join", "room": format!("a{c}b") })).is_err(), "{c:?}");
        assert!(
            client(&json!({ "type": "candidate", "candidate": null, "to": format!("a{c}b") })).is_err(),
            "{c:?}"
        );
        assert!(
            client(&json!({ "type": "join", "room": "a", "pairs": [format!("a{c}b")] })).is_err(),
            "{c:?}"
        );
    }
}

#[test]
fn a_name_loses_what_would_disguise_it() {
    let cleaned = |text: &str| Name::new(text).unwrap().as_str().to_owned();
    assert_eq!(cleaned("  Ada\u{0}\n Lovelace\t "), "Ada Lovelace");
    assert_eq!(cleaned("\u{202e}ecarG\u{202c}"), "ecarG");
    assert_eq!(cleaned("\u{2066}a\u{2069}\u{200f}b\u{200e}\u{61c}\u{200b}\u{feff}\u{2060}c\u{2028}"), "abc");
    assert_eq!(cleaned("\u{200e} \u{200f}"), "", "a name may be empty");
    for kept in ["Ødegård", "李小龍", "عمر", "👩‍👩‍👧", "O’Brien-Smith, Jr."] {
        assert_eq!(cleaned(kept), kept);
    }
    let ClientMessage::Join(join) =
        client(&json!({ "type": "join", "room": "a", "name": "\u{202e}Eve\u{7}" })).unwrap()
    else {
        panic!("a join")
    };
    assert_eq!(join.name.unwrap().as_str(), "Eve");
}

#[test]
fn a_name_is_measured_before_it_is_cleaned() {
    assert!(Name::new("\u{200b}".repeat(limits::NAME)).is_ok());
    assert!(Name::new("\u{200b}".repeat(limits::NAME + 1)).is_err());
}

#[test]
fn a_room_is_the_same_with_space_around_it() {
    assert_eq!(
        client(&json!({ "type": "join", "room": "\u{a0} stand up \r\n" })),
        client(&json!({ "type": "join", "room": "stand up" })),
    );
}

#[test]
fn unknown_fields_are_ignored_at_every_level() {
    let offer = json!({ "type": "offer", "offer": { "type": "offer", "sdp": "v=0" }, "to": "p" });
    let more = json!({
        "type": "offer", "offer": { "type": "offer", "sdp": "v=0", "toJSON": {} }, "to": "p",
        "from": "forged", "x": [[[{ "y": 1e300 }]]],
    });
    assert_eq!(client(&more), client(&offer));
    assert_eq!(client(&json!({ "type": "leave", "room": 7 })), Ok(ClientMessage::Leave));
    let welcome = json!({
        "type": "welcome", "id": "a", "session": "s", "later": true,
        "iceServers": [{ "urls": ["stun:a"], "credentialType": "password" }], "limits": { "people": 8 },
    });
    let ServerMessage::Welcome(welcome) = server(&welcome).unwrap() else { panic!("a welcome") };
    assert_eq!(welcome.limits, Limits::default());
    assert_eq!(welcome.ice.ice_servers.len(), 1);
}

#[test]
fn null_is_the_same_as_left_out() {
    let pairs = [
        (
            json!({ "type": "join", "room": "a", "name": null, "token": null, "protocol": null, "key": null, "pairs": null }),
            json!({ "type": "join", "room": "a", "pairs": [] }),
        ),
        (json!({ "type": "join", "room": "a", "pairs": null }), json!({ "type": "join", "room": "a" })),
        (json!({ "type": "ping", "seq": null }), json!({ "type": "ping" })),
        (
            json!({ "type": "offer", "offer": { "type": "offer", "sdp": "" }, "to": null, "negotiation": null }),
            json!({ "type": "offer", "offer": { "type": "offer", "sdp": "" } }),
        ),
        (
            json!({ "type": "candidate", "to": null, "candidate": {
                "candidate": "c", "sdpMid": null, "sdpMLineIndex": null, "usernameFragment": null } }),
            json!({ "type": "candidate", "candidate": { "candidate": "c" } }),
        ),
    ];
    for (with, without) in pairs {
        assert_eq!(client(&with).unwrap(), client(&without).unwrap());
    }
    let pairs = [
        (
            json!({ "type": "welcome", "id": "a", "session": "s", "iceServers": null, "ttl": null, "limits": null }),
            json!({ "type": "welcome", "id": "a", "session": "s" }),
        ),
        (
            json!({ "type": "error", "code": "busy", "message": "", "fatal": null }),
            json!({ "type": "error", "code": "busy", "message": "" }),
        ),
        (
            json!({ "type": "ready", "role": "callee", "pair": null, "peer": { "id": "p", "name": null, "protocol": null } }),
            json!({ "type": "ready", "role": "callee", "peer": { "id": "p" } }),
        ),
        (json!({ "type": "resumed", "iceServers": null, "ttl": null }), json!({ "type": "resumed" })),
        (json!({ "type": "ice-servers", "iceServers": null, "ttl": null }), json!({ "type": "ice-servers" })),
        (
            json!({ "type": "peer-away", "peer": "p", "seq": null }),
            json!({ "type": "peer-away", "peer": "p" }),
        ),
    ];
    for (with, without) in pairs {
        assert_eq!(numbered(&with).unwrap(), numbered(&without).unwrap());
    }
}

#[test]
fn null_and_the_empty_line_are_both_the_end_of_candidates() {
    for end in [json!(null), json!({ "candidate": "" }), json!({ "candidate": "", "sdpMid": "0" })] {
        let Ok(ClientMessage::Candidate(trickle)) = client(&json!({ "type": "candidate", "candidate": end }))
        else {
            panic!("a candidate: {end}")
        };
        assert!(trickle.candidate.is_end());
    }
    assert!(client(&json!({ "type": "candidate" })).is_err(), "nothing is not the end of candidates");
    assert!(client(&json!({ "type": "candidate", "candidate": {} })).is_err());
}

#[test]
fn the_generation_of_a_candidate_is_its_field_or_stands_in_its_line() {
    let line = "candidate:1 1 udp 1 192.0.2.1 9 typ host generation 0 ufrag EsAw network-cost 999";
    let candidate = |line: &str, ufrag: Option<&str>| Candidate {
        candidate: line.to_owned(),
        username_fragment: ufrag.map(str::to_owned),
        ..Candidate::default()
    };
    assert_eq!(candidate(line, Some("field")).ufrag(), Some("field"));
    assert_eq!(candidate(line, None).ufrag(), Some("EsAw"));
    assert_eq!(candidate(line, Some("")).ufrag(), Some("EsAw"));
    assert_eq!(candidate("candidate:1 1 udp 1 192.0.2.1 9 typ host ufrag", None).ufrag(), None);
    assert_eq!(Candidate::end().ufrag(), None);
}

#[test]
fn a_description_is_of_the_kind_of_its_message() {
    for (message, description) in
        [("offer", "answer"), ("answer", "offer"), ("offer", "pranswer"), ("offer", "rollback")]
    {
        let value = json!({ "type": message, message: { "type": description, "sdp": "v=0" }, "to": "p", "from": "p" });
        assert_eq!(client(&value).unwrap_err().code(), ErrorCode::BadMessage, "{value}");
        assert_eq!(server(&value).unwrap_err().code(), ErrorCode::BadMessage, "{value}");
    }
}

#[test]
fn what_is_no_message_is_told_apart_from_a_wrong_one() {
    let code = |text: &str| ClientMessage::from_json(text).unwrap_err().code();
    for text in [
        "",
        "  ",
        "hello",
        "null",
        "7",
        "\"ping\"",
        "[]",
        "[\"ping\"]",
        "{}",
        "{\"type\":7}",
        "{\"type\":null}",
        "{\"type\":\"ping\"",
        "{\"type\":\"ping\"} {}",
        "{'type':'ping'}",
        "\u{feff}{\"type\":\"ping\"}",
    ] {
        assert_eq!(code(text), ErrorCode::BadJson, "{text}");
    }
    assert_eq!(code("{\"type\":\"pong\"}"), ErrorCode::UnknownType);
    assert_eq!(code("{\"type\":\"Ping\"}"), ErrorCode::UnknownType);
    assert_eq!(code("{\"type\":\"join\"}"), ErrorCode::BadMessage);
    assert_eq!(
        ClientMessage::from_json(" \r\n\t{ \"type\" : \"ping\" } "),
        Ok(ClientMessage::Ping(Ping::default()))
    );
}

#[test]
fn an_array_or_a_wrapped_word_does_not_pass_for_an_object_or_a_word() {
    for value in [
        json!({ "type": "offer", "offer": ["offer", "v=0"] }),
        json!({ "type": "offer", "offer": { "type": { "offer": null }, "sdp": "v=0" } }),
        json!({ "type": "candidate", "candidate": ["candidate:1", "0", 0, "u"] }),
    ] {
        assert_eq!(client(&value).unwrap_err().code(), ErrorCode::BadMessage, "{value}");
    }
    for value in [
        json!({ "type": "ready", "role": "caller", "peer": ["p"] }),
        json!({ "type": "ready", "role": { "caller": null }, "peer": { "id": "p" } }),
        json!({ "type": "welcome", "id": "a", "session": "s", "limits": [1, 2, 3, 4, 5] }),
        json!({ "type": "welcome", "id": "a", "session": "s", "iceServers": [[["stun:a"], null, null]] }),
    ] {
        assert_eq!(server(&value).unwrap_err().code(), ErrorCode::BadMessage, "{value}");
    }
}

#[test]
fn an_error_does_not_grow_with_what_it_quotes() {
    let noise = "\u{1}".repeat(10_000);
    for value in [json!({ "type": noise }), json!({ "type": "join", "room": "a", "protocol": noise })] {
        let words = client(&value).unwrap_err().to_string();
        assert!(words.len() < 4096, "{} bytes", words.len());
    }
}

#[test]
fn words_of_a_later_version_are_kept() {
    let left = server(&json!({ "type": "peer-left", "peer": "p", "reason": "moved" })).unwrap();
    let ServerMessage::PeerLeft(left) = left else { panic!("a peer-left") };
    assert_eq!(left.reason, LeaveReason::Other("moved".to_owned()));
    let error = server(&json!({ "type": "error", "code": "quota", "message": "later" })).unwrap();
    let ServerMessage::Error(error) = error else { panic!("an error") };
    assert_eq!((error.code.as_str(), error.fatal), ("quota", false));
    for code in ErrorCode::ALL {
        assert_ne!(ErrorCode::from((*code).to_owned()), ErrorCode::Other((*code).to_owned()), "{code}");
    }
}
