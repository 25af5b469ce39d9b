//! One file that we send.

use std::collections::VecDeque;

use super::live::Live;
use super::wire::{Control, MOST_HASHES, PieceHead};
use super::{Buffer, CHUNK, FileInfo, Hash, Id, Output, Ranges, Reason, Side};
use crate::table::Table;

/// More separate ranges than these are wanted by nobody who means well.
const MOST_WANTED_PIECES: usize = 4096;

/// Where it stands.
pub(super) struct Sending {
    pub(super) live: Live,
    chunks: u32,
    /// The hashes of chunks, as far as they were read.
    hashes: Table<Hash>,
    root: Option<Hash>,
    root_asked: bool,
    /// What the receiver wants, and what it wants the hashes of.
    wanted: Ranges,
    checks: Ranges,
    check: Option<Check>,
    reading: Table<Reading>,
    ready: VecDeque<Ready>,
}

/// Hashes that are being gathered for the receiver.
struct Check {
    first: u32,
    count: u32,
    hashes: Vec<Hash>,
}

/// A chunk that is being read.
struct Reading {
    chunk: u32,
    /// To send it, not only for its hash.
    to_send: bool,
}

/// A chunk that is read, and sent up to `at`.
struct Ready {
    chunk: u32,
    buffer: Buffer,
    hash: Hash,
    at: u32,
}

impl Sending {
    pub(super) fn new(number: u32, file: FileInfo, chunks: u32) -> Self {
        Self {
            live: Live::new(Id { sender: Side::Here, number }, file),
            chunks,
            hashes: Table::default(),
            root: None,
            root_asked: false,
            wanted: Ranges::default(),
            checks: Ranges::default(),
            check: None,
            reading: Table::default(),
            ready: VecDeque::new(),
        }
    }

    pub(super) fn offer(&self) -> Output {
        self.say(&Control::Offer { number: self.live.id.number, file: self.live.file.clone() })
    }

    /// The receiver takes it, perhaps for the second time: over a new connection.
    pub(super) fn accept(&mut self, out: &mut VecDeque<Output>) {
        self.live.accepted = true;
        out.extend(self.tell_root());
    }

    /// The receiver wants chunks.
    pub(super) fn want(&mut self, safe: u64, ranges: &[(u32, u32)]) -> Result<(), Reason> {
        self.live.safe = safe.min(self.live.file.size);
        for (first, count) in ranges {
            let end = self.end(*first, *count)?;
            self.wanted.insert_range(*first, end);
        }
        if self.wanted.pieces() > MOST_WANTED_PIECES { Err(Reason::Malformed) } else { Ok(()) }
    }

    /// The receiver wants the hashes of chunks.
    pub(super) fn want_hashes(&mut self, first: u32, count: u32) -> Result<(), Reason> {
        let end = self.end(first, count)?;
        self.checks.insert_range(first, end);
        if self.checks.pieces() > MOST_WANTED_PIECES { Err(Reason::Malformed) } else { Ok(()) }
    }

    fn end(&self, first: u32, count: u32) -> Result<u32, Reason> {
        let end = first.checked_add(count).filter(|end| *end <= self.chunks);
        end.filter(|_| self.live.accepted).ok_or(Reason::Malformed)
    }

    /// What was wanted over a connection that is gone is not wanted any more, until it is wanted again.
    pub(super) fn interrupted(&mut self, out: &mut VecDeque<Output>) {
        self.wanted = Ranges::default();
        self.checks = Ranges::default();
        self.check = None;
        self.live.paused_there = false;
        // What is still being read is let go when it is there.
        self.reading.clear();
        while let Some(ready) = self.ready.pop_front() {
            out.push_back(Output::Discard(ready.buffer));
        }
    }

    pub(super) fn owns(&self, buffer: Buffer) -> bool {
        self.reading.contains(buffer)
    }

    /// A chunk was read, or could not be.
    pub(super) fn read(
        &mut self,
        buffer: Buffer,
        outcome: Result<Hash, String>,
        out: &mut VecDeque<Output>,
    ) -> Result<(), Reason> {
        let Some(reading) = self.reading.remove(buffer) else { return Ok(()) };
        let hash = outcome.map_err(Reason::Unreadable)?;
        if self.hashes.insert(reading.chunk, hash).is_some_and(|before| before != hash) {
            return Err(Reason::Changed);
        }
        if reading.to_send {
            self.ready.push_back(Ready { chunk: reading.chunk, buffer, hash, at: 0 });
        } else {
            out.push_back(Output::Discard(buffer));
        }
        Ok(())
    }

