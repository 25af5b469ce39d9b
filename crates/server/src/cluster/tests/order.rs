//! What is said arrives once and in order, for each pair of people.

use std::time::Duration;

use tokio::time::sleep;

use super::nodes::Node;
use super::people::{Person, meet};
use super::seconds;
use super::world::World;

#[tokio::test(start_paused = true)]
async fn over_a_bus_that_loses_repeats_and_delays_each_message_arrives_once_and_in_order() {
    let world = World::new();
    world.chaos(4, 300);
    let nodes = ["one", "two", "three"].map(|name| Node::new(&world, name));
    let mut people = Vec::new();
    for node in &nodes {
        people.push(Person::join(node, "r", &[]).await);
    }
    sleep(seconds(20)).await;
    let ids: Vec<_> = people.iter().map(Person::id).collect();
    for n in 0..30 {
        for (from, person) in people.iter_mut().enumerate() {
            for (to, id) in ids.iter().enumerate().filter(|(to, _)| *to != from) {
                person.say(id, from * 10_000 + to * 1000 + n).await;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    sleep(seconds(60)).await;
    for (to, person) in people.iter_mut().enumerate() {
        let lines = person.lines();
        for from in (0..3).filter(|from| *from != to) {
            let of = |line: &&usize| **line / 1000 == from * 10 + to;
            let heard: Vec<_> = lines.iter().filter(of).map(|line| line % 1000).collect();
            assert_eq!(heard, (0..30).collect::<Vec<_>>(), "from {from} to {to}");
        }
    }
}

/// A node that was cut off for longer than its lease, by as much as it may take until it is announced again, while its client
/// talks all the time.
#[tokio::test(start_paused = true)]
async fn what_waited_arrives_before_what_is_said_while_a_node_comes_back() {
    for late in 0..40 {
        let world = World::new();
        let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
        let mut ada = Person::join(&one, "r", &[]).await;
        let mut bob = Person::join(&two, "r", &[]).await;
        meet(&mut ada, &mut bob).await;
        world.cut("two", true);
        let mut said = 0;
        for _ in 0..10 {
            bob.say(&ada.id(), said).await;
            said += 1;
        }
        sleep(seconds(8) + Duration::from_millis(late * 25)).await;
        world.cut("two", false);
        for _ in 0..10 {
            for _ in 0..3 {
                bob.say(&ada.id(), said).await;
                said += 1;
            }
            sleep(Duration::from_millis(400)).await;
        }
        sleep(seconds(5)).await;
        assert_eq!(ada.lines(), (0..said).collect::<Vec<_>>(), "{late}");
    }
}
