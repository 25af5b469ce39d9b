//! Code that comes later: nobody waits for it, and it may not come.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_e2e::{Browsers, Caller, Pair, Server, Window, WindowOptions, for_each_pairing};
use serde_json::json;

/// The parts of the program that were asked for.
const PARTS: &str =
    "performance.getEntriesByType('resource').map(it => it.name).filter(it => it.includes('/later-'))";
const CHECKED: &str = "document.querySelector('#check').dataset.state === 'done'";
/// Notes when the connection is up, before the page hears of it.
const NOTE_WHEN_UP: &str = "
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...options) {
            super(...options);
            this.addEventListener('connectionstatechange', () => {
                if (this.connectionState === 'connected') window.up ??= performance.now();
            });
        }
    };";
/// A server that does not answer is given up by the browser after ten seconds.
const PATIENCE: Duration = Duration::from_secs(40);

for_each_pairing!(joining_waits_for_no_part_that_comes_later);

async fn joining_waits_for_no_part_that_comes_later(pair: Pair) {
    let server = Server::start();
    let ada = Caller::in_lobby(&pair.first, &server.room("light"), WindowOptions::default()).await;
    let bob = Caller::in_lobby(&pair.second, &server.room("light"), WindowOptions::default()).await;
    for (caller, name) in [(&ada, "Ada"), (&bob, "Bob")] {
        caller.window.run(NOTE_WHEN_UP).await;
        caller.enter(name).await;
    }
    for caller in [&ada, &bob] {
        caller.sees_moving_picture().await;
        // Once the call is up, what messages need is fetched.
        caller.window.until(&format!("{PARTS}.length === 1")).await;
        let begun =
            "performance.getEntriesByType('resource').find(it => it.name.includes('/later-')).startTime";
        assert_eq!(
            caller.window.eval(&format!("{begun} >= window.up")).await,
            true,
            "it was fetched too early"
        );
    }
    ada.window.press("#leave").await;
    ada.window.screen("ended").await;
    ada.window.press("#to-lobby").await;
    ada.window.screen("lobby").await;
    ada.window.press("#check-open").await;
    ada.window.until_within(CHECKED, PATIENCE).await;
    assert_eq!(ada.window.eval(&format!("{PARTS}.length")).await, 1);
    assert_eq!(ada.window.complaints().await, Vec::<String>::new());
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn the_check_is_at_hand_before_anything_breaks() {
    let (mut server, browsers) = (Server::start(), Browsers::chromium());
    let ada = Caller::in_lobby(&browsers, &server.room("quiet"), WindowOptions::default()).await;
    ada.window.until_within(&format!("{PARTS}.length === 1"), PATIENCE).await;
    server.kill9();
    ada.window.press("#check-open").await;
    ada.window.until_within(CHECKED, PATIENCE).await;
    assert_eq!(ada.window.text("#check-signaling").await, "Does not answer");
    ada.close().await;
}

async fn block(window: &Window, addresses: &[&str]) {
    window.devtools("Network.enable", json!({})).await;
    window.devtools("Network.setBlockedURLs", json!({ "urls": addresses })).await;
}

#[tokio::test]
async fn a_part_that_does_not_load_is_told_of_and_can_be_tried_again() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let ada = Caller::in_lobby(&browsers, &server.room("later"), WindowOptions::default()).await;
    block(&ada.window, &["*/later-*"]).await;
    ada.window.press("#check-open").await;
    for _ in 0..2 {
        ada.window.until("document.querySelector('#check').dataset.state === 'failed'").await;
        assert_eq!(
            ada.window.text("#check-sentence").await,
            "This part of the page did not load. Check your connection and try again, or reload the page."
        );
        ada.window.press("#check-again").await;
    }
    // The page is alive, and opening the dialog again tries again.
    ada.window.until("document.querySelector('#check').dataset.state === 'failed'").await;
    ada.window.keys("\u{e00c}").await; // Escape
    block(&ada.window, &[]).await;
    ada.window.press("#check-open").await;
    ada.window.until_within(CHECKED, PATIENCE).await;
    assert!(!ada.window.text("#check-network").await.is_empty());
    ada.window.press("#check form [type=submit]").await;
    ada.enter("Ada").await;
    let bob = Caller::join(&browsers, &server.room("later"), "Bob").await;
    ada.sees_moving_picture().await;
    ada.close().await;
    bob.close().await;
}
