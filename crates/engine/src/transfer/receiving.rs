//! One file that we receive.

use std::collections::VecDeque;

use super::live::Live;
use super::sending::root_input;
use super::wire::{Control, MOST_HASHES, MOST_RANGES, PieceHead};
use super::{Buffer, FileInfo, Hash, Id, Output, Ranges, Reason, Side};
use crate::table::Table;

/// A chunk that arrived altered so often will not arrive otherwise.
const MOST_TRIES: u8 = 3;

/// Where it stands.
pub(super) struct Receiving {
    pub(super) live: Live,
    chunks: u32,
    /// Whether the sender has offered it since the channel opened.
    pub(super) confirmed: bool,
    /// How many of the bytes that are safe the sender knows of.
    told_safe: u64,
    /// The hashes of what is written.
    hashes: Table<Hash>,
    /// What is neither written nor under way.
    missing: Ranges,
    /// What the sender was asked for and has not sent.
    asked: Ranges,
    /// What is here from an earlier try, and not yet known to be the sender's.
    held: Table<Hash>,
    /// Of these the sender was asked for the hashes.
    checking: Ranges,
    assembling: Option<Assembling>,
    /// Chunks that are hashed or written.
    working: Table<Working>,
    tries: Table<u8>,
    told_root: Option<Hash>,
    root: Option<Hash>,
    root_asked: bool,
    pub(super) finishing: bool,
}

/// A chunk whose pieces arrive.
struct Assembling {
    chunk: u32,
    buffer: Buffer,
    filled: u32,
    claimed: Hash,
}

/// A chunk that is whole.
struct Working {
    chunk: u32,
    claimed: Hash,
}

impl Receiving {
    pub(super) fn new(number: u32, file: FileInfo, chunks: u32) -> Self {
        let mut missing = Ranges::default();
        missing.insert_range(0, chunks);
        Self {
            live: Live::new(Id { sender: Side::There, number }, file),
            chunks,
            confirmed: true,
            told_safe: 0,
            hashes: Table::default(),
            missing,
            asked: Ranges::default(),
            held: Table::default(),
            checking: Ranges::default(),
            assembling: None,
            working: Table::default(),
            tries: Table::default(),
            told_root: None,
            root: None,
            root_asked: false,
            finishing: false,
        }
    }

    /// A person takes it, and these chunks are here.
    pub(super) fn accept(&mut self, held: Vec<(u32, Hash)>, connected: bool, out: &mut VecDeque<Output>) {
        self.live.accepted = true;
        for (chunk, hash) in held {
            if self.missing.remove(chunk) {
                self.held.insert(chunk, hash);
            }
        }
        if connected {
            self.tell_accepted(out);
        }
    }

    /// Tells the sender, over this connection, that the file is taken, and which chunks' hashes to tell.
    pub(super) fn tell_accepted(&mut self, out: &mut VecDeque<Output>) {
        out.push_back(say(&Control::Accept { number: self.live.id.number }));
        if self.live.paused_here {
            out.push_back(say(&Control::Pause {
                sender: Side::There,
                number: self.live.id.number,
                paused: true,
            }));
        }
        self.checking = Ranges::default();
        for chunk in self.held.keys() {
            self.checking.insert(chunk);
        }
        let mut asked = self.checking.clone();
        while let Some((first, count)) = asked.pop_range(MOST_HASHES) {
            out.push_back(say(&Control::Check { number: self.live.id.number, first, count }));
        }
    }

    /// What was asked for and has not arrived has to be asked for again.
    pub(super) fn interrupted(&mut self, out: &mut VecDeque<Output>) {
        self.confirmed = false;
        self.live.paused_there = false;
        self.drop_assembling(out);
        while let Some(chunk) = self.asked.pop() {
            self.missing.insert(chunk);
        }
        self.checking = Ranges::default();
    }

    fn drop_assembling(&mut self, out: &mut VecDeque<Output>) {
        if let Some(assembling) = self.assembling.take() {
            out.push_back(Output::Discard(assembling.buffer));
            // It was asked for, and is not there.
            self.missing.insert(assembling.chunk);
        }
    }

    /// After a piece that does not fit, its chunk cannot become whole: an ordered channel does not bring the rest.
    fn ask_again(&mut self, head: &PieceHead, bytes: usize, out: &mut VecDeque<Output>) {
        match &self.assembling {
            // It came before.
            Some(it) if it.chunk == head.chunk && head.at as usize + bytes <= it.filled as usize => {}
            Some(it) if it.chunk == head.chunk => self.drop_assembling(out),
            _ => {
                if self.asked.remove(head.chunk) {
                    self.missing.insert(head.chunk);
                }
            }
        }
    }

