//! `trunk serve` and two tabs of one browser, with no other process running.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_e2e::{Browsers, Caller, Trunk, Window, WindowOptions};

const NO_SERVER: &str = "No signaling server here: only tabs of this browser can join.";

/// Turns to another window of the same browser, or a new one.
async fn new_window(window: &Window, url: &str) {
    let handle = window.client.new_window(false).await.unwrap().handle;
    window.client.switch_to_window(handle).await.unwrap();
    window.go(url).await;
    window.screen("lobby").await;
}

#[tokio::test]
async fn two_tabs_call_each_other_with_no_server() {
    let (trunk, browsers) = (Trunk::serve(), Browsers::chromium());
    let url = format!("{}#tabs", trunk.url);
    let tabs = Caller::in_lobby(&browsers, &url, WindowOptions::default()).await;
    tabs.window.until(&format!("document.querySelector('#signal-note').textContent === {NO_SERVER:?}")).await;
    assert!(tabs.window.is_shown("#signal-note").await);
    tabs.enter("Ada").await;
    let first = tabs.window.client.window().await.unwrap();

    new_window(&tabs.window, &url).await;
    tabs.enter("Bob").await;
    let second = tabs.window.client.window().await.unwrap();
    tabs.sees_moving_picture().await;
    tabs.hears_sound().await;
    assert_eq!(tabs.window.text(".tile-name").await, "Ada");
    tabs.window.client.switch_to_window(first.clone()).await.unwrap();
    tabs.sees_moving_picture().await;
    assert_eq!(tabs.window.text(".tile-name").await, "Bob");

    // A third is one too many.
    new_window(&tabs.window, &url).await;
    tabs.window.press("#join").await;
    tabs.window.until("!document.querySelector('#lobby-error').hidden").await;
    tabs.window.client.close_window().await.unwrap();

    // A tab that is closed is gone, and there is room again.
    tabs.window.client.switch_to_window(second).await.unwrap();
    tabs.window.client.close_window().await.unwrap();
    tabs.window.client.switch_to_window(first).await.unwrap();
    tabs.is_alone_within(Duration::from_secs(2)).await;
    tabs.close().await;
}
