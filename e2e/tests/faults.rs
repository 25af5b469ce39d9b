//! What becomes of a call when something around it breaks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::{Duration, SystemTime};

use duologue_e2e::{
    Browsers, Caller, Frames, Kind, Lab, Pair, Path, Server, SlowLink, WindowOptions, for_each_pairing,
};

for_each_pairing!(a_browser_that_is_killed_sends_no_more_frames);

/// How long a picture may stand still on a busy machine while nothing is wrong with the call.
const STILL: Duration = Duration::from_secs(2);
/// How long frames may take to come again after what kept them back is over.
const SOON: Duration = Duration::from_secs(10);

/// Ada and Bob are in a call; the frames that each sees of the other.
async fn watch(callers: [&Caller; 2]) -> [Frames; 2] {
    for caller in callers {
        caller.sees_moving_picture().await;
    }
    [Frames::watch(&callers[0].window).await, Frames::watch(&callers[1].window).await]
}

/// Frames have come all the time since then, and still do.
async fn went_on(frames: &[Frames; 2], since: SystemTime) {
    for frames in frames {
        frames.next_after(SystemTime::now(), STILL).await;
        let gap = frames.longest_gap(since).await;
        assert!(gap < STILL, "the picture stood still for {gap:?}");
        assert!(frames.frames_since(since).await > 1);
    }
}

async fn a_browser_that_is_killed_sends_no_more_frames(pair: Pair) {
    let server = Server::start();
    let ada = Caller::join(&pair.first, &server.room("power"), "Ada").await;
    let bob = Caller::join(&pair.second, &server.room("power"), "Bob").await;
    let [frames, _] = watch([&ada, &bob]).await;
    frames.next_after(SystemTime::now(), STILL).await;
    bob.window.kill9().await;
    frames.stop_for(STILL).await;
    assert!(frames.last_frame_age().await >= STILL);
    ada.close().await;
}

#[tokio::test]
async fn the_call_goes_on_while_the_server_is_killed_and_when_it_is_back() {
    let (mut server, browsers) = (Server::start(), Browsers::chromium());
    let ada = Caller::join(&browsers, &server.room("server"), "Ada").await;
    let bob = Caller::join(&browsers, &server.room("server"), "Bob").await;
    let frames = watch([&ada, &bob]).await;
    let begin = SystemTime::now();
    server.kill9();
    for caller in [&ada, &bob] {
        caller.window.until("!document.querySelector('#call-note').hidden").await;
    }
    went_on(&frames, begin).await;
    server.start_again();
    for caller in [&ada, &bob] {
        caller.window.until("document.querySelector('#call-note').hidden").await;
        caller.sees("state", "connected").await;
    }
    went_on(&frames, begin).await;
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn the_call_goes_on_when_one_loses_the_way_to_the_server_for_a_moment() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let link = SlowLink::to(server.port(), Duration::ZERO).await;
    let ada = Caller::join(&browsers, &link.reach(&server.room("socket")), "Ada").await;
    let bob = Caller::join(&browsers, &server.room("socket"), "Bob").await;
    let frames = watch([&ada, &bob]).await;
    let begin = SystemTime::now();
    // The page takes another connection.
    link.cut().await;
    for caller in [&ada, &bob] {
        caller.sees("state", "connected").await;
    }
    went_on(&frames, begin).await;
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn a_network_that_is_gone_for_two_seconds_costs_little_more_of_the_picture() {
    let Some(mut lab) = Lab::start() else { return };
    let server = lab.serve(&[]);
    let browsers = [&lab.ada, &lab.bob].map(|home| {
        home.put_behind(Kind::PortRestricted);
        home.chromium(&server.url)
    });
    let options = WindowOptions::before(Path::COLLECT);
    let ada = Caller::join_with(&browsers[0], &server.room("cut"), "Ada", options.clone()).await;
    let bob = Caller::join_with(&browsers[1], &server.room("cut"), "Bob", options).await;
    let frames = watch([&ada, &bob]).await;

    lab.ada.cut();
    for frames in &frames {
        frames.stop_for(Duration::from_secs(2)).await;
    }
    lab.ada.restore();
    let restored = SystemTime::now();
    for frames in &frames {
        frames.next_after(restored, SOON).await;
    }

    // Without TCP there is no server, and the call does not need it.
    let begin = SystemTime::now();
    lab.ada.cut_tcp();
    let asked = "fetch('healthz', { signal: AbortSignal.timeout(2000) }).then(() => 'there', () => 'gone')";
    assert_eq!(ada.window.run(&format!("return await {asked};")).await, "gone");
    went_on(&frames, begin).await;
    lab.ada.restore();

    // From another address the server is reached again.
    lab.ada.change_address();
    ada.window.until(&format!("await {asked} === 'there'")).await;
    ada.close().await;
    bob.close().await;
}
