//! Several nodes are to people what one is.

use duologue_protocol::{ErrorCode, LeaveReason, Role, ServerMessage};
use tokio::time::sleep;

use super::nodes::Node;
use super::people::{Person, meet};
use super::seconds;
use super::world::World;
use crate::dismissal::Dismissal;

#[tokio::test(start_paused = true)]
async fn two_at_different_nodes_meet_and_talk_and_part() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut ada = Person::join(&one, "r", &[]).await;
    let mut bob = Person::join(&two, "r", &[]).await;
    meet(&mut ada, &mut bob).await;
    for n in 0..100 {
        ada.say(&bob.id(), n).await;
        bob.say(&ada.id(), n + 1000).await;
        assert_eq!(bob.line().await, n.to_string());
        assert_eq!(ada.line().await, (n + 1000).to_string());
    }
    bob.hear(r#"{"type":"leave"}"#).await;
    assert_eq!(ada.left().await, (bob.id(), LeaveReason::Left));
    ada.hear(r#"{"type":"leave"}"#).await;
    sleep(seconds(1)).await;
    assert_eq!((one.rooms.count(), two.rooms.count()), (0, 0), "nothing of it is left");
    assert!(world.owners().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_refused_as_at_one_node() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let _ada = Person::join(&one, "r", &[]).await;
    let mut bob = Person::join(&two, "r", &[]).await;
    bob.ready(Role::Callee).await;
    bob.say("nobody", 1).await;
    assert_eq!(bob.refused().await, ErrorCode::NoRecipient);
    for _ in 0..8 {
        let mut more = Person::new(&two);
        more.ask("r", &[]).await;
        if matches!(more.next().await, ServerMessage::Error(refusal) if refusal.code == ErrorCode::RoomFull) {
            return;
        }
    }
    panic!("the room is never full");
}

#[tokio::test(start_paused = true)]
async fn a_session_is_taken_up_at_another_node_with_all_that_was_missed() {
    let world = World::new();
    let nodes = ["one", "two", "three"].map(|name| Node::new(&world, name));
    let mut ada = Person::join(&nodes[0], "r", &[]).await;
    let mut bob = Person::join(&nodes[1], "r", &[]).await;
    meet(&mut ada, &mut bob).await;
    bob.breaks().await;
    assert!(matches!(ada.next().await, ServerMessage::PeerAway(_)));
    for n in 0..10 {
        ada.say(&bob.id(), n).await;
    }
    bob.resume_at(&nodes[2]).await;
    for n in 0..10 {
        assert_eq!(bob.line().await, n.to_string());
    }
    assert!(matches!(ada.next().await, ServerMessage::PeerBack(_)));
    bob.say(&ada.id(), 77).await;
    assert_eq!(ada.line().await, "77");
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_up_a_session_with_a_wrong_token() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut ada = Person::join(&one, "r", &[]).await;
    let bob = Person::join(&two, "r", &[]).await;
    ada.ready(Role::Caller).await;
    let session = bob.session.clone().unwrap();
    let secret = session.split('.').nth(1).unwrap();
    for wrong in [session.replace(secret, &"0".repeat(32)), "nonsense".to_owned(), "a.b.c".to_owned()] {
        let mut eve = Person::new(&one);
        eve.hear(&format!(r#"{{"type":"resume","session":"{wrong}","seq":0}}"#)).await;
        assert_eq!(eve.refused().await, ErrorCode::SessionUnknown, "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_overtakes_its_older_self_at_another_node_is_in_the_room_once() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut ada = Person::join(&one, "r", &[]).await;
    let mut bob = Person::join(&two, "r", &[]).await;
    meet(&mut ada, &mut bob).await;
    let older = bob.split();
    bob.resume_at(&one).await;
    assert_eq!(older.dismissed().await, Dismissal::Replaced);
    bob.say(&ada.id(), 1).await;
    assert_eq!(ada.line().await, "1");
}
