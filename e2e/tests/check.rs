//! What the connectivity check says of networks of every kind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_e2e::Kind::{FullCone, None, PortRestricted, Symmetric};
use duologue_e2e::{Lab, Router, Server, Window, WindowOptions};

/// A server that does not answer is given up by the browser after ten seconds.
const PATIENCE: Duration = Duration::from_secs(40);

/// Opens the page, lets it check, and gives what it says.
async fn checks(window: &Window, server: &Server) -> String {
    window.go("about:blank").await;
    window.go(&server.room("check")).await;
    window.screen("lobby").await;
    window.press("#check-open").await;
    window.until_within("document.querySelector('#check').dataset.state === 'done'", PATIENCE).await;
    window.text("#check-sentence").await
}

#[tokio::test]
async fn without_a_relay_it_tells_a_network_that_keeps_its_port_from_one_that_changes_it() {
    let Some(lab) = Lab::start() else { return };
    let server = lab.serve_without_relay();
    let browsers = lab.ada.chromium(&server.url);
    let window = browsers.open_with(WindowOptions::default()).await;

    lab.ada.put_behind(Symmetric);
    let sentence = checks(&window, &server).await;
    assert_eq!(
        sentence,
        "Your network changes its port for every destination; without a TURN server you can call only people on your own \
         network."
    );
    assert_eq!(window.text("#check-ways").await, "host, srflx");
    assert_eq!(window.text("#check-udp").await, "Gets out");
    assert_eq!(window.text("#check-relay").await, "There is none");

    for kind in [FullCone, PortRestricted] {
        lab.ada.put_behind(kind);
        let sentence = checks(&window, &server).await;
        assert!(sentence.starts_with("You can call most people directly"), "{kind:?}: {sentence}");
        assert_eq!(window.text("#check-network").await, "Keeps one port for all destinations");
    }

    lab.ada.put_behind(None);
    let sentence = checks(&window, &server).await;
    assert!(sentence.starts_with("You can call most people directly"), "{sentence}");
    assert_eq!(window.text("#check-network").await, "Puts this computer on the internet directly");

    lab.ada.put_behind(Router::without_udp(PortRestricted));
    let sentence = checks(&window, &server).await;
    assert_eq!(
        sentence,
        "Your network blocks UDP; without a TURN server over TCP you can call only people on your own network."
    );
    window.close().await;
}

#[tokio::test]
async fn with_a_relay_everybody_can_be_called() {
    let Some(lab) = Lab::start() else { return };
    let server = lab.serve(&[]);
    let browsers = lab.ada.chromium(&server.url);
    let window = browsers.open_with(WindowOptions::default()).await;

    lab.ada.put_behind(Symmetric);
    let sentence = checks(&window, &server).await;
    assert_eq!(sentence, "You can call anyone: where no direct way leads, the relay carries the call.");
    let relay = window.text("#check-relay").await;
    assert!(relay.starts_with("Carries calls over UDP, there and back in "), "{relay}");

    lab.ada.put_behind(Router::without_udp(Symmetric));
    let sentence = checks(&window, &server).await;
    assert!(
        sentence.starts_with("Your network blocks UDP; you can call anyone, but only over the relay"),
        "{sentence}"
    );
    let relay = window.text("#check-relay").await;
    assert!(relay.starts_with("Carries calls over TCP"), "{relay}");
    window.close().await;
}
