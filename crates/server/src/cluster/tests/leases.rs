//! An owner whose lease runs out while it goes on: others take the room, and there is one room in the end.

use std::time::Duration;

use duologue_protocol::{ErrorCode, Role};
use tokio::time::sleep;

use super::nodes::Node;
use super::people::{Person, meet};
use super::seconds;
use super::world::World;

#[tokio::test(start_paused = true)]
async fn an_owner_that_was_cut_off_for_longer_than_its_lease_comes_back_as_a_guest() {
    let world = World::new();
    let nodes = ["one", "two", "three"].map(|name| Node::new(&world, name));
    let mut bob = Person::join(&nodes[0], "r", &[]).await;
    let mut ada = Person::join(&nodes[1], "r", &[]).await;
    let mut eve = Person::join(&nodes[2], "r", &[]).await;
    sleep(seconds(1)).await;
    for person in [&mut ada, &mut bob, &mut eve] {
        person.lines();
    }
    let before = world.owners();
    assert_eq!(before[0].0, "one");
    world.cut("one", true);
    bob.say(&ada.id(), 1).await;
    sleep(seconds(8)).await;
    let after = world.owners();
    assert!(after[0].0 != "one" && after[0].1 > before[0].1, "{after:?}");
    bob.say(&ada.id(), 2).await;
    ada.say(&bob.id(), 3).await;
    for n in 21..24 {
        bob.say(&eve.id(), n).await;
    }
    eve.say(&ada.id(), 4).await;
    ada.say(&eve.id(), 24).await;
    sleep(seconds(2)).await;
    assert_eq!((ada.lines(), eve.lines()), (vec![4], vec![24]), "those who are left go on");
    world.cut("one", false);
    sleep(seconds(8)).await;
    assert_eq!(world.owners(), after, "it does not take the room back");
    assert_eq!(ada.lines(), [1, 2]);
    assert_eq!(bob.lines(), [3]);
    assert_eq!(eve.lines(), [21, 22, 23]);
    bob.say(&eve.id(), 5).await;
    eve.say(&bob.id(), 6).await;
    sleep(seconds(40)).await;
    assert_eq!((bob.lines(), eve.lines(), ada.lines()), (vec![6], vec![5], vec![]));
    assert_eq!(ada.parted, 0, "nobody was lost");
}

#[tokio::test(start_paused = true)]
async fn two_halves_of_a_room_become_one() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut ada = Person::join(&one, "r", &[]).await;
    world.cut("one", true);
    sleep(seconds(8)).await;
    let mut bob = Person::join(&one, "r", &[]).await;
    meet(&mut ada, &mut bob).await;
    let mut eve = Person::join(&two, "r", &[]).await;
    world.cut("one", false);
    let (a, b) = (eve.ready(Role::Caller).await, eve.ready(Role::Caller).await);
    let mut met = [a.peer.id.to_string(), b.peer.id.to_string()];
    met.sort();
    let mut there = [ada.id(), bob.id()];
    there.sort();
    assert_eq!(met, there);
    assert_eq!(ada.ready(Role::Callee).await.peer.id.to_string(), eve.id());
    assert_eq!(bob.ready(Role::Callee).await.peer.id.to_string(), eve.id());
    bob.say(&ada.id(), 1).await;
    ada.say(&eve.id(), 2).await;
    sleep(seconds(1)).await;
    assert_eq!((ada.lines(), eve.lines()), (vec![1], vec![2]));
}

/// At any moment between two beats: by that it is decided what of the node hears first that it can be reached again.
#[tokio::test(start_paused = true)]
async fn what_an_owner_had_said_to_others_when_it_was_cut_off_arrives_whenever_it_comes_back() {
    for late in 0..30 {
        let world = World::new();
        let nodes = ["one", "two", "three"].map(|name| Node::new(&world, name));
        let mut bob = Person::join(&nodes[0], "r", &[]).await;
        let mut ada = Person::join(&nodes[1], "r", &[]).await;
        let mut eve = Person::join(&nodes[2], "r", &[]).await;
        sleep(seconds(1)).await;
        bob.say(&ada.id(), 1000).await;
        sleep(seconds(1) + Duration::from_millis(late % 10 * 100)).await;
        for person in [&mut ada, &mut bob, &mut eve] {
            person.lines();
        }
        world.cut("one", true);
        for n in 0..20 {
            bob.say(&ada.id(), n).await;
            bob.say(&eve.id(), n).await;
        }
        sleep(seconds(8) + Duration::from_millis(late / 10 * 300)).await;
        assert_ne!(world.owners()[0].0, "one");
        world.cut("one", false);
        sleep(seconds(10)).await;
        let all: Vec<_> = (0..20).collect();
        assert_eq!((ada.lines(), eve.lines()), (all.clone(), all), "{late}");
        assert!(bob.lines().is_empty() && bob.refusals.is_empty(), "nothing was reported");
    }
}

