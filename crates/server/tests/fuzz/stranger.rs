//! One connection of somebody who means no good.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::{PATIENCE, read_head, upgrade};
use crate::ear::{Ear, Heard};
use crate::random::Random;
use crate::{World, frames, messages, requests};

/// How many frames a connection sends at most before it ends.
const FRAMES: usize = 80;

/// Connects, does its worst, and ends. Everything follows from the seed and the number, but for what the server says.
pub async fn visit(world: &World, number: u64) {
    let mut random = Random::of(world.seed, number);
    if random.one_in(12) {
        return knock(world, &mut random).await;
    }
    let reads = !random.one_in(20);
    let Some(mut stranger) = Stranger::connect(world, &mut random, reads).await else { return };
    stranger.talk(world, &mut random).await;
}

/// Raw bytes, and whatever comes of them.
async fn knock(world: &World, random: &mut Random) {
    let mut socket = TcpStream::connect(world.address).await.unwrap();
    let bytes = requests::any(random);
    world.frames.fetch_add(1, Ordering::Relaxed);
    if socket.write_all(&bytes).await.is_ok() && !random.one_in(4) {
        // Some wait for an answer, and no longer than one takes that comes.
        let _ = timeout(Duration::from_millis(20), socket.read(&mut [0; 1024])).await;
    }
    if random.one_in(2) {
        let _ = socket.set_zero_linger();
    }
}

pub struct Stranger {
    socket: tokio::net::tcp::OwnedWriteHalf,
    heard: Arc<Heard>,
    /// None for one who does not read.
    ear: Option<tokio::task::JoinHandle<tokio::net::tcp::OwnedReadHalf>>,
    unread: Option<tokio::net::tcp::OwnedReadHalf>,
    /// What waits to be written.
    bytes: Vec<u8>,
    frames: u64,
    barriers: u64,
    /// Whether the server takes no more.
    is_cut_off: bool,
}

