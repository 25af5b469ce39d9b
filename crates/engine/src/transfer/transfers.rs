//! All files to and from one peer.

use std::collections::VecDeque;
use std::time::Duration;

use super::live::Live;
use super::pace::Pace;
use super::receiving::Receiving;
use super::sending::Sending;
use super::wire::{Control, PieceHead};
use super::{Buffer, CHUNK, Event, Failure, FileInfo, Id, Input, Output, Reason, Side, WINDOW};
use crate::table::Table;
use crate::time::Instant;

/// How often the application hears how far it is.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// The most files that a peer may have on offer or under way with us. More are declined.
const MOST_FROM_PEER: usize = 32;
/// How many transfers that are over are remembered, for a peer that has not heard of it.
const MOST_REMEMBERED: usize = 256;
/// Chunks that are read before they can be sent, for all files together.
const READ_AHEAD: usize = 8;

/// The channel for bytes holds about what it sends in a tenth of a second,
const FILLED_FOR_MILLIS: u64 = 100;
/// but no less than this, and no more.
const MARKS: (u64, u64) = (128 * 1024, 4 * 1024 * 1024);
/// A piece takes about a fiftieth of a second, so that words wait no longer than for that,
const PIECE_FOR_MILLIS: u64 = 20;
/// but it has no fewer bytes than this, and no more: browsers are quickest with such frames.
const PIECES: (u64, u64) = (16 * 1024, 64 * 1024);
/// The speed that is assumed until it was measured, in bytes a second.
const ASSUMED_RATE: u64 = 2 * 1024 * 1024;

/// What became of a file that was offered to us.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    Done,
    Not(Reason),
}

/// All files to and from one peer.
#[derive(Default)]
pub struct Transfers {
    /// The most bytes the peer takes in a frame, while there are channels.
    most_frame: Option<usize>,
    sending: Table<Box<Sending>>,
    receiving: Table<Box<Receiving>>,
    /// What ended of what was offered to us, the oldest first.
    ended: VecDeque<(u32, Ended)>,
    tell: Option<Instant>,
    next_buffer: Buffer,
    /// Which of ours had its turn last.
    turn: u32,
    buffered: usize,
    /// All bytes ever given to the channel, and how fast they leave it.
    given: u64,
    drain: Pace,
    outputs: VecDeque<Output>,
}

