//! The schema and the types accept the same messages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as loudly as tests"
)]

mod common;

use std::cell::Cell;
use std::sync::LazyLock;

use common::{client_message, numbered, validator};
use duologue_protocol::{ClientMessage, ErrorCode, Numbered, ServerMessage, limits, to_json};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Map, Value, json};

static CLIENT: LazyLock<Validator> = LazyLock::new(|| validator("client"));
static SERVER: LazyLock<Validator> = LazyLock::new(|| validator("server"));

proptest! {
    #[test]
    fn what_a_client_can_say_is_in_the_schema_and_comes_back_the_same(message in client_message()) {
        let text = to_json(&message);
        let problem = CLIENT.validate(&serde_json::from_str(&text).unwrap()).err().map(|e| e.to_string());
        prop_assert_eq!(problem, None, "{}", &text);
        prop_assert_eq!(ClientMessage::from_json(&text), Ok(message));
    }

    #[test]
    fn what_the_server_can_say_is_in_the_schema_and_comes_back_the_same(message in numbered()) {
        let text = to_json(&message);
        let problem = SERVER.validate(&serde_json::from_str(&text).unwrap()).err().map(|e| e.to_string());
        prop_assert_eq!(problem, None, "{}", &text);
        prop_assert_eq!(ServerMessage::from_json(&text), Ok(message.message.clone()));
        prop_assert_eq!(Numbered::from_json(&text), Ok(message));
    }

    #[test]
    fn no_text_makes_it_panic(text in "(?s).*") {
        let _ = ClientMessage::from_json(&text);
        let _ = Numbered::from_json(&text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = ClientMessage::from_json(&text);
        let _ = Numbered::from_json(&text);
    }

    #[test]
    fn a_message_that_breaks_off_is_an_error(message in client_message(), at in any::<prop::sample::Index>()) {
        let text = to_json(&message);
        let cut: String = text.chars().take(at.index(text.chars().count())).collect();
        prop_assert_eq!(ClientMessage::from_json(&cut).unwrap_err().code(), ErrorCode::BadJson);
    }

    #[test]
    fn an_error_stays_short_whatever_it_quotes(noise in "(?s).{300,2000}", key in key()) {
        let mut message = Map::from_iter([("type".to_owned(), json!("join")), ("room".to_owned(), json!("a"))]);
        message.insert(key.to_owned(), json!(noise));
        if let Err(problem) = ClientMessage::from_json(&Value::Object(message).to_string()) {
            prop_assert!(problem.to_string().len() < 4096, "{} bytes", problem.to_string().len());
        }
    }
}

/// A word that means something somewhere in the protocol.
fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "type",
        "room",
        "name",
        "token",
        "protocol",
        "offer",
        "answer",
        "candidate",
        "to",
        "from",
        "negotiation",
        "key",
        "pairs",
        "pair",
        "ttl",
        "session",
        "seq",
        "id",
        "iceServers",
        "limits",
        "role",
        "peer",
        "reason",
        "code",
        "message",
        "fatal",
        "sdp",
        "sdpMid",
        "sdpMLineIndex",
        "usernameFragment",
        "urls",
        "username",
        "credential",
        "rights",
        "locked",
        "speaks",
        "unknown",
    ])
}

/// A string that means something somewhere in the protocol, or is near to a limit. ASCII, so that a byte is a character.
fn text() -> impl Strategy<Value = String> {
    let words = vec![
        "join",
        "leave",
        "offer",
        "answer",
        "candidate",
        "resume",
        "ping",
        "ice-servers",
        "resumed",
        "peer-away",
        "peer-back",
        "welcome",
        "ready",
        "peer-left",
        "error",
        "going-away",
        "pong",
        "lock",
        "admit",
        "deny",
        "remove",
        "waiting",
        "knock",
        "knock-over",
        "locked",
        "caller",
        "callee",
        "left",
        "room-full",
        "pranswer",
        "",
        " ",
        "\t\n",
        " a ",
        "a\n",
        "\u{7f}",
        "a\u{0}b",
    ];
    let limits =
        vec![limits::NAME, limits::ROOM, limits::TOKEN, limits::CANDIDATE, limits::ROOM_TOKEN, limits::SDP];
    prop_oneof![
        4 => prop::sample::select(words).prop_map(str::to_owned),
        2 => "[ -~]{0,12}",
        1 => "[\\x00-\\x7f]{0,6}",
        2 => (prop::sample::select(limits), 0_usize..3, prop::bool::ANY).prop_map(|(limit, more, padded)| {
            let text = "x".repeat(limit + more - 1);
            if padded { format!(" {text}\r\n") } else { text }
        }),
    ]
}

/// A number at the edge of a type. Whole numbers are without a fraction: for a schema `1.0` is an integer as well, and
/// no JavaScript writes it.
fn number() -> impl Strategy<Value = Value> {
    let whole: Vec<i128> = vec![
        -1,
        0,
        1,
        42,
        65_535,
        65_536,
        4_294_967_295,
        4_294_967_296,
        9_007_199_254_740_991,
        9_007_199_254_740_992,
        i128::from(u64::MAX),
    ];
    let whole = prop::sample::select(whole)
        .prop_map(|n| u64::try_from(n).map_or_else(|_| json!(i64::try_from(n).unwrap()), |n| json!(n)));
    prop_oneof![5 => whole, 1 => Just(json!(0.5)), 1 => Just(json!(-2.25))]
}

