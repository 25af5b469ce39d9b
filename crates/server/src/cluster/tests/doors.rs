//! A door that is locked stays locked, and who was taken out stays out, whoever owns the room.

use duologue_protocol::{ErrorCode, PairToken, ServerMessage};
use tokio::time::sleep;

use super::nodes::Node;
use super::people::Person;
use super::seconds;
use super::world::World;
use crate::dismissal::Dismissal;

/// Whether somebody has to knock who asks to come in and names these pairs.
async fn knocks(node: &Node, pairs: &[PairToken]) -> bool {
    let mut stranger = Person::new(node);
    stranger.ask("r", pairs).await;
    matches!(stranger.next().await, ServerMessage::Waiting)
}

#[tokio::test(start_paused = true)]
async fn who_knocks_at_one_node_is_let_in_or_not_at_another_and_taken_out_again() {
    let world = World::new();
    let nodes = ["one", "two", "three"].map(|name| Node::new(&world, name));
    let mut bob = Person::join(&nodes[0], "r", &[]).await;
    let mut ada = Person::join_as_admin(&nodes[1], "r").await;
    ada.lock().await;
    sleep(seconds(1)).await;
    for person in [&mut ada, &mut bob] {
        assert!(matches!(person.next().await, ServerMessage::Ready(_)));
        assert!(matches!(person.next().await, ServerMessage::Locked(it) if it.locked));
    }
    for welcome in [false, true] {
        let mut eve = Person::new(&nodes[2]);
        eve.ask("r", &[]).await;
        assert!(matches!(eve.next().await, ServerMessage::Waiting));
        let knock = ada.next().await;
        let ServerMessage::Knock(knock) = knock else { panic!("nobody knocks: {knock:?}") };
        ada.decide(knock.peer.id.as_str(), welcome).await;
        assert!(matches!(ada.next().await, ServerMessage::KnockOver(it) if it.peer == knock.peer.id));
        if !welcome {
            assert_eq!(eve.refused().await, ErrorCode::Denied);
            continue;
        }
        eve.welcomed().await;
        sleep(seconds(1)).await;
        eve.say(&bob.id(), 1).await;
        bob.say(&eve.id(), 2).await;
        sleep(seconds(1)).await;
        assert_eq!((bob.lines(), eve.lines()), (vec![1], vec![2]));
        bob.remove(&eve.id()).await;
        assert_eq!(bob.refused().await, ErrorCode::NotAllowed);
        ada.remove(&eve.id()).await;
        sleep(seconds(1)).await;
        assert_eq!(eve.let_go(), Some(Dismissal::Removed));
        bob.lines();
        assert_eq!((bob.parted, bob.known.len()), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_locked_room_is_locked_at_the_next_owner_also_if_all_of_its_people_took_up_their_sessions_there() {
    let world = World::new();
    let nodes = ["one", "two", "three"].map(|name| Node::new(&world, name));
    let _first = Person::join(&nodes[0], "r", &[]).await;
    let mut ada = Person::join_as_admin(&nodes[1], "r").await;
    let mut bob = Person::join(&nodes[1], "r", &[]).await;
    ada.lock().await;
    sleep(seconds(1)).await;
    for person in [&mut ada, &mut bob] {
        person.lines();
        person.breaks().await;
        person.resume_at(&nodes[2]).await;
    }
    assert!(knocks(&nodes[2], &[]).await, "at the first owner");
    nodes[0].kill(&world);
    sleep(seconds(8)).await;
    // The room is of those who are in it, also as other nodes see it.
    bob.say(&ada.id(), 1).await;
    sleep(seconds(1)).await;
    assert_eq!((world.owners()[0].0.as_str(), ada.lines()), ("three", vec![1]));
    for node in &nodes[1..] {
        assert!(knocks(node, &[]).await, "at the next");
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_taken_out_does_not_come_in_again_by_a_pair_when_the_owner_has_died() {
    let world = World::new();
    let nodes = ["one", "two", "three"].map(|name| Node::new(&world, name));
    let _first = Person::join(&nodes[0], "r", &[]).await;
    let mut ada = Person::join_as_admin(&nodes[1], "r").await;
    let mut bob = Person::join(&nodes[1], "r", &[]).await;
    let mut eve = Person::join(&nodes[2], "r", &[]).await;
    let mut pairs = Vec::new();
    for _ in 0..3 {
        match eve.next().await {
            ServerMessage::Ready(ready) => pairs.push(ready.pair.unwrap()),
            other => panic!("not ready: {other:?}"),
        }
    }
    ada.lock().await;
    ada.remove(&eve.id()).await;
    sleep(seconds(1)).await;
    eve.breaks().await;
    for person in [&mut ada, &mut bob] {
        person.lines();
        assert_eq!(person.parted, 1);
    }
    assert!(knocks(&nodes[2], &pairs).await, "at the first owner");
    nodes[0].kill(&world);
    sleep(seconds(8)).await;
    for node in &nodes[1..] {
        assert!(knocks(node, &pairs).await, "at the next");
    }
}
