//! What is counted, and who can read it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::process::Stdio;

use common::*;
use duologue_protocol::{ErrorCode, PeerId};
use duologue_server::{Config, Server, StartError};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

async fn counting() -> Running {
    server_with(2, with_metrics).await
}

#[tokio::test]
async fn connections_rooms_and_members_are_counted_while_they_are_there() {
    let server = counting().await;
    for series in
        ["duologue_connections_open", "duologue_rooms", "duologue_members", "duologue_connections_total"]
    {
        assert_eq!(server.counted(series).await, 0, "{series}");
    }
    let ([(mut ada, _), (bob, _)], _) = server.couple("r").await;
    let _eve = server.connect().await;
    server.counts("duologue_connections_open", 3).await;
    assert_eq!(server.counted("duologue_connections_total").await, 3);
    assert_eq!((server.counted("duologue_rooms").await, server.counted("duologue_members").await), (1, 2));

    // Whoever is away keeps the seat, and has no connection.
    drop(bob);
    ada.away().await;
    server.counts("duologue_connections_open", 2).await;
    assert_eq!(server.counted("duologue_members").await, 2);
    server.counts("duologue_connections_ended_total{how=\"broken\"}", 1).await;
    ada.send(r#"{"type":"leave"}"#).await;
    server.counts("duologue_members", 1).await;
    ada.socket.close(None).await.unwrap();
    server.counts("duologue_connections_ended_total{how=\"closed\"}", 1).await;
    assert_eq!(server.counted("duologue_connections_total").await, 3);
}

#[tokio::test]
async fn what_is_relayed_is_counted_by_kind_and_what_is_not_is_a_refusal() {
    let server = counting().await;
    let (mut ada, mut bob) = server.pair("r").await;
    ada.send(offer("o", "")).await;
    bob.next().await;
    bob.send(answer("a", "")).await;
    ada.next().await;
    for _ in 0..3 {
        ada.send(candidate("c", "")).await;
        bob.next().await;
    }
    ada.refused(candidate("c", &to(&PeerId::new("nobody").unwrap())), ErrorCode::NoRecipient).await;
    for (kind, number) in [("offer", 1), ("answer", 1), ("candidate", 3)] {
        let series = format!("duologue_messages_relayed_total{{kind=\"{kind}\"}}");
        assert_eq!(server.counted(&series).await, number, "{kind}");
    }
    assert_eq!(server.counted("duologue_refusals_total{code=\"no-recipient\"}").await, 1);
    assert_eq!(server.counted("duologue_refusals_total{code=\"bad-json\"}").await, 0);
}

#[tokio::test]
async fn bytes_are_counted_both_ways() {
    let server = counting().await;
    let mut client = server.connect().await;
    client.is_usable().await;
    let (ping, pong) = (r#"{"type":"ping"}"#, r#"{"type":"pong"}"#);
    assert_eq!(server.counted("duologue_received_bytes_total").await, ping.len() as i64);
    assert_eq!(server.counted("duologue_sent_bytes_total").await, pong.len() as i64);
}

#[tokio::test]
async fn a_session_that_is_taken_up_is_counted() {
    let server = counting().await;
    let ([(mut ada, _), (bob, b)], _) = server.couple("r").await;
    drop(bob);
    ada.away().await;
    assert_eq!(server.counted("duologue_sessions_resumed_total").await, 0);
    let _bob = server.resume(&b.session, 1).await;
    assert_eq!(server.counted("duologue_sessions_resumed_total").await, 1);
    server.connect().await.refused(resume(&b.session, 99), ErrorCode::SessionUnknown).await;
    assert_eq!(server.counted("duologue_sessions_resumed_total").await, 1);
}

#[tokio::test]
async fn metrics_say_which_server_it_is_and_nothing_of_anybody() {
    let server = counting().await;
    let ([(mut ada, a), _bob], pair) = server.couple("the name of a room").await;
    ada.send(r#"{"type":"leave"}"#).await;
    ada.send(r#"{"type":"join","room":"another name","name":"Grace"}"#).await;
    ada.welcomed().await;
    let text = server.metrics().await;
    let version = format!("duologue_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    assert!(text.contains("duologue_uptime_seconds "), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    for secret in ["name of a room", "another name", "Grace", "127.0.0.1", a.id.as_str(), pair.as_str()] {
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
    // Every label is a word of the program.
    let labels =
        text.lines().filter_map(|line| line.split_once('{')?.1.split_once('=').map(|(label, _)| label));
    assert!(
        labels.into_iter().all(|label| ["version", "how", "kind", "code", "limit", "by"].contains(&label))
    );
}

#[tokio::test]
async fn metrics_are_at_their_own_address_and_nowhere_else() {
    let server = counting().await;
    let metrics = server.metrics.unwrap();
    assert_ne!(metrics, server.address);
    assert_eq!(server.get("/metrics", "").await.status(), 404);
    for path in ["/", "/ws", "/healthz"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        assert_eq!(http(metrics, &request).await.status(), 404, "{path}");
    }
    let request = "GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    let kind = http(metrics, request).await.header("content-type").unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    assert_eq!(common::server().await.metrics, None, "unless it is asked for, there is no such address");

    let mut config = Config::new(2);
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.metrics_listen = Some(metrics);
    let error = Server::bind(config).await.unwrap_err();
    assert!(matches!(error, StartError::Metrics(..)));
    assert!(error.to_string().contains("--metrics-listen"), "{error}");
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_whoever_reads_the_metrics() {
    let mut server = counting().await;
    let _idle = tokio::net::TcpStream::connect(server.metrics.unwrap()).await.unwrap();
    server.metrics().await;
    server.stop.cancel();
    timeout(PATIENCE / 4, &mut server.task).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn the_program_says_where_the_metrics_are() {
    let mut child = program()
        .args(["--listen", "127.0.0.1:0"])
        .env("DUOLOGUE_METRICS_LISTEN", "127.0.0.1:0")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = timeout(PATIENCE, log.next_line()).await.unwrap().unwrap().unwrap();
    let (_, url) = line.split_once("http://").expect("a URL");
    let address = url.strip_suffix("/metrics").unwrap().parse().unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    assert!(http(address, request).await.text().contains("duologue_rooms 0"));
}
