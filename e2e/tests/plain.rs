//! A page that knows only `join`, `ready`, `offer`, `answer` and `candidate`, and sends no `to`, can call a Duologue
//! tab, and be called by one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use duologue_e2e::{Browsers, Caller, Server, Site, Window, root};

async fn open_plain(browsers: &Browsers, site: &Site, server: &Server, room: &str) -> Window {
    let window = browsers.open().await;
    window.go(&format!("{}plain.html?ws={}&room={room}", site.url, server.socket())).await;
    window.until("!document.querySelector('#join').disabled").await;
    window.press("#join").await;
    window.until("socket.readyState === 1").await;
    window
}

async fn shows_the_other(plain: &Window) {
    plain.until("document.querySelector('#remote').videoWidth > 0").await;
    plain.until("remoteVideo.srcObject.getAudioTracks().length === 1").await;
    assert_eq!(plain.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_plain_page_that_comes_second_is_called() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let site = Site::serve(&root().join("e2e/pages")).await;
    let ada = Caller::join(&browsers, &server.room("plain"), "Ada").await;
    let plain = open_plain(&browsers, &site, &server, "plain").await;
    shows_the_other(&plain).await;
    ada.sees_moving_picture().await;
    ada.hears_sound().await;
    assert_eq!(ada.window.text(".tile-name").await, "Guest");
    plain.close().await;
    ada.is_alone_within(std::time::Duration::from_secs(2)).await;
    ada.close().await;
}

#[tokio::test]
async fn a_plain_page_that_was_there_first_calls() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let site = Site::serve(&root().join("e2e/pages")).await;
    let plain = open_plain(&browsers, &site, &server, "plain").await;
    let ada = Caller::join(&browsers, &server.room("plain"), "Ada").await;
    shows_the_other(&plain).await;
    ada.sees_moving_picture().await;
    ada.hears_sound().await;
    ada.close().await;
    plain.close().await;
}
