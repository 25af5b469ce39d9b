//! `docs/protocol.md` and `docs/protocol.schema.json` say what the types do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as loudly as tests"
)]

mod common;

use std::collections::BTreeSet;

use common::{client_kind, definitions, happens_in_the_room, schema, server_kind, validator};
use duologue_protocol::{ClientMessage, ErrorCode, LeaveReason, Numbered, VERSION, limits, to_json};
use serde_json::Value;

const DOCS: &str = include_str!("../../../docs/protocol.md");

/// The examples: whether a client says it, and the JSON.
fn examples() -> Vec<(bool, String)> {
    let lines: Vec<&str> = DOCS.lines().collect();
    let mut examples = Vec::new();
    for (number, _) in lines.iter().enumerate().filter(|(_, line)| line.trim() == "```json") {
        let before = lines[..number].iter().rev().find(|line| !line.trim().is_empty()).unwrap();
        let from_client = match before.chars().next() {
            Some('→') => true,
            Some('←') => false,
            _ => panic!("the example in line {} does not say who says it", number + 1),
        };
        let text: Vec<&str> =
            lines[number + 1..].iter().take_while(|line| line.trim() != "```").copied().collect();
        examples.push((from_client, text.join("\n")));
    }
    examples
}

#[test]
fn every_example_is_read_by_the_types_and_allowed_by_the_schema() {
    let (client, server) = (validator("client"), validator("server"));
    for (from_client, text) in examples() {
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"));
        let (again, schema) = if from_client {
            let message = ClientMessage::from_json(&text).unwrap_or_else(|e| panic!("{e} in {text}"));
            (to_json(&message), &client)
        } else {
            let message = Numbered::from_json(&text).unwrap_or_else(|e| panic!("{e} in {text}"));
            assert_eq!(message.seq.is_some(), happens_in_the_room(&message.message), "{text}");
            (to_json(&message), &server)
        };
        if let Err(problem) = schema.validate(&value) {
            panic!("{problem} in {text}");
        }
        // Unknown fields are ignored, so a field that is misspelt in an example shows only here.
        assert_eq!(
            serde_json::from_str::<Value>(&again).unwrap(),
            value,
            "an example loses nothing when it is read"
        );
    }
}

#[test]
fn every_message_has_an_example_and_a_definition() {
    let (mut client, mut server) = (BTreeSet::new(), BTreeSet::new());
    for (from_client, text) in examples() {
        if from_client {
            client.insert(client_kind(&ClientMessage::from_json(&text).unwrap()).to_owned());
        } else {
            server.insert(server_kind(&Numbered::from_json(&text).unwrap().message).to_owned());
        }
    }
    let defined =
        |direction| definitions(direction).into_iter().map(|(kind, _)| kind).collect::<BTreeSet<_>>();
    assert_eq!(client, defined("client"));
    assert_eq!(server, defined("server"));
    // What is missing in examples and schema alike shows in the numbers.
    assert_eq!((client.len(), server.len()), (12, 17));
}

#[test]
fn every_field_is_explained() {
    for direction in ["client", "server"] {
        for (kind, definition) in definitions(direction) {
            for field in definition["properties"].as_object().unwrap().keys() {
                assert!(
                    DOCS.contains(&format!("`{field}`")),
                    "{direction} {kind}: {field} is not in the docs"
                );
            }
        }
    }
    for field in schema()["$defs"]["server"]["properties"].as_object().unwrap().keys() {
        assert!(DOCS.contains(&format!("| `{field}` |")), "{field} is not in the docs");
    }
    for shared in ["candidate", "ice-server", "limits", "peer", "offer"] {
        for field in schema()["$defs"][shared]["properties"].as_object().unwrap().keys() {
            assert!(DOCS.contains(&format!("`{field}`")), "{shared}: {field} is not in the docs");
        }
    }
}

/// The first cells of the table below a heading.
fn first_cells(heading: &str) -> Vec<&'static str> {
    let (_, section) = DOCS.split_once(&format!("\n## {heading}\n")).expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    rows.skip(1).filter_map(|row| row.split(" | ").next()).collect()
}

#[test]
fn the_table_of_errors_has_every_code_and_no_other() {
    let listed: Vec<String> =
        first_cells("Errors").iter().map(|cell| cell.trim_matches('`').to_owned()).collect();
    assert_eq!(listed, ErrorCode::ALL);
}

#[test]
fn the_schema_lists_every_word_and_no_other() {
    for (definition, words) in [("error-code", ErrorCode::ALL), ("leave-reason", LeaveReason::ALL)] {
        let schema = schema();
        let listed = schema["$defs"][definition]["anyOf"][0]["enum"].as_array().unwrap();
        assert_eq!(listed.iter().map(|word| word.as_str().unwrap()).collect::<Vec<_>>(), words);
    }
    for word in LeaveReason::ALL {
        assert!(DOCS.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn the_limits_in_the_docs_are_those_that_are_enforced() {
    for row in [
        format!("| a message | {} bytes |", limits::MESSAGE),
        format!("| a session description (`sdp`) | {} bytes |", limits::SDP),
        format!("| a candidate line | {} bytes |", limits::CANDIDATE),
        format!("| a name | {} characters |", limits::NAME),
        format!("| a room id | {} characters |", limits::ROOM),
        format!("| a peer id, a session token, a pair token | {} characters |", limits::TOKEN),
        format!("| `sdpMid`, `usernameFragment` | {} characters |", limits::TOKEN),
        format!("| a room's `token` | {} bytes |", limits::ROOM_TOKEN),
        format!("| `seq` | {} |", limits::SEQ),
        format!("| the `pairs` of a `join` | {} |", limits::PAIRS),
        format!("| `protocol`, `negotiation`, `ttl`, `retryAfter` | {} |", u32::MAX),
    ] {
        assert!(DOCS.contains(&row), "the docs have no row {row}");
    }
    assert!(DOCS.starts_with(&format!("# The signaling protocol, version {VERSION}\n")));
}

#[test]
fn the_schema_is_a_valid_schema_and_resolves_by_itself() {
    let schema = schema();
    jsonschema::meta::validate(&schema).expect("a schema of draft 2020-12");
    let whole = jsonschema::draft202012::new(&schema).expect("nothing to fetch");
    assert!(whole.is_valid(&serde_json::json!({ "type": "ping" })));
    assert!(whole.is_valid(&serde_json::json!({ "type": "pong" })));
    assert!(!whole.is_valid(&serde_json::json!({ "type": "pang" })));
}
