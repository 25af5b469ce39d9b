//! Redis is stopped, and started again.

use std::time::Duration;

use duologue_protocol::{ErrorCode, Role, ServerMessage};
use tokio::time::{Instant, interval, sleep};

use crate::common::{self, Client};
use crate::scene::Scene;
use crate::wire::Passes;
use crate::{all_arrived, seconds};

#[tokio::test]
async fn redis_may_be_restarted_and_lose_everything() {
    let Some(mut scene) = Scene::set(2).await else { return };
    for at in [0, 1, 1] {
        scene.enter(at).await;
    }
    scene.all_together(seconds(10)).await;
    scene.stop_redis().await;
    scene.start_redis().await;
    sleep(seconds(5)).await;
    scene.enter(0).await;
    scene.all_together(seconds(15)).await;
    all_arrived(scene.end().await);
}

#[tokio::test]
async fn what_is_said_while_redis_is_away_arrives_later_or_is_reported() {
    let Some(mut scene) = Scene::set(2).await else { return };
    for at in [0, 1] {
        scene.enter(at).await;
    }
    scene.all_together(seconds(10)).await;
    scene.stop_redis().await;
    // A hundred messages from each: more than may wait.
    sleep(seconds(10)).await;
    scene.start_redis().await;
    sleep(seconds(4)).await;
    scene.all_together(seconds(30)).await;
    sleep(seconds(1)).await;
    let count = scene.end().await;
    assert!(count.reported > 0, "more than could wait: {count:?}");
}

#[tokio::test]
async fn without_redis_for_a_minute_each_node_goes_on_alone_and_ten_seconds_later_all_is_well() {
    let Some(mut scene) = Scene::set(2).await else { return };
    for at in [0, 1] {
        scene.enter(at).await;
    }
    scene.all_together(seconds(10)).await;
    scene.quiet(true);
    sleep(seconds(1)).await;
    let mut ada = scene.nodes[0].connect().await;
    ada.enter("here alone", &[]).await;
    scene.stop_redis().await;
    // One node is told that there is none, the other hears nothing.
    scene.cut(0, Passes::Nothing);
    let begin = Instant::now();
    for node in &scene.nodes {
        loop {
            let ready = node.get("/readyz").await;
            if ready.status() == 503 {
                assert!(ready.text().contains("redis: "), "{}", ready.text());
                break;
            }
            assert!(begin.elapsed() < seconds(10), "/readyz never says so");
            sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(node.get("/healthz").await.status(), 200);
    }

    let mut bob = scene.nodes[0].connect().await;
    bob.enter("here alone", &[]).await;
    let to_ada = common::to(&bob.readied(Role::Callee).await.peer.id);
    ada.readied(Role::Caller).await;
    let mut late = scene.nodes[1].connect().await;
    for room in ["here alone", "new"] {
        late.send(format!(r#"{{"type":"join","room":"{room}","protocol":1}}"#)).await;
        let refusal = late.refusal().await;
        assert_eq!(refusal.code, ErrorCode::Busy, "{}", refusal.message);
        assert!(refusal.message.contains("wait"), "{}", refusal.message);
    }
    let slow = slow_ones(&mut bob, &mut ada, &to_ada, begin + seconds(60)).await;
    scene.start_redis().await;
    scene.mend(0);
    let back = Instant::now();
    let mut eve = scene.nodes[1].connect().await;
    loop {
        eve.send(r#"{"type":"join","room":"here alone","protocol":1}"#).await;
        match eve.next().await {
            ServerMessage::Welcome(_) => break,
            other => println!("not yet: {other:?}"),
        }
        assert!(back.elapsed() < seconds(10));
        sleep(Duration::from_millis(300)).await;
    }
    // Whether that node was first to say whose the room is or not, they are in one.
    for person in [&mut ada, &mut bob] {
        loop {
            match person.next().await {
                ServerMessage::Ready(_) => break,
                // To the last ping.
                ServerMessage::Pong => {}
                other => panic!("not ready: {other:?}"),
            }
        }
    }
    println!("healed {:?} after redis was back", back.elapsed());
    assert!(back.elapsed() < seconds(10));
    scene.quiet(false);
    scene.enter(1).await;
    scene.all_together(seconds(10)).await;
    sleep(seconds(2)).await;
    all_arrived(scene.end().await);
    // A room that waits for Redis two seconds of three is slow every other time. Some may be slow on a busy machine.
    let (slow, all) = slow;
    assert!(slow * 5 < all, "{slow} of {all} messages between two at one node were slow");
}

/// One says something to the other again and again until then, whether the last has arrived or not. Gives how many took longer
/// than half a second, and how many there were.
async fn slow_ones(from: &mut Client, to: &mut Client, address: &str, until: Instant) -> (usize, usize) {
    let begin = Instant::now();
    let mut ticks = interval(Duration::from_millis(370));
    let (mut said, mut heard, mut slow) = (Vec::new(), 0, 0);
    while begin < until && (Instant::now() < until || heard < said.len()) {
        tokio::select! {
            _ = ticks.tick(), if Instant::now() < until => {
                from.send(common::candidate(&said.len().to_string(), address)).await;
                // What they are sent is to be acknowledged, as the page does.
                to.send(format!(r#"{{"type":"ping","seq":{}}}"#, to.seq)).await;
                said.push(Instant::now());
            }
            message = to.next() => match message {
                ServerMessage::Candidate(it) => {
                    assert_eq!(it.candidate.candidate, heard.to_string());
                    slow += usize::from(said[heard].elapsed() > Duration::from_millis(500));
                    heard += 1;
                }
                ServerMessage::Pong => {}
                other => panic!("not a candidate: {other:?}"),
            },
        }
    }
    println!("{slow} of {} were slow", said.len());
    (slow, said.len())
}
