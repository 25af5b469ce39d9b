//! A connection may break, and the session goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::time::Duration;

use common::*;
use duologue_protocol::{ErrorCode, LeaveReason, Role, ServerMessage, limits};
use futures_util::SinkExt;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Sends `line`s to the only other one in the room.
async fn say(client: &mut Client, lines: impl IntoIterator<Item = usize>) {
    for line in lines {
        client.send(candidate(&line.to_string(), "")).await;
    }
}

/// The next messages are these lines.
async fn hears(client: &mut Client, lines: impl IntoIterator<Item = usize>) {
    for line in lines {
        assert_eq!(client.candidate().await, line.to_string());
    }
}

#[tokio::test]
async fn who_comes_back_hears_exactly_what_was_missed_and_in_order() {
    let server = server().await;
    let ([(mut ada, a), (mut bob, b)], _) = server.couple("r").await;
    say(&mut ada, 0..5).await;
    hears(&mut bob, 0..2).await;
    let seq = bob.seq;
    drop(bob);
    assert_eq!(ada.away().await, b.id);
    ada.send(offer("while you were away", r#","negotiation":2"#)).await;
    say(&mut ada, 5..8).await;
    ada.is_usable().await;

    let mut bob = server.resume(&b.session, seq).await;
    hears(&mut bob, 2..5).await;
    let ServerMessage::Offer(offer) = bob.next().await else { panic!("no offer") };
    assert_eq!((offer.from, offer.negotiation), (a.id, Some(2)));
    hears(&mut bob, 5..8).await;
    assert_eq!(ada.back().await, b.id);
    bob.is_usable().await;

    // And on it goes, with the ids there were.
    bob.send(answer("here I am", "")).await;
    let ServerMessage::Answer(answer) = ada.next().await else { panic!("no answer") };
    assert_eq!(answer.from, b.id);
    ada.send(candidate("8", &to(&b.id))).await;
    hears(&mut bob, [8]).await;
}

#[tokio::test]
async fn a_session_can_be_taken_up_again_and_again() {
    let server = server().await;
    let ([(mut ada, _), (mut bob, b)], _) = server.couple("r").await;
    for n in 0..20 {
        let seq = bob.seq;
        drop(bob);
        ada.away().await;
        say(&mut ada, [n]).await;
        bob = server.resume(&b.session, seq).await;
        ada.back().await;
        hears(&mut bob, [n]).await;
    }
}

#[tokio::test]
async fn both_may_be_away_at_once_and_miss_nothing() {
    let server = server().await;
    let ([(mut ada, a), (bob, b)], _) = server.couple("r").await;
    let seq = bob.seq;
    drop(bob);
    ada.away().await;
    let seen = ada.seq;
    drop(ada);
    let mut bob = server.resume(&b.session, seq).await;
    // Whether the server had noticed yet that Ada is gone is for the network to say.
    let mut ada = server.resume(&a.session, seen).await;
    assert_eq!(ada.back().await, b.id);
    say(&mut ada, [7]).await;
    loop {
        match bob.next().await {
            ServerMessage::PeerAway(moved) | ServerMessage::PeerBack(moved) => assert_eq!(moved.peer, a.id),
            ServerMessage::Candidate(trickle) => break assert_eq!(trickle.candidate.candidate, "7"),
            other => panic!("not for Bob: {other:?}"),
        }
    }
}

#[tokio::test]
async fn everyone_hears_who_is_away_and_who_is_back_also_those_who_come_meanwhile() {
    let server = server_with(4, |_| {}).await;
    let ([(mut ada, a), (bob, b)], _) = server.couple("r").await;
    let (mut plain, p) = server.join("r").await;
    ada.ready(Role::Caller).await;
    plain.ready(Role::Callee).await;
    plain.ready(Role::Callee).await;
    let seq = bob.seq;
    drop(bob);
    assert_eq!(ada.away().await, b.id);
    assert_eq!(plain.away().await, b.id);

    let (mut eve, e) = server.enter("r").await;
    ada.ready(Role::Caller).await;
    plain.ready(Role::Caller).await;
    assert_eq!(eve.ready(Role::Callee).await.id, a.id);
    assert_eq!(eve.ready(Role::Callee).await.id, b.id);
    assert_eq!(eve.away().await, b.id);
    assert_eq!(eve.ready(Role::Callee).await.id, p.id);

    let mut bob = server.resume(&b.session, seq).await;
    assert_eq!(bob.ready(Role::Caller).await.id, p.id);
    assert_eq!(bob.ready(Role::Caller).await.id, e.id);
    for other in [&mut ada, &mut plain, &mut eve] {
        assert_eq!(other.back().await, b.id);
    }
    bob.is_usable().await;
}

#[tokio::test]
async fn who_does_not_come_back_in_time_is_lost() {
    let server = server_with(2, |config| config.timing.grace = Duration::from_millis(50)).await;
    let ([(mut ada, _), (bob, b)], _) = server.couple("r").await;
    drop(bob);
    assert_eq!(ada.away().await, b.id);
    assert_eq!(ada.left().await, (b.id, LeaveReason::Lost));
    let mut late = server.connect().await;
    late.refused(resume(&b.session, 1), ErrorCode::SessionUnknown).await;
    late.enter("r", &[]).await;
    ada.ready(Role::Caller).await;
    late.ready(Role::Callee).await;
    drop((ada, late));
    eventually("no room is left", || server.rooms.count() == 0).await;
}

#[tokio::test]
async fn every_way_to_lose_a_connection_leaves_time_to_come_back() {
    let server = server_with(2, |config| {
        config.timing.ping = Duration::from_secs(3600);
        config.timing.silence = Duration::from_millis(500);
    })
    .await;
    for way in 0..6 {
        let ([(mut ada, _), (mut bob, b)], _) = server.couple(&format!("{way}")).await;
        let mut idle = None;
        match way {
            0 => drop(bob),
            1 => {
                bob.socket.get_ref().set_zero_linger().unwrap();
                drop(bob);
            }
            2 => {
                let frame = CloseFrame { code: 4000.into(), reason: "".into() };
                bob.socket.close(Some(frame)).await.unwrap();
            }
            3 => bob.socket.send(Message::text(" ".repeat(300 * 1024))).await.unwrap(),
            4 => bob.socket.get_mut().write_all(&[0x81, 0x01, b'x']).await.unwrap(),
            _ => idle = Some(bob),
        }
        // Ada is heard all the while.
        let heard = loop {
            ada.send(r#"{"type":"ping"}"#).await;
            match ada.next().await {
                ServerMessage::Pong => tokio::time::sleep(Duration::from_millis(5)).await,
                other => break other,
            }
        };
        assert!(matches!(heard, ServerMessage::PeerAway(_)), "{way}: {heard:?}");
        let mut bob = server.resume(&b.session, 1).await;
        bob.is_usable().await;
        drop(idle);
    }
}

#[tokio::test]
async fn leaving_is_not_being_away() {
    let server = server().await;
    for code in [None, Some(1000), Some(1001)] {
        let ([(mut ada, _), (mut bob, b)], _) = server.couple(&format!("closed with {code:?}")).await;
        let frame = code.map(|code: u16| CloseFrame { code: code.into(), reason: "".into() });
        bob.socket.close(frame).await.unwrap();
        assert_eq!(ada.left().await, (b.id, LeaveReason::Left));
        server.connect().await.refused(resume(&b.session, 1), ErrorCode::SessionUnknown).await;
    }
    let ([(mut ada, _), (mut bob, b)], _) = server.couple("said").await;
    bob.send(r#"{"type":"leave"}"#).await;
    assert_eq!(ada.left().await, (b.id, LeaveReason::Left));
    bob.refused(resume(&b.session, 1), ErrorCode::SessionUnknown).await;
}

#[tokio::test]
async fn a_plain_page_is_lost_with_its_connection() {
    let server = server().await;
    let (mut ada, _) = server.enter("r").await;
    let (mut plain, p) = server.join("r").await;
    assert_eq!(ada.readied(Role::Caller).await.pair, None);
    assert_eq!(plain.readied(Role::Callee).await.pair, None);
    drop(plain);
    assert_eq!(ada.left().await, (p.id, LeaveReason::Lost));
    server.connect().await.refused(resume(&p.session, 1), ErrorCode::SessionUnknown).await;
}

#[tokio::test]
async fn a_seat_is_kept_and_who_finds_the_room_full_is_told_so() {
    let server = server().await;
    let ([(mut ada, _), (bob, b)], _) = server.couple("r").await;
    let mut eve = server.connect().await;
    let words = eve.refused(join("r"), ErrorCode::RoomFull).await;
    assert!(!words.contains("lost"), "{words}");
    drop(bob);
    ada.away().await;
    let words = eve.refused(join("r"), ErrorCode::RoomFull).await;
    assert!(
        words.contains("one of them has lost the connection and may be back within 30 seconds"),
        "{words}"
    );
    // Whoever is away counts as there: to whom a message goes is never guessed anew.
    say(&mut ada, [1]).await;
    let mut bob = server.resume(&b.session, 1).await;
    hears(&mut bob, [1]).await;
    ada.back().await;
    eve.refused(join("r"), ErrorCode::RoomFull).await;
}

#[tokio::test]
async fn a_newer_connection_replaces_the_older_and_nobody_else_notices() {
    let server = server().await;
    let ([(mut ada, _), (mut older, b)], _) = server.couple("r").await;
    say(&mut ada, [1]).await;
    hears(&mut older, [1]).await;
    let mut newer = server.resume(&b.session, 1).await;
    hears(&mut newer, [1]).await;
    let refusal = older.refusal().await;
    assert_eq!((refusal.code, refusal.fatal), (ErrorCode::Replaced, true));
    assert_eq!(older.closed().await, (4009, "replaced by a newer connection".to_owned()));
    ada.is_usable().await;
    drop(older);
    say(&mut ada, [2]).await;
    hears(&mut newer, [2]).await;
    say(&mut newer, [3]).await;
    hears(&mut ada, [3]).await;
    // What breaks now is the newer one.
    drop(newer);
    assert_eq!(ada.away().await, b.id);
}

#[tokio::test]
async fn who_missed_more_than_is_kept_or_claims_more_than_was_said_joins_anew() {
    let server = server_with(2, without_rates).await;
    // Of 71 messages (the first is `ready`) 64 are kept.
    for (far, kept) in [(0, false), (6, false), (7, true), (71, true), (72, false), (limits::SEQ, false)] {
        let room = far.to_string();
        let ([(mut ada, _), (mut bob, b)], _) = server.couple(&room).await;
        say(&mut ada, 2..72).await;
        hears(&mut bob, 2..72).await;
        if kept {
            let mut again = server.resume(&b.session, far).await;
            hears(&mut again, far as usize + 1..72).await;
            again.is_usable().await;
            ada.is_usable().await;
            continue;
        }
        let mut again = server.connect().await;
        again.refused(resume(&b.session, far), ErrorCode::SessionUnknown).await;
        assert_eq!(ada.left().await, (b.id.clone(), LeaveReason::Lost));
        assert_eq!(bob.refusal().await.code, ErrorCode::Replaced);
        again.refused(resume(&b.session, 71), ErrorCode::SessionUnknown).await;
        again.enter(&room, &[]).await;
        ada.ready(Role::Caller).await;
        again.ready(Role::Callee).await;
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_forgotten_and_the_rest_is_kept() {
    let server = server().await;
    for (seq, kept) in [(5, true), (4, false)] {
        let ([(mut ada, _), (mut bob, b)], _) = server.couple(&format!("resumed at {seq}")).await;
        say(&mut ada, 2..8).await;
        hears(&mut bob, 2..8).await;
        bob.send(r#"{"type":"ping","seq":5}"#).await;
        assert_eq!(bob.next().await, ServerMessage::Pong);
        // Whatever the room is asked next comes after the acknowledgement.
        bob.refused(offer("nobody", r#","to":"nobody""#), ErrorCode::NoRecipient).await;
        if kept {
            let mut bob = server.resume(&b.session, seq).await;
            hears(&mut bob, 6..8).await;
            bob.is_usable().await;
        } else {
            server.connect().await.refused(resume(&b.session, seq), ErrorCode::SessionUnknown).await;
        }
    }
}

#[tokio::test]
async fn who_is_told_more_than_is_kept_while_away_is_lost_and_slows_nobody_down() {
    // Were a permit kept with a message, Ada would not be read any more after half of them.
    let server = server_with(3, |config| {
        without_rates(config);
        config.timing.patience = Duration::from_secs(3600);
    })
    .await;
    let ([(mut ada, a), (bob, b)], _) = server.couple("r").await;
    let (mut eve, e) = server.enter("r").await;
    for client in [&mut ada, &mut eve] {
        client.next().await;
    }
    eve.ready(Role::Callee).await;
    drop(bob);
    ada.away().await;
    eve.away().await;
    // That he was told of Ada and Eve makes way; that is 64 messages that he has not had, and not one more.
    for n in 0..64 {
        ada.send(candidate(&n.to_string(), &to(&b.id))).await;
    }
    ada.send(candidate("for Eve", &to(&e.id))).await;
    assert_eq!(eve.candidate().await, "for Eve");
    ada.is_usable().await;
    ada.send(candidate("one more", &to(&b.id))).await;
    assert_eq!(ada.left().await, (b.id.clone(), LeaveReason::Lost));
    assert_eq!(eve.left().await, (b.id, LeaveReason::Lost));
    eve.send(candidate("for Ada", &to(&a.id))).await;
    assert_eq!(ada.candidate().await, "for Ada");
}

#[tokio::test]
async fn all_that_is_kept_arrives_at_once_and_leaves_room_for_more() {
    let server = server_with(2, without_rates).await;
    let ([(mut ada, _), (bob, b)], _) = server.couple("r").await;
    drop(bob);
    ada.away().await;
    say(&mut ada, 0..64).await;
    ada.is_usable().await;
    let mut bob = server.resume(&b.session, 1).await;
    ada.back().await;
    say(&mut ada, 64..94).await;
    ada.is_usable().await;
    hears(&mut bob, 0..94).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_too_slowly_keeps_the_seat_for_a_while_too() {
    let server = server_with(2, |config| {
        without_rates(config);
        config.queue.messages = 8;
    })
    .await;
    let ([(mut ada, _), (mut bob, b)], _) = server.couple("r").await;
    let sdp = "x".repeat(30_000);
    let heard = loop {
        ada.send(offer(&sdp, "")).await;
        ada.send(r#"{"type":"ping"}"#).await;
        match ada.next().await {
            ServerMessage::Pong => {}
            other => break other,
        }
    };
    assert!(matches!(heard, ServerMessage::PeerAway(_)), "{heard:?}");
    let refusal = loop {
        match bob.next().await {
            ServerMessage::Offer(_) => {}
            ServerMessage::Error(refusal) => break refusal,
            other => panic!("not for Bob: {other:?}"),
        }
    };
    assert_eq!((refusal.code, refusal.fatal), (ErrorCode::TooSlow, true));
    assert_eq!(bob.closed().await.0, 4008);
    drop((ada, b));
}

#[tokio::test]
async fn a_shutdown_says_nothing_of_those_who_are_away() {
    let mut server = server().await;
    let ([(mut ada, _), (bob, _)], _) = server.couple("r").await;
    drop(bob);
    ada.away().await;
    server.stop.cancel();
    assert_eq!(ada.sent_away().await.1.0, 1001);
    tokio::time::timeout(PATIENCE, &mut server.task).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn who_is_removed_is_told_and_cannot_take_the_session_up() {
    let server = server_with(3, |_| {}).await;
    let ([(mut ada, a), (mut bob, b)], _) = server.couple("r").await;
    let room = "r".to_owned().try_into().unwrap();
    assert!(server.rooms.remove(&room, &b.id).await);
    let refusal = bob.refusal().await;
    assert_eq!((refusal.code, refusal.fatal), (ErrorCode::Removed, true));
    assert_eq!(bob.closed().await, (4010, "removed from the room".to_owned()));
    assert_eq!(ada.left().await, (b.id.clone(), LeaveReason::Removed));
    server.connect().await.refused(resume(&b.session, 1), ErrorCode::SessionUnknown).await;

    // There is nobody of that id any more, and nobody of Ada's in another room.
    assert!(!server.rooms.remove(&room, &b.id).await);
    assert!(!server.rooms.remove(&"another".to_owned().try_into().unwrap(), &a.id).await);
    ada.is_usable().await;

    // One who is away, and a plain page.
    let (eve, e) = server.enter("r").await;
    let (mut plain, p) = server.join("r").await;
    ada.ready(Role::Caller).await;
    ada.ready(Role::Caller).await;
    drop(eve);
    ada.away().await;
    for id in [e.id, p.id] {
        assert!(server.rooms.remove(&room, &id).await);
        assert_eq!(ada.left().await, (id, LeaveReason::Removed));
    }
    let refusal = loop {
        if let ServerMessage::Error(refusal) = plain.next().await {
            break refusal;
        }
    };
    assert_eq!(refusal.code, ErrorCode::Removed);
    server.connect().await.refused(resume(&e.session, 3), ErrorCode::SessionUnknown).await;
}