    /// The hash over all hashes. The receiver hears of it now, or when it has accepted over another connection.
    pub(super) fn rooted(&mut self, root: Hash, connected: bool, out: &mut VecDeque<Output>) {
        self.root = Some(root);
        if connected {
            out.extend(self.tell_root());
        }
    }

    fn tell_root(&self) -> Option<Output> {
        let root = self.root.filter(|_| self.live.accepted)?;
        Some(self.say(&Control::Root { number: self.live.id.number, root }))
    }

    fn paused(&self) -> bool {
        self.live.paused_here || self.live.paused_there
    }

    /// Whether it has something to do.
    pub(super) fn is_busy(&self) -> bool {
        !self.wanted.is_empty() || !self.reading.is_empty() || !self.ready.is_empty()
    }

    /// Reads on: up to `ahead` chunks are there before they can be sent. `next_buffer` names buffers.
    pub(super) fn read_on(&mut self, ahead: usize, next_buffer: &mut Buffer, out: &mut VecDeque<Output>) {
        self.gather_hashes(next_buffer, out);
        while !self.paused()
            && self.ready.len() + self.reading.values().filter(|it| it.to_send).count() < ahead
            && let Some(chunk) = self.wanted.pop()
        {
            self.start_reading(chunk, true, next_buffer, out);
        }
        if self.live.accepted && !self.root_asked && self.hashes.len() == self.chunks as usize {
            self.root_asked = true;
            out.push_back(Output::Root(self.live.id, root_input(self.live.file.size, &self.hashes)));
        }
    }

    fn gather_hashes(&mut self, next_buffer: &mut Buffer, out: &mut VecDeque<Output>) {
        loop {
            let mut check = match self.check.take() {
                Some(check) => check,
                None => match self.checks.pop_range(MOST_HASHES) {
                    Some((first, count)) => Check { first, count, hashes: Vec::new() },
                    None => return,
                },
            };
            let mut next = check.first + u32::try_from(check.hashes.len()).unwrap_or(u32::MAX);
            while next < check.first + check.count
                && let Some(hash) = self.hashes.get(next)
            {
                check.hashes.push(*hash);
                next += 1;
            }
            if next < check.first + check.count {
                if !self.reading.values().any(|reading| reading.chunk == next) {
                    self.start_reading(next, false, next_buffer, out);
                }
                self.check = Some(check);
                return;
            }
            let (number, first) = (self.live.id.number, check.first);
            out.push_back(self.say(&Control::Hashes { number, first, hashes: check.hashes }));
        }
    }

    fn start_reading(
        &mut self,
        chunk: u32,
        to_send: bool,
        next_buffer: &mut Buffer,
        out: &mut VecDeque<Output>,
    ) {
        let buffer = *next_buffer;
        *next_buffer = next_buffer.wrapping_add(1);
        let (from, length) = self.live.file.extent(chunk);
        self.reading.insert(buffer, Reading { chunk, to_send });
        out.push_back(Output::Read { id: self.live.id, buffer, from, length });
    }

    /// Gives the channel the next piece, of at most `most` bytes; the number of its bytes, if there is one.
    pub(super) fn send_piece(&mut self, most: usize, out: &mut VecDeque<Output>) -> Option<usize> {
        let ready = self.ready.front_mut().filter(|_| !(self.live.paused_here || self.live.paused_there))?;
        let hash = (ready.at == 0).then_some(ready.hash);
        let head = PieceHead { number: self.live.id.number, chunk: ready.chunk, at: ready.at, hash };
        let (_, length) = self.live.file.extent(ready.chunk);
        let room = u32::try_from(most.saturating_sub(head.len()).max(1)).unwrap_or(CHUNK);
        let (from, to) = (ready.at, ready.at.saturating_add(room).min(length));
        let buffer = ready.buffer;
        out.push_back(Output::Send { head: head.write(), buffer, from, to });
        ready.at = to;
        if to == length {
            self.ready.pop_front();
            out.push_back(Output::Discard(buffer));
        }
        Some(head.len() + (to - from) as usize)
    }

    fn say(&self, control: &Control) -> Output {
        Output::Transmit(control.write())
    }
}

/// What the root is the hash of: the size, and the hashes of all chunks in their order.
pub(super) fn root_input(size: u64, hashes: &Table<Hash>) -> Vec<u8> {
    let mut all = size.to_le_bytes().to_vec();
    hashes.values().for_each(|hash| all.extend(hash));
    all
}
