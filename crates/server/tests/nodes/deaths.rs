//! Nodes that are killed, or stopped and go on.

use duologue_protocol::ServerMessage;
use tokio::time::{Instant, sleep};

use crate::person::Habit;
use crate::scene::{PATIENT, ROOM, Scene};
use crate::{common, is_let_in, seconds};

/// The node of the owner, and one that is a guest: the first who comes in makes theirs the owner.
const OWNER: usize = 0;
const GUEST: usize = 2;

#[tokio::test]
async fn a_node_that_is_killed_takes_nobody_along() {
    tokio::join!(killed(OWNER), killed(GUEST));
}

async fn killed(at: usize) {
    let Some(mut scene) = three().await else { return };
    scene.kill(at).await;
    let begin = Instant::now();
    sleep(seconds(1)).await;
    scene.all_together(seconds(20)).await;
    println!("together again {:?} after the kill", begin.elapsed());
    sleep(seconds(1)).await;
    let count = scene.end().await;
    assert!(count.delivered > count.doubted, "{count:?}");
}

#[tokio::test]
async fn a_node_that_was_stopped_past_its_lease_does_no_harm() {
    tokio::join!(stopped(OWNER), stopped(GUEST));
}

async fn stopped(at: usize) {
    let Some(scene) = three().await else { return };
    scene.stop(at, seconds(8)).await;
    let begin = Instant::now();
    sleep(seconds(2)).await;
    scene.all_together(seconds(20)).await;
    println!("together again {:?} after it went on", begin.elapsed());
    sleep(seconds(1)).await;
    let count = scene.end().await;
    assert!(count.delivered > count.doubted, "{count:?}");
}

#[tokio::test]
async fn who_waits_for_a_room_whose_owner_is_dead_hears_that_the_server_is_there() {
    let Some(mut scene) = Scene::set(2).await else { return };
    let mut bob = scene.nodes[OWNER].connect().await;
    bob.enter(ROOM, &[]).await;
    scene.nodes[OWNER].kill().await;
    let mut ada = scene.nodes[1].connect().await;
    ada.send(common::join(ROOM)).await;
    ada.send(r#"{"type":"ping"}"#).await;
    assert_eq!(ada.next().await, ServerMessage::Pong, "before the room answers");
    is_let_in(&mut ada, ROOM).await;
    ada.is_usable().await;
}

/// Somebody at each of three nodes.
async fn three() -> Option<Scene> {
    let mut scene = Scene::set_with(3, &PATIENT).await?;
    scene.enter(0).await;
    scene.enter_as(Habit::Keyless, 1).await;
    scene.enter(2).await;
    scene.all_together(seconds(10)).await;
    Some(scene)
}
