//! Many people, of whom there is as much to say as there may be.

use duologue_protocol::limits;
use futures_util::future::join_all;
use tokio::time::sleep;

use super::nodes::Node;
use super::people::Person;
use super::seconds;
use super::world::World;

const MANY: usize = 26;

/// What they say when they join: the longest name, and as many of the longest pairs as go into one message, which nobody else
/// has.
fn much(of: usize) -> String {
    let name = "𝔸".repeat(limits::NAME);
    let pair = |n: usize| format!("\"{}{}\"", "𝔸".repeat(limits::TOKEN - 5), 10_000 + of * 100 + n);
    let pairs: Vec<_> = (0..60).map(pair).collect();
    format!(r#""name":"{name}","pairs":[{}]"#, pairs.join(","))
}

#[tokio::test(start_paused = true)]
async fn many_go_on_at_the_next_owner_however_much_is_to_be_told_of_them() {
    let world = World::new();
    let mut nodes = Vec::new();
    for name in ["one", "two", "three"] {
        nodes.push(Node::for_rooms_of(MANY + 2, &world, name));
        // They notice one after the other that the owner is dead, and the second of them takes the room.
        sleep(seconds(1) / 3).await;
    }
    let _first = Person::join(&nodes[0], "r", &[]).await;
    let mut ada = Person::join(&nodes[1], "r", &[]).await;
    let mut many = Vec::new();
    for of in 0..MANY {
        let mut person = Person::new(&nodes[2]);
        person.ask_with("r", &much(of)).await;
        person.welcomed().await;
        many.push(person);
    }
    sleep(seconds(1)).await;
    for person in &mut many {
        person.lines();
    }
    ada.lines();
    nodes[0].kill(&world);
    sleep(seconds(10)).await;
    assert_eq!(world.owners()[0].0, "two");
    for (n, person) in many.iter_mut().enumerate() {
        person.say(&ada.id(), n).await;
        ada.say(&person.id(), n).await;
        sleep(seconds(1) / 10).await;
        assert_eq!((person.lines(), ada.lines()), (vec![n], vec![n]));
    }
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_at_once_come_in_however_much_they_say() {
    let world = World::new();
    let (one, two) =
        (Node::for_rooms_of(MANY + 2, &world, "one"), Node::for_rooms_of(MANY + 2, &world, "two"));
    let mut ada = Person::join(&one, "r", &[]).await;
    let mut bob = Person::join(&two, "r", &[]).await;
    let mut many: Vec<_> = (0..MANY).map(|of| (Person::new(&two), much(of))).collect();
    join_all(many.iter_mut().map(|(person, more)| person.ask_with("r", more))).await;
    for (person, _) in &mut many {
        person.welcomed().await;
    }
    bob.say(&ada.id(), 1).await;
    sleep(seconds(1)).await;
    assert_eq!(ada.lines(), [1]);
    assert_eq!((ada.known.len(), bob.lines().len(), bob.known.len()), (MANY + 1, 0, MANY + 1));
}