impl Stranger {
    /// One with a WebSocket, who reads what the server says or does not; None if the server had no place for it.
    pub async fn connect(world: &World, random: &mut Random, reads: bool) -> Option<Self> {
        let mut socket = TcpStream::connect(world.address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        // This machine is a proxy, and everybody comes from somewhere else.
        let address = match random.below(3) {
            0 => format!("2001:db8:{:x}:{:x}::1", random.next() as u16, random.next() as u16),
            _ => std::net::Ipv4Addr::from_bits(random.next() as u32).to_string(),
        };
        let request = upgrade("localhost", &format!("X-Forwarded-For: {address}\r\n"));
        socket.write_all(request.as_bytes()).await.unwrap();
        let head = read_head(&mut socket).await;
        let status = head.split(' ').nth(1).unwrap();
        if status == "429" || status == "503" {
            return None;
        }
        assert_eq!(status, "101", "{head}");
        let (read, write) = socket.into_split();
        let heard = Arc::new(Heard::default());
        let (ear, unread) = if reads {
            (Some(tokio::spawn(Ear::new(read, heard.clone()).listen())), None)
        } else {
            (None, Some(read))
        };
        Some(Self {
            socket: write,
            heard,
            ear,
            unread,
            bytes: Vec::new(),
            frames: 0,
            barriers: 0,
            is_cut_off: false,
        })
    }

    async fn talk(&mut self, world: &World, random: &mut Random) {
        // The server keeps the seat of one who knows the protocol, and then only a session gives it back.
        let plain = self.ear.is_none();
        if !plain && random.one_in(5) {
            let abandoned = world.abandoned.lock().unwrap().pop_front();
            if let Some(abandoned) = abandoned {
                self.say(random, &abandoned.resume());
                self.heard.is_back(abandoned);
            }
        } else if !random.one_in(3) {
            let join = messages::join(random, plain);
            self.say(random, &join);
        }
        for _ in 0..random.below(FRAMES) {
            let known = self.heard.known();
            let text = messages::any(random, &known, plain);
            match random.below(40) {
                0 => {
                    let length = random.below(300);
                    let bytes = random.bytes(length);
                    self.put(&frames::whole(random, frames::BINARY, &bytes), 1);
                }
                1 => self.put(&frames::whole(random, frames::BINARY, text.as_bytes()), 1),
                2 => self.put(&frames::whole(random, frames::PING, b"there?"), 1),
                3 => self.put(&frames::whole(random, frames::PONG, b""), 1),
                4..=8 => {
                    let (bytes, count) = frames::fragmented(random, frames::TEXT, text.as_bytes());
                    self.put(&bytes, count);
                }
                _ => self.say(random, &text),
            }
            if self.bytes.len() > 16 * 1024 || random.one_in(20) {
                self.flush(world, random).await;
            }
            if self.is_cut_off {
                break;
            }
        }
        if plain {
            // It has not heard a word, and goes without one.
            self.flush(world, random).await;
            return self.cut();
        }
        let there = self.barrier(world, random).await;
        self.end(world, random, there).await;
    }

    /// Ends, in one of the ways in which connections do.
    async fn end(&mut self, world: &World, random: &mut Random, there: bool) {
        match random.below(8) {
            _ if !there => {}
            0..=2 => {
                let bytes = frames::fatal(random);
                self.put(&bytes, 1);
                self.flush(world, random).await;
                if !random.one_in(4) {
                    // What the server says about it, if it sees an end at all.
                    let _ = self.socket.shutdown().await;
                    self.hear_the_end().await;
                }
            }
            3 | 4 => {
                let bytes = frames::close(random);
                self.put(&bytes, 1);
                self.flush(world, random).await;
                self.hear_the_end().await;
            }
            5 => {
                // In the middle of a frame.
                let whole = frames::whole(random, frames::TEXT, br#"{"type":"ping"}"#);
                self.put(&whole[..random.below(whole.len())], 1);
                self.flush(world, random).await;
            }
            6 => drop(self.socket.shutdown().await),
            _ => {}
        }
        self.cut();
        if let Some(abandoned) = self.heard.abandoned() {
            world.abandoned.lock().unwrap().push_back(abandoned);
        }
    }

    /// Resets the connection, or closes it if that comes first.
    fn cut(&mut self) {
        if let Some(ear) = self.ear.take() {
            ear.abort();
        }
        if let Some(read) = &self.unread {
            let _ = read.as_ref().set_zero_linger();
        }
        let _ = self.socket.as_ref().set_zero_linger();
    }

    pub fn say(&mut self, random: &mut Random, text: &str) {
        let bytes = frames::whole(random, frames::TEXT, text.as_bytes());
        self.put(&bytes, 1);
    }

    fn put(&mut self, bytes: &[u8], frames: u64) {
        self.bytes.extend(bytes);
        self.frames += frames;
    }

    /// Writes what waits, in one piece or in several. That the server has ended the connection is no fault.
    async fn flush(&mut self, world: &World, random: &mut Random) {
        let mut bytes = std::mem::take(&mut self.bytes);
        while !bytes.is_empty() {
            let end = if random.one_in(3) { 1 + random.below(bytes.len()) } else { bytes.len() };
            let rest = bytes.split_off(end);
            // Who does not read is not read, after a while.
            match timeout(Duration::from_millis(500), self.socket.write_all(&bytes)).await {
                Ok(Ok(())) => {}
                _ => {
                    self.is_cut_off = true;
                    return;
                }
            }
            bytes = rest;
        }
        world.frames.fetch_add(std::mem::take(&mut self.frames), Ordering::Relaxed);
    }

    /// Waits until everything that was said has been answered. Gives whether the connection is still there.
    pub async fn barrier(&mut self, world: &World, random: &mut Random) -> bool {
        self.barriers += 1;
        let text = format!(r#"{{"type":"barrier {}."}}"#, self.barriers);
        self.say(random, &text);
        self.flush(world, random).await;
        let heard = self.heard.clone();
        timeout(PATIENCE, heard.barrier(self.barriers)).await.expect("the server answers")
    }

    async fn hear_the_end(&mut self) {
        timeout(PATIENCE, self.heard.end()).await.expect("the server ends the connection");
    }
}

/// Counts up from 0.
#[derive(Default)]
pub struct Numbers(AtomicU64);

impl Numbers {
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}
