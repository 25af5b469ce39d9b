//! How somebody comes in: with their session as long as they have one, and anew with their pairs if it is not known any more.

use std::collections::HashMap;
use std::time::Duration;

use duologue_protocol::{ErrorCode, ServerMessage};
use futures_util::SinkExt;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::{Habit, Person, Socket, next};
use crate::scene::ROOM;

/// Longer than a node lets anybody wait for another.
const PATIENCE: Duration = Duration::from_secs(9);

impl Person {
    /// Gives whether they are in. If not, they begin again with another connection.
    pub(super) async fn enter(&mut self, socket: &mut Socket) -> bool {
        while !self.shared.stop.is_cancelled() {
            if socket.send(Message::text(self.question())).await.is_err() {
                return false;
            }
            match self.answer(socket).await {
                Some(ServerMessage::Resumed(_)) => {
                    self.shared.ledger.entered(&self.id);
                    return true;
                }
                Some(ServerMessage::Welcome(welcome)) => {
                    self.id = welcome.id.to_string();
                    self.session = Some(welcome.session.as_str().to_owned());
                    (self.seq, self.peers) = (0, HashMap::new());
                    self.shared.ledger.entered(&self.id);
                    return true;
                }
                Some(ServerMessage::Error(refusal)) => match refusal.code {
                    ErrorCode::SessionUnknown => self.session = None,
                    ErrorCode::Busy | ErrorCode::RoomFull => sleep(Duration::from_millis(500)).await,
                    _ => {
                        self.shared.ledger.wrong(format!("{} may not come in: {refusal:?}", self.name));
                        return false;
                    }
                },
                _ => return false,
            }
        }
        false
    }

    fn question(&self) -> String {
        if let Some(session) = &self.session {
            return format!(r#"{{"type":"resume","session":"{session}","seq":{}}}"#, self.seq);
        }
        let pairs: Vec<_> = self.pairs.values().map(|pair| format!("\"{pair}\"")).collect();
        let (name, pairs) = (&self.name, pairs.join(","));
        let key = match self.habit {
            Habit::Keyless => String::new(),
            _ => format!(r#","key":"key of {name}""#),
        };
        format!(r#"{{"type":"join","room":"{ROOM}","name":"{name}","protocol":1{key},"pairs":[{pairs}]}}"#)
    }

    /// What the server answers; `None` if the connection has ended, or nothing comes. Over a connection whose stay was left,
    /// some of what was said in it may come before.
    async fn answer(&mut self, socket: &mut Socket) -> Option<ServerMessage> {
        let answered = async {
            loop {
                match next(socket).await? {
                    (message, Some(seq)) if !self.id.is_empty() && self.session.is_none() => {
                        self.hear(message, Some(seq));
                    }
                    (ServerMessage::Pong, None) => {}
                    (ServerMessage::Error(refusal), None)
                        if matches!(refusal.code, ErrorCode::NoRecipient | ErrorCode::NotDelivered) =>
                    {
                        self.hear(ServerMessage::Error(refusal), None);
                    }
                    (message, _) => return Some(message),
                }
            }
        };
        timeout(PATIENCE, answered).await.ok()?
    }
}
