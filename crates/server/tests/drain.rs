//! An end in two steps: first no newcomers are asked for, then everybody is sent away, each in a moment of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::time::Duration;

use common::*;
use duologue_protocol::ServerMessage;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::{Instant, timeout};

const LONG: Duration = Duration::from_secs(3600);

/// Waits until whoever asks is told that the server is about to end.
async fn is_draining(server: &Running) -> String {
    let begin = Instant::now();
    loop {
        let answer = server.get("/readyz", "").await;
        if answer.status() == 503 {
            return answer.text().to_owned();
        }
        assert_eq!((answer.status(), answer.text()), (200, "ready"));
        assert!(begin.elapsed() < PATIENCE, "never");
    }
}

#[tokio::test]
async fn a_server_that_drains_says_so_and_serves_on() {
    let server = server_with(3, |config| config.timing.drain = LONG).await;
    let (mut ada, mut bob) = server.pair("r").await;
    assert_eq!(server.get("/readyz", "").await.text(), "ready");
    server.stop.cancel();
    let why = is_draining(&server).await;
    assert!(why.starts_with("draining: ") && why.contains("another"), "{why}");
    assert_eq!(server.get("/healthz", "").await.status(), 200, "it lives");
    // Who is in a call notices nothing, and who cannot know any better still gets in.
    ada.send(offer("more", "")).await;
    let ServerMessage::Offer(offer) = bob.next().await else { panic!("no offer") };
    assert_eq!(offer.offer.sdp, "more");
    server.join("r").await;
}

#[tokio::test]
async fn after_it_everybody_is_sent_away_within_the_time_there_is_and_not_at_once() {
    let mut server = server_with(2, |config| {
        config.timing.drain = Duration::from_millis(50);
        config.timing.shutdown = Duration::from_millis(1500);
        config.timing.goodbye = Duration::from_millis(250);
    })
    .await;
    let mut everyone = Vec::new();
    for n in 0..20 {
        everyone.push(server.enter(&format!("room {n}")).await.0);
    }
    server.stop.cancel();
    let begin = Instant::now();
    let moments = everyone.iter_mut().map(|client| async {
        let (retry_after, (code, _)) = client.sent_away().await;
        assert_eq!((code, retry_after), (1001, 2));
        begin.elapsed()
    });
    let moments = futures_util::future::join_all(moments).await;
    let (first, last) = (moments.iter().min().unwrap(), moments.iter().max().unwrap());
    assert!(*last - *first > Duration::from_millis(300), "{moments:?}");
    timeout(PATIENCE, &mut server.task).await.expect("the server ends").unwrap();
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_server_with_nobody_left_does_not_wait() {
    let mut server = server_with(2, |config| {
        config.timing.drain = Duration::from_millis(1);
        config.timing.shutdown = LONG;
    })
    .await;
    server.stop.cancel();
    timeout(PATIENCE, &mut server.task).await.expect("the server ends").unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_signal_ends_the_wait() {
    let (mut child, mut client) = live(&["--drain", "3600"], &[]).await;
    client.join("r").await;
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let pid = child.id().unwrap().to_string();
    for word in ["draining", "asked again"] {
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        while !timeout(PATIENCE, log.next_line())
            .await
            .expect("a line")
            .unwrap()
            .expect("a line")
            .contains(word)
        {}
    }
    assert_eq!(client.sent_away().await.1.0, 1001);
    assert!(timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap().success());
}
