//! Several nodes and a real Redis, with real faults: what is said arrives once, or is reported, and nobody loses the other.
//!
//! The nodes are the program itself; it is killed and stopped by the signals of the system, and its way to Redis is cut. People
//! are clients that do as the page does: they come back to any node, take up their session, or come in anew with their pairs.
//!
//! Here is what happens while all is well; `deaths` and `cuts` are what happens to nodes, `away` what happens to Redis, `doors`
//! who may come in. `scene` has the stage for it, `person` the people, `ledger` what they said and heard.
#![cfg(all(unix, feature = "redis"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod away;
#[path = "../common/mod.rs"]
mod common;
mod cuts;
mod deaths;
mod doors;
mod encrypted;
mod ledger;
mod node;
mod person;
mod redis;
mod scene;
mod wire;

use std::time::Duration;

use common::Client;
use duologue_protocol::{ErrorCode, ServerMessage};
use ledger::Count;
use person::Habit;
use scene::Scene;
use tokio::time::{Instant, sleep};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Whoever has asked to come in is let in; when they are told to wait, they ask again.
async fn is_let_in(person: &mut Client, room: &str) {
    let begin = Instant::now();
    loop {
        match person.next().await {
            ServerMessage::Welcome(_) => return,
            ServerMessage::Error(refusal) if refusal.code == ErrorCode::Busy => {}
            other => panic!("not let in: {other:?}"),
        }
        assert!(begin.elapsed() < common::PATIENCE, "never let in");
        sleep(Duration::from_millis(300)).await;
        person.send(common::join(room)).await;
    }
}

/// Everything has arrived, and there was something.
fn all_arrived(count: Count) {
    assert!(count.sent > 20, "{count:?}");
    assert_eq!((count.delivered, count.reported, count.doubted), (count.sent, 0, 0), "{count:?}");
}

#[tokio::test]
async fn people_at_two_nodes_are_in_one_room() {
    let Some(mut scene) = Scene::set(2).await else { return };
    for at in [0, 1] {
        scene.enter(at).await;
    }
    scene.all_together(seconds(10)).await;
    sleep(seconds(2)).await;
    all_arrived(scene.end().await);
}

#[tokio::test]
async fn people_at_three_nodes_are_in_one_room() {
    let Some(mut scene) = Scene::set(3).await else { return };
    for at in [0, 1, 2, 1] {
        scene.enter(at).await;
    }
    scene.all_together(seconds(10)).await;
    sleep(seconds(2)).await;
    all_arrived(scene.end().await);
}

#[tokio::test]
async fn whoever_leaves_and_joins_again_over_the_same_connection_is_heard_as_before() {
    let Some(mut scene) = Scene::set(2).await else { return };
    for at in [0, 1] {
        scene.enter(at).await;
    }
    // One at the node of the owner, one at that of the guest.
    for at in [0, 1] {
        scene.enter_as(Habit::Restless, at).await;
    }
    sleep(seconds(5)).await;
    scene.quiet(true);
    scene.all_together(seconds(10)).await;
    let count = scene.end().await;
    assert!(count.delivered > 200, "{count:?}");
}

#[tokio::test]
async fn redis_holds_no_names_and_nothing_for_ever() {
    let Some(mut scene) = Scene::set(2).await else { return };
    for at in [0, 1] {
        scene.enter(at).await;
    }
    scene.all_together(seconds(10)).await;
    let keys = scene.redis.ask(&["KEYS", "*"]).await;
    let keys: Vec<_> = keys.lines().filter(|line| line.contains(':')).collect();
    assert!(keys.len() >= 3, "{keys:?}");
    for key in keys {
        assert!(key.starts_with("test:"), "{key}");
        assert!(!key.contains(scene::ROOM), "{key}");
        let ttl = scene.redis.ask(&["PTTL", key]).await;
        let ttl: i64 = ttl.trim().trim_start_matches(':').parse().unwrap();
        assert!((1..=120_000).contains(&ttl), "{key} {ttl}");
    }
}

#[tokio::test]
async fn garbage_in_an_inbox_is_passed_over() {
    let garbage: [&[u8]; 6] = [b"{", b"null", b"\x01", br#"{"v":1,"from":"x"}"#, br#"{"v":9}"#, b"\xff\xfe"];
    let entries = garbage.iter().map(|value| (&b"e"[..], *value)).chain([(&b"other"[..], &b"x"[..])]);
    with_in_every_inbox(entries.collect()).await;
}

#[tokio::test]
async fn a_field_whose_name_is_not_text_makes_no_node_deaf() {
    with_in_every_inbox(vec![(b"\xff\xfe", b"x"), (b"\x80e", b"\xff")]).await;
}

/// People talk, and anybody who can write to Redis puts these fields and values into every inbox.
async fn with_in_every_inbox(entries: Vec<(&[u8], &[u8])>) {
    let Some(mut scene) = Scene::set(2).await else { return };
    for at in [0, 1] {
        scene.enter(at).await;
    }
    scene.all_together(seconds(10)).await;
    let inboxes = scene.redis.inboxes().await;
    assert_eq!(inboxes.len(), 2, "{inboxes:?}");
    for inbox in inboxes {
        for (field, value) in &entries {
            let answer = scene.redis.ask_bytes(&[b"XADD", inbox.as_bytes(), b"*", field, value]).await;
            assert!(!answer.starts_with('-'), "{answer}");
        }
    }
    sleep(seconds(2)).await;
    all_arrived(scene.end().await);
}

#[tokio::test]
async fn an_address_of_redis_that_is_none_is_told_without_its_password() {
    for url in ["http://:secret@127.0.0.1", "redis://user:secret@", "secret"] {
        let output = common::outcome(&["--listen", "127.0.0.1:0", "--redis", url]).await;
        assert!(!output.status.success());
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains("redis://HOST:PORT"), "{words}");
        assert!(!words.contains("secret"), "{words}");
    }
    let output = common::outcome(&["--redis", "redis://:secret@h", "--print-config"]).await;
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(words.contains("# redis is set, and left out here"), "{words}");
    assert!(!words.contains("secret@"), "{words}");
}