/// The owner has taken it in, and the way on from there is broken; then the owner and the sender's node are cut off.
#[tokio::test(start_paused = true)]
async fn what_never_got_beyond_an_owner_that_was_cut_off_is_not_taken_for_delivered() {
    for late in 0..20 {
        let world = World::new();
        let nodes = ["one", "two", "three"].map(|name| Node::new(&world, name));
        let _first = Person::join(&nodes[0], "r", &[]).await;
        let mut bob = Person::join(&nodes[1], "r", &[]).await;
        let mut eve = Person::join(&nodes[2], "r", &[]).await;
        sleep(seconds(1)).await;
        bob.say(&eve.id(), 0).await;
        sleep(seconds(1)).await;
        for person in [&mut bob, &mut eve] {
            person.lines();
        }
        world.sever("one", "three", true);
        for n in 1..=20 {
            bob.say(&eve.id(), n).await;
        }
        sleep(Duration::from_millis(100)).await;
        world.cut("one", true);
        world.cut("two", true);
        sleep(seconds(8) + Duration::from_millis(late * 50)).await;
        assert_eq!(world.owners()[0].0, "three");
        for node in ["one", "two"] {
            world.cut(node, false);
        }
        world.sever("one", "three", false);
        sleep(seconds(10)).await;
        assert_eq!(eve.lines(), (1..=20).collect::<Vec<_>>(), "{late}");
        assert!(bob.lines().is_empty() && bob.refusals.is_empty(), "nothing was reported");
    }
}

/// More than may wait on the way to another node is kept for whoever is there in the room alone.
#[tokio::test(start_paused = true)]
async fn what_an_owner_kept_for_somebody_who_was_away_arrives_or_is_reported_when_it_steps_down() {
    // All of it has a place on the way to the other node, a little has not, and much.
    for many in [60, 70, 100, 120] {
        let world = World::new();
        let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
        let mut bob = Person::join(&one, "r", &[]).await;
        let mut ada = Person::join(&two, "r", &[]).await;
        meet(&mut bob, &mut ada).await;
        sleep(seconds(1)).await;
        world.cut("one", true);
        for n in 0..many {
            bob.say(&ada.id(), n).await;
        }
        sleep(seconds(8)).await;
        assert_eq!(world.owners()[0].0, "two");
        world.cut("one", false);
        sleep(seconds(10)).await;
        let heard = ada.lines();
        assert!(heard.is_sorted_by(|one, next| one < next), "in order, and once: {heard:?}");
        bob.lines();
        let reported = bob.refusals.iter().filter(|code| **code == ErrorCode::NotDelivered).count();
        assert!(
            heard.len() + reported == many || bob.parted > 0,
            "of {many}, {} arrived and {reported} were reported",
            heard.len()
        );
    }
}

/// It has nothing to say to anybody, and so hears of nobody that the owner is none any more.
#[tokio::test(start_paused = true)]
async fn a_guest_that_says_nothing_learns_at_once_that_an_owner_that_lives_has_stepped_down() {
    let world = World::new();
    let mut nodes = Vec::new();
    // The second looks right after the lease of the first has run out, the third when that is back.
    for (name, later) in [("one", 100), ("two", 800), ("three", 100)] {
        nodes.push(Node::new(&world, name));
        sleep(Duration::from_millis(later)).await;
    }
    let mut bob = Person::join(&nodes[0], "r", &[]).await;
    let mut ada = Person::join(&nodes[1], "r", &[]).await;
    let mut eve = Person::join(&nodes[2], "r", &[]).await;
    sleep(Duration::from_millis(500)).await;
    for person in [&mut ada, &mut bob, &mut eve] {
        person.lines();
    }
    // As a process that is stopped: what it asked for is answered when it goes on.
    world.hang("one", true);
    sleep(Duration::from_millis(4800)).await;
    world.hang("one", false);
    sleep(seconds(1)).await;
    assert_eq!(world.owners()[0].0, "two");
    ada.say(&eve.id(), 1).await;
    bob.say(&eve.id(), 2).await;
    sleep(seconds(5)).await;
    // Between two pairs there is no order.
    let mut heard = eve.lines();
    heard.sort();
    assert_eq!(heard, [1, 2]);
}
