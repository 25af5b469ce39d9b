//! Two people, two browsers, the real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_e2e::{Browsers, Caller, Pair, Server, WindowOptions, for_each_pairing};

for_each_pairing!(
    two_people_see_and_hear_each_other,
    muting_and_the_camera_going_off_are_seen_on_the_other_side,
    leaving_is_seen_within_two_seconds_and_releases_everything,
    a_closed_tab_is_seen_within_two_seconds,
    reloading_in_the_middle_of_a_call_ends_with_both_in_the_call_again,
    a_page_that_is_left_gives_the_camera_back_and_takes_it_again_on_return,
);

async fn two_people_see_and_hear_each_other(pair: Pair) {
    let server = Server::start();
    let ada = Caller::join(&pair.first, &server.room("standup"), "Ada").await;
    assert!(ada.window.is_shown("#waiting").await, "one who is alone is given the link to send");
    assert_eq!(ada.window.eval("document.querySelector('#link').value").await, server.room("standup"));
    let bob = Caller::join(&pair.second, &server.room("standup"), "Bob").await;
    for (caller, other) in [(&ada, "Bob"), (&bob, "Ada")] {
        caller.sees_moving_picture().await;
        caller.hears_sound().await;
        caller.sees("state", "connected").await;
        assert_eq!(caller.window.text(".tile-name").await, other);
        assert_eq!(caller.window.text("#status").await, format!("Connected with {other}"));
        assert!(!caller.window.is_shown("#waiting").await);
        assert_eq!(caller.window.complaints().await, Vec::<String>::new());
    }
    ada.close().await;
    bob.close().await;
}

async fn muting_and_the_camera_going_off_are_seen_on_the_other_side(pair: Pair) {
    let server = Server::start();
    let ada = Caller::join(&pair.first, &server.room("mute"), "Ada").await;
    let bob = Caller::join(&pair.second, &server.room("mute"), "Bob").await;
    bob.sees_moving_picture().await;
    bob.sees("audio", "on").await;
    ada.window.press("#mic").await;
    bob.sees("audio", "off").await;
    assert!(bob.window.is_shown(".tile-muted").await);
    bob.sees_moving_picture().await;
    ada.window.press("#camera").await;
    bob.sees("video", "off").await;
    assert_eq!(
        ada.window.eval("document.querySelector('#self-video').srcObject").await,
        serde_json::Value::Null,
        "a camera that is off is given back"
    );
    // By the keyboard, and both come back.
    ada.window.run("document.activeElement.blur()").await;
    ada.window.keys("m").await;
    bob.sees("audio", "on").await;
    bob.hears_sound().await;
    ada.window.keys("v").await;
    bob.sees("video", "on").await;
    bob.sees_moving_picture().await;
    ada.close().await;
    bob.close().await;
}

async fn leaving_is_seen_within_two_seconds_and_releases_everything(pair: Pair) {
    let server = Server::start();
    let ada = Caller::join(&pair.first, &server.room("bye"), "Ada").await;
    let bob = Caller::join(&pair.second, &server.room("bye"), "Bob").await;
    bob.sees_moving_picture().await;
    ada.window
        .eval("window.track = document.querySelector('#self-video').srcObject.getVideoTracks()[0], 0")
        .await;
    ada.window.press("#leave").await;
    bob.is_alone_within(Duration::from_secs(2)).await;
    assert_eq!(bob.window.text("#status").await, "Ada left the call.");
    ada.window.screen("ended").await;
    assert_eq!(ada.window.eval("document.activeElement.id").await, "ended-title");
    ada.window.until("window.track.readyState === 'ended'").await;
    // And back, without loading the page again.
    ada.window.press("#rejoin").await;
    ada.window.screen("call").await;
    bob.sees_moving_picture().await;
    ada.sees_moving_picture().await;
    ada.close().await;
    bob.close().await;
}

