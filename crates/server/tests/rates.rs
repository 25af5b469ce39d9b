//! How much a client may say: what a call needs passes at once, what is more passes slowly, and a flood ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::time::Duration;

use common::*;
use duologue_protocol::{ErrorCode, Role, ServerMessage};
use duologue_server::{Limits, Rate};
use futures_util::SinkExt;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn in_a_room_of_eight_everybody_can_be_called_at_once_and_nobody_waits() {
    let server = limited(8, |_| ()).await;
    let mut others = Vec::new();
    for _ in 0..7 {
        others.push(server.join("r").await);
    }
    let (mut ada, _) = server.join("r").await;
    for _ in 0..7 {
        ada.ready(Role::Callee).await;
    }
    for (_, welcome) in &others {
        let to = to(&welcome.id);
        ada.send(answer("a", &to)).await;
        for n in 0..20 {
            ada.send(candidate(&n.to_string(), &to)).await;
        }
    }
    ada.is_usable().await;
    for (other, _) in &mut others {
        let mut heard = 0;
        while heard < 21 {
            heard += usize::from(!matches!(other.next().await, ServerMessage::Ready(_)));
        }
    }
    for limit in ["messages", "offers", "candidates"] {
        let slowed = format!("duologue_slowed_total{{limit=\"{limit}\"}}");
        assert_eq!(server.counted(&slowed).await, 0, "{limit}");
    }
}

/// What goes over each of the rates, and the counter of the rate.
fn floods() -> [(&'static str, String); 3] {
    [
        ("messages", r#"{"type":"nonsense"}"#.to_owned()),
        ("offers", offer("o", r#","to":"nobody""#)),
        ("candidates", candidate("c", r#","to":"nobody""#)),
    ]
}

/// Sixteen of something at once (a room takes no fewer messages) and 20 a second; of the rest as much as there is. A flood is over after half a second.
fn slow(limits: &mut Limits, limit: &str) {
    let (fast, slow) = (Rate { per_second: 1000, burst: 1000 }, Rate { per_second: 20, burst: 16 });
    let rate = |name| if name == limit { slow } else { fast };
    limits.messages = rate("messages");
    limits.offers = rate("offers");
    limits.candidates = rate("candidates");
    limits.flood = Duration::from_millis(500);
}

#[tokio::test]
async fn who_goes_over_a_rate_is_read_more_slowly_and_loses_nothing() {
    for (limit, text) in floods() {
        // In rooms for one the bursts do not grow.
        let server = limited(1, |limits| slow(limits, limit)).await;
        let slowed = format!("duologue_slowed_total{{limit=\"{limit}\"}}");
        let (mut ada, _) = server.join("r").await;
        let spent = usize::from(limit == "messages");
        let begin = Instant::now();
        for _ in spent..22 {
            ada.send(text.clone()).await;
        }
        for _ in spent..22 {
            assert!(!ada.refusal().await.fatal);
        }
        let time = begin.elapsed();
        assert!(time >= Duration::from_millis(280), "{limit}: six of them wait, and took {time:?}");
        assert_eq!(server.counted(&slowed).await, 1, "{limit}");
        assert_eq!(breaches(&server, limit).await, 0, "{limit}");
        ada.is_usable().await;
    }
}

#[tokio::test]
async fn who_goes_on_and_on_is_let_go_and_the_others_notice_nothing() {
    for (limit, text) in floods() {
        let server = limited(2, |limits| slow(limits, limit)).await;
        let (mut ada, mut bob) = server.pair("r").await;
        let begin = Instant::now();
        let flood = text.clone();
        for _ in 0..300 {
            ada.socket.feed(Message::text(flood.clone())).await.unwrap();
        }
        ada.socket.flush().await.unwrap();
        let last = loop {
            let refusal = ada.refusal().await;
            if refusal.fatal {
                break refusal;
            }
        };
        assert_eq!(last.code, ErrorCode::TooFast, "{limit}");
        assert!(last.message.contains("wait"), "{}", last.message);
        assert_eq!(ada.closed().await, (4011, "too fast".to_owned()));
        assert!(begin.elapsed() >= Duration::from_millis(500), "{limit}: {:?}", begin.elapsed());
        assert_eq!(breaches(&server, limit).await, 1, "{limit}");
        assert_eq!(server.counted("duologue_connections_ended_total{how=\"too-fast\"}").await, 1);
        bob.left().await;
        bob.is_usable().await;
    }
}

#[tokio::test]
async fn frames_that_are_no_messages_count_as_well() {
    let server = limited(1, |limits| slow(limits, "messages")).await;
    let (mut ada, _) = server.join("r").await;
    for _ in 0..300 {
        ada.socket.feed(Message::Ping(Vec::new().into())).await.unwrap();
    }
    ada.socket.flush().await.unwrap();
    let_go(&mut ada, ErrorCode::TooFast, 4011).await;
}

#[tokio::test]
async fn who_is_read_slowly_is_not_taken_for_dead_and_is_still_written_to() {
    let server = server_with(1, |config| {
        with_metrics(config);
        config.limits.messages = Rate { per_second: 4, burst: 1 };
        config.limits.flood = Duration::from_secs(60);
        config.timing.ping = Duration::from_millis(20);
        config.timing.silence = Duration::from_millis(150);
    })
    .await;
    let (mut ada, a) = server.join("r").await;
    // Each waits for longer than the silence that is allowed. Nobody reads pongs meanwhile.
    let begin = Instant::now();
    for _ in 0..20 {
        ada.send(r#"{"type":"ping"}"#).await;
    }
    for _ in 0..20 {
        assert_eq!(ada.next().await, ServerMessage::Pong);
    }
    assert!(begin.elapsed() >= Duration::from_secs(1), "{:?}", begin.elapsed());
    assert_eq!(server.counted("duologue_connections_open").await, 1, "{}", a.id);
}
