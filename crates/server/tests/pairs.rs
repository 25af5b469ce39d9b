//! Two who have met find each other again, also when the server has forgotten them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::time::Duration;

use common::*;
use duologue_protocol::{ErrorCode, LeaveReason, PairToken, Ready, Role};

/// Two in a room hear that they are ready: the one who was there, and the one who came.
async fn introduced(there: &mut Client, newcomer: &mut Client) -> [Ready; 2] {
    [there.readied(Role::Caller).await, newcomer.readied(Role::Callee).await]
}

/// The one token of both.
fn same(readies: &[Ready; 2]) -> PairToken {
    assert_eq!(readies[0].pair, readies[1].pair);
    readies[0].pair.clone().expect("a token")
}

#[tokio::test]
async fn each_pair_has_a_token_of_its_own_that_nobody_else_is_told() {
    let server = server_with(3, |_| {}).await;
    let ([(mut ada, _), (mut bob, _)], ab) = server.couple("r").await;
    assert_eq!(ab.as_str().len(), 32);
    let (mut eve, _) = server.enter("r").await;
    let ae = same(&introduced(&mut ada, &mut eve).await);
    let be = same(&introduced(&mut bob, &mut eve).await);
    assert!(ab != ae && ab != be && ae != be);
    // Nothing else was said to anyone.
    for client in [&mut ada, &mut bob, &mut eve] {
        client.is_usable().await;
    }
    let (_, other) = server.couple("another room").await;
    assert!(![ab, ae, be].contains(&other));
}

#[tokio::test]
async fn after_a_restart_those_who_met_before_have_the_token_they_had() {
    let before = server_with(3, |_| {}).await;
    let ([(mut ada, _), (mut bob, _)], ab) = before.couple("r").await;
    let (mut eve, _) = before.enter("r").await;
    let ae = same(&introduced(&mut ada, &mut eve).await);
    let be = same(&introduced(&mut bob, &mut eve).await);
    drop(before);

    let after = server_with(4, |_| {}).await;
    let (mut eve, _) = after.enter_again("r", &[&be, &ae]).await;
    let (mut bob, _) = after.enter_again("r", &[&ab, &be]).await;
    assert_eq!(same(&introduced(&mut eve, &mut bob).await), be);
    let (mut ada, _) = after.enter_again("r", &[&ab, &ae]).await;
    assert_eq!(same(&introduced(&mut eve, &mut ada).await), ae);
    assert_eq!(same(&introduced(&mut bob, &mut ada).await), ab);
    // A stranger gets tokens of their own, whatever they name.
    let stranger = PairToken::new("a guess").unwrap();
    let (mut zoe, _) = after.enter_again("r", &[&stranger]).await;
    for there in [&mut eve, &mut bob, &mut ada] {
        let fresh = same(&introduced(there, &mut zoe).await);
        assert!(![&ab, &ae, &be, &stranger].contains(&&fresh));
    }
}

#[tokio::test]
async fn who_was_lost_and_joins_again_has_the_token_there_was() {
    let server = server_with(2, |config| config.timing.grace = Duration::from_millis(20)).await;
    let ([(mut ada, _), (bob, b)], token) = server.couple("r").await;
    drop(bob);
    ada.away().await;
    assert_eq!(ada.left().await, (b.id, LeaveReason::Lost));
    // Ada did not name it herself: the server remembers what it told her.
    let (mut bob, _) = server.enter_again("r", &[&token]).await;
    assert_eq!(same(&introduced(&mut ada, &mut bob).await), token);
}

#[tokio::test]
async fn of_several_shared_tokens_the_one_that_the_newcomer_names_last_counts() {
    let server = server().await;
    let [old, new] = ["old", "new"].map(|name| PairToken::new(name).unwrap());
    let (mut ada, _) = server.enter_again("r", &[&new, &old]).await;
    let (mut bob, _) = server.enter_again("r", &[&old, &new]).await;
    assert_eq!(same(&introduced(&mut ada, &mut bob).await), new);
}

