//! Nodes that die: the owner of a room, a guest, and one that ends in an orderly way.

use std::time::Duration;

use duologue_protocol::{ErrorCode, LeaveReason, Role, ServerMessage};
use tokio::time::{Instant, sleep};

use super::nodes::Node;
use super::people::{Person, meet};
use super::seconds;
use super::world::World;

#[tokio::test(start_paused = true)]
async fn when_the_owner_dies_the_others_notice_nothing_and_its_clients_come_back_to_their_pairs() {
    let world = World::new();
    let nodes = ["one", "two", "three"].map(|name| Node::new(&world, name));
    let mut bob = Person::join(&nodes[0], "r", &[]).await;
    let mut ada = Person::join(&nodes[1], "r", &[]).await;
    let mut eve = Person::join(&nodes[2], "r", &[]).await;
    let [with_ada, with_eve] = [bob.ready(Role::Caller).await, bob.ready(Role::Caller).await];
    ada.ready(Role::Callee).await;
    ada.ready(Role::Caller).await;
    eve.ready(Role::Callee).await;
    eve.ready(Role::Callee).await;
    nodes[0].kill(&world);
    // Said while nobody owns the room.
    ada.say(&eve.id(), 1).await;
    let mut again = Person::new(&nodes[2]);
    again.hear(&format!(r#"{{"type":"resume","session":"{}","seq":2}}"#, bob.session.unwrap())).await;
    assert_eq!(again.refused().await, ErrorCode::SessionUnknown);
    again.ask("r", &[with_ada.pair.clone().unwrap(), with_eve.pair.clone().unwrap()]).await;
    again.welcomed().await;
    assert_eq!(eve.line().await, "1", "what was under way arrives");
    for (person, before) in [(&mut ada, with_ada), (&mut eve, with_eve)] {
        assert_eq!(person.left().await.1, LeaveReason::Replaced);
        let ready = person.ready(Role::Caller).await;
        assert_eq!((ready.peer.id.to_string(), ready.pair), (again.id(), before.pair));
    }
    eve.say(&ada.id(), 2).await;
    assert_eq!(ada.line().await, "2");
    assert!(ada.outgoing.try_next().is_none() && eve.outgoing.try_next().is_none());
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_before_all_have_noticed_is_known_to_all() {
    for at in [1, 2] {
        let world = World::new();
        let mut nodes = Vec::new();
        for name in ["one", "two", "three"] {
            nodes.push(Node::new(&world, name));
            // They beat, and so notice, one after the other.
            sleep(Duration::from_millis(400)).await;
        }
        let mut bob = Person::join(&nodes[0], "r", &[]).await;
        let mut ada = Person::join(&nodes[1], "r", &[]).await;
        let mut eve = Person::join(&nodes[2], "r", &[]).await;
        let before = [bob.ready(Role::Caller).await.pair, bob.ready(Role::Caller).await.pair];
        for _ in 0..2 {
            ada.next().await;
            eve.next().await;
        }
        nodes[0].kill(&world);
        let mut again = Person::join(&nodes[at], "r", &before.clone().map(Option::unwrap)).await;
        for (person, before) in [(&mut ada, &before[0]), (&mut eve, &before[1])] {
            assert_eq!(person.left().await.1, LeaveReason::Replaced);
            assert_eq!(&person.ready(Role::Caller).await.pair, before);
        }
        let mut after = [again.ready(Role::Callee).await.pair, again.ready(Role::Callee).await.pair];
        let mut before = before;
        after.sort_by_key(|pair| pair.clone().map(|pair| pair.as_str().to_owned()));
        before.sort_by_key(|pair| pair.clone().map(|pair| pair.as_str().to_owned()));
        assert_eq!(after, before);
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_come_back_after_the_owner_died_is_lost_after_the_usual_time() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut bob = Person::join(&one, "r", &[]).await;
    let mut ada = Person::join(&two, "r", &[]).await;
    meet(&mut bob, &mut ada).await;
    let begin = Instant::now();
    one.kill(&world);
    assert_eq!(ada.left().await, (bob.id(), LeaveReason::Lost));
    let waited = begin.elapsed();
    assert!((seconds(30)..seconds(40)).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_dies_leaves_its_clients_their_sessions() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut ada = Person::join(&one, "r", &[]).await;
    let mut bob = Person::join(&two, "r", &[]).await;
    meet(&mut ada, &mut bob).await;
    two.kill(&world);
    assert!(matches!(ada.next().await, ServerMessage::PeerAway(_)));
    ada.say(&bob.id(), 5).await;
    bob.resume_at(&one).await;
    assert_eq!(bob.line().await, "5");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_gives_its_rooms_to_the_others_at_once() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut bob = Person::join(&one, "r", &[]).await;
    let mut ada = Person::join(&two, "r", &[]).await;
    meet(&mut bob, &mut ada).await;
    sleep(seconds(5)).await;
    one.stop.cancel();
    sleep(seconds(2)).await;
    assert_eq!(world.owners()[0].0, "two");
}
