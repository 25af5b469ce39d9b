//! Whatever is missing, the page says so and offers a way on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_e2e::{Browsers, Caller, Server, Site, WindowOptions, root};

/// Rejects every question for a device like a browser does in this case.
fn devices_fail_with(name: &str) -> WindowOptions {
    WindowOptions::before(&format!(
        "MediaDevices.prototype.getUserMedia = async () => {{ throw new DOMException('no', {name:?}); }};"
    ))
}

#[tokio::test]
async fn one_who_says_no_to_the_camera_is_told_and_can_join_to_see_and_hear() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let ada = Caller::join(&browsers, &server.room("denied"), "Ada").await;
    let bob = Caller::in_lobby(&browsers, &server.room("denied"), WindowOptions::denied()).await;
    bob.window.until("!document.querySelector('#media-problem').hidden").await;
    let words = bob.window.text("#media-problem").await;
    assert!(words.contains("told not to give this page the camera or microphone"), "{words}");
    assert!(words.contains("You can also join without it."), "{words}");
    bob.window.screenshot("denied").await;
    bob.enter("Bob").await;
    bob.sees_moving_picture().await;
    bob.hears_sound().await;
    ada.sees("video", "off").await;
    ada.sees("audio", "off").await;
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn no_camera_and_a_camera_in_use_have_words_of_their_own() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    for (options, expected) in [
        (WindowOptions::no_devices(), "No such device was found"),
        (devices_fail_with("NotReadableError"), "Another program is using it"),
    ] {
        let ada = Caller::in_lobby(&browsers, &server.room("x"), options).await;
        ada.window.until("!document.querySelector('#media-problem').hidden").await;
        let words = ada.window.text("#media-problem-words").await;
        assert!(words.contains(expected), "{words}");
        ada.enter("Ada").await;
        ada.close().await;
    }
}

#[tokio::test]
async fn a_camera_that_was_in_use_can_be_tried_again() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let script = "const real = MediaDevices.prototype.getUserMedia;
        MediaDevices.prototype.getUserMedia = function (...wanted) {
            return window.free ? real.apply(this, wanted) : Promise.reject(new DOMException('busy', 'NotReadableError'));
        };";
    let ada = Caller::join(&browsers, &server.room("retry"), "Ada").await;
    let bob = Caller::in_lobby(&browsers, &server.room("retry"), WindowOptions::before(script)).await;
    bob.enter("Bob").await;
    bob.sees_moving_picture().await;
    bob.window.until("!document.querySelector('#call-note').hidden").await;
    bob.window.eval("window.free = true").await;
    bob.window.press("#call-note-action").await;
    // The camera joins a call that is already up.
    ada.sees_moving_picture().await;
    ada.sees("video", "on").await;
    assert!(!bob.window.is_shown("#call-note").await);
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn a_browser_without_webrtc_is_told_which_ones_have_it() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let window = browsers.open_with(WindowOptions::before("delete window.RTCPeerConnection")).await;
    window.go(&server.url).await;
    window.screen("unsupported").await;
    let words = window.text("#unsupported").await;
    assert!(words.contains("no WebRTC") && words.contains("Firefox"), "{words}");
    window.close().await;
}

#[tokio::test]
async fn a_page_that_came_over_plain_http_says_why_there_is_no_camera() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    // What browsers do for an origin that is neither https nor this machine.
    let script = "Object.defineProperty(window, 'isSecureContext', { value: false });
        Object.defineProperty(Navigator.prototype, 'mediaDevices', { value: undefined });";
    let ada = Caller::in_lobby(&browsers, &server.room("plain-http"), WindowOptions::before(script)).await;
    ada.window.until("!document.querySelector('#media-problem').hidden").await;
    let words = ada.window.text("#media-problem").await;
    assert!(words.contains("only to pages that come over https"), "{words}");
    ada.enter("Ada").await;
    ada.close().await;
}

#[tokio::test]
async fn where_no_server_answers_at_first_the_page_says_so_until_one_does() {
    let (site, browsers) = (Site::serve(&root().join("dist")).await, Browsers::chromium());
    let ada = Caller::in_lobby(&browsers, &format!("{}#first", site.url), WindowOptions::default()).await;
    let gone = "document.querySelector('#signal-note').textContent.startsWith('The server does not answer')";
    ada.window.until(gone).await;
    assert!(ada.window.is_shown("#signal-retry").await);
    ada.window.press("#join").await;
    ada.window.until("!document.querySelector('#lobby-error').hidden").await;
    assert!(ada.window.text("#lobby-error").await.contains("The signaling server does not answer"));
    ada.window.until(gone).await;
    ada.window.screen("lobby").await;

    let server = Server::at(&site.end().await);
    ada.window.until_within("document.querySelector('#signal-note').hidden", Duration::from_secs(40)).await;
    ada.enter("Ada").await;
    let bob = Caller::join(&browsers, &server.room("first"), "Bob").await;
    ada.sees_moving_picture().await;
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn when_the_server_goes_the_call_goes_on_and_the_page_says_so() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let ada = Caller::join(&browsers, &server.room("gone"), "Ada").await;
    let bob = Caller::join(&browsers, &server.room("gone"), "Bob").await;
    ada.sees_moving_picture().await;
    drop(server);
    for caller in [&ada, &bob] {
        caller.window.until("!document.querySelector('#call-note').hidden").await;
        let words = caller.window.text("#call-note-words").await;
        assert!(words.contains("Your call goes on"), "{words}");
        caller.sees_moving_picture().await;
        caller.hears_sound().await;
    }
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn where_the_browser_holds_back_the_sound_a_press_of_a_button_plays_it() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    // As after a reload in a browser that wants a gesture first.
    let script = "const play = HTMLMediaElement.prototype.play;
        HTMLMediaElement.prototype.play = function () {
            const blocked = this.closest('.tile') && !navigator.userActivation.isActive;
            return blocked ? Promise.reject(new DOMException('no gesture', 'NotAllowedError')) : play.call(this);
        };";
    let bob = Caller::join_with(&browsers, &server.room("sound"), "Bob", WindowOptions::before(script)).await;
    // The gesture that joined is long forgotten when someone comes.
    bob.window.until("!navigator.userActivation.isActive").await;
    let ada = Caller::join(&browsers, &server.room("sound"), "Ada").await;
    bob.window.until("!document.querySelector('#call-note').hidden").await;
    assert!(bob.window.text("#call-note").await.contains("holds back the sound"));
    bob.window.press("#call-note-action").await;
    assert!(!bob.window.is_shown("#call-note").await);
    bob.hears_sound().await;
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn a_name_full_of_markup_is_shown_as_text() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let ada = Caller::join(&browsers, &server.room("markup"), "Ada").await;
    let bob = Caller::join(&browsers, &server.room("markup"), "<img src=x onerror=alert(1)>").await;
    ada.sees("state", "connected").await;
    assert_eq!(ada.window.text(".tile-name").await, "<img src=x onerror=alert(1)>");
    assert_eq!(ada.window.eval("document.querySelectorAll('.tile img').length").await, 0);
    ada.close().await;
    bob.close().await;
}
