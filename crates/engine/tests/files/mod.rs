//! Two ends of a transfer, their disks, and a pair of channels between them that a test may cut, hold up and falsify.
//!
//! A chunk's bytes are one number here: it is what is hashed, sent and written.

#![allow(dead_code)] // not every test needs everything

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use duologue_engine::Instant;
use duologue_engine::transfer::{
    Buffer, CHUNK, Event, Failure, FileInfo, Hash, Id, Input, Output, Reason, Side, Transfers, WINDOW,
};

/// What a browser takes.
pub const MOST_BYTES: usize = 256 * 1024;

/// One end, and the other.
pub const HERE: usize = 0;
pub const THERE: usize = 1;

/// A file that the other end offers.
pub fn theirs(number: u32) -> Id {
    Id { sender: Side::There, number }
}

/// The bytes of a chunk.
pub type Bytes = u64;

pub fn hash(bytes: Bytes) -> Hash {
    let mut hash = [7; 32];
    hash[..8].copy_from_slice(&bytes.to_le_bytes());
    hash
}

/// One frame on a channel for bytes.
#[derive(Clone)]
pub struct Piece {
    pub head: Vec<u8>,
    pub length: usize,
    pub bytes: Bytes,
}

/// Something the driver was asked for and has not done.
#[derive(Clone, PartialEq, Debug)]
pub enum Job {
    Read(Id, Buffer, u64),
    Digest(Buffer),
    Write(Id, Buffer, u32, Hash),
    Root(Id, Vec<u8>),
    Finish(Id),
}

/// One of the two.
#[derive(Default)]
pub struct End {
    pub transfers: Transfers,
    /// What it offers.
    pub files: BTreeMap<u32, (FileInfo, Vec<Bytes>)>,
    pub next_number: u32,
    /// Buffers, and how many bytes are in them.
    pub buffers: BTreeMap<Buffer, (Id, Bytes, u32)>,
    /// What is written of files that are not done.
    pub parts: BTreeMap<u32, BTreeMap<u32, Bytes>>,
    /// What is kept for another try, by the file's name and size.
    pub kept: BTreeMap<(String, u64), BTreeMap<u32, Bytes>>,
    /// What is saved, by the sender's number.
    pub saved: BTreeMap<u32, Vec<Bytes>>,
    /// What was offered to it.
    pub offered: BTreeMap<u32, FileInfo>,
    pub jobs: Vec<Job>,
    /// On their way to the other.
    pub words: VecDeque<Vec<u8>>,
    pub pieces: VecDeque<Piece>,
    pub events: Vec<Event>,
    /// How many chunks it has sent from their first byte.
    pub chunks_sent: usize,
    /// Whether what it writes fails.
    pub disk_full: bool,
}

pub struct Pair {
    pub ends: [End; 2],
    pub now: Instant,
    pub up: bool,
}

pub fn file(name: &str, size: u64) -> FileInfo {
    FileInfo { name: name.to_owned(), kind: String::new(), size, modified: 1 }
}

/// So many whole chunks and a bit.
pub fn size_of(chunks: u32) -> u64 {
    if chunks == 0 { 0 } else { u64::from(CHUNK) * u64::from(chunks - 1) + 1000 }
}

impl Pair {
    pub fn new() -> Self {
        let mut pair = Self {
            ends: Default::default(),
            now: Instant::from_origin(Duration::from_secs(1000)),
            up: false,
        };
        pair.connect();
        pair
    }

    /// Both ends' channels open.
    pub fn connect(&mut self) {
        self.up = true;
        for end in 0..2 {
            self.tell(end, Input::Connected { most_bytes: MOST_BYTES });
        }
    }

    /// The connection breaks: what was on its way is lost.
    pub fn cut(&mut self) {
        self.up = false;
        for end in 0..2 {
            self.ends[end].words.clear();
            self.ends[end].pieces.clear();
            self.tell(end, Input::Interrupted);
            // The machine may have spoken before it heard.
            self.ends[end].words.clear();
        }
    }

    /// `end`'s page is loaded anew: it knows nothing but what it kept; the other is told that it has left.
    pub fn reload(&mut self, end: usize) {
        self.cut();
        // What is written stays where it is.
        let lost = std::mem::take(&mut self.ends[end]);
        let mut kept = lost.kept;
        for (number, part) in lost.parts {
            if let Some(info) = lost.offered.get(&number) {
                kept.entry((info.name.clone(), info.size)).or_default().extend(part);
            }
        }
        self.ends[end] = End { kept, saved: lost.saved, events: lost.events, ..End::default() };
        self.tell(1 - end, Input::Ended);
        // Whoever comes in is somebody else: neither side speaks of what was.
        let stayed = &mut self.ends[1 - end];
        stayed.transfers = Transfers::default();
        stayed.words.clear();
        stayed.jobs.clear();
        self.connect();
    }