impl Transfers {
    /// Takes an input, at the moment `now`.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Connected { most_bytes } => self.connected(most_bytes),
            Input::Interrupted => self.interrupted(),
            Input::Ended => self.fail_all(&Failure { by: Side::There, reason: Reason::Left }),
            Input::Control(frame) => match Control::read(&frame) {
                Some(control) => self.control(control),
                None => self.malformed("a word about a file that cannot be read"),
            },
            Input::Piece { head, length } => self.piece(&head, length),
            Input::Buffered(bytes) => {
                self.buffered = bytes;
                let drained = self.given.saturating_sub(bytes as u64);
                if bytes == 0 && !self.sending.values().any(|it| it.is_busy()) {
                    self.drain.rest();
                } else {
                    self.drain.measure(now, drained);
                }
            }
            Input::Offer { number, file } => self.offer(number, file),
            Input::Accept { number, held } => {
                let connected = self.most_frame.is_some();
                if let Some(receiving) = self.receiving.get_mut(number).filter(|it| !it.live.accepted) {
                    let connected = connected && receiving.confirmed;
                    receiving.accept(held, connected, &mut self.outputs);
                }
            }
            Input::Cancel(id, reason) => self.fail(id, Failure { by: Side::Here, reason }),
            Input::Pause(id, paused) => self.pause(id, paused),
            Input::Read(buffer, outcome) => match self.sending.values_mut().find(|it| it.owns(buffer)) {
                Some(sending) => {
                    let (id, done) = (sending.live.id, sending.read(buffer, outcome, &mut self.outputs));
                    self.check(id, done);
                }
                None => self.outputs.push_back(Output::Discard(buffer)),
            },
            Input::Digested(buffer, hash) => {
                if let Some(receiving) = self.receiving.values_mut().find(|it| it.owns(buffer)) {
                    let (id, done) = (receiving.live.id, receiving.digested(buffer, hash, &mut self.outputs));
                    self.check(id, done);
                }
            }
            Input::Written(buffer, outcome) => {
                if let Some(receiving) = self.receiving.values_mut().find(|it| it.owns(buffer)) {
                    let (id, done) = (receiving.live.id, receiving.written(buffer, outcome));
                    self.check(id, done);
                }
            }
            Input::Root(id, root) => match id.sender {
                Side::Here => {
                    if let Some(sending) = self.sending.get_mut(id.number) {
                        sending.rooted(root, self.most_frame.is_some(), &mut self.outputs);
                    }
                }
                Side::There => {
                    if let Some(receiving) = self.receiving.get_mut(id.number) {
                        receiving.rooted(root);
                    }
                }
            },
            Input::Saved(id, Ok(())) => self.saved(id),
            Input::Saved(id, Err(words)) => {
                self.fail(id, Failure { by: Side::Here, reason: Reason::CannotSave(words) });
            }
            Input::Timeout => {
                if self.tell.is_some_and(|at| at <= now) {
                    self.tell = None;
                    self.tell_progress(now);
                    if self.most_frame.is_some() {
                        self.receiving.values_mut().for_each(|it| it.tell_safe(&mut self.outputs));
                    }
                }
            }
        }
        self.go_on();
        if self.tell.is_none() && self.live().any(|it| it.accepted) {
            self.tell = Some(now + TELL_EVERY);
        }
    }

    /// What to do next.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to tell of [`Input::Timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.tell
    }

    /// At how many bytes the channel for bytes is to report with [`Input::Buffered`] (`bufferedAmountLowThreshold`).
    #[must_use]
    pub fn low_mark(&self) -> usize {
        self.mark() / 2
    }

    fn connected(&mut self, most_bytes: usize) {
        self.interrupted();
        self.most_frame = Some(most_bytes);
        // What the peer has forgotten it is told again; what we have forgotten it learns from what is not offered.
        for sending in self.sending.values() {
            self.outputs.push_back(sending.offer());
            if sending.live.paused_here {
                let number = sending.live.id.number;
                self.outputs.push_back(say(&Control::Pause { sender: Side::Here, number, paused: true }));
            }
        }
        self.outputs.push_back(say(&Control::Synced));
    }

    fn interrupted(&mut self) {
        if self.most_frame.take().is_none() {
            return;
        }
        self.buffered = 0;
        self.drain.clear();
        self.sending.values_mut().for_each(|it| it.interrupted(&mut self.outputs));
        self.receiving.values_mut().for_each(|it| it.interrupted(&mut self.outputs));
    }

    fn offer(&mut self, number: u32, file: FileInfo) {
        let Some(chunks) = file.chunks() else {
            // No file is as large as that.
            let id = Id { sender: Side::Here, number };
            self.event(Event::Failed(id, Failure { by: Side::Here, reason: Reason::Malformed }));
            return;
        };
        let sending = Sending::new(number, file, chunks);
        if self.most_frame.is_some() {
            self.outputs.push_back(sending.offer());
        }
        self.sending.insert(number, Box::new(sending));
    }

    fn control(&mut self, control: Control) {
        match control {
            Control::Offer { number, file } => self.offered(number, file),
            Control::Synced => {
                // What the peer did not offer again, it knows nothing of.
                let forgotten: Vec<Id> =
                    self.receiving.values().filter(|it| !it.confirmed).map(|it| it.live.id).collect();
                for id in forgotten {
                    self.end(id, Failure { by: Side::There, reason: Reason::Forgotten });
                }
            }
            Control::Root { number, root } => {
                self.with_receiving(number, |receiving, _| receiving.told_root(root));
            }
            Control::Hashes { number, first, hashes } => {
                self.with_receiving(number, |receiving, _| receiving.hashes(first, &hashes));
            }
            Control::Accept { number } => {
                let Some(sending) = self.sending.get_mut(number) else {
                    return self.forgotten(Id { sender: Side::Here, number });
                };
                let first = !sending.live.accepted;
                sending.accept(&mut self.outputs);
                if first {
                    self.event(Event::Accepted(Id { sender: Side::Here, number }));
                }
            }
            Control::Want { number, safe, ranges } => {
                self.with_sending(number, |sending| sending.want(safe, &ranges));
            }
            Control::Check { number, first, count } => {
                self.with_sending(number, |sending| sending.want_hashes(first, count));
            }
            Control::Done { number } => {
                if self.sending.remove(number).is_some() {
                    let id = Id { sender: Side::Here, number };
                    self.outputs.push_back(Output::Release { id, keep: false });
                    self.event(Event::Completed(id));
                }
            }
            Control::Cancel { sender, number, reason } => {
                self.end(Id { sender, number }, Failure { by: Side::There, reason });
            }
            Control::Pause { sender: Side::Here, number, paused } => {
                if let Some(sending) = self.sending.get_mut(number) {
                    sending.live.paused_there = paused;
                    self.tell_one(Id { sender: Side::Here, number });
                }
            }
            Control::Pause { sender: Side::There, number, paused } => {
                if let Some(receiving) = self.receiving.get_mut(number) {
                    receiving.live.paused_there = paused;
                    self.tell_one(Id { sender: Side::There, number });
                }
            }
        }
    }

    fn offered(&mut self, number: u32, file: FileInfo) {
        let id = Id { sender: Side::There, number };
        if let Some((_, ended)) = self.ended.iter().find(|(known, _)| *known == number) {
            // It has not heard how this ended.
            let word = match ended.clone() {
                Ended::Done => Control::Done { number },
                Ended::Not(reason) => Control::Cancel { sender: Side::There, number, reason },
            };
            return self.outputs.push_back(say(&word));
        }
        if let Some(receiving) = self.receiving.get_mut(number) {
            if receiving.live.file != file {
                return self.fail(id, Failure { by: Side::There, reason: Reason::Changed });
            }
            receiving.confirmed = true;
            if receiving.live.accepted {
                receiving.tell_accepted(&mut self.outputs);
            }
            return;
        }
        let refusal = match file.chunks() {
            None => Some(Reason::Malformed),
            Some(_) if self.receiving.len() >= MOST_FROM_PEER => Some(Reason::TooMany),
            Some(chunks) => {
                let receiving = Receiving::new(number, file.clone(), chunks);
                self.receiving.insert(number, Box::new(receiving));
                self.event(Event::Offered(id, file));
                None
            }
        };
        if let Some(reason) = refusal {
            self.outputs.push_back(say(&Control::Cancel { sender: Side::There, number, reason }));
        }
    }

    fn with_sending(&mut self, number: u32, take: impl FnOnce(&mut Sending) -> Result<(), Reason>) {
        let id = Id { sender: Side::Here, number };
        match self.sending.get_mut(number) {
            Some(sending) => {
                let done = take(sending);
                self.check_peer(id, done);
            }
            None => self.forgotten(id),
        }
    }

    fn with_receiving(
        &mut self,
        number: u32,
        take: impl FnOnce(&mut Receiving, &mut VecDeque<Output>) -> Result<(), Reason>,
    ) {
        // One that is over here: the sender will hear of it, or has.
        if let Some(receiving) = self.receiving.get_mut(number) {
            let (id, done) = (receiving.live.id, take(receiving, &mut self.outputs));
            self.check_peer(id, done);
        }
    }

    /// The peer speaks of a transfer that we know nothing of.
    fn forgotten(&mut self, Id { sender, number }: Id) {
        self.outputs.push_back(say(&Control::Cancel { sender, number, reason: Reason::Forgotten }));
    }

    fn piece(&mut self, head: &[u8], length: usize) {
        let Some(head) = PieceHead::read(head) else {
            return self.malformed("a piece of a file that cannot be read");
        };
        // Of one that is over, pieces may still be on their way.
        let Some(receiving) = self.receiving.get_mut(head.number) else { return };
        if let Err(what) = receiving.piece(&head, length, &mut self.next_buffer, &mut self.outputs) {
            self.malformed(what);
        }
    }

    fn pause(&mut self, id: Id, paused: bool) {
        let there = match id.sender {
            Side::Here => self.sending.get_mut(id.number).map(|it| &mut it.live.paused_here),
            Side::There => self.receiving.get_mut(id.number).map(|it| &mut it.live.paused_here),
        };
        let Some(flag) = there.filter(|flag| **flag != paused) else { return };
        *flag = paused;
        if self.most_frame.is_some() {
            self.outputs.push_back(say(&Control::Pause { sender: id.sender, number: id.number, paused }));
        }
        self.tell_one(id);
    }

    fn saved(&mut self, id: Id) {
        let Some(receiving) =
            self.receiving.get(id.number).filter(|it| it.finishing && id.sender == Side::There)
        else {
            return;
        };
        let number = receiving.live.id.number;
        self.receiving.remove(number);
        self.remember(number, Ended::Done);
        if self.most_frame.is_some() {
            self.outputs.push_back(say(&Control::Done { number }));
        }
        self.outputs.push_back(Output::Release { id, keep: false });
        self.event(Event::Completed(id));
    }

    fn remember(&mut self, number: u32, ended: Ended) {
        self.ended.push_back((number, ended));
        if self.ended.len() > MOST_REMEMBERED {
            self.ended.pop_front();
        }
    }

    /// Ends a transfer because of what happened here.
    fn check(&mut self, id: Id, done: Result<(), Reason>) {
        if let Err(reason) = done {
            // An altered chunk, or a file that has changed, is the sender's.
            let senders = matches!(reason, Reason::Changed | Reason::Unreadable(_));
            let by = if senders || reason == Reason::Damaged { id.sender } else { Side::Here };
            self.fail(id, Failure { by, reason });
        }
    }

    /// Ends a transfer because of what the peer said.
    fn check_peer(&mut self, id: Id, done: Result<(), Reason>) {
        if let Err(reason) = done {
            self.fail(id, Failure { by: Side::There, reason });
        }
    }

    /// Ends a transfer, and tells the peer.
    fn fail(&mut self, id: Id, failure: Failure) {
        let (Id { sender, number }, reason) = (id, failure.reason.clone());
        if self.end(id, failure) && self.most_frame.is_some() {
            self.outputs.push_back(say(&Control::Cancel { sender, number, reason }));
        }
    }

    /// Ends a transfer. `false` if it was over.
    fn end(&mut self, id: Id, failure: Failure) -> bool {
        let keep = match id.sender {
            Side::Here => self.sending.remove(id.number).map(|_| false),
            Side::There => {
                let receiving = self.receiving.remove(id.number);
                receiving.map(|it| it.live.accepted && failure.reason.leaves_chunks())
            }
        };
        let Some(keep) = keep else { return false };
        if id.sender == Side::There {
            self.remember(id.number, Ended::Not(failure.reason.clone()));
        }
        self.outputs.push_back(Output::Release { id, keep });
        self.event(Event::Failed(id, failure));
        true
    }

    fn fail_all(&mut self, failure: &Failure) {
        self.most_frame = None;
        let sending = self.sending.values().map(|it| it.live.id);
        let all: Vec<Id> = sending.chain(self.receiving.values().map(|it| it.live.id)).collect();
        for id in all {
            self.end(id, failure.clone());
        }
    }

    /// Does what can be done now.
    fn go_on(&mut self) {
        let connected = self.most_frame.is_some();
        let active =
            self.receiving.values().filter(|it| it.live.accepted && !it.live.paused_here).count().max(1);
        let window = (WINDOW as usize / CHUNK as usize / active).max(2);
        let mut failed = Vec::new();
        for receiving in self.receiving.values_mut() {
            if let Err(reason) = receiving.go_on(window, connected, &mut self.outputs) {
                failed.push((receiving.live.id, reason));
            }
        }
        for (id, reason) in failed {
            self.check(id, Err(reason));
        }
        if connected {
            let busy = self.sending.values().filter(|it| it.is_busy()).count().max(1);
            let ahead = (READ_AHEAD / busy).max(1);
            self.read_on(ahead);
            self.send();
            // In place of what was sent.
            self.read_on(ahead);
        }
    }

    fn read_on(&mut self, ahead: usize) {
        for sending in self.sending.values_mut() {
            sending.read_on(ahead, &mut self.next_buffer, &mut self.outputs);
        }
    }

    /// Fills the channel, a piece of each file in turn.
    fn send(&mut self) {
        let Some(most_frame) = self.most_frame else { return };
        let rate = self.drain.rate().unwrap_or(ASSUMED_RATE);
        let piece = (rate * PIECE_FOR_MILLIS / 1000).clamp(PIECES.0, PIECES.1);
        let most = most_frame.min(usize::try_from(piece).unwrap_or(usize::MAX));
        let mut idle = 0;
        while self.buffered < self.mark() && idle <= self.sending.len() {
            let after = self.sending.after(self.turn).or_else(|| self.sending.first());
            let Some(number) = after.map(|(number, _)| number) else { return };
            self.turn = number;
            let sent = self.sending.get_mut(number).and_then(|it| it.send_piece(most, &mut self.outputs));
            match sent {
                Some(bytes) => {
                    idle = 0;
                    self.buffered += bytes;
                    self.given += bytes as u64;
                }
                None => idle += 1,
            }
        }
    }

    fn mark(&self) -> usize {
        let rate = self.drain.rate().unwrap_or(ASSUMED_RATE);
        usize::try_from((rate * FILLED_FOR_MILLIS / 1000).clamp(MARKS.0, MARKS.1)).unwrap_or(usize::MAX)
    }

    fn live(&mut self) -> impl Iterator<Item = &mut Live> {
        let sending = self.sending.values_mut().map(|it| &mut it.live);
        sending.chain(self.receiving.values_mut().map(|it| &mut it.live))
    }

    fn tell_progress(&mut self, now: Instant) {
        let news = self.live().filter(|it| it.accepted);
        let news = news.filter_map(|it| Some(Event::Progress(it.id, it.progress(now)?)));
        let news: Vec<Event> = news.collect();
        news.into_iter().for_each(|event| self.event(event));
    }

    /// Tells at once that a transfer has paused, or goes on.
    fn tell_one(&mut self, id: Id) {
        let found = self.live().find(|it| it.id == id && it.accepted).map(Live::turned);
        if let Some(progress) = found {
            self.event(Event::Progress(id, progress));
        }
    }

    fn malformed(&mut self, what: &'static str) {
        self.event(Event::Malformed(what));
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

fn say(control: &Control) -> Output {
    Output::Transmit(control.write())
}
