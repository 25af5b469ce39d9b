//! Two people who go on calling each other while all of that happens.

use std::time::{Duration, Instant};

use duologue_protocol::{Role, ServerMessage};
use tokio_util::sync::CancellationToken;

use crate::common::{Client, answer, candidate, offer};

/// How a call went.
#[derive(Debug)]
pub struct Went {
    /// Rounds of an offer, an answer and ten candidates each way.
    pub rounds: u32,
    /// How long a round took, from the shortest to the longest.
    pub took: Vec<Duration>,
}

impl Went {
    pub fn messages(&self) -> u64 {
        u64::from(self.rounds) * 22
    }

    /// The time that so many of a hundred rounds were done in.
    pub fn within(&self, percent: usize) -> Duration {
        self.took[(self.took.len() * percent / 100).min(self.took.len() - 1)]
    }
}

/// Calls, over and over, until it is to end; then both leave. Everything arrives, once, in order, and nothing else does.
pub async fn go_on(mut ada: Client, mut bob: Client, end: CancellationToken) -> Went {
    for client in [&mut ada, &mut bob] {
        client.enter("a room of their own", &[]).await;
    }
    ada.ready(Role::Caller).await;
    bob.ready(Role::Callee).await;
    let mut went = Went { rounds: 0, took: Vec::new() };
    while !end.is_cancelled() || went.rounds == 0 {
        let (begin, round) = (Instant::now(), went.rounds);
        ada.send(offer(&format!("offer {round}"), "")).await;
        let ServerMessage::Offer(heard) = bob.next().await else { panic!("no offer {round}") };
        assert_eq!(heard.offer.sdp, format!("offer {round}"));
        bob.send(answer(&format!("answer {round}"), "")).await;
        let ServerMessage::Answer(heard) = ada.next().await else { panic!("no answer {round}") };
        assert_eq!(heard.answer.sdp, format!("answer {round}"));
        for number in 0..10 {
            for client in [&mut ada, &mut bob] {
                client.send(candidate(&format!("candidate {round} {number}"), "")).await;
            }
        }
        for number in 0..10 {
            for client in [&mut ada, &mut bob] {
                assert_eq!(client.candidate().await, format!("candidate {round} {number}"));
            }
        }
        // As a client does that means to resume: what has arrived need not be kept.
        for client in [&mut ada, &mut bob] {
            client.send(format!(r#"{{"type":"ping","seq":{}}}"#, client.seq)).await;
            assert_eq!(client.next().await, ServerMessage::Pong);
        }
        went.took.push(begin.elapsed());
        went.rounds += 1;
    }
    went.took.sort();
    for client in [&mut ada, &mut bob] {
        client.is_usable().await;
    }
    for client in [&mut ada, &mut bob] {
        client.socket.close(None).await.unwrap();
    }
    went
}
