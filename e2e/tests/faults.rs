//! What becomes of a call when something around it breaks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::{Duration, SystemTime};

use duologue_e2e::{Browsers, Caller, Figures, Frames, Scene, Server, SlowLink};

/// What nobody notices.
const UNNOTICED: Duration = Duration::from_millis(500);
const SECOND: Duration = Duration::from_secs(1);

/// A scene, or none where a line says why.
macro_rules! scene {
    () => {
        match Scene::set() {
            Some(scene) => scene,
            None => return,
        }
    };
}

fn was_not_noticed(figures: &Figures) {
    assert!(figures.same_connection, "{figures:?}");
    assert!(figures.gaps.iter().all(|gap| *gap < UNNOTICED), "{figures:?}");
}

#[tokio::test]
async fn a_server_that_is_killed_and_started_again_is_not_noticed() {
    let mut scene = scene!();
    let call = scene.call().await;
    was_not_noticed(&scene.kill_the_server(&call).await);
    // And the two are in one room again: what they send each other arrives.
    call.callers[0].window.press("#leave").await;
    call.callers[1].is_alone_within(2 * SECOND).await;
    call.close().await;
}

#[tokio::test]
async fn a_way_to_the_server_that_breaks_is_not_noticed() {
    let mut scene = scene!();
    let call = scene.call().await;
    was_not_noticed(&scene.cut_the_signaling(&call).await);
    call.callers[0].window.press("#leave").await;
    call.callers[1].is_alone_within(2 * SECOND).await;
    call.close().await;
}

#[tokio::test]
async fn a_socket_that_is_closed_is_not_noticed_and_its_session_goes_on() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let link = SlowLink::to(server.port(), Duration::ZERO).await;
    let ada = Caller::join(&browsers, &link.reach(&server.room("socket")), "Ada").await;
    let bob = Caller::join(&browsers, &server.room("socket"), "Bob").await;
    for caller in [&ada, &bob] {
        caller.sees_moving_picture().await;
    }
    let frames = [Frames::watch(&ada.window).await, Frames::watch(&bob.window).await];
    let begin = SystemTime::now();
    link.cut().await;
    ada.window.until("document.querySelector('#call-note').hidden").await;
    for frames in &frames {
        frames.next_after(SystemTime::now(), SECOND).await;
        let gap = frames.longest_gap(begin).await;
        assert!(gap < UNNOTICED, "{gap:?}");
    }
    // What she says to the server arrives again.
    ada.window.press("#leave").await;
    bob.is_alone_within(2 * SECOND).await;
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn a_network_that_is_gone_for_three_seconds_is_back_within_five() {
    let mut scene = scene!();
    let call = scene.call().await;
    let figures = scene.cut_the_network(&call, 3 * SECOND).await;
    assert!(figures.back < 5 * SECOND && figures.same_connection, "{figures:?}");
    call.close().await;
}

#[tokio::test]
async fn a_network_that_is_gone_for_fifteen_seconds_is_back_within_five() {
    let mut scene = scene!();
    let call = scene.call().await;
    let figures = scene.cut_the_network(&call, 15 * SECOND).await;
    assert!(figures.back < 5 * SECOND && figures.same_connection, "{figures:?}");
    call.close().await;
}

#[tokio::test]
async fn a_computer_that_moves_to_another_address_stays_in_the_call() {
    let mut scene = scene!();
    let call = scene.call().await;
    let figures = scene.move_ada(&call).await;
    assert!(figures.back < 20 * SECOND && figures.same_connection, "{figures:?}");
    call.close().await;
}

#[tokio::test]
async fn one_who_turns_everything_off_is_not_taken_for_gone() {
    const GENERATION: &str = "connections[0].localDescription.sdp.match(/a=ice-ufrag:(.*)/)[1].trim()";
    let mut scene = scene!();
    let call = scene.call().await;
    let [ada, bob] = &call.callers;
    let before = ada.window.eval(GENERATION).await;
    bob.window.press("#mic").await;
    bob.window.press("#camera").await;
    ada.sees("video", "off").await;
    // Long enough for everything that is done about a connection over which nothing arrives.
    tokio::time::sleep(12 * SECOND).await;
    for caller in [ada, bob] {
        caller.sees("state", "connected").await;
        assert!(!caller.window.is_shown("#call-note").await);
    }
    assert_eq!(ada.window.eval(GENERATION).await, before, "ICE was restarted");
    bob.window.press("#camera").await;
    call.frames[0].next_after(SystemTime::now(), 5 * SECOND).await;
    call.close().await;
}

#[tokio::test]
async fn a_browser_that_is_killed_is_noticed_soon_and_gone_when_its_grace_is_over() {
    let mut scene = scene!();
    let call = scene.call().await;
    let parting = scene.kill_bobs_browser(call).await;
    // The server waits 30 s for whoever may come back.
    assert!(parting.noticed < 10 * SECOND && parting.gone < 35 * SECOND, "{parting:?}");
}

#[tokio::test]
async fn whoever_leaves_or_closes_the_tab_is_gone_within_two_seconds() {
    let mut scene = scene!();
    let call = scene.call().await;
    let parting = scene.let_bob_leave(call).await;
    assert!(parting.gone < 2 * SECOND, "{parting:?}");
    let call = scene.call().await;
    let parting = scene.close_bobs_tab(call).await;
    assert!(parting.gone < 2 * SECOND, "{parting:?}");
}

#[tokio::test]
async fn whoever_loses_their_network_for_good_is_gone_within_a_minute() {
    let mut scene = scene!();
    let call = scene.call().await;
    let parting = scene.lose_bobs_network(call).await;
    assert!(parting.noticed < 10 * SECOND && parting.gone < 60 * SECOND, "{parting:?}");
}
