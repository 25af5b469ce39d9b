//! Starting and ending.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::time::Duration;

use common::*;
use duologue_protocol::ServerMessage;
use duologue_server::{Config, Server, StartError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{Instant, timeout};

const GOODBYE: (u16, &str) = (1001, "the server is shutting down");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_closes_every_connection_with_words_and_ends_no_call() {
    let mut server = server().await;
    let mut everyone = Vec::new();
    for n in 0..20 {
        let (caller, callee) = server.pair(&format!("room {n}")).await;
        everyone.extend([caller, callee]);
    }
    everyone.push(server.connect().await);
    server.stop.cancel();
    for client in &mut everyone {
        // Not a word of peers that left: calls outlive the server.
        let (retry_after, (code, reason)) = client.sent_away().await;
        assert_eq!((code, reason.as_str()), GOODBYE);
        assert_eq!(retry_after, 1);
        assert!(client.frame().await.is_none());
    }
    timeout(PATIENCE, &mut server.task).await.expect("the server ends").unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn what_was_said_before_a_shutdown_is_still_delivered() {
    let mut server = server().await;
    let (mut ada, mut bob) = server.pair("r").await;
    ada.send(offer("last words", "")).await;
    ada.is_usable().await;
    let ServerMessage::Offer(offer) = bob.next().await else { panic!("no offer") };
    assert_eq!(offer.offer.sdp, "last words");
    server.stop.cancel();
    assert_eq!(bob.sent_away().await.1.0, 1001);
    timeout(PATIENCE, &mut server.task).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn a_shutdown_waits_for_nobody_for_long() {
    let mut server = server_with(2, |config| config.timing.shutdown = Duration::from_secs(2)).await;
    // One who never reads and never closes, and one in the middle of a request.
    let (_silent, _) = server.join("r").await;
    let mut halfway = TcpStream::connect(server.address).await.unwrap();
    halfway.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    assert_eq!(server.get("/healthz", "").await.status(), 200);
    let begin = Instant::now();
    server.stop.cancel();
    timeout(PATIENCE, &mut server.task).await.expect("the server ends").unwrap();
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, halfway.read_to_end(&mut rest)).await.expect("nothing is left open");
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_connections_that_ask_nothing() {
    let mut server = server().await;
    // Browsers open connections ahead of need, and keep them after a response.
    let _ahead = TcpStream::connect(server.address).await.unwrap();
    let mut kept = TcpStream::connect(server.address).await.unwrap();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
    read_head(&mut kept).await;
    let begin = Instant::now();
    server.stop.cancel();
    timeout(PATIENCE, &mut server.task).await.expect("the server ends").unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_request_that_never_ends_is_ended() {
    let server = server_with(2, |config| config.timing.request = Duration::from_millis(100)).await;
    let mut halfway = TcpStream::connect(server.address).await.unwrap();
    halfway.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, halfway.read_to_end(&mut rest)).await.expect("the server lets go");
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_says_what_to_do() {
    let server = server().await;
    let mut config = Config::new(2);
    config.listen = server.address;
    let error = Server::bind(config).await.unwrap_err();
    assert!(matches!(error, StartError::InUse(_)));
    assert!(error.to_string().contains("--listen"), "{error}");
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_said_in_one_line() {
    let server = server().await;
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().to_str().unwrap();
    let taken = server.address.to_string();
    for (arguments, word) in [
        (vec!["--listen", &taken], "in use"),
        (vec!["--listen", "127.0.0.1:0", "--app", "/no/such/folder"], "no folder"),
        (vec!["--listen", "127.0.0.1:0", "--app", empty], "no index.html"),
        (vec!["--listen", "203.0.113.7:0"], "no address"),
    ] {
        let output = outcome(&arguments).await;
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains(word), "{words}");
        assert_eq!(words.lines().count(), 1, "{words}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn help_teaches() {
    let output = outcome(&["--help"]).await;
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for word in ["--listen", "--app", "--room-size", "DUOLOGUE_LISTEN", "Examples", "HTTPS"] {
        assert!(words.contains(word), "{word} is not in:\n{words}");
    }
    assert!(!outcome(&["--room-size", "1"]).await.status.success());
}

#[cfg(unix)]
#[tokio::test]
async fn the_program_says_where_it_is_live_and_ends_when_asked() {
    for signal in ["-TERM", "-INT"] {
        let (child, mut client) = live(&[], &[("DUOLOGUE_ROOM_SIZE", "1000")]).await;
        client.join("a room nobody else knows").await;

        let pid = child.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
        let (retry_after, (code, reason)) = client.sent_away().await;
        assert_eq!((code, reason.as_str()), GOODBYE);
        assert_eq!(retry_after, 1);
        let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").unwrap();
        assert!(output.status.success());
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(log.contains("shutting down"), "{log}");
        assert!(!log.contains("nobody else knows"), "{log}");
    }
}
