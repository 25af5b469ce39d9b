//! Whoever does not read, or does not answer, is let go; and nobody else feels it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::time::Duration;

use common::*;
use duologue_protocol::{ErrorCode, LeaveReason, PeerId, Role, ServerMessage};
use futures_util::SinkExt;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;

/// A room of three: Ada and Bob, who talk, and Eve, who is about to stop reading. With the ids of Bob and Eve.
async fn three(server: &Running) -> (Client, Client, Client, [PeerId; 2]) {
    let (mut ada, mut bob) = server.pair("r").await;
    let (mut eve, welcome) = server.join("r").await;
    ada.ready(Role::Caller).await;
    bob.ready(Role::Caller).await;
    eve.ready(Role::Callee).await;
    let bob_id = eve.ready(Role::Callee).await.id;
    (ada, bob, eve, [bob_id, welcome.id])
}

/// Ada sends Eve what she does not read, and talks with Bob all the while, until Eve is let go. Gives the longest
/// time that a word took.
async fn talk_past(ada: &mut Client, bob: &mut Client, [bob_id, eve]: &[PeerId; 2]) -> Duration {
    let sdp = "x".repeat(30_000);
    let mut longest = Duration::ZERO;
    for n in 0..5000 {
        ada.send(offer(&sdp, &to(eve))).await;
        let begin = Instant::now();
        ada.send(candidate(&n.to_string(), &to(bob_id))).await;
        match bob.next().await {
            ServerMessage::Candidate(trickle) => assert_eq!(trickle.candidate.candidate, n.to_string()),
            ServerMessage::PeerLeft(left) => {
                assert_eq!((&left.peer, left.reason), (eve, LeaveReason::Lost));
                assert_eq!(ada.left().await, (eve.clone(), LeaveReason::Lost));
                return longest;
            }
            other => panic!("not for Bob: {other:?}"),
        }
        longest = longest.max(begin.elapsed());
    }
    panic!("Eve was never let go");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_reading_is_let_go_as_slow_while_the_others_go_on() {
    let server = server_with(3, |config| {
        without_rates(config);
        config.timing.goodbye = PATIENCE;
    })
    .await;
    let (mut ada, mut bob, mut eve, ids) = three(&server).await;
    let longest = talk_past(&mut ada, &mut bob, &ids).await;
    assert!(longest < Duration::from_secs(2), "Bob waited for {longest:?}");

    // Eve begins to read at last: what was under way comes first, then the words, then the end.
    let refusal = loop {
        match eve.next().await {
            ServerMessage::Offer(_) => {}
            ServerMessage::Error(refusal) => break refusal,
            other => panic!("not for Eve: {other:?}"),
        }
    };
    assert_eq!((refusal.code, refusal.fatal), (ErrorCode::TooSlow, true));
    assert_eq!(eve.closed().await, (4008, "too slow".to_owned()));

    let (mut again, _) = server.join("r").await;
    again.ready(Role::Callee).await;
    again.ready(Role::Callee).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_stays_stalled_is_dropped_in_a_bounded_time() {
    let server = server_with(3, |config| {
        without_rates(config);
        config.timing.goodbye = Duration::from_millis(100);
    })
    .await;
    let (mut ada, mut bob, mut eve, ids) = three(&server).await;
    talk_past(&mut ada, &mut bob, &ids).await;
    // Eve never reads, but notices on writing that there is nobody any more.
    let dropped = async {
        while eve.socket.send(Message::text("still there?")).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, dropped).await.expect("the socket is dropped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_floods_and_does_not_read_the_answers_is_let_go() {
    let server = server_with(2, without_rates).await;
    let (mut ada, mut bob) = server.pair("r").await;
    let nonsense = format!(r#"{{"type":"{}"}}"#, "x".repeat(1000));
    let flood = async { while bob.socket.feed(Message::text(nonsense.clone())).await.is_ok() {} };
    tokio::select! {
        () = flood => {}
        left = ada.left() => {
            assert_eq!(left.1, LeaveReason::Lost);
            return;
        }
    }
    assert_eq!(ada.left().await.1, LeaveReason::Lost);
}

#[tokio::test]
async fn who_answers_no_ping_is_lost_and_who_answers_stays() {
    let server = server_with(2, |config| {
        config.timing.ping = Duration::from_millis(50);
        config.timing.silence = Duration::from_millis(400);
    })
    .await;
    let (mut ada, bob) = server.pair("r").await;
    // From here on nobody answers in Bob's name: there is only the bare socket.
    let mut bare = bob.socket.into_inner();
    let begin = Instant::now();
    let ping = timeout(PATIENCE, bare.read_u16()).await.unwrap().unwrap();
    assert_eq!(ping, 0x8900, "an empty ping");
    assert_eq!(ada.left().await.1, LeaveReason::Lost);
    assert!(begin.elapsed() >= Duration::from_millis(350), "{:?}", begin.elapsed());
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, bare.read_to_end(&mut rest)).await.expect("the server lets go");
    assert!(rest.chunks(2).all(|ping| ping == [0x89, 0x00]), "{rest:?}");

    // Ada is idle for longer than the silence that is allowed, and answers pings.
    let idle = timeout(Duration::from_millis(1200), ada.frame()).await;
    assert!(idle.is_err(), "{idle:?}");
    ada.is_usable().await;
}
