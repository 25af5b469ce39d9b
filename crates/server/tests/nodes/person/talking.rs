//! What somebody says who is in the room, to everyone all the time.

use std::time::Duration;

use duologue_protocol::ServerMessage;
use futures_util::SinkExt;
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::{Habit, Person, Socket, next};
use crate::ledger::Who;

/// The time between two lines to the same person.
const TICK: Duration = Duration::from_millis(100);
/// Every so many of these they send a `ping`.
const PING: u32 = 10;
/// Every so many of these somebody restless leaves.
const LEAVE: u32 = 4;
/// As the page, with some to spare: a server that says nothing for so long is not there.
const SILENCE: Duration = Duration::from_secs(20);

/// What has ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The connection.
    OfConnection,
    /// They have left, and the connection is still there.
    OfStay,
}

impl Person {
    /// Until the connection has ended, or the stay.
    pub(super) async fn talk(&mut self, socket: &mut Socket) -> End {
        let mut ticks = interval(TICK);
        let mut heard = Instant::now();
        let mut count = 0_u32;
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    count += 1;
                    let ping = count.is_multiple_of(PING);
                    if heard.elapsed() > SILENCE || self.say(socket, ping).await.is_none() {
                        break;
                    }
                    if self.habit == Habit::Restless && count.is_multiple_of(LEAVE) && !self.is_quiet() {
                        if self.leave(socket).await.is_none() {
                            break;
                        }
                        return End::OfStay;
                    }
                }
                message = next(socket) => match message {
                    Some((message, seq)) => {
                        heard = Instant::now();
                        self.hear(message, seq);
                    }
                    None => break,
                }
            }
        }
        self.shared.ledger.broke(&self.who());
        End::OfConnection
    }

    /// A line to everyone who is there. `None` if the connection takes no more.
    async fn say(&mut self, socket: &mut Socket, ping: bool) -> Option<()> {
        if ping {
            give(socket, format!(r#"{{"type":"ping","seq":{}}}"#, self.seq)).await?;
        }
        if self.is_quiet() || self.habit == Habit::Silent {
            return Some(());
        }
        let me = self.who();
        let all: Vec<_> = self.peers.iter().map(|(id, peer)| (id.clone(), peer.name.clone())).collect();
        for (id, name) in all {
            // Two who are restless may leave at the same time. Then nobody is there to be told that something did not arrive.
            if self.habit == Habit::Restless && name.starts_with("restless") {
                continue;
            }
            let line = self.shared.ledger.send(&me, &Who { name, id: id.clone() });
            let text = format!(r#"{{"type":"candidate","candidate":{{"candidate":"{line}"}},"to":"{id}"}}"#);
            give(socket, text).await?;
        }
        Some(())
    }

    /// Leaves, right after the last line.
    async fn leave(&mut self, socket: &mut Socket) -> Option<()> {
        give(socket, r#"{"type":"leave"}"#.to_owned()).await?;
        self.shared.ledger.left(&self.id);
        self.session = None;
        self.sees_nobody();
        Some(())
    }
}

/// Gives it to the connection; `None` if it takes no more.
async fn give(socket: &mut Socket, text: String) -> Option<()> {
    timeout(Duration::from_secs(3), socket.send(Message::text(text))).await.ok()?.ok()
}

/// What nobody is told who is in the room already.
pub(super) fn is_an_answer_to_come_in(message: &ServerMessage) -> bool {
    matches!(message, ServerMessage::Welcome(_) | ServerMessage::Resumed(_) | ServerMessage::Waiting)
}
