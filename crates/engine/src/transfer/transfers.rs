//! All files to and from one peer.

mod flow;
mod heard;

use std::collections::VecDeque;
use std::time::Duration;

use super::live::Live;
use super::pace::Pace;
use super::receiving::Receiving;
use super::sending::Sending;
use super::wire::Control;
use super::{Buffer, Event, Failure, FileInfo, Id, Input, Output, Reason, Side};
use crate::table::Table;
use crate::time::Instant;

/// How often the application hears how far it is.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// How many transfers that are over are remembered, for a peer that has not heard of it.
const MOST_REMEMBERED: usize = 256;

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
