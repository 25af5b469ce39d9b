//! Just within a limit everything works. Just above there is an answer that says what to do, and the counter of the
//! limit says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::time::Duration;

use common::*;
use duologue_protocol::{ErrorCode, Role, ServerMessage};
use duologue_server::{Config, LimitsError, Server, StartError};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

#[tokio::test]
async fn who_says_nothing_at_first_is_let_go_and_who_says_anything_stays() {
    let time = Duration::from_millis(300);
    let server = limited(2, |limits| limits.first_message = time).await;
    let begin = Instant::now();
    let mut silent = server.connect().await;
    let mut wrong = server.connect().await;
    let mut client = server.connect().await;
    client.is_usable().await;
    wrong.refused_alone("nonsense", ErrorCode::BadJson).await;

    let words = let_go(&mut silent, ErrorCode::FirstMessageTimeout, 4012).await;
    // Long before the server's first ping, which would have it look at the time as well.
    let took = begin.elapsed();
    assert!((time..Duration::from_secs(8)).contains(&took), "{took:?}");
    assert!(words.contains("\"ping\""), "{words}");
    let_go(&mut wrong, ErrorCode::FirstMessageTimeout, 4012).await;
    assert_eq!(breaches(&server, "first_message").await, 2);
    let more = timeout(time, client.frame()).await;
    assert!(more.is_err(), "{more:?}");
    client.is_usable().await;
}

