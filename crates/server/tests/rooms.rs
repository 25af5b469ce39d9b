//! What people in a room can count on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::HashMap;

use common::*;
use duologue_protocol::{ErrorCode, IceServers, LeaveReason, Limits, PeerId, Role, ServerMessage};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

#[tokio::test]
async fn a_newcomer_is_welcomed_and_is_the_callee_of_everyone_who_was_there() {
    let server = server_with(3, |_| {}).await;
    let mut ada = server.connect().await;
    ada.send(r#"{"type":"join","room":"r","name":"Ada","protocol":1}"#).await;
    let ServerMessage::Welcome(welcome) = ada.next().await else { panic!("no welcome") };
    assert_eq!(welcome.ice, IceServers::default());
    assert_eq!(welcome.limits, Limits::default());
    assert_eq!(welcome.id.as_str().len(), 32);
    assert_eq!(welcome.session.as_str().len(), 32);
    assert_ne!(welcome.id.as_str(), welcome.session.as_str());

    let (mut bob, b) = server.join("r").await;
    let peer = ada.ready(Role::Caller).await;
    assert_eq!((peer.id, peer.name, peer.protocol), (b.id.clone(), None, None));
    let peer = bob.ready(Role::Callee).await;
    assert_eq!(peer.id, welcome.id);
    assert_eq!(peer.name.unwrap().as_str(), "Ada");
    assert_eq!(peer.protocol, Some(1));

    let (mut eve, e) = server.join("r").await;
    assert_eq!(ada.ready(Role::Caller).await.id, e.id);
    assert_eq!(bob.ready(Role::Caller).await.id, e.id);
    assert_eq!(eve.ready(Role::Callee).await.id, welcome.id);
    assert_eq!(eve.ready(Role::Callee).await.id, b.id);
}

#[tokio::test]
async fn people_in_different_rooms_know_nothing_of_each_other() {
    let server = server().await;
    let (mut ada, _) = server.join("one").await;
    let (mut bob, _) = server.join("two").await;
    ada.is_usable().await;
    bob.is_usable().await;
    assert_eq!(server.rooms.count(), 2);
    ada.refused(offer("o", ""), ErrorCode::NoRecipient).await;
}

#[tokio::test]
async fn what_is_relayed_says_who_it_is_from_and_which_negotiation_it_belongs_to() {
    let server = server().await;
    let (mut ada, a) = server.join("r").await;
    let (mut bob, b) = server.join("r").await;
    ada.ready(Role::Caller).await;
    bob.ready(Role::Callee).await;

    // Nobody can speak in another's name.
    ada.send(offer("the offer", &format!(r#"{},"from":"{}","negotiation":7"#, to(&b.id), b.id))).await;
    let ServerMessage::Offer(offer) = bob.next().await else { panic!("no offer") };
    assert_eq!((offer.from, offer.negotiation), (a.id.clone(), Some(7)));
    assert_eq!(offer.offer.sdp, "the offer");

    bob.send(answer("the answer", &format!(r#"{},"negotiation":7"#, to(&a.id)))).await;
    let ServerMessage::Answer(answer) = ada.next().await else { panic!("no answer") };
    assert_eq!((answer.from, answer.negotiation), (b.id.clone(), Some(7)));
    assert_eq!(answer.answer.sdp, "the answer");

    bob.send(candidate("candidate:1", &to(&a.id))).await;
    let ServerMessage::Candidate(trickle) = ada.next().await else { panic!("no candidate") };
    assert_eq!(trickle.from, b.id);
    assert_eq!(trickle.candidate.candidate, "candidate:1");
    assert_eq!(trickle.candidate.sdp_mid.as_deref(), Some("0"));
}

#[tokio::test]
async fn a_plain_page_can_be_the_caller_or_the_callee() {
    let server = server().await;
    let (mut caller, mut callee) = server.pair("r").await;
    caller.send(offer("o", "")).await;
    assert!(matches!(callee.next().await, ServerMessage::Offer(_)));
    callee.send(answer("a", "")).await;
    callee.send(candidate("candidate:1", "")).await;
    callee.send(r#"{"type":"candidate","candidate":null}"#).await;
    assert!(matches!(caller.next().await, ServerMessage::Answer(_)));
    assert!(matches!(caller.next().await, ServerMessage::Candidate(_)));
    let ServerMessage::Candidate(end) = caller.next().await else { panic!("no end of candidates") };
    assert!(end.candidate.is_end());
    caller.send(candidate("candidate:2", "")).await;
    assert!(matches!(callee.next().await, ServerMessage::Candidate(_)));
}

#[tokio::test]
async fn whom_a_message_is_for_is_never_guessed() {
    let server = server_with(3, |_| {}).await;
    let (mut ada, a) = server.join("r").await;
    ada.refused(offer("nobody there", ""), ErrorCode::NoRecipient).await;
    ada.refused(offer("myself", &to(&a.id)), ErrorCode::NoRecipient).await;

    let (mut bob, b) = server.join("r").await;
    ada.ready(Role::Caller).await;
    bob.ready(Role::Callee).await;
    ada.refused(offer("unknown", r#","to":"nobody""#), ErrorCode::NoRecipient).await;
    ada.refused(offer("myself", &to(&a.id)), ErrorCode::NoRecipient).await;
    bob.is_usable().await;

    let (mut eve, e) = server.join("r").await;
    ada.ready(Role::Caller).await;
    bob.ready(Role::Caller).await;
    eve.ready(Role::Callee).await;
    eve.ready(Role::Callee).await;
    ada.refused(offer("which", ""), ErrorCode::AmbiguousRecipient).await;
    bob.is_usable().await;
    eve.is_usable().await;
    ada.send(offer("you", &to(&e.id))).await;
    assert!(matches!(eve.next().await, ServerMessage::Offer(_)));
    bob.is_usable().await;

    // Someone who has left is nobody, and with one other left `to` may be left out again.
    bob.send(r#"{"type":"leave"}"#).await;
    ada.left().await;
    eve.left().await;
    ada.refused(offer("gone", &to(&b.id)), ErrorCode::NoRecipient).await;
    ada.send(offer("the only one", "")).await;
    assert!(matches!(eve.next().await, ServerMessage::Offer(_)));
}

#[tokio::test]
async fn messages_from_one_to_another_arrive_whole_and_in_order_however_many_come_at_once() {
    const MANY: usize = 3000;
    let server = server_with(2, without_rates).await;
    let (mut ada, mut bob) = server.pair("r").await;
    let sender = tokio::spawn(async move {
        for n in 0..MANY {
            ada.send(candidate(&format!("candidate:{n}"), "")).await;
        }
        ada
    });
    for n in 0..MANY {
        let ServerMessage::Candidate(trickle) = bob.next().await else { panic!("no candidate") };
        assert_eq!(trickle.candidate.candidate, format!("candidate:{n}"));
    }
    sender.await.unwrap().is_usable().await;
}

#[tokio::test]
async fn large_messages_in_a_burst_arrive_too() {
    let server = server_with(2, without_rates).await;
    let (mut ada, mut bob) = server.pair("r").await;
    let sdp = "x".repeat(30_000);
    let sender = tokio::spawn(async move {
        for _ in 0..100 {
            ada.send(offer(&sdp, "")).await;
        }
        ada
    });
    for _ in 0..100 {
        assert!(matches!(bob.next().await, ServerMessage::Offer(_)));
    }
    sender.await.unwrap();
}

#[tokio::test]
async fn who_finds_the_room_full_can_wait_and_join_on_the_same_connection() {
    let server = server().await;
    let (mut ada, mut bob) = server.pair("r").await;
    let mut eve = server.connect().await;
    let words = eve.refused(join("r"), ErrorCode::RoomFull).await;
    assert!(words.contains('2'), "{words}");
    eve.refused(offer("o", ""), ErrorCode::NotJoined).await;
    ada.is_usable().await;
    bob.is_usable().await;

    bob.send(r#"{"type":"leave"}"#).await;
    ada.left().await;
    let e = eve.join("r").await;
    assert_eq!(ada.ready(Role::Caller).await.id, e.id);
    eve.ready(Role::Callee).await;
    // Bob is in the lobby, and now it is he who finds it full.
    bob.refused(join("r"), ErrorCode::RoomFull).await;
    let b = bob.join("another").await;
    assert_ne!(b.id, e.id);
}

#[tokio::test]
async fn the_room_is_as_large_as_it_was_configured() {
    let server = server_with(100, |_| {}).await;
    let mut people = Vec::new();
    for n in 0..100 {
        let (mut newcomer, _) = server.join("r").await;
        for _ in 0..n {
            newcomer.ready(Role::Callee).await;
        }
        people.push(newcomer);
    }
    server.connect().await.refused(join("r"), ErrorCode::RoomFull).await;
}

#[tokio::test]
async fn who_joins_again_is_someone_new() {
    let server = server().await;
    let (mut ada, _) = server.join("r").await;
    let (mut bob, first) = server.join("r").await;
    ada.ready(Role::Caller).await;
    bob.ready(Role::Callee).await;
    bob.refused(join("r"), ErrorCode::AlreadyJoined).await;
    bob.refused(join("elsewhere"), ErrorCode::AlreadyJoined).await;
    bob.send(r#"{"type":"leave"}"#).await;
    let second = bob.join("r").await;
    assert_ne!(first.id, second.id);
    assert_ne!(first.session, second.session);
    assert_eq!(ada.left().await, (first.id, LeaveReason::Left));
    assert_eq!(ada.ready(Role::Caller).await.id, second.id);
}

#[tokio::test]
async fn saying_leave_is_leaving() {
    let server = server().await;
    let (mut ada, mut bob) = server.pair("r").await;
    bob.send(r#"{"type":"leave"}"#).await;
    assert_eq!(ada.left().await.1, LeaveReason::Left);
    bob.is_usable().await;
    bob.refused(r#"{"type":"leave"}"#, ErrorCode::NotJoined).await;
}

#[tokio::test]
async fn closing_the_page_is_leaving() {
    let server = server().await;
    for code in [None, Some(1000), Some(1001)] {
        let (mut ada, mut bob) = server.pair(&format!("closed with {code:?}")).await;
        let frame = code.map(|code: u16| CloseFrame { code: code.into(), reason: "".into() });
        bob.socket.close(frame).await.unwrap();
        assert_eq!(ada.left().await.1, LeaveReason::Left, "{code:?}");
        // The closing handshake is finished as RFC 6455 asks.
        assert!(matches!(bob.frame().await, Some(Ok(_))));
        assert!(bob.frame().await.is_none());
    }
}

#[tokio::test]
async fn a_close_frame_that_is_no_goodbye_is_a_loss() {
    let server = server().await;
    let (mut ada, mut bob) = server.pair("r").await;
    bob.socket.close(Some(CloseFrame { code: 4000.into(), reason: "".into() })).await.unwrap();
    assert_eq!(ada.left().await.1, LeaveReason::Lost);
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_loss() {
    let server = server().await;
    let (mut ada, bob) = server.pair("r").await;
    drop(bob);
    assert_eq!(ada.left().await.1, LeaveReason::Lost);

    let (mut eve, _) = server.join("r").await;
    ada.ready(Role::Caller).await;
    eve.ready(Role::Callee).await;
    eve.socket.get_ref().set_zero_linger().unwrap();
    drop(eve);
    assert_eq!(ada.left().await.1, LeaveReason::Lost);
}

#[tokio::test]
async fn an_empty_room_is_gone_and_can_be_opened_again() {
    let server = server().await;
    for _ in 0..20 {
        let (caller, mut callee) = server.pair("r").await;
        assert_eq!(server.rooms.count(), 1);
        drop(caller);
        assert_eq!(callee.left().await.1, LeaveReason::Lost);
        callee.send(r#"{"type":"leave"}"#).await;
        // Once this is answered, the room has been told. The next pair may come while it is closing; both must find
        // a room, and the same one.
        callee.is_usable().await;
    }
    eventually("no room is left", || server.rooms.count() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_who_come_at_once_exactly_two_get_in() {
    let server = server_with(2, |config| config.limits.lobby_per_address = 200).await;
    let mut clients = Vec::new();
    for _ in 0..200 {
        clients.push(server.connect().await);
    }
    let mut arrivals: FuturesUnordered<_> = clients
        .into_iter()
        .map(|mut client| {
            tokio::spawn(async move {
                client.send(join("r")).await;
                let first = client.next().await;
                (client, first)
            })
        })
        .collect();
    let mut inside = Vec::new();
    let mut outside = Vec::new();
    while let Some(arrival) = arrivals.next().await {
        match arrival.unwrap() {
            (client, ServerMessage::Welcome(welcome)) => inside.push((client, welcome.id)),
            (client, ServerMessage::Error(refusal)) => {
                assert_eq!(refusal.code, ErrorCode::RoomFull);
                outside.push(client);
            }
            (_, other) => panic!("neither in nor out: {other:?}"),
        }
    }
    assert_eq!((inside.len(), outside.len()), (2, 198));
    let mut roles: HashMap<PeerId, (Role, PeerId)> = HashMap::new();
    for (client, id) in &mut inside {
        let ServerMessage::Ready(ready) = client.next().await else { panic!("not ready") };
        roles.insert(id.clone(), (ready.role, ready.peer.id));
        // Exactly one.
        client.is_usable().await;
    }
    let (a, b) = (&inside[0].1, &inside[1].1);
    assert_eq!((&roles[a].1, &roles[b].1), (b, a));
    assert_ne!(roles[a].0, roles[b].0);
    for client in &mut outside {
        client.is_usable().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coming_and_going_at_once_loses_nobody_and_leaves_no_room_behind() {
    // Nobody is too slow here, however busy the machine is with other things.
    let server = server_with(10, |config| config.queue.messages = 10_000).await;
    let mut people = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut client = server.connect().await;
        people.spawn(async move {
            for round in 0..50 {
                client.send(join(&format!("room {}", round % 3))).await;
                // An answer always comes, among news of the others.
                let joined = loop {
                    match client.next().await {
                        ServerMessage::Welcome(_) => break true,
                        ServerMessage::Error(refusal) => {
                            assert_eq!(refusal.code, ErrorCode::RoomFull);
                            break false;
                        }
                        _ => {}
                    }
                };
                if joined {
                    client.send(r#"{"type":"leave"}"#).await;
                }
            }
        });
    }
    while let Some(person) = people.join_next().await {
        person.unwrap();
    }
    eventually("no room is left", || server.rooms.count() == 0).await;
}