async fn a_closed_tab_is_seen_within_two_seconds(pair: Pair) {
    let server = Server::start();
    let ada = Caller::join(&pair.first, &server.room("tab"), "Ada").await;
    let bob = Caller::join(&pair.second, &server.room("tab"), "Bob").await;
    bob.sees_moving_picture().await;
    ada.close().await;
    bob.is_alone_within(Duration::from_secs(2)).await;
    bob.close().await;
}

#[tokio::test]
async fn one_too_many_is_told_and_may_come_in_when_there_is_room() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let ada = Caller::join(&browsers, &server.room("full"), "Ada").await;
    let bob = Caller::join(&browsers, &server.room("full"), "Bob").await;
    let eve = Caller::in_lobby(&browsers, &server.room("full"), WindowOptions::default()).await;
    eve.window.press("#join").await;
    eve.window.until("!document.querySelector('#lobby-error').hidden").await;
    assert!(eve.window.text("#lobby-error").await.contains("This room is full"));
    assert_eq!(eve.window.eval("document.body.dataset.screen").await, "lobby");
    bob.window.press("#leave").await;
    ada.is_alone_within(Duration::from_secs(2)).await;
    eve.enter("Eve").await;
    ada.sees_moving_picture().await;
    for caller in [ada, bob, eve] {
        caller.close().await;
    }
}

async fn reloading_in_the_middle_of_a_call_ends_with_both_in_the_call_again(pair: Pair) {
    let server = Server::start();
    let ada = Caller::join(&pair.first, &server.room("reload"), "Ada").await;
    let bob = Caller::join(&pair.second, &server.room("reload"), "Bob").await;
    ada.sees_moving_picture().await;
    bob.window.press("#mic").await;
    ada.sees("audio", "off").await;
    for reloading in [&bob, &ada] {
        reloading.window.client.refresh().await.unwrap();
        reloading.window.screen("call").await;
        ada.sees_moving_picture().await;
        bob.sees_moving_picture().await;
    }
    ada.sees("audio", "off").await;
    assert_eq!(
        bob.window.eval("document.querySelector('#mic').getAttribute('aria-pressed')").await,
        "false",
        "a reload does not turn on what was off"
    );
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn three_people_see_each_other_where_the_server_lets_them() {
    let (server, browsers) = (Server::with(&["--room-size", "3"]), Browsers::chromium());
    let mut callers = Vec::new();
    for name in ["Ada", "Bob", "Eve"] {
        callers.push(Caller::join(&browsers, &server.room("trio"), name).await);
    }
    for caller in &callers {
        let playing =
            "[...document.querySelectorAll('.tile video')].filter(it => it.videoWidth > 0).length === 2";
        caller.window.until(playing).await;
    }
    for caller in callers {
        caller.close().await;
    }
}

async fn a_page_that_is_left_gives_the_camera_back_and_takes_it_again_on_return(pair: Pair) {
    let server = Server::start();
    let ada = Caller::join(&pair.first, &server.room("aside"), "Ada").await;
    let bob = Caller::join(&pair.second, &server.room("aside"), "Bob").await;
    bob.sees_moving_picture().await;
    ada.window
        .run(
            "window.track = document.querySelector('#self-video').srcObject.getVideoTracks()[0];
        addEventListener('pagehide', () => setTimeout(() => sessionStorage.setItem('was', track.readyState)));
        addEventListener('pagehide', () => queueMicrotask(() => queueMicrotask(() => queueMicrotask(() =>
            sessionStorage.setItem('was', track.readyState)))));",
        )
        .await;
    ada.window.go(&format!("{}icon.svg", server.url)).await;
    assert_eq!(
        ada.window.eval("sessionStorage.getItem('was')").await,
        "ended",
        "the camera is given back at once"
    );
    bob.is_alone_within(Duration::from_secs(2)).await;
    ada.window.client.back().await.unwrap();
    ada.window.until("['lobby', 'call'].includes(document.body.dataset.screen)").await;
    if ada.window.eval("document.body.dataset.screen").await == "lobby" {
        ada.enter("Ada").await;
    }
    bob.sees_moving_picture().await;
    ada.close().await;
    bob.close().await;
}
