//! What the connectivity check says of networks of every kind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_e2e::Kind::{FullCone, None, PortRestricted, Symmetric};
use duologue_e2e::{Lab, PUBLIC, Router, Server, Window, WindowOptions};

/// The check waits ten seconds for servers that do not answer.
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
    assert_eq!(window.text("#check-udp").await, "Blocked");
    assert_eq!(
        window.text("#check-network").await,
        "Cannot be seen: two STUN servers have to answer for that, each at an address of its own"
    );
    window.close().await;
}

#[tokio::test]
async fn a_network_that_was_seen_from_one_side_only_is_not_said_to_keep_its_port() {
    let Some(lab) = Lab::start() else { return };
    lab.ada.put_behind(PortRestricted);
    let [one, other] = PUBLIC.map(|address| format!("stun:{address}:3478"));
    for (stun, why) in [
        (vec![one.clone()], "there is one server"),
        (vec![one.clone(), format!("stun:{}:9", PUBLIC[1])], "nothing listens at the other"),
        (vec![one.clone(), "stun:203.0.113.99".to_owned()], "nobody is at the address of the other"),
    ] {
        let server = lab.serve_with_stun(&stun);
        let browsers = lab.ada.chromium(&server.url);
        let window = browsers.open_with(WindowOptions::default()).await;
        let sentence = checks(&window, &server).await;
        assert!(sentence.starts_with("You can probably call most people directly"), "{why}: {sentence}");
        assert!(window.text("#check-network").await.starts_with("Cannot be seen"), "{why}");
        assert_eq!(window.text("#check-udp").await, "Gets out", "{why}");
        window.close().await;
    }

    // Two that answer are seen through the same router, so that it is not the router.
    let server = lab.serve_with_stun(&[one, other]);
    let browsers = lab.ada.chromium(&server.url);
    let window = browsers.open_with(WindowOptions::default()).await;
    checks(&window, &server).await;
    assert_eq!(window.text("#check-network").await, "Keeps one port for all destinations");
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