    pub fn offer(&mut self, end: usize, name: &str, chunks: u32) -> Id {
        let number = self.ends[end].next_number;
        let base = (u64::from(number) + 1) * 1000 + 500_000 * end as u64;
        let bytes = (0..chunks).map(|chunk| base + u64::from(chunk)).collect();
        self.offer_bytes(end, file(name, size_of(chunks)), bytes)
    }

    pub fn offer_bytes(&mut self, end: usize, info: FileInfo, bytes: Vec<Bytes>) -> Id {
        let number = self.ends[end].next_number;
        self.ends[end].next_number += 1;
        self.ends[end].files.insert(number, (info.clone(), bytes));
        self.tell(end, Input::Offer { number, file: info });
        Id { sender: Side::Here, number }
    }

    /// `end` takes a file, with what it kept of it.
    pub fn accept(&mut self, end: usize, number: u32) {
        let info = self.ends[end].offered[&number].clone();
        let kept = self.ends[end].kept.remove(&(info.name, info.size)).unwrap_or_default();
        let held = kept.iter().map(|(chunk, bytes)| (*chunk, hash(*bytes))).collect();
        self.ends[end].parts.insert(number, kept);
        self.tell(end, Input::Accept { number, held });
    }

    pub fn tell(&mut self, end: usize, input: Input) {
        let now = self.now;
        self.ends[end].transfers.handle(now, input);
        self.carry_out(end, None);
    }

    fn carry_out(&mut self, end: usize, piece: Option<&Piece>) {
        let up = self.up;
        let here = &mut self.ends[end];
        while let Some(output) = here.transfers.poll() {
            match output {
                Output::Transmit(frame) => {
                    assert!(up, "a word to nobody");
                    assert!(frame.len() <= 16 * 1024, "a word of {} bytes", frame.len());
                    here.words.push_back(frame);
                }
                Output::Read { id, buffer, from, length } => {
                    let (info, _) = &here.files[&id.number];
                    assert!(length > 0 && from + u64::from(length) <= info.size, "reads beyond the file");
                    here.jobs.push(Job::Read(id, buffer, from / u64::from(CHUNK)));
                }
                Output::Send { head, buffer, from, to } => {
                    let (_, bytes, length) = here.buffers[&buffer];
                    assert!(from < to && to <= length);
                    here.chunks_sent += usize::from(from == 0);
                    let length = head.len() + (to - from) as usize;
                    assert!(length <= MOST_BYTES, "a piece of {length} bytes");
                    here.pieces.push_back(Piece { head, length, bytes });
                }
                Output::Place { id, buffer, length, skip, at } => {
                    let piece = piece.expect("a piece is there");
                    let count = (piece.length - skip) as u32;
                    assert!(at + count <= length && length <= CHUNK, "memory for more than a chunk");
                    let here_bytes = here.buffers.entry(buffer).or_insert((id, piece.bytes, 0));
                    if here_bytes.1 != piece.bytes {
                        here_bytes.1 = u64::MAX; // parts of different chunks
                    }
                    here_bytes.2 += count;
                }
                Output::Digest(buffer) => here.jobs.push(Job::Digest(buffer)),
                Output::Write { id, buffer, chunk, hash } => {
                    here.jobs.push(Job::Write(id, buffer, chunk, hash))
                }
                Output::Discard(buffer) => {
                    here.buffers.remove(&buffer);
                }
                Output::Root(id, all) => here.jobs.push(Job::Root(id, all)),
                Output::Finish(id) => here.jobs.push(Job::Finish(id)),
                Output::Release { id, keep } => {
                    here.buffers.retain(|_, (owner, ..)| *owner != id);
                    if id.sender == Side::There {
                        let part = here.parts.remove(&id.number);
                        if keep && let Some(part) = part {
                            let info = here.offered[&id.number].clone();
                            here.kept.insert((info.name, info.size), part);
                        }
                    }
                }
                Output::Event(event) => {
                    if let Event::Offered(id, info) = &event {
                        here.offered.insert(id.number, info.clone());
                    }
                    here.events.push(event);
                }
            }
        }
        let received: u64 = here
            .buffers
            .values()
            .filter(|(id, ..)| id.sender == Side::There)
            .map(|(_, _, length)| u64::from(*length))
            .sum();
        assert!(received <= WINDOW + u64::from(CHUNK), "{received} bytes wait to be written");
    }

