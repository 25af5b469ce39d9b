//! What comes over Redis is not trusted: garbage, strangers, and owners that are none any more.

use tokio::time::sleep;

use super::nodes::Node;
use super::people::{Person, meet};
use super::seconds;
use super::world::World;
use crate::cluster::key;

#[tokio::test(start_paused = true)]
async fn garbage_in_the_inbox_hurts_nobody() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut ada = Person::join(&one, "r", &[]).await;
    let mut bob = Person::join(&two, "r", &[]).await;
    meet(&mut ada, &mut bob).await;
    let key = key(&"r".to_owned().try_into().unwrap()).unwrap();
    let items = [
        r#"{"is":"tell","id":"x","connection":1,"text":"nonsense","by":null}"#,
        r#"{"is":"say","id":"","connection":18446744073709551615,"n":18446744073709551615,"text":"{"}"#,
        r#"{"is":"done","connection":1,"n":0}"#,
        r#"{"is":"dismiss","connection":1,"why":"because"}"#,
        r#"{"is":"stale"}"#,
        r#"{"is":"remove","id":"","question":1}"#,
        r#"{"is":"end","id":"x","connection":1,"left":true}"#,
    ];
    for (n, item) in items.iter().enumerate() {
        for (room, epoch) in [(key.as_str(), 0), (key.as_str(), u64::MAX), ("r", 1), ("", 1)] {
            let parcel = format!(r#"{{"room":"{room}","epoch":{epoch},"item":{item}}}"#);
            let envelope = format!(
                r#"{{"v":1,"from":"stranger{n}","link":{},"kept":1,"first":1,"ack_link":1,"ack":18446744073709551615,"parcels":[{parcel}]}}"#,
                epoch / 2 + n as u64
            );
            for node in ["one", "two"] {
                world.put(node, envelope.as_bytes());
                world.put(node, item.as_bytes());
                world.put(node, &[0xff, 0x00, n as u8]);
            }
        }
    }
    sleep(seconds(1)).await;
    ada.say(&bob.id(), 1).await;
    bob.say(&ada.id(), 2).await;
    assert_eq!((bob.line().await, ada.line().await), ("1".to_owned(), "2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_a_former_owner_still_says_is_heard_by_nobody() {
    let world = World::new();
    let (one, two) = (Node::new(&world, "one"), Node::new(&world, "two"));
    let mut ada = Person::join(&one, "r", &[]).await;
    let mut bob = Person::join(&two, "r", &[]).await;
    meet(&mut ada, &mut bob).await;
    let key = key(&"r".to_owned().try_into().unwrap()).unwrap();
    let (owner, epoch) = world.owners()[0].clone();
    // The number before the next is that of Bob's connection.
    let connection = two.rooms.connection() - 1;
    for (line, from, epoch) in
        [("1", owner.as_str(), epoch - 1), ("2", "nobody", epoch), ("3", owner.as_str(), epoch)]
    {
        let text = format!(
            r#"{{\"type\":\"candidate\",\"candidate\":{{\"candidate\":\"{line}\"}},\"from\":\"{}\"}}"#,
            ada.id()
        );
        let item = format!(r#"{{"is":"tell","id":"x","connection":{connection},"text":"{text}","by":null}}"#);
        let parcel = format!(r#"{{"room":"{}","epoch":{epoch},"item":{item}}}"#, key.as_str());
        let envelope = format!(
            r#"{{"v":1,"from":"{from}","link":7{line},"kept":1,"first":1,"ack_link":0,"ack":0,"parcels":[{parcel}]}}"#
        );
        world.put("two", envelope.as_bytes());
    }
    sleep(seconds(1)).await;
    assert_eq!(bob.lines(), [3], "only what its owner says in its epoch");
}