#[tokio::test]
async fn who_only_pings_is_let_go_at_last_and_who_is_in_a_room_stays() {
    let time = Duration::from_millis(400);
    let server = limited(2, |limits| limits.lobby = time).await;
    let begin = Instant::now();
    let (mut ada, _) = server.join("r").await;
    let mut waiting = server.connect().await;
    let words = loop {
        waiting.send(r#"{"type":"ping"}"#).await;
        match waiting.next().await {
            ServerMessage::Pong => tokio::task::yield_now().await,
            ServerMessage::Error(refusal) => break refusal,
            other => panic!("neither: {other:?}"),
        }
    };
    assert_eq!((&words.code, words.fatal), (&ErrorCode::LobbyTimeout, true));
    assert_eq!(waiting.closed().await.0, 4013);
    assert!(begin.elapsed() >= time, "{:?}", begin.elapsed());
    assert_eq!(breaches(&server, "lobby").await, 1);
    ada.is_usable().await;

    // After a room the time begins anew.
    ada.send(r#"{"type":"leave"}"#).await;
    let begin = Instant::now();
    ada.is_usable().await;
    let_go(&mut ada, ErrorCode::LobbyTimeout, 4013).await;
    assert!(begin.elapsed() >= time - Duration::from_millis(50), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn an_address_may_have_so_many_connections_in_no_room_and_more_in_rooms() {
    let server = limited(2, |limits| limits.lobby_per_address = 3).await;
    let mut waiting = [server.connect().await, server.connect().await, server.connect().await];
    let refused = server.upgraded("").await;
    assert_eq!(refused.status(), 429, "{}", refused.head);
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert!(refused.text().contains("Join a room"), "{}", refused.text());
    assert_eq!(breaches(&server, "lobby_per_address").await, 1);

    waiting[0].join("r").await;
    let fourth = server.connect().await;
    assert_eq!(server.upgraded("").await.status(), 429);
    drop(fourth);
    server.counts("duologue_connections_open", 3).await;
    let _fourth = server.connect().await;
    // Other pages and the page itself are another matter.
    assert_eq!(server.get("/healthz", "").await.status(), 200);
}

#[tokio::test]
async fn an_address_may_have_so_many_connections() {
    let server = limited(4, |limits| limits.connections_per_address = 2).await;
    let (_ada, _) = server.join("r").await;
    let (bob, _) = server.join("r").await;
    let refused = server.upgraded("").await;
    assert_eq!((refused.status(), refused.header("retry-after")), (429, Some("10")));
    assert!(refused.text().contains("Close some"), "{}", refused.text());
    assert_eq!(breaches(&server, "connections_per_address").await, 1);
    drop(bob);
    server.counts("duologue_connections_open", 1).await;
    let _ = server.join("r").await;
}

#[tokio::test]
async fn the_server_takes_so_many_connections_and_tells_the_next_one_to_come_later() {
    let server = limited(2, |limits| limits.connections = 2).await;
    let (mut ada, mut bob) = server.pair("r").await;
    for path in ["/ws", "/healthz", "/"] {
        let refused = server.get(path, "").await;
        assert_eq!((refused.status(), refused.header("retry-after")), (503, Some("10")), "{path}");
        assert!(refused.text().contains("Try again"), "{}", refused.text());
    }
    assert_eq!(breaches(&server, "connections").await, 3);
    ada.send(offer("o", "")).await;
    assert!(matches!(bob.next().await, ServerMessage::Offer(_)), "a call does not notice");
    drop(bob);
    ada.left().await;
    server.counts("duologue_connections_open", 1).await;
    let _ = server.join("r").await;
}

#[tokio::test]
async fn who_finds_no_place_and_asks_nothing_does_not_stay() {
    let server = server_with(2, |config| {
        config.limits.connections = 1;
        config.timing.goodbye = Duration::from_millis(100);
    })
    .await;
    let (mut ada, _) = server.join("r").await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, idle.read_to_end(&mut rest)).await.expect("the server lets go");
    ada.is_usable().await;
}

#[tokio::test]
async fn there_may_be_so_many_rooms_and_whoever_is_in_one_is_not_alone_for_that() {
    let server = limited(2, |limits| limits.rooms = 2).await;
    let (mut ada, _) = server.join("one").await;
    let (bob, _) = server.join("two").await;
    let mut eve = server.connect().await;
    let words = eve.refused(join("three"), ErrorCode::TooManyRooms).await;
    assert!(words.contains("try again"), "{words}");
    assert_eq!(breaches(&server, "rooms").await, 1);
    // A room that is there can be joined, and one that ends makes way.
    eve.join("one").await;
    ada.ready(Role::Caller).await;
    drop(bob);
    server.counts("duologue_rooms", 1).await;
    let _ = server.join("three").await;
}

#[tokio::test]
async fn a_full_room_and_what_is_too_large_are_counted() {
    let server = limited(2, |limits| (limits.messages.burst, limits.offers.burst) = (1000, 1000)).await;
    let (mut ada, _bob) = server.pair("r").await;
    let mut eve = server.connect().await;
    eve.refused(join("r"), ErrorCode::RoomFull).await;
    ada.refused(offer(&"s".repeat(32 * 1024 + 1), ""), ErrorCode::SdpTooLarge).await;
    ada.refused(candidate(&"c".repeat(513), ""), ErrorCode::CandidateTooLarge).await;
    ada.refused(" ".repeat(64 * 1024 + 1), ErrorCode::MessageTooLarge).await;
    for limit in ["room_size", "sdp", "candidate", "message"] {
        assert_eq!(breaches(&server, limit).await, 1, "{limit}");
    }
    for code in ["room-full", "sdp-too-large", "candidate-too-large", "message-too-large"] {
        assert_eq!(server.counted(&format!("duologue_refusals_total{{code=\"{code}\"}}")).await, 1, "{code}");
    }
}

#[tokio::test]
async fn a_server_may_take_less_than_the_protocol_and_tells_so() {
    let server = limited(2, |limits| {
        limits.sizes.message = 2048;
        limits.sizes.sdp = 1024;
        limits.sizes.candidate = 200;
        limits.sizes.name = 5;
        limits.sizes.room = 7;
        limits.offers.burst = 100;
    })
    .await;
    let mut ada = server.connect().await;
    let named = |room: usize, name: usize| {
        format!(r#"{{"type":"join","room":"{}","name":"{}"}}"#, "ü".repeat(room), "é".repeat(name))
    };
    let words = ada.refused(named(8, 5), ErrorCode::BadMessage).await;
    assert_eq!(words, "room: it must be at most 7 characters long");
    let words = ada.refused(named(7, 6), ErrorCode::BadMessage).await;
    assert_eq!(words, "name: it must be at most 5 characters long");
    ada.send(named(7, 5)).await;
    let welcome = ada.welcomed().await;
    let limits = welcome.limits;
    let told = [limits.message, limits.sdp, limits.candidate, limits.name, limits.room];
    assert_eq!(told, [2048, 1024, 200, 5, 7]);
    let mut bob = server.connect().await;
    bob.send(named(7, 0)).await;
    bob.welcomed().await;
    ada.ready(Role::Caller).await;
    bob.ready(Role::Callee).await;

    for (fits, breaks, code) in [
        (offer(&"s".repeat(1024), ""), offer(&"s".repeat(1025), ""), ErrorCode::SdpTooLarge),
        (answer(&"s".repeat(1024), ""), answer(&"s".repeat(1025), ""), ErrorCode::SdpTooLarge),
        (candidate(&"c".repeat(200), ""), candidate(&"c".repeat(201), ""), ErrorCode::CandidateTooLarge),
    ] {
        ada.send(fits).await;
        bob.next().await;
        ada.refused(breaks, code).await;
    }
    let ping = r#"{"type":"ping"}"#;
    ada.send(format!("{ping}{}", " ".repeat(2048 - ping.len()))).await;
    assert_eq!(ada.next().await, ServerMessage::Pong);
    let words =
        ada.refused(format!("{ping}{}", " ".repeat(2049 - ping.len())), ErrorCode::MessageTooLarge).await;
    assert_eq!(words, "a message must be at most 2048 bytes long");
    bob.is_usable().await;
}

#[tokio::test]
async fn a_message_may_be_sixteen_deep_and_no_deeper() {
    let server = limited(2, |_| ()).await;
    let mut client = server.connect().await;
    let ping =
        |depth: usize| format!(r#"{{"type":"ping","x":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
    client.send(ping(16)).await;
    assert_eq!(client.next().await, ServerMessage::Pong);
    assert_eq!(breaches(&server, "json_depth").await, 0);
    let words = client.refused(ping(17), ErrorCode::TooDeep).await;
    assert!(words.contains("16"), "{words}");
    assert_eq!(breaches(&server, "json_depth").await, 1);
}

#[tokio::test]
async fn limits_that_make_no_sense_keep_the_server_from_starting() {
    let mut config = Config::new(2);
    config.limits.connections = 0;
    let error = Server::bind(config).await.unwrap_err();
    assert!(matches!(error, StartError::Limits(LimitsError::OutOfRange { flag: "--max-connections", .. })));

    for (arguments, word) in [
        (["--max-sdp", "40000"], "write a number from 512 to 32768"),
        (["--max-message", "2000"], "write --max-message 33280"),
        (["--flood-time", "0"], "--flood-time"),
        (["--queue-bytes", "1000"], "write --queue-bytes 131072"),
        (["--trusted-proxy", "everyone"], "10.0.0.0/8"),
    ] {
        let output = outcome(&arguments).await;
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && words.contains(word), "{words}");
    }
}
