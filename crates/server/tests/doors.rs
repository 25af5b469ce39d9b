//! Locked rooms, knocking, and what admins may do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

mod common;

use std::time::{Duration, SystemTime};

use common::{Client, Running, resume, server, server_with};
use duologue_protocol::{
    ErrorCode, LeaveReason, PeerId, Rights, Role, RoomId, ServerMessage, SessionToken, Welcome,
};
use duologue_server::{Invitation, InvitationKey, Secret};

const SECRET: &str = "a secret of no fewer bytes than thirty-two";

async fn opened_by_tokens(room_size: usize) -> Running {
    server_with(room_size, |config| config.tokens.secret = Some(Secret::from(SECRET.to_owned()))).await
}

/// A `join` with these rights, and more fields, each begun by a comma.
fn join(rights: &[&str], fields: &str) -> String {
    let key = InvitationKey::of_secret(&Secret::from(SECRET.to_owned())).unwrap();
    let room = RoomId::new("board").unwrap();
    let expires = SystemTime::now() + Duration::from_secs(3600);
    let rights = Rights::of(rights.iter().copied());
    let token = Invitation { room, name: None, rights, expires }.token(&key).unwrap();
    format!(r#"{{"type":"join","room":"board","protocol":1,"token":"{token}"{fields}}}"#)
}

async fn enter(server: &Running, rights: &[&str]) -> (Client, Welcome) {
    let mut client = server.connect().await;
    client.send(join(rights, "")).await;
    let welcome = client.welcomed().await;
    (client, welcome)
}

async fn admin(server: &Running) -> Client {
    enter(server, &["join", "speak", "admin"]).await.0
}

async fn knock_with(server: &Running, rights: &[&str]) -> Client {
    let mut client = server.connect().await;
    client.send(join(rights, "")).await;
    client.waits().await;
    client
}

const GUEST: &[&str] = &["join", "speak"];
const STRANGER: &[&str] = &["speak"];

fn about(kind: &str, peer: &PeerId) -> String {
    format!(r#"{{"type":"{kind}","peer":"{peer}"}}"#)
}

fn lock(locked: bool) -> String {
    format!(r#"{{"type":"lock","locked":{locked}}}"#)
}

impl Client {
    async fn waits(&mut self) {
        assert_eq!(self.next().await, ServerMessage::Waiting);
    }

    async fn knock(&mut self) -> PeerId {
        match self.next().await {
            ServerMessage::Knock(knock) => knock.peer.id,
            other => panic!("nobody knocks: {other:?}"),
        }
    }

    async fn knock_over(&mut self) -> PeerId {
        match self.next().await {
            ServerMessage::KnockOver(moved) => moved.peer,
            other => panic!("nobody has ceased to knock: {other:?}"),
        }
    }

    async fn locked(&mut self) -> bool {
        match self.next().await {
            ServerMessage::Locked(it) => it.locked,
            other => panic!("nothing is locked or opened: {other:?}"),
        }
    }

    async fn locks(&mut self) {
        self.send(lock(true)).await;
        assert!(self.locked().await);
    }
}

#[tokio::test]
async fn in_a_locked_room_everyone_knocks_and_an_admin_lets_them_in_or_not() {
    let server = opened_by_tokens(4).await;
    let mut ada = admin(&server).await;
    ada.locks().await;
    let mut bob = knock_with(&server, GUEST).await;
    let bobs_id = ada.knock().await;
    ada.send(about("admit", &bobs_id)).await;
    assert_eq!(ada.knock_over().await, bobs_id);
    let welcome = bob.welcomed().await;
    assert!(welcome.id == bobs_id && welcome.locked);
    assert_eq!(ada.ready(Role::Caller).await.id, bobs_id);
    bob.ready(Role::Callee).await;

    let mut eve = knock_with(&server, GUEST).await;
    let eves_id = ada.knock().await;
    ada.send(about("deny", &eves_id)).await;
    assert_eq!(ada.knock_over().await, eves_id);
    let refusal = eve.refusal().await;
    assert_eq!((refusal.code, refusal.fatal), (ErrorCode::Denied, false));
    // Outside, and free to try again.
    eve.refused(r#"{"type":"ice-servers"}"#, ErrorCode::NotJoined).await;
    eve.send(join(GUEST, "")).await;
    eve.waits().await;
    ada.knock().await;

    // Whoever is no admin heard nothing of all that.
    bob.is_usable().await;
    ada.send(lock(false)).await;
    assert!(!ada.locked().await && !bob.locked().await);
}

#[tokio::test]
async fn one_who_may_not_join_by_themselves_knocks_at_an_open_room_and_even_at_an_empty_one() {
    let server = opened_by_tokens(4).await;
    let mut eve = knock_with(&server, STRANGER).await;
    assert_eq!(server.rooms.count(), 1, "a room is there for who waits");
    // An admin who comes later hears of it.
    let mut ada = admin(&server).await;
    let eves_id = ada.knock().await;
    ada.send(about("admit", &eves_id)).await;
    assert_eq!(ada.knock_over().await, eves_id);
    assert_eq!(eve.welcomed().await.id, eves_id);
}

#[tokio::test]
async fn who_waits_is_told_nothing_and_can_do_nothing_but_go() {
    let server = opened_by_tokens(4).await;
    let mut ada = admin(&server).await;
    let mut eve = knock_with(&server, STRANGER).await;
    let eves_id = ada.knock().await;
    for text in [
        r#"{"type":"ice-servers"}"#.to_owned(),
        r#"{"type":"candidate","candidate":null}"#.to_owned(),
        lock(true),
        about("admit", &eves_id),
    ] {
        eve.refused(text, ErrorCode::NotJoined).await;
    }
    eve.refused(join(STRANGER, ""), ErrorCode::AlreadyJoined).await;
    ada.is_usable().await;
    eve.send(r#"{"type":"leave"}"#).await;
    assert_eq!(eve.refusal().await.code, ErrorCode::Denied, "each join has one answer");
    assert_eq!(ada.knock_over().await, eves_id);
    // It was taken back: nobody can be let in any more.
    ada.refused(about("admit", &eves_id), ErrorCode::NoRecipient).await;
    eve.refused(r#"{"type":"leave"}"#, ErrorCode::NotJoined).await;
    eve.send(join(STRANGER, "")).await;
    eve.waits().await;
    let again = ada.knock().await;
    drop(eve);
    assert_eq!(ada.knock_over().await, again, "whoever is gone waits no longer");
}

#[tokio::test]
async fn only_admins_decide() {
    let server = opened_by_tokens(4).await;
    let (mut bob, _) = enter(&server, GUEST).await;
    let mut eve = knock_with(&server, STRANGER).await;
    let (_ada, welcome) = enter(&server, &["join", "speak", "admin"]).await;
    let adas_id = bob.ready(Role::Caller).await.id;
    assert_eq!(adas_id, welcome.id);
    for text in [lock(true), about("admit", &adas_id), about("deny", &adas_id), about("remove", &adas_id)] {
        bob.refused(text, ErrorCode::NotAllowed).await;
    }
    eve.is_usable().await;
}

#[tokio::test]
async fn where_no_token_is_asked_for_nobody_is_an_admin() {
    let server = server().await;
    let (mut ada, bob) = server.pair("open").await;
    for text in [lock(true), about("remove", &PeerId::new("x").unwrap())] {
        ada.refused(text, ErrorCode::NotAllowed).await;
    }
    drop(bob);
}

#[tokio::test]
async fn an_admin_takes_somebody_out_whom_what_they_knew_does_not_let_in_again() {
    let server = opened_by_tokens(4).await;
    let mut ada = admin(&server).await;
    let (mut bob, welcome) = enter(&server, GUEST).await;
    ada.ready(Role::Caller).await;
    let pair = bob.readied(Role::Callee).await.pair.unwrap();
    ada.locks().await;
    assert!(bob.locked().await);
    ada.send(about("remove", &welcome.id)).await;
    assert_eq!(ada.left().await, (welcome.id.clone(), LeaveReason::Removed));
    let refusal = bob.refusal().await;
    assert_eq!((refusal.code, refusal.fatal), (ErrorCode::Removed, true));
    ada.refused(about("remove", &welcome.id), ErrorCode::NoRecipient).await;

    let mut bob = server.connect().await;
    bob.refused(resume(&welcome.session, 0), ErrorCode::SessionUnknown).await;
    bob.send(join(GUEST, &format!(r#","pairs":["{pair}"]"#))).await;
    bob.waits().await;
}

#[tokio::test]
async fn one_whose_session_is_lost_comes_back_into_a_locked_room_by_pair_or_key() {
    let server = opened_by_tokens(4).await;
    let mut ada = admin(&server).await;
    let mut bob = server.connect().await;
    bob.send(join(GUEST, r#","key":"bobs key""#)).await;
    let first = bob.welcomed().await.id;
    ada.ready(Role::Caller).await;
    let pair = bob.readied(Role::Callee).await.pair.unwrap();
    ada.locks().await;

    let mut again = server.connect().await;
    again.send(join(GUEST, r#","key":"bobs key""#)).await;
    let second = again.welcomed().await.id;
    assert_eq!(ada.left().await, (first, LeaveReason::Replaced));
    ada.ready(Role::Caller).await;
    again.ready(Role::Callee).await;

    again.send(r#"{"type":"leave"}"#).await;
    assert_eq!(ada.left().await, (second, LeaveReason::Left));
    again.send(join(GUEST, &format!(r#","pairs":["{pair}"]"#))).await;
    assert!(again.welcomed().await.locked);
}

#[tokio::test]
async fn one_who_knocks_anew_with_the_same_key_waits_once() {
    let server = opened_by_tokens(4).await;
    let mut ada = admin(&server).await;
    let mut first = server.connect().await;
    first.send(join(STRANGER, r#","key":"eves key""#)).await;
    first.waits().await;
    let first_id = ada.knock().await;
    let mut second = server.connect().await;
    second.send(join(STRANGER, r#","key":"eves key""#)).await;
    second.waits().await;
    assert_eq!(ada.knock_over().await, first_id);
    ada.knock().await;
    assert_eq!(first.refusal().await.code, ErrorCode::Replaced);
}

#[tokio::test]
async fn a_lock_ends_with_the_last_who_leaves_and_lets_in_who_waited_for_it() {
    let server = opened_by_tokens(4).await;
    let mut ada = admin(&server).await;
    ada.locks().await;
    let mut bob = knock_with(&server, GUEST).await;
    let mut eve = knock_with(&server, STRANGER).await;
    ada.send(r#"{"type":"leave"}"#).await;
    assert!(!bob.welcomed().await.locked);
    eve.is_usable().await;
    bob.send(r#"{"type":"leave"}"#).await;
    drop(eve);
    while server.rooms.count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nobody_is_let_into_a_full_room_and_who_knocks_goes_on_waiting() {
    let server = opened_by_tokens(2).await;
    let mut ada = admin(&server).await;
    let (mut bob, _) = enter(&server, GUEST).await;
    ada.ready(Role::Caller).await;
    let mut eve = knock_with(&server, STRANGER).await;
    let eves_id = ada.knock().await;
    ada.refused(about("admit", &eves_id), ErrorCode::RoomFull).await;
    eve.is_usable().await;
    bob.send(r#"{"type":"leave"}"#).await;
    ada.left().await;
    ada.send(about("admit", &eves_id)).await;
    ada.knock_over().await;
    assert_eq!(eve.welcomed().await.id, eves_id);
}

#[tokio::test]
async fn no_more_than_sixteen_wait_at_a_door() {
    let server = opened_by_tokens(2).await;
    let mut waiting = Vec::new();
    for _ in 0..16 {
        waiting.push(knock_with(&server, STRANGER).await);
    }
    let mut one_more = server.connect().await;
    one_more.refused(join(STRANGER, ""), ErrorCode::Busy).await;
    waiting.pop();
    let mut ada = admin(&server).await;
    for _ in 0..15 {
        ada.knock().await;
    }
}

#[tokio::test]
async fn an_admin_who_was_away_learns_who_knocked_meanwhile() {
    let server = opened_by_tokens(4).await;
    let (mut ada, welcome) = enter(&server, &["join", "admin"]).await;
    let (mut bob, _) = enter(&server, GUEST).await;
    ada.ready(Role::Caller).await;
    bob.ready(Role::Callee).await;
    let (seq, session): (u64, SessionToken) = (ada.seq, welcome.session);
    drop(ada);
    bob.away().await;
    let _eve = knock_with(&server, STRANGER).await;
    let mut ada = server.resume(&session, seq).await;
    ada.knock().await;
}