    /// A piece has arrived: `length` bytes with its head.
    pub(super) fn piece(
        &mut self,
        head: &PieceHead,
        length: usize,
        next_buffer: &mut Buffer,
        out: &mut VecDeque<Output>,
    ) -> Result<(), &'static str> {
        let bytes = length.saturating_sub(head.len());
        let (_, whole) = self.live.file.extent(head.chunk);
        let fits = |at: u32| bytes > 0 && at as usize + bytes <= whole as usize;
        if let Some(claimed) = head.hash {
            if !self.asked.contains(head.chunk) || !fits(0) {
                return Err("a piece of a chunk that was not asked for");
            }
            self.drop_assembling(out);
            self.asked.remove(head.chunk);
            let buffer = *next_buffer;
            *next_buffer = next_buffer.wrapping_add(1);
            self.assembling = Some(Assembling { chunk: head.chunk, buffer, filled: 0, claimed });
        }
        let fitting = self.assembling.as_mut().filter(|it| it.chunk == head.chunk && it.filled == head.at);
        let Some(assembling) = fitting.filter(|it| fits(it.filled)) else {
            self.ask_again(head, bytes, out);
            return Err("a piece that does not fit what came before");
        };
        let (id, buffer, at) = (self.live.id, assembling.buffer, assembling.filled);
        out.push_back(Output::Place { id, buffer, length: whole, skip: head.len(), at });
        assembling.filled += u32::try_from(bytes).unwrap_or(whole);
        if assembling.filled == whole
            && let Some(Assembling { chunk, buffer, claimed, .. }) = self.assembling.take()
        {
            self.working.insert(buffer, Working { chunk, claimed });
            out.push_back(Output::Digest(buffer));
        }
        Ok(())
    }

    pub(super) fn owns(&self, buffer: Buffer) -> bool {
        self.working.contains(buffer)
    }

    /// A chunk was hashed.
    pub(super) fn digested(
        &mut self,
        buffer: Buffer,
        hash: Hash,
        out: &mut VecDeque<Output>,
    ) -> Result<(), Reason> {
        let Some(working) = self.working.get(buffer) else { return Ok(()) };
        if hash == working.claimed {
            out.push_back(Output::Write { id: self.live.id, buffer, chunk: working.chunk, hash });
            return Ok(());
        }
        let chunk = working.chunk;
        self.working.remove(buffer);
        out.push_back(Output::Discard(buffer));
        let tries = self.tries.get(chunk).map_or(1, |before| before + 1);
        self.tries.insert(chunk, tries);
        if tries >= MOST_TRIES {
            return Err(Reason::Damaged);
        }
        self.missing.insert(chunk);
        Ok(())
    }

    /// A chunk was written, or could not be.
    pub(super) fn written(&mut self, buffer: Buffer, outcome: Result<(), String>) -> Result<(), Reason> {
        let Some(working) = self.working.remove(buffer) else { return Ok(()) };
        outcome.map_err(Reason::CannotSave)?;
        self.keep(working.chunk, working.claimed);
        Ok(())
    }

    fn keep(&mut self, chunk: u32, hash: Hash) {
        if self.hashes.insert(chunk, hash).is_none() {
            self.live.safe += u64::from(self.live.file.extent(chunk).1);
        }
    }

    /// The sender tells hashes of chunks that we have.
    pub(super) fn hashes(&mut self, first: u32, hashes: &[Hash]) -> Result<(), Reason> {
        let mut end = first;
        for (chunk, hash) in (first..).zip(hashes) {
            if !self.checking.remove(chunk) {
                return Err(Reason::Malformed);
            }
            if self.held.get(chunk) == Some(hash) {
                self.keep(chunk, *hash);
            } else {
                self.missing.insert(chunk);
            }
            end = chunk + 1;
        }
        self.held.remove_range(first, end);
        Ok(())
    }

    pub(super) fn told_root(&mut self, root: Hash) -> Result<(), Reason> {
        if self.told_root.is_some_and(|before| before != root) {
            return Err(Reason::Changed);
        }
        self.told_root = Some(root);
        Ok(())
    }

    pub(super) fn rooted(&mut self, root: Hash) {
        self.root = Some(root);
    }

    /// Asks for what is missing, as far as `window` chunks allow, and finishes when nothing is.
    pub(super) fn go_on(
        &mut self,
        window: usize,
        connected: bool,
        out: &mut VecDeque<Output>,
    ) -> Result<(), Reason> {
        if !self.live.accepted || self.finishing {
            return Ok(());
        }
        if connected && self.confirmed && !self.live.paused_here {
            self.ask(window, out);
        }
        if self.hashes.len() == self.chunks as usize && !self.root_asked {
            self.root_asked = true;
            out.push_back(Output::Root(self.live.id, root_input(self.live.file.size, &self.hashes)));
        }
        if let (Some(root), Some(told)) = (self.root, self.told_root) {
            if root != told {
                return Err(Reason::Changed);
            }
            self.finishing = true;
            out.push_back(Output::Finish(self.live.id));
        }
        Ok(())
    }

    fn ask(&mut self, window: usize, out: &mut VecDeque<Output>) {
        let under_way =
            self.asked.len() as usize + self.working.len() + usize::from(self.assembling.is_some());
        let mut credit = u32::try_from(window.saturating_sub(under_way)).unwrap_or(u32::MAX);
        // A few chunks at a time: a word for every chunk would be many words, and late ones would leave the link idle.
        if credit == 0 || (credit as usize) < window / 4 && under_way > 0 && self.missing.len() > credit {
            return;
        }
        let mut ranges = Vec::new();
        while ranges.len() < MOST_RANGES
            && let Some((first, count)) = self.missing.pop_range(credit)
        {
            ranges.push((first, count));
            self.asked.insert_range(first, first + count);
            credit -= count;
        }
        if !ranges.is_empty() {
            self.want(ranges, out);
        }
    }

    /// Tells the sender how far it is, where it does not know.
    pub(super) fn tell_safe(&mut self, out: &mut VecDeque<Output>) {
        if self.live.safe != self.told_safe && self.confirmed {
            self.want(Vec::new(), out);
        }
    }

    fn want(&mut self, ranges: Vec<(u32, u32)>, out: &mut VecDeque<Output>) {
        self.told_safe = self.live.safe;
        out.push_back(say(&Control::Want { number: self.live.id.number, safe: self.live.safe, ranges }));
    }
}

fn say(control: &Control) -> Output {
    Output::Transmit(control.write())
}