/// Joins with a key, and with tokens if there are any.
fn join_with_key(key: &str, pairs: &[&PairToken]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|pair| format!("\"{pair}\"")).collect();
    format!(r#"{{"type":"join","room":"r","protocol":1,"key":"{key}","pairs":[{}]}}"#, pairs.join(","))
}

#[tokio::test]
async fn who_comes_in_again_under_the_same_key_takes_their_own_seat() {
    for is_away in [true, false] {
        // The room is full, and the seat is the newcomer's own.
        let server = server().await;
        let (mut ada, _) = server.enter("r").await;
        let mut bob = server.connect().await;
        bob.send(join_with_key("bob's", &[])).await;
        let b = bob.welcomed().await;
        let token = same(&introduced(&mut ada, &mut bob).await);
        let earlier = if is_away {
            drop(bob);
            ada.away().await;
            None
        } else {
            Some(bob)
        };
        server.connect().await.refused(join("r"), ErrorCode::RoomFull).await;
        server.connect().await.refused(join_with_key("eve's", &[&token]), ErrorCode::RoomFull).await;
        let mut again = server.connect().await;
        again.send(join_with_key("bob's", &[&token])).await;
        let welcome = again.welcomed().await;
        assert_eq!(ada.left().await, (b.id.clone(), LeaveReason::Replaced));
        let readies = introduced(&mut ada, &mut again).await;
        assert_eq!(readies[0].peer.id, welcome.id);
        assert_ne!(welcome.id, b.id);
        assert_eq!(same(&readies), token);
        server.connect().await.refused(resume(&b.session, 1), ErrorCode::SessionUnknown).await;
        if let Some(mut earlier) = earlier {
            let refusal = earlier.refusal().await;
            assert_eq!((refusal.code, refusal.fatal), (ErrorCode::Replaced, true));
            assert_eq!(earlier.closed().await.0, 4009);
        }
    }
}

#[tokio::test]
async fn nobody_is_replaced_who_is_there() {
    let server = server_with(3, |_| {}).await;
    let ([(mut ada, _), (mut bob, _)], ab) = server.couple("r").await;
    // Which of the two it is that names their token cannot be known: it is told others.
    let (mut third, _) = server.enter_again("r", &[&ab]).await;
    assert_ne!(same(&introduced(&mut ada, &mut third).await), ab);
    assert_ne!(same(&introduced(&mut bob, &mut third).await), ab);
    for client in [&mut ada, &mut bob, &mut third] {
        client.is_usable().await;
    }
}

#[tokio::test]
async fn who_names_a_token_that_only_one_has_is_the_other_of_the_pair_also_if_that_one_is_away() {
    let server = server().await;
    let ([(mut ada, _), (bob, b)], ab) = server.couple("r").await;
    drop(bob);
    assert_eq!(ada.away().await, b.id);
    ada.send(r#"{"type":"leave"}"#).await;
    let a = ada.enter("r", &[&ab]).await;
    let ready = ada.readied(Role::Callee).await;
    assert_eq!((ready.peer.id, ready.pair), (b.id.clone(), Some(ab.clone())));
    assert_eq!(ada.away().await, b.id);
    let mut bob = server.resume(&b.session, 1).await;
    assert_eq!(bob.left().await.1, LeaveReason::Left);
    let ready = bob.readied(Role::Caller).await;
    assert_eq!((ready.peer.id, ready.pair), (a.id, Some(ab)));
}

#[tokio::test]
async fn a_plain_page_is_told_no_token_and_names_none() {
    let server = server_with(3, |_| {}).await;
    let ([(mut ada, _), (bob, b)], token) = server.couple("r").await;
    drop(bob);
    assert_eq!(ada.away().await, b.id);
    let mut plain = server.connect().await;
    plain.send(format!(r#"{{"type":"join","room":"r","pairs":["{token}"]}}"#)).await;
    plain.next().await;
    let readies = introduced(&mut ada, &mut plain).await;
    assert_eq!((&readies[0].pair, &readies[1].pair), (&None, &None));
}
