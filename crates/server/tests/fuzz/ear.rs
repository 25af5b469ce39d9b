//! What the server says to a stranger. Whatever was said to it, what it says is a message of the protocol.

use std::sync::Mutex;
use std::time::Instant;

use duologue_protocol::{Numbered, ServerMessage};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::Notify;

use crate::frames;
use crate::messages::Known;

/// A session whose connection is gone, and where in it that was.
pub struct Abandoned {
    pub session: String,
    pub seq: u64,
    pub at: Instant,
}

impl Abandoned {
    pub fn resume(&self) -> String {
        format!(r#"{{"type":"resume","session":"{}","seq":{}}}"#, self.session, self.seq)
    }
}

/// What was heard so far.
#[derive(Default)]
pub struct Heard {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    known: Known,
    seq: u64,
    barrier: u64,
    ended: bool,
}

impl Heard {
    pub fn known(&self) -> Known {
        self.state.lock().unwrap().known.clone()
    }

    /// A session is taken up.
    pub fn is_back(&self, abandoned: Abandoned) {
        let mut state = self.state.lock().unwrap();
        state.known.session = Some(abandoned.session);
        state.seq = abandoned.seq;
    }

    /// The session that is left behind, if there is one.
    pub fn abandoned(&self) -> Option<Abandoned> {
        let mut state = self.state.lock().unwrap();
        let session = state.known.session.take()?;
        Some(Abandoned { session, seq: state.seq, at: Instant::now() })
    }

    /// Waits for the answer to this one; gives whether it came before the end.
    pub async fn barrier(&self, number: u64) -> bool {
        self.until(|state| state.ended || state.barrier >= number).await;
        self.state.lock().unwrap().barrier >= number
    }

    pub async fn end(&self) {
        self.until(|state| state.ended).await;
    }

    async fn until(&self, condition: impl Fn(&State) -> bool) {
        loop {
            let changed = self.changed.notified();
            if condition(&self.state.lock().unwrap()) {
                return;
            }
            changed.await;
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_one();
    }

    fn hear(&self, text: &str) {
        let Numbered { message, seq } =
            Numbered::from_json(text).unwrap_or_else(|error| panic!("the server said {text}: {error}"));
        self.change(|state| {
            state.seq = seq.unwrap_or(state.seq);
            match message {
                ServerMessage::Welcome(welcome) => {
                    state.known = Known { peers: Vec::new(), session: Some(welcome.session.to_string()) };
                    state.seq = 0;
                }
                ServerMessage::Ready(ready) => state.known.peers.push(ready.peer.id.to_string()),
                ServerMessage::PeerLeft(left) => state.known.peers.retain(|peer| *peer != left.peer.as_str()),
                ServerMessage::Error(refusal) => {
                    let number =
                        refusal.message.split_once("barrier ").and_then(|(_, rest)| rest.split_once('.'));
                    if let Some(number) = number.and_then(|(number, _)| number.parse().ok()) {
                        state.barrier = number;
                    }
                }
                _ => {}
            }
        });
    }
}

/// Reads what the server sends.
pub struct Ear {
    socket: OwnedReadHalf,
    heard: std::sync::Arc<Heard>,
    bytes: Vec<u8>,
}

impl Ear {
    pub fn new(socket: OwnedReadHalf, heard: std::sync::Arc<Heard>) -> Self {
        Self { socket, heard, bytes: Vec::new() }
    }

    /// Reads to the end.
    pub async fn listen(mut self) -> OwnedReadHalf {
        let mut chunk = vec![0; 16 * 1024];
        loop {
            while let Some((opcode, payload)) = self.frame() {
                assert!(
                    [frames::TEXT, frames::CLOSE, frames::PING, frames::PONG].contains(&opcode),
                    "{opcode}"
                );
                if opcode == frames::TEXT {
                    self.heard.hear(std::str::from_utf8(&payload).expect("the server says UTF-8"));
                }
            }
            match self.socket.read(&mut chunk).await {
                Ok(0) | Err(_) => break,
                Ok(length) => self.bytes.extend_from_slice(&chunk[..length]),
            }
        }
        self.heard.change(|state| state.ended = true);
        self.socket
    }

    /// The next frame, once all of it is here. Those of the server are whole messages, and not masked.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let [first, second, ..] = self.bytes[..] else { return None };
        assert!(
            first & 0xf0 == 0x80 && second & 0x80 == 0,
            "the server's frame begins with {first:x} {second:x}"
        );
        let (head, length) = match second {
            126 => (4, u16::from_be_bytes(self.bytes.get(2..4)?.try_into().unwrap()).into()),
            127 => (10, u64::from_be_bytes(self.bytes.get(2..10)?.try_into().unwrap()) as usize),
            length => (2, length.into()),
        };
        if self.bytes.len() < head + length {
            return None;
        }
        let rest = self.bytes.split_off(head + length);
        let frame = std::mem::replace(&mut self.bytes, rest);
        Some((first & 0x0f, frame[head..].to_vec()))
    }
}
