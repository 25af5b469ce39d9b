//! Nodes that are cut off from Redis alone, while the others are not and people go on talking.

use std::time::Duration;

use duologue_protocol::{ErrorCode, Role, ServerMessage};
use tokio::time::{Instant, sleep};

use crate::common::{candidate, resume, to};
use crate::ledger::Count;
use crate::person::Habit;
use crate::scene::{PATIENT, Scene};
use crate::seconds;
use crate::wire::Passes;

/// The node of the owner, and one that is a guest: the first who comes in makes theirs the owner.
const OWNER: usize = 0;
const GUEST: usize = 2;
/// Longer than a lease, and so long that more is said to everyone at another node than waits for one client (64 messages).
const LONG: Duration = Duration::from_secs(8);

#[tokio::test]
async fn an_owner_that_is_cut_off_from_redis_takes_nothing_of_what_was_said_along() {
    tokio::join!(
        cut(OWNER, Passes::NoConnection, LONG, &PATIENT),
        cut(OWNER, Passes::Nothing, LONG, &PATIENT)
    );
}

#[tokio::test]
async fn a_guest_that_is_cut_off_from_redis_takes_nothing_of_what_was_said_along() {
    tokio::join!(
        cut(GUEST, Passes::NoConnection, LONG, &PATIENT),
        cut(GUEST, Passes::Nothing, LONG, &PATIENT)
    );
}

#[tokio::test]
async fn of_more_than_waits_for_a_node_that_is_cut_off_nothing_is_lost_in_silence() {
    tokio::join!(cut(OWNER, Passes::NoConnection, LONG, &[]), cut(GUEST, Passes::NoConnection, LONG, &[]));
}

/// What the owner's node said to them is in no queue any more, but kept for when they are back. That the others say nothing is why
/// nobody is given up meanwhile.
#[tokio::test]
async fn what_an_owner_that_is_cut_off_keeps_for_those_who_are_away_is_not_lost_in_silence() {
    let Some(mut scene) = Scene::set(3).await else { return };
    scene.enter(OWNER).await;
    scene.enter_as(Habit::Silent, 1).await;
    scene.enter_as(Habit::Silent, GUEST).await;
    // How much of it is in doubt depends on who is let go before the node knows that it owns the room no more. The ledger says
    // that the sender knows of all that is.
    let count = is_cut(scene, OWNER, Passes::NoConnection, LONG).await;
    assert!(count.delivered > 0, "{count:?}");
}

#[tokio::test]
async fn a_node_that_is_cut_off_for_less_than_its_lease_loses_nothing_and_reports_nothing() {
    tokio::join!(blink(OWNER), blink(GUEST));
}

async fn blink(at: usize) {
    if let Some(count) = cut(at, Passes::Nothing, Duration::from_millis(1500), &[]).await {
        crate::all_arrived(count);
    }
}

/// A node is cut off for so long, and the others are not.
async fn cut(at: usize, passes: Passes, time: Duration, variables: &[(&str, &str)]) -> Option<Count> {
    let mut scene = Scene::set_with(3, variables).await?;
    scene.enter(0).await;
    scene.enter_as(Habit::Keyless, 1).await;
    scene.enter(2).await;
    let count = is_cut(scene, at, passes, time).await;
    assert!(count.delivered > count.doubted, "{count:?}");
    Some(count)
}

async fn is_cut(scene: Scene, at: usize, passes: Passes, time: Duration) -> Count {
    scene.all_together(seconds(10)).await;
    scene.cut(at, passes);
    sleep(time).await;
    scene.mend(at);
    let begin = Instant::now();
    sleep(seconds(2)).await;
    scene.all_together(seconds(20)).await;
    println!("together again {:?} after it was mended", begin.elapsed());
    sleep(seconds(1)).await;
    scene.end().await
}

#[tokio::test]
async fn whoever_has_no_key_and_comes_in_while_the_answer_is_cut_off_is_in_once() {
    let Some(mut scene) = Scene::set(2).await else { return };
    for at in [0, 1] {
        scene.enter(at).await;
    }
    scene.all_together(seconds(10)).await;
    // What they ask comes to the owner, and what it answers is lost: first it does not pass, then Redis forgets it. Meanwhile
    // their node is taken for dead, and asks again before it has lost its patience.
    scene.cut(1, Passes::Questions);
    scene.enter_as(Habit::Keyless, 1).await;
    sleep(Duration::from_millis(6200)).await;
    for inbox in scene.redis.inboxes().await {
        scene.redis.ask(&["DEL", &inbox]).await;
    }
    scene.mend(1);
    sleep(seconds(1)).await;
    scene.all_together(seconds(20)).await;
    scene.end().await;
}

#[tokio::test]
async fn an_older_connection_at_a_node_that_was_cut_off_does_not_take_the_session_back() {
    let Some(scene) = Scene::set(3).await else { return };
    let mut ada = scene.nodes[OWNER].connect().await;
    ada.enter("harbour", &[]).await;
    let mut older = scene.nodes[1].connect().await;
    let bob = older.enter("harbour", &[]).await;
    ada.readied(Role::Caller).await;
    older.readied(Role::Callee).await;
    scene.cut(1, Passes::NoConnection);
    assert_eq!(ada.away().await, bob.id);
    let mut newer = scene.nodes[GUEST].connect().await;
    newer.send(resume(&bob.session, older.seq)).await;
    assert!(matches!(newer.next().await, ServerMessage::Resumed(_)));
    newer.seq = older.seq;
    assert_eq!(ada.back().await, bob.id);
    scene.mend(1);
    // Whichever has it, the other is let go. The newer says nothing meanwhile, as somebody who only listens.
    tokio::select! {
        message = older.next() => match message {
            ServerMessage::Error(refusal) => assert_eq!(refusal.code, ErrorCode::Replaced, "{}", refusal.message),
            ServerMessage::GoingAway(_) => {}
            other => panic!("they are not let go: {other:?}"),
        },
        message = newer.next() => panic!("the newer connection is told {message:?}"),
    }
    newer.is_usable().await;
    ada.send(candidate("still here", &to(&bob.id))).await;
    assert_eq!(newer.candidate().await, "still here");
}
