//! Who comes in, or comes back, is in the room once, as the last who they are, and is heard.

use std::time::Duration;

use duologue_protocol::{ErrorCode, Role, ServerMessage};
use tokio::time::{Instant, sleep};

use super::nodes::Node;
use super::people::Person;
use super::seconds;
use super::world::World;
use crate::dismissal::Dismissal;
use crate::room::Parting;

#[tokio::test(start_paused = true)]
async fn who_leaves_and_comes_back_over_the_same_connection_is_heard() {
    // Whose node has the room: that of who listens, of who leaves, of somebody else, and of both.
    for (owner, listens, leaves) in [("one", 0, 1), ("two", 0, 1), ("three", 0, 1), ("one", 0, 0)] {
        let world = World::new();
        let nodes = ["one", "two", "three"].map(|name| Node::new(&world, name));
        let at = ["one", "two", "three"].iter().position(|name| *name == owner).unwrap();
        let _first = Person::join(&nodes[at], "r", &[]).await;
        let mut bob = Person::join(&nodes[listens], "r", &[]).await;
        let mut ada = Person::join(&nodes[leaves], "r", &[]).await;
        sleep(seconds(1)).await;
        for n in 0..5 {
            ada.say(&bob.id(), n).await;
        }
        sleep(seconds(1)).await;
        assert_eq!(bob.lines(), [0, 1, 2, 3, 4], "owned by {owner}");
        ada.leave().await;
        ada.lines();
        ada.ask("r", &[]).await;
        ada.welcomed().await;
        for n in 5..15 {
            ada.say(&bob.id(), n).await;
        }
        sleep(seconds(5)).await;
        assert_eq!(bob.lines(), (5..15).collect::<Vec<_>>(), "owned by {owner}");
        assert!(ada.lines().is_empty() && ada.refusals.is_empty());
        if owner == "three" {
            nodes[at].kill(&world);
            for n in 15..25 {
                ada.say(&bob.id(), n).await;
                sleep(seconds(1)).await;
            }
            assert_eq!(bob.lines(), (15..25).collect::<Vec<_>>(), "owned by another then");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_older_connection_of_which_a_node_tells_late_does_not_take_the_session_back() {
    // Where the client goes on: at the owner, and at another guest, which then becomes the owner, or does not.
    for (at, owner_dies) in [(0, false), (2, false), (2, true)] {
        let world = World::new();
        let nodes = ["one", "two", "three"].map(|name| Node::new(&world, name));
        let _first = Person::join(&nodes[0], "r", &[]).await;
        let mut ada = Person::join(&nodes[1], "r", &[]).await;
        let mut bob = Person::join(&nodes[2], "r", &[]).await;
        sleep(seconds(1)).await;
        ada.lines();
        bob.lines();
        world.cut("two", true);
        sleep(seconds(8)).await;
        // It is half open: its node has not noticed that nobody is there any more.
        let older = ada.split();
        ada.resume_at(&nodes[at]).await;
        sleep(seconds(1)).await;
        if owner_dies {
            nodes[0].kill(&world);
            sleep(seconds(8)).await;
            assert_eq!(world.owners()[0].0, "three");
        }
        world.cut("two", false);
        sleep(seconds(10)).await;
        assert_eq!(ada.let_go(), None, "the newer one goes on");
        assert_eq!(older.dismissed().await, Dismissal::Moved);
        bob.say(&ada.id(), 1).await;
        ada.say(&bob.id(), 2).await;
        sleep(seconds(1)).await;
        assert_eq!((ada.lines(), bob.lines()), (vec![1], vec![2]));
        assert_eq!(bob.parted, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_to_come_in_hears_at_once_that_the_server_is_there() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let _bob = Person::join(&one, "r", &[]).await;
    sleep(seconds(1)).await;
    one.kill(&world);
    let mut ada = Person::new(&two);
    let begin = Instant::now();
    ada.begin(r#"{"type":"join","room":"r","protocol":1}"#).await;
    for _ in 0..3 {
        ada.begin(r#"{"type":"ping"}"#).await;
        assert_eq!(ada.next().await, ServerMessage::Pong);
    }
    assert_eq!(begin.elapsed(), Duration::ZERO);
    // What is more than a question comes after the answer, and keeps no question waiting.
    ada.begin(r#"{"type":"candidate","candidate":{"candidate":"1"},"to":"nobody"}"#).await;
    ada.begin(r#"{"type":"leave"}"#).await;
    ada.begin(r#"{"type":"join","room":"r","protocol":1}"#).await;
    ada.begin(r#"{"type":"ping"}"#).await;
    assert_eq!(ada.next().await, ServerMessage::Pong);
    assert_eq!(begin.elapsed(), Duration::ZERO);
    ada.welcomed().await;
    assert!(begin.elapsed() > seconds(2), "the other node was not missed yet");
    let first = ada.id();
    ada.settle().await;
    assert_eq!(ada.refused().await, ErrorCode::NoRecipient);
    ada.welcomed().await;
    assert_ne!(ada.id(), first, "they have left, and come in again");
}

#[tokio::test(start_paused = true)]
async fn who_goes_before_the_room_has_answered_is_not_waited_for_unless_their_connection_broke() {
    // What they say, how the connection ends, and after how many seconds nobody is there any more.
    for (word, parting, over) in [
        (None, Parting::Left, 3),
        (Some(r#"{"type":"leave"}"#), Parting::Broken, 3),
        // What the room said may have arrived.
        (None, Parting::Broken, 40),
    ] {
        let world = World::new();
        let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
        let mut bob = Person::join(&one, "r", &[]).await;
        sleep(seconds(1)).await;
        world.deafen("one", true);
        let mut ada = Person::new(&two);
        ada.begin(r#"{"type":"join","room":"r","protocol":1}"#).await;
        if let Some(word) = word {
            ada.begin(word).await;
        }
        sleep(seconds(1)).await;
        ada.goes(parting).await;
        world.deafen("one", false);
        sleep(seconds(over)).await;
        bob.lines();
        assert!(bob.known.is_empty(), "{:?} after {word:?} and {parting:?}", bob.known);
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_of_a_join_that_was_given_up_is_not_taken_for_the_answer_to_the_next() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut bob = Person::join(&one, "r", &[]).await;
    sleep(seconds(1)).await;
    let mut ada = Person::new(&two);
    // The owner lives and hears nothing for longer than anybody waits.
    world.deafen("one", true);
    ada.ask("r", &[]).await;
    assert_eq!(ada.refused().await, ErrorCode::Busy);
    tokio::join!(ada.ask("r", &[]), async {
        sleep(seconds(1)).await;
        world.deafen("one", false);
    });
    while !ada.is_welcome().await {
        ada.ask("r", &[]).await;
    }
    sleep(seconds(5)).await;
    bob.lines();
    assert_eq!(bob.known.iter().map(ToString::to_string).collect::<Vec<_>>(), [ada.id()], "is there once");
    ada.ready(Role::Callee).await;
    assert_eq!(ada.waiting(), None, "and is welcomed once");
    bob.say(&ada.id(), 1).await;
    ada.say(&bob.id(), 2).await;
    assert_eq!((ada.line().await, bob.line().await), ("1".to_owned(), "2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn who_asks_again_after_the_owner_took_the_node_for_dead_is_in_the_room_once() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut bob = Person::join(&one, "r", &[]).await;
    sleep(Duration::from_millis(3010)).await;
    // They are let in, and their node never hears of it.
    world.sever("one", "two", true);
    let mut ada = Person::new(&two);
    tokio::join!(ada.ask("r", &[]), async {
        bob.ready(Role::Caller).await;
        world.cut("two", true);
        assert!(matches!(bob.next().await, ServerMessage::PeerAway(_)));
        world.cut("two", false);
        world.sever("one", "two", false);
    });
    while !ada.is_welcome().await {
        ada.ask("r", &[]).await;
    }
    // As long as an older self would keep its seat.
    sleep(seconds(40)).await;
    bob.lines();
    assert_eq!(bob.known.iter().map(ToString::to_string).collect::<Vec<_>>(), [ada.id()]);
    ada.ready(Role::Callee).await;
    bob.say(&ada.id(), 1).await;
    ada.say(&bob.id(), 2).await;
    assert_eq!((ada.line().await, bob.line().await), ("1".to_owned(), "2".to_owned()));
}

/// What somebody said who has gone is said to the new owner until that has had it, and with it everything else is asked again.
#[tokio::test(start_paused = true)]
async fn who_waits_for_the_announcements_and_is_asked_for_twice_takes_up_the_session_all_the_same() {
    let world = World::new();
    let mut nodes = Vec::new();
    for name in ["one", "two", "three"] {
        nodes.push(Node::new(&world, name));
        // They notice one after the other that the owner is dead, and the second of them takes the room.
        sleep(Duration::from_millis(400)).await;
    }
    let _gone = Person::join(&nodes[0], "r", &[]).await;
    let mut ada = Person::join(&nodes[1], "r", &[]).await;
    let mut bob = Person::join(&nodes[2], "r", &[]).await;
    let mut eve = Person::join(&nodes[2], "r", &[]).await;
    sleep(seconds(1)).await;
    for person in [&mut ada, &mut bob, &mut eve] {
        person.lines();
    }
    nodes[0].kill(&world);
    eve.say(&ada.id(), 1).await;
    eve.leave().await;
    // Towards the end of the lease, so that nobody has to wait for too long.
    sleep(seconds(3)).await;
    let older = bob.split();
    bob.resume_at(&nodes[2]).await;
    assert_eq!(world.owners()[0].0, "two");
    assert_eq!(older.dismissed().await, Dismissal::Replaced);
    sleep(seconds(2)).await;
    assert_eq!(bob.let_go(), None);
    bob.say(&ada.id(), 2).await;
    ada.say(&bob.id(), 3).await;
    sleep(seconds(1)).await;
    assert_eq!((ada.lines().last(), bob.lines().last()), (Some(&2), Some(&3)));
}
