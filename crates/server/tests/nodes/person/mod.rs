//! A client that does as the page does, and talks all the time to everyone in the room.
//!
//! `entering` is how they come in, and come back; `talking` what they say then; `hearing` what they make of what they hear.

mod entering;
mod hearing;
mod talking;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use duologue_protocol::{Numbered, ServerMessage};
use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use crate::ledger::{Ledger, Who};
use talking::End;

type Socket = WebSocketStream<TcpStream>;

/// What a scene and its people have in common.
#[derive(Clone)]
pub struct Shared {
    pub ledger: Ledger,
    pub nodes: Arc<Mutex<Vec<SocketAddr>>>,
    /// Whether nobody is to talk.
    pub quiet: Arc<AtomicBool>,
    pub stop: CancellationToken,
    /// By name, whom each sees in the room and can talk to.
    pub sees: Arc<Mutex<HashMap<String, Vec<String>>>>,
}

/// What tells somebody from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// They do as the page does.
    Usual,
    /// They join without a `key`, so that nothing but the server's own memory tells that they are in already.
    Keyless,
    /// They leave all the time, and join again over the same connection at once.
    Restless,
    /// They only listen.
    Silent,
}

pub struct Person {
    name: String,
    habit: Habit,
    /// Which node they try next.
    at: usize,
    shared: Shared,
    /// By which the others know them in their latest stay.
    id: String,
    session: Option<String>,
    /// The number of the last message that came.
    seq: u64,
    /// Who is in the room, by their id now.
    peers: HashMap<String, Peer>,
    /// By the name of the other: the one connection there is with them, and never another.
    pairs: HashMap<String, String>,
}

struct Peer {
    name: String,
    /// Whether they have a connection.
    here: bool,
}

impl Person {
    pub fn new(name: &str, habit: Habit, at: usize, shared: Shared) -> Self {
        let (peers, pairs) = (HashMap::new(), HashMap::new());
        let (name, id) = (name.to_owned(), String::new());
        Self { name, habit, at, shared, id, session: None, seq: 0, peers, pairs }
    }

    /// Comes in and talks, and comes back whenever the connection has ended, until the scene has.
    pub async fn live(mut self) {
        while !self.shared.stop.is_cancelled() {
            let Some(mut socket) = self.connect().await else {
                self.at += 1;
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            while self.enter(&mut socket).await && self.talk(&mut socket).await == End::OfStay {}
            self.sees_nobody();
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Any node will do.
    async fn connect(&self) -> Option<Socket> {
        let address = {
            let nodes = self.shared.nodes.lock().unwrap();
            nodes[self.at % nodes.len()]
        };
        let connect = async {
            let socket = TcpStream::connect(address).await.ok()?;
            socket.set_nodelay(true).ok()?;
            Some(tokio_tungstenite::client_async(format!("ws://{address}/ws"), socket).await.ok()?.0)
        };
        timeout(Duration::from_secs(2), connect).await.ok()?
    }

    fn who(&self) -> Who {
        Who { name: self.name.clone(), id: self.id.clone() }
    }

    fn is_quiet(&self) -> bool {
        self.shared.quiet.load(Ordering::Relaxed)
    }

    fn sees_nobody(&self) {
        self.shared.sees.lock().unwrap().insert(self.name.clone(), Vec::new());
    }
}

/// The next message; `None` when the connection has ended.
async fn next(socket: &mut Socket) -> Option<(ServerMessage, Option<u64>)> {
    loop {
        match socket.next().await? {
            Ok(Message::Text(text)) => {
                let Numbered { message, seq } = Numbered::from_json(&text).unwrap();
                if !matches!(message, ServerMessage::GoingAway(_)) {
                    return Some((message, seq));
                }
            }
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_)) => {}
            Ok(Message::Close(_)) | Err(_) => return None,
        }
    }
}
