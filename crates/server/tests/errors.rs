//! What is wrong gets an answer, and nothing else happens because of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use duologue_protocol::{ErrorCode, LeaveReason, ServerMessage};
use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;

/// Every message that is refused wherever it is sent, and why.
fn always_refused() -> Vec<(String, ErrorCode)> {
    let mut refused: Vec<(String, ErrorCode)> = [
        ("", ErrorCode::BadJson),
        ("{not json", ErrorCode::BadJson),
        ("[]", ErrorCode::BadJson),
        ("null", ErrorCode::BadJson),
        ("{}", ErrorCode::BadJson),
        (r#"{"type":7}"#, ErrorCode::BadJson),
        (r#"{"type":"join","room":"a"} trailing"#, ErrorCode::BadJson),
        (r#"{"type":"shout"}"#, ErrorCode::UnknownType),
        (r#"{"type":"welcome"}"#, ErrorCode::UnknownType),
        (r#"{"type":"join"}"#, ErrorCode::BadMessage),
        (r#"{"type":"join","room":""}"#, ErrorCode::BadMessage),
        (r#"{"type":"join","room":7}"#, ErrorCode::BadMessage),
        (r#"{"type":"offer"}"#, ErrorCode::BadMessage),
        (r#"{"type":"offer","offer":{"type":"answer","sdp":""}}"#, ErrorCode::BadMessage),
        (r#"{"type":"candidate"}"#, ErrorCode::BadMessage),
        (r#"{"type":"resume"}"#, ErrorCode::BadMessage),
    ]
    .into_iter()
    .map(|(text, code)| (text.to_owned(), code))
    .collect();
    refused.push(("[".repeat(60_000), ErrorCode::TooDeep));
    refused.push((format!(r#"{{"type":"x","y":{}}}"#, "[".repeat(60_000)), ErrorCode::TooDeep));
    refused.push((join(&"r".repeat(129)), ErrorCode::BadMessage));
    refused.push((offer(&"s".repeat(32 * 1024 + 1), ""), ErrorCode::SdpTooLarge));
    refused.push((answer(&"s".repeat(32 * 1024 + 1), ""), ErrorCode::SdpTooLarge));
    refused.push((candidate(&"c".repeat(513), ""), ErrorCode::CandidateTooLarge));
    refused.push((" ".repeat(64 * 1024 + 1), ErrorCode::MessageTooLarge));
    refused.push((" ".repeat(200 * 1024), ErrorCode::MessageTooLarge));
    refused
}

#[tokio::test]
async fn in_the_lobby_every_wrong_message_is_answered_and_the_connection_stays_usable() {
    let server = server_with(2, without_rates).await;
    let mut client = server.connect().await;
    client.is_usable().await;
    for (text, code) in always_refused() {
        client.refused(text, code).await;
    }
    for text in [offer("o", ""), answer("a", ""), candidate("c", ""), r#"{"type":"leave"}"#.to_owned()] {
        client.refused(text, ErrorCode::NotJoined).await;
    }
    let unknown = r#"{"type":"resume","session":"unknown","seq":0}"#;
    client.refused(unknown, ErrorCode::SessionUnknown).await;
    client.join("r").await;
}

#[tokio::test]
async fn in_a_room_every_wrong_message_is_answered_and_the_other_notices_nothing() {
    let server = server_with(2, without_rates).await;
    let (mut ada, mut bob) = server.pair("r").await;
    for (text, code) in always_refused() {
        ada.refused(text, code).await;
    }
    ada.refused(join("r"), ErrorCode::AlreadyJoined).await;
    ada.refused(r#"{"type":"resume","session":"unknown","seq":0}"#, ErrorCode::AlreadyJoined).await;
    bob.is_usable().await;
    ada.send(offer("o", "")).await;
    assert!(matches!(bob.next().await, ServerMessage::Offer(_)));
}

#[tokio::test]
async fn a_newer_protocol_is_refused_and_this_one_may_then_be_joined() {
    let server = server().await;
    let mut client = server.connect().await;
    let join = |version: u32| format!(r#"{{"type":"join","room":"r","protocol":{version}}}"#);
    let words = client.refused(join(2), ErrorCode::UnsupportedProtocol).await;
    assert!(words.contains("version 1"), "{words}");
    client.send(join(1)).await;
    assert!(matches!(client.next().await, ServerMessage::Welcome(_)));
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let server = server().await;
    let mut client = server.connect().await;
    client.send(r#"{"type":"join","room":"r","colour":"blue","nested":{"a":[1,2]}}"#).await;
    assert!(matches!(client.next().await, ServerMessage::Welcome(_)));
}

#[tokio::test]
async fn a_message_of_exactly_the_limit_is_read() {
    let server = server().await;
    let mut client = server.connect().await;
    let ping = r#"{"type":"ping"}"#;
    client.send(format!("{ping}{}", " ".repeat(64 * 1024 - ping.len()))).await;
    assert_eq!(client.next().await, ServerMessage::Pong);
}

#[tokio::test]
async fn a_message_far_too_large_ends_the_connection_with_words() {
    let server = server().await;
    let (mut ada, mut bob) = server.pair("r").await;
    // What was asked before is still answered, and first.
    bob.send(r#"{"type":"ping"}"#).await;
    bob.send(" ".repeat(300 * 1024)).await;
    assert_eq!(bob.next().await, ServerMessage::Pong);
    let refusal = bob.refusal().await;
    assert_eq!((refusal.code, refusal.fatal), (ErrorCode::MessageTooLarge, true));
    assert_eq!(bob.closed().await, (1009, "message too large".to_owned()));
    // The connection ends in order. A reset could take the words with it.
    let end = bob.frame().await;
    assert!(end.is_none(), "{end:?}");
    assert_eq!(ada.left().await.1, LeaveReason::Lost);
    ada.is_usable().await;
}

#[tokio::test]
async fn a_message_far_too_large_in_many_frames_ends_the_connection_too() {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    let server = server().await;
    let mut client = server.connect().await;
    let piece = " ".repeat(64 * 1024);
    for n in 0..5 {
        let kind = if n == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(piece.clone(), OpCode::Data(kind), n == 4);
        client.socket.send(Message::Frame(frame)).await.unwrap();
    }
    assert!(client.refusal().await.fatal);
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn binary_frames_are_text_if_they_are_utf8() {
    let server = server().await;
    let (mut ada, mut bob) = server.pair("r").await;
    ada.socket.send(Message::binary(offer("binäry", "").into_bytes())).await.unwrap();
    let ServerMessage::Offer(offer) = bob.next().await else { panic!("no offer") };
    assert_eq!(offer.offer.sdp, "binäry");

    ada.socket.send(Message::binary(vec![0xff, 0xfe, 0x00])).await.unwrap();
    assert_eq!(ada.refusal().await.code, ErrorCode::BadJson);
    ada.socket.send(Message::binary(vec![0xff; 64 * 1024 + 1])).await.unwrap();
    assert!(!ada.refusal().await.fatal);
    ada.is_usable().await;
    bob.is_usable().await;
}

#[tokio::test]
async fn an_answer_to_nonsense_is_short() {
    let server = server().await;
    let mut client = server.connect().await;
    let long = format!(r#"{{"type":"{}"}}"#, "\u{80}".repeat(30_000));
    let words = client.refused(long, ErrorCode::UnknownType).await;
    assert!(words.chars().count() <= 301, "{}", words.len());
}

#[tokio::test]
async fn a_flood_of_nonsense_is_answered_in_order_as_long_as_the_answers_are_read() {
    const MANY: usize = 5000;
    let server = server_with(2, without_rates).await;
    let (mut ada, mut bob) = server.pair("r").await;
    let Client { socket, seq } = ada;
    let (mut sink, stream) = futures_util::StreamExt::split(socket);
    let sender = tokio::spawn(async move {
        for n in 0..MANY {
            sink.send(Message::text(format!(r#"{{"type":"nonsense {n}"}}"#))).await.unwrap();
        }
        sink
    });
    let mut stream = stream;
    for n in 0..MANY {
        let message = futures_util::StreamExt::next(&mut stream).await.unwrap().unwrap();
        let ServerMessage::Error(refusal) = ServerMessage::from_json(message.to_text().unwrap()).unwrap()
        else {
            panic!("not an error: {message:?}")
        };
        assert!(refusal.message.contains(&format!("\"nonsense {n}\"")), "{}", refusal.message);
    }
    ada = Client { socket: stream.reunite(sender.await.unwrap()).unwrap(), seq };
    ada.is_usable().await;
    bob.is_usable().await;
}

#[tokio::test]
async fn who_breaks_the_rules_of_websocket_is_told_and_let_go() {
    use tokio::io::AsyncWriteExt;
    let server = server().await;
    // A text frame that is not UTF-8, masked with zeros; and a frame that is not masked.
    for (bytes, code) in [(&[0x81, 0x81, 0, 0, 0, 0, 0xff][..], 1007), (&[0x81, 0x01, b'x'][..], 1002)] {
        let (mut ada, mut bob) = server.pair(&format!("closed with {code}")).await;
        bob.socket.get_mut().write_all(bytes).await.unwrap();
        assert_eq!(bob.closed().await.0, code);
        assert_eq!(ada.left().await.1, LeaveReason::Lost);
        ada.is_usable().await;
    }
}