/// Any JSON, with a liking for what means something here.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        2 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        2 => number(),
        4 => text().prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key(), inner), 0..5).prop_map(|entries| entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

/// One thing wrong, or different, in a message.
#[derive(Debug, Clone)]
enum Mutation {
    Replace(Value),
    Remove,
    Add(&'static str, Value),
    /// The same values in an array: serde's derived code would take a struct from one.
    Unname,
    /// A word as the key of an object: serde's derived code would take an enum's variant from one.
    Wrap,
}

fn mutation() -> impl Strategy<Value = (prop::sample::Index, Mutation)> {
    let mutation = prop_oneof![
        4 => anything().prop_map(Mutation::Replace),
        2 => Just(Mutation::Remove),
        3 => (key(), anything()).prop_map(|(key, value)| Mutation::Add(key, value)),
        1 => Just(Mutation::Unname),
        1 => Just(Mutation::Wrap),
    ];
    (any::<prop::sample::Index>(), mutation)
}

/// A key within a JSON Pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The ways to every value within `value`, itself included.
fn pointers(value: &Value, here: String, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| pointers(value, format!("{here}/{}", escaped(key)), all));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, value)| pointers(value, format!("{here}/{i}"), all));
        }
        _ => {}
    }
    all.push(here);
}

fn mutate(message: &mut Value, at: prop::sample::Index, mutation: Mutation) {
    let mut all = Vec::new();
    pointers(message, String::new(), &mut all);
    let pointer = at.get(&all).clone();
    let target = message.pointer_mut(&pointer).unwrap();
    match mutation {
        Mutation::Replace(value) => *target = value,
        Mutation::Add(key, value) => {
            if let Value::Object(fields) = target {
                fields.insert(key.to_owned(), value);
            }
        }
        Mutation::Unname => {
            if let Value::Object(fields) = target {
                *target = fields.values().cloned().collect();
            }
        }
        Mutation::Wrap => {
            if let Value::String(word) = target {
                *target = json!({ word.clone(): null });
            }
        }
        Mutation::Remove => {
            let Some((parent, key)) = pointer.rsplit_once('/') else { return };
            match message.pointer_mut(parent) {
                Some(Value::Object(fields)) => {
                    drop(fields.remove(&key.replace("~1", "/").replace("~0", "~")))
                }
                Some(Value::Array(items)) => drop(items.remove(key.parse().unwrap())),
                _ => {}
            }
        }
    }
}

/// A message after a few mutations, or an object that never was one.
fn mutated(message: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    let mutants = (message, prop::collection::vec(mutation(), 0..4)).prop_map(|(mut message, mutations)| {
        for (at, mutation) in mutations {
            mutate(&mut message, at, mutation);
        }
        message
    });
    prop_oneof![4 => mutants, 1 => anything()].prop_filter("ASCII", |value| value.to_string().is_ascii())
}

/// Tries `decodes` and the schema on the same messages, and sees to it that there were enough of either kind.
fn agree(
    messages: impl Strategy<Value = Value>,
    schema: &Validator,
    decodes: impl Fn(&str) -> Result<(), String>,
) {
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases: 3000, failure_persistence: None, ..Config::default() });
    let result = runner.run(&messages, |value| {
        let text = value.to_string();
        prop_assume!(text.len() <= limits::MESSAGE);
        let (decoded, allowed) = (decodes(&text), schema.is_valid(&value));
        let count = if allowed { &accepted } else { &refused };
        count.set(count.get() + 1);
        match (decoded, allowed) {
            (Ok(()), true) | (Err(_), false) => Ok(()),
            (Ok(()), false) => Err(TestCaseError::fail(format!("decoded against the schema: {text}"))),
            (Err(why), true) => Err(TestCaseError::fail(format!("in the schema, but {why}: {text}"))),
        }
    });
    if let Err(problem) = result {
        panic!("{problem}");
    }
    assert!(accepted.get() > 300, "only {} of the messages were right", accepted.get());
    assert!(refused.get() > 300, "only {} of the messages were wrong", refused.get());
}

fn ascii<T: duologue_protocol::write::Write + std::fmt::Debug>(
    messages: impl Strategy<Value = T>,
) -> impl Strategy<Value = Value> {
    messages.prop_map(|message| {
        let text: String = to_json(&message).chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
        serde_json::from_str(&text).unwrap()
    })
}

#[test]
fn the_server_reads_exactly_what_the_schema_allows_a_client_to_say() {
    agree(mutated(ascii(client_message())), &CLIENT, |text| {
        ClientMessage::from_json(text).map(drop).map_err(|problem| problem.to_string())
    });
}

#[test]
fn a_client_reads_exactly_what_the_schema_allows_the_server_to_say() {
    agree(mutated(ascii(numbered())), &SERVER, |text| {
        Numbered::from_json(text).map(drop).map_err(|problem| problem.to_string())
    });
}
