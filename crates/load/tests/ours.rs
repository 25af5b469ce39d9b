//! The load, on a server in the same process: what it counts is what there is.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use duologue_load::contender::{Contender, Duologue};
use duologue_load::counts::Counts;
use duologue_load::fleet::Fleet;
use duologue_load::schedule::schedule;
use duologue_server::{Config, Rate, Rooms, Server};

const PATIENCE: Duration = Duration::from_secs(20);

/// A server that takes what this brings.
async fn server() -> (SocketAddr, Rooms) {
    let mut config = Config::new(2);
    config.listen = "127.0.0.1:0".parse().unwrap();
    let most = Rate { per_second: 1_000_000, burst: 1_000_000 };
    (config.limits.messages, config.limits.offers, config.limits.candidates) = (most, most, most);
    config.limits.lobby_per_address = 1000;
    let server = Server::bind(config).await.unwrap();
    let found = (server.address(), server.rooms());
    tokio::spawn(server.serve(std::future::pending()));
    found
}

fn fleet(address: SocketAddr, stalled: fn(u32) -> bool) -> Fleet {
    let contender: Arc<dyn Contender> = Arc::new(Duologue { program: "not started".into() });
    Fleet::new(contender, address, 0, stalled)
}

#[tokio::test]
async fn everything_that_is_due_is_sent_and_arrives_once() {
    let (address, _) = server().await;
    let mut fleet = fleet(address, |_| false);
    assert_eq!(fleet.come(20, 2000, PATIENCE).await.unwrap().arrived, 20);
    for seed in [1, 2] {
        let due = schedule(10, 1200, Duration::from_millis(500), seed);
        let figures = fleet.relay(&due, PATIENCE).await.unwrap();
        let many = due.len() as u64;
        assert!(many > 300, "{many}");
        let all = Counts { due: many, sent: many, delivered: many, ..Counts::default() };
        assert_eq!(figures.counts, all);
        assert_eq!((figures.latency.len(), figures.lateness.len()), (many, many));
    }
}

#[tokio::test]
async fn who_is_cut_comes_back_to_the_same_room_and_hears_what_is_said_there() {
    let (address, rooms) = server().await;
    let mut fleet = fleet(address, |_| false);
    fleet.come(20, 2000, PATIENCE).await.unwrap();
    let back = fleet.storm(PATIENCE).await.unwrap();
    assert_eq!((back.arrived, rooms.count()), (20, 10));
    let due = schedule(10, 1200, Duration::from_millis(300), 3);
    let counts = fleet.relay(&due, PATIENCE).await.unwrap().counts;
    assert_eq!((counts.delivered, counts.lost(), counts.duplicated), (due.len() as u64, 0, 0));
    assert_eq!(fleet.leave(PATIENCE).await, 20);
}

#[tokio::test]
async fn pairs_in_which_one_does_not_read_are_not_counted_and_the_others_feel_nothing() {
    let (address, _) = server().await;
    let mut fleet = fleet(address, |client| client == 1);
    fleet.come(20, 2000, PATIENCE).await.unwrap();
    let due = schedule(10, 6000, Duration::from_secs(1), 4);
    let theirs = due.iter().filter(|message| message.from / 2 == 0).count();
    assert!(theirs > 100, "{theirs}");
    let counts = fleet.relay(&due, PATIENCE).await.unwrap().counts;
    let many = (due.len() - theirs) as u64;
    assert_eq!((counts.due, counts.delivered, counts.lost()), (many, many, 0));
}
