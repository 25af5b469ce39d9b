//! What waits for a client is written together, and what was not read of it is written again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use duologue_protocol::ServerMessage;
use tokio::io::AsyncReadExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_in_the_middle_of_what_is_written_together_loses_nothing() {
    const MANY: usize = 400;
    let server = server_with(2, |config| {
        without_rates(config);
        (config.queue.messages, config.queue.bytes) = (10 * MANY, 64 * 1024 * 1024);
    })
    .await;
    let ([(mut ada, _), (mut bob, b)], _) = server.couple("r").await;
    // More than any socket holds, in messages of several sizes: the server has written a part of it, and waits.
    let lines: Vec<String> = (0..MANY).map(|n| format!("{n} {}", "x".repeat(n * 7919 % 30_000))).collect();
    for line in &lines {
        ada.send(offer(line, "")).await;
    }
    ada.is_usable().await;
    // Bob takes a part of that, which ends within a message, and his connection breaks.
    let mut part = vec![0; 1_000_003];
    bob.socket.get_mut().read_exact(&mut part).await.unwrap();
    let whole = whole_messages(&part);
    assert!((10..MANY).contains(&whole), "{whole}");
    let seq = bob.seq + whole as u64;
    drop(bob);
    ada.away().await;
    let mut bob = server.resume(&b.session, seq).await;
    for line in &lines[whole..] {
        let ServerMessage::Offer(offer) = bob.next().await else { panic!("no offer") };
        assert!(offer.offer.sdp == *line, "{:.10}", offer.offer.sdp);
    }
    ada.back().await;
    bob.is_usable().await;
}

/// How many frames of text begin and end in what a server wrote (RFC 6455, section 5.2).
fn whole_messages(mut bytes: &[u8]) -> usize {
    let mut many = 0;
    while let [0x81, length, rest @ ..] = bytes {
        let (length, rest) = match (*length, rest) {
            (126, [a, b, rest @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), rest),
            (length, rest) => (usize::from(length), rest),
        };
        let Some(next) = rest.get(length..) else { break };
        (bytes, many) = (next, many + 1);
    }
    many
}