    /// One job of `end` is done.
    pub fn work(&mut self, end: usize, which: usize) {
        let here = &mut self.ends[end];
        let which = which % here.jobs.len();
        let input = match here.jobs.remove(which) {
            Job::Read(id, buffer, chunk) => {
                let (info, bytes) = &here.files[&id.number];
                let bytes = bytes[chunk as usize];
                let (_, length) = info.extent(chunk as u32);
                here.buffers.insert(buffer, (id, bytes, length));
                Input::Read(buffer, Ok(hash(bytes)))
            }
            Job::Digest(buffer) => match here.buffers.get(&buffer) {
                Some((_, bytes, _)) => Input::Digested(buffer, hash(*bytes)),
                None => return, // its transfer is over
            },
            Job::Write(_, buffer, ..) if here.disk_full => {
                here.buffers.remove(&buffer);
                Input::Written(buffer, Err("the disk is full".to_owned()))
            }
            Job::Write(id, buffer, chunk, claimed) => {
                let Some((_, bytes, _)) = here.buffers.remove(&buffer) else { return };
                assert_eq!(hash(bytes), claimed, "writes what was not checked");
                here.parts.entry(id.number).or_default().insert(chunk, bytes);
                Input::Written(buffer, Ok(()))
            }
            Job::Root(id, all) => {
                let sum = all.iter().enumerate().fold(0_u64, |sum, (at, byte)| {
                    sum.wrapping_mul(31).wrapping_add(u64::from(*byte)).wrapping_add(at as u64)
                });
                Input::Root(id, hash(sum))
            }
            Job::Finish(id) => {
                let Some(part) = here.parts.remove(&id.number) else { return };
                here.saved.insert(id.number, part.into_values().collect());
                Input::Saved(id, Ok(()))
            }
        };
        self.tell(end, input);
    }

    /// The oldest word from `end` arrives.
    pub fn deliver_word(&mut self, end: usize) {
        if let Some(word) = self.ends[end].words.pop_front() {
            self.tell(1 - end, Input::Control(word));
        }
    }

    /// The oldest piece from `end` arrives.
    pub fn deliver_piece(&mut self, end: usize) {
        if let Some(piece) = self.ends[end].pieces.pop_front() {
            self.arrives(1 - end, &piece);
            let left = self.ends[end].pieces.iter().map(|piece| piece.length).sum();
            self.tell(end, Input::Buffered(left));
        }
    }

    pub fn arrives(&mut self, end: usize, piece: &Piece) {
        let input = Input::Piece { head: piece.head.clone(), length: piece.length };
        self.ends[end].transfers.handle(self.now, input);
        self.carry_out(end, Some(piece));
    }

    pub fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
        for end in 0..2 {
            if self.ends[end].transfers.deadline().is_some_and(|at| at <= self.now) {
                self.tell(end, Input::Timeout);
            }
        }
    }

    /// Everything that is under way gets there.
    pub fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100_000, "it never comes to rest");
            let mut rests = true;
            for end in 0..2 {
                while !self.ends[end].words.is_empty() {
                    self.deliver_word(end);
                    rests = false;
                }
                if !self.ends[end].pieces.is_empty() {
                    self.deliver_piece(end);
                    rests = false;
                }
                while !self.ends[end].jobs.is_empty() {
                    self.work(end, 0);
                    rests = false;
                }
            }
            if rests {
                return;
            }
        }
    }

    /// All words get there.
    pub fn settle_words(&mut self) {
        while self.ends.iter().any(|end| !end.words.is_empty()) {
            self.deliver_word(0);
            self.deliver_word(1);
        }
    }

    /// How the transfer `number` of `sender` ended, as `end` was told.
    pub fn outcome(&self, end: usize, sender: usize, number: u32) -> Option<Result<(), Failure>> {
        let id = Id { sender: if end == sender { Side::Here } else { Side::There }, number };
        self.ends[end].events.iter().find_map(|event| match event {
            Event::Completed(done) if *done == id => Some(Ok(())),
            Event::Failed(failed, failure) if *failed == id => Some(Err(failure.clone())),
            _ => None,
        })
    }

    pub fn cancel(&mut self, end: usize, id: Id) {
        self.tell(end, Input::Cancel(id, Reason::Cancelled));
    }
}
