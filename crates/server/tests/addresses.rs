//! Whose connection it is: limits count by the address of the client, and nobody can say that it is another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// One connection to an address may be in no room. This machine is a proxy, if that is said.
async fn one_each(trusted: &[&str]) -> Running {
    server_with(2, |config| {
        with_metrics(config);
        config.limits.lobby_per_address = 1;
        config.trusted_proxies = trusted.iter().map(|network| network.parse().unwrap()).collect();
    })
    .await
}

/// A WebSocket with these headers that stays open; gives the status too.
async fn open(server: &Running, headers: &str) -> (TcpStream, String) {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(upgrade("localhost", headers).as_bytes()).await.unwrap();
    let head = read_head(&mut socket).await;
    (socket, head.split(' ').nth(1).unwrap().to_owned())
}

/// Opens a connection with each of these headers, and keeps them open. Gives the statuses.
async fn statuses(server: &Running, all: &[&str]) -> Vec<String> {
    let mut sockets = Vec::new();
    let mut statuses = Vec::new();
    for headers in all {
        let (socket, status) = open(server, &format!("{headers}\r\n")).await;
        sockets.push(socket);
        statuses.push(status);
    }
    statuses
}

#[tokio::test]
async fn what_a_stranger_writes_into_a_header_counts_for_nothing() {
    let server = one_each(&["10.0.0.0/8"]).await;
    let made_up = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2", "Forwarded: for=192.0.2.3"];
    assert_eq!(statuses(&server, &made_up).await, ["101", "429", "429"]);
}

#[tokio::test]
async fn behind_a_trusted_proxy_everybody_counts_on_their_own() {
    let server = one_each(&["127.0.0.0/8"]).await;
    let clients = [
        "X-Forwarded-For: 192.0.2.1",
        "X-Forwarded-For: 192.0.2.2",
        "Forwarded: for=192.0.2.3",
        "Forwarded: for=192.0.2.1",
        "X-Forwarded-For: 192.0.2.99, 192.0.2.1",
        "X-Forwarded-For: 192.0.2.99, 192.0.2.4, 127.0.0.2",
        "X-Forwarded-For: 192.0.2.4",
    ];
    assert_eq!(statuses(&server, &clients).await, ["101", "101", "101", "429", "429", "101", "429"]);
    assert_eq!(server.counted("duologue_breaches_total{limit=\"lobby_per_address\"}").await, 3);
}

#[tokio::test]
async fn a_network_of_ipv6_counts_as_one_client() {
    let server = one_each(&["127.0.0.1/32"]).await;
    let clients = [
        "X-Forwarded-For: 2001:db8:0:1::1",
        "X-Forwarded-For: 2001:db8:0:1:ffff::2",
        "Forwarded: for=\"[2001:db8:0:1::3]:4711\"",
        "X-Forwarded-For: 2001:db8:0:2::1",
    ];
    assert_eq!(statuses(&server, &clients).await, ["101", "429", "429", "101"]);
}

#[tokio::test]
async fn what_cannot_be_read_counts_as_the_proxy() {
    let server = one_each(&["127.0.0.1/32"]).await;
    let clients = [
        "X-Forwarded-For: nonsense",
        "Forwarded: for=unknown",
        "X-Proxy: says nothing",
        // Each header may be the one that the client made up.
        "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.2",
        "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1",
    ];
    assert_eq!(statuses(&server, &clients).await, ["101", "429", "429", "429", "101"]);
}
