//! Redis is away for a while, from all nodes or from one: nothing is lost in silence.

use std::time::Duration;

use duologue_protocol::{ErrorCode, Role, ServerMessage};
use tokio::time::{Instant, sleep};

use super::nodes::Node;
use super::people::{Person, meet};
use super::seconds;
use super::world::World;

#[tokio::test(start_paused = true)]
async fn while_redis_is_away_rooms_on_one_node_work_others_wait_and_nothing_is_lost() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut ada = Person::join(&one, "here", &[]).await;
    let mut bob = Person::join(&one, "here", &[]).await;
    meet(&mut ada, &mut bob).await;
    let mut far = Person::join(&one, "both", &[]).await;
    let mut near = Person::join(&two, "both", &[]).await;
    meet(&mut far, &mut near).await;
    for node in ["one", "two"] {
        world.cut(node, true);
    }
    world.forget_everything();
    sleep(seconds(10)).await;
    let mut eve = Person::join(&one, "here", &[]).await;
    eve.ready(Role::Callee).await;
    eve.ready(Role::Callee).await;
    ada.say(&bob.id(), 1).await;
    ada.ready(Role::Caller).await;
    bob.ready(Role::Caller).await;
    assert_eq!(bob.line().await, "1");
    for room in ["here", "both", "new"] {
        let mut late = Person::new(&two);
        late.ask(room, &[]).await;
        assert_eq!(late.refused().await, ErrorCode::Busy, "{room}");
    }
    far.say(&near.id(), 2).await;
    near.say(&far.id(), 3).await;
    sleep(seconds(50)).await;
    for node in ["one", "two"] {
        world.cut(node, false);
    }
    let begin = Instant::now();
    assert_eq!(near.line().await, "2");
    assert_eq!(far.line().await, "3");
    let mut late = Person::new(&two);
    loop {
        late.ask("here", &[]).await;
        if late.is_welcome().await {
            break;
        }
        sleep(seconds(1)).await;
    }
    assert!(begin.elapsed() < seconds(10), "{:?}", begin.elapsed());
    sleep(seconds(10)).await;
    late.say(&ada.id(), 4).await;
    ada.ready(Role::Caller).await;
    assert_eq!(ada.line().await, "4");
    sleep(seconds(60)).await;
    assert!(near.lines().is_empty() && far.lines().is_empty(), "once is enough");
}

#[tokio::test(start_paused = true)]
async fn more_than_can_wait_for_another_node_is_reported() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut ada = Person::join(&one, "r", &[]).await;
    let mut bob = Person::join(&two, "r", &[]).await;
    meet(&mut ada, &mut bob).await;
    world.cut("two", true);
    for n in 0..100 {
        bob.say(&ada.id(), n).await;
        sleep(Duration::from_millis(10)).await;
    }
    let mut reported = 0;
    while let Some(message) = bob.waiting() {
        assert!(matches!(message, ServerMessage::Error(it) if it.code == ErrorCode::NotDelivered));
        reported += 1;
    }
    world.cut("two", false);
    sleep(seconds(20)).await;
    let heard = ada.lines();
    assert_eq!(heard, (0..heard.len()).collect::<Vec<_>>());
    assert_eq!(heard.len() + reported, 100);
    assert!(reported > 0 && !heard.is_empty());
}

/// It is noticed after a while, and until then things are asked of it.
#[tokio::test(start_paused = true)]
async fn while_redis_does_not_answer_rooms_on_one_node_do_not_stand_still() {
    // Right after the owner has looked who owns the room, and right before it looks again.
    for since in [0, 19_500] {
        let world = World::new();
        let one = Node::new(&world, "one");
        let mut ada = Person::join(&one, "r", &[]).await;
        let mut bob = Person::join(&one, "r", &[]).await;
        meet(&mut ada, &mut bob).await;
        sleep(Duration::from_millis(since)).await;
        world.hang("one", true);
        for n in 0..300 {
            let begin = Instant::now();
            ada.say(&bob.id(), n).await;
            assert_eq!(bob.line().await, n.to_string());
            let waited = begin.elapsed();
            assert!(waited < Duration::from_millis(50), "{since}: message {n} came after {waited:?}");
            sleep(Duration::from_millis(210)).await;
        }
        let begin = Instant::now();
        let mut eve = Person::join(&one, "r", &[]).await;
        eve.ready(Role::Callee).await;
        let waited = begin.elapsed();
        assert!(waited < Duration::from_millis(50), "{since}: was let in after {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_clients_acknowledge_while_redis_is_away_does_not_pile_up() {
    for hangs in [false, true] {
        let world = World::new();
        let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
        let mut ada = Person::join(&one, "r", &[]).await;
        let mut bob = Person::join(&two, "r", &[]).await;
        meet(&mut ada, &mut bob).await;
        sleep(seconds(1)).await;
        if hangs {
            world.hang("two", true);
        } else {
            world.cut("two", true);
        }
        for _ in 0..1000 {
            bob.acknowledge().await;
            assert!(matches!(bob.next().await, ServerMessage::Pong));
            sleep(Duration::from_millis(10)).await;
        }
        assert!(two.unconfirmed() <= 10, "{} wait for another node", two.unconfirmed());
    }
}
