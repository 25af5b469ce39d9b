//! Files: carries out what the machine says.

use std::pin::Pin;
use std::rc::Rc;

use crate::queue::Sender;
use duologue_engine::transfer::{
    Buffer, CHUNK, Event as Told, FileInfo, Hash, Id, Input, MOST_HEAD_BYTES, Output, Reason, Side,
    Transfers, safe_name,
};
use js_sys::Uint8Array;

use super::saving::{Destination, Held, Sink};
use super::transfer::{Saved, Transfer, TransferError, TransferState};
use super::{Channels, Event, Happening};
use crate::browser::{self, File};
use crate::room::Peer;

pub(super) struct Files {
    peer: Peer,
    machine: Transfers,
    /// The transfers that are not over.
    running: Vec<Running>,
    buffers: Vec<(Buffer, Id, Uint8Array)>,
    /// Whole chunks that are written or sent. What comes next goes into them: the browser would not hurry to collect them.
    spare: Vec<Uint8Array>,
    /// Where frames are put together.
    space: Uint8Array,
    /// The piece that the machine is told of.
    piece: Option<Uint8Array>,
    low_mark: usize,
    to: Sender<Happening>,
    done: Sender<Done>,
}

/// A transfer that is not over.
struct Running {
    /// What the application holds.
    transfer: Transfer,
    /// What we send, while it is needed.
    file: Option<File>,
    /// Where goes what we receive, once that is known and as long as it is needed.
    sink: Option<Rc<Sink>>,
}

/// Something that was begun is done.
pub(super) enum Done {
    /// For the machine.
    Input(Input),
    /// A file's bytes were read.
    Read(u32, Result<(Id, Uint8Array, Hash), String>),
    /// A file can be saved, and these chunks are there.
    Ready(u32, Result<(Sink, Held), String>),
    /// A chunk is written, or could not be. Its bytes are of no further use, unless they are kept.
    Written(Buffer, Result<(), String>, Option<Uint8Array>),
    /// A file is saved.
    Finished(u32, Result<Saved, String>),
    /// Time has passed.
    Timer,
}

impl Files {
    pub(super) fn new(peer: Peer, to: Sender<Happening>, done: Sender<Done>) -> Self {
        Self {
            peer,
            machine: Transfers::default(),
            running: Vec::new(),
            buffers: Vec::new(),
            spare: Vec::new(),
            space: Uint8Array::new_with_length(0),
            piece: None,
            low_mark: 0,
            to,
            done,
        }
    }

    pub(super) fn deadline(&self) -> Option<duologue_engine::Instant> {
        self.machine.deadline()
    }

    pub(super) fn drained(&mut self, channels: &Channels, on_event: &dyn Fn(Event)) {
        self.tell(Some(channels), Input::Buffered(channels.bytes.buffered()), on_event);
    }

    pub(super) fn piece(&mut self, channels: &Channels, frame: &Uint8Array, on_event: &dyn Fn(Event)) {
        let head = frame.subarray(0, MOST_HEAD_BYTES as u32).to_vec();
        let length = frame.length() as usize;
        self.piece = Some(frame.clone());
        self.tell(Some(channels), Input::Piece { head, length }, on_event);
        self.piece = None;
    }

    pub(super) fn handle(
        &mut self,
        channels: Option<&Channels>,
        happening: Happening,
        on_event: &dyn Fn(Event),
    ) {
        let input = match happening {
            Happening::Offer(transfer, file) => {
                let (number, told) = (transfer.id().number, transfer.file().clone());
                self.running.push(Running { transfer, file: Some(file), sink: None });
                Input::Offer { number, file: told }
            }
            Happening::Accept(number, destination) => return self.prepare(number, destination),
            Happening::Transfer(input) => input,
            _ => return,
        };
        self.tell(channels, input, on_event);
    }

    /// Something that was begun is done.
    pub(super) fn done(&mut self, channels: Option<&Channels>, done: Done, on_event: &dyn Fn(Event)) {
        let input = match done {
            Done::Input(input) => input,
            Done::Ready(number, Ok((sink, held))) => {
                let id = Id { sender: Side::There, number };
                let Some(running) = self.running.iter_mut().find(|it| it.transfer.id() == id) else {
                    // It was cancelled meanwhile.
                    abandon(Rc::new(sink), true);
                    return;
                };
                running.sink = Some(Rc::new(sink));
                Input::Accept { number, held }
            }
            Done::Ready(number, Err(words)) => {
                Input::Cancel(Id { sender: Side::There, number }, Reason::CannotSave(words))
            }
            Done::Read(buffer, Ok((id, bytes, hash))) => {
                self.buffers.push((buffer, id, bytes));
                Input::Read(buffer, Ok(hash))
            }
            Done::Read(buffer, Err(words)) => Input::Read(buffer, Err(words)),
            Done::Written(buffer, outcome, bytes) => {
                bytes.into_iter().for_each(|bytes| self.spare(bytes));
                Input::Written(buffer, outcome)
            }
            Done::Finished(number, outcome) => {
                let id = Id { sender: Side::There, number };
                let outcome = outcome.map(|saved| {
                    if let Some(running) = self.running(id) {
                        running.transfer.set_saved(saved);
                    }
                });
                Input::Saved(id, outcome)
            }
            Done::Timer => Input::Timeout,
        };
        self.tell(channels, input, on_event);
    }

    /// Gets ready to save a file, which takes a moment.
    fn prepare(&self, number: u32, destination: Destination) {
        let Some(running) = self.running(Id { sender: Side::There, number }) else { return };
        let transfer = running.transfer.clone();
        self.later(async move { Done::Ready(number, Sink::open(transfer.file(), destination).await) });
    }

    pub(super) fn tell(&mut self, channels: Option<&Channels>, input: Input, on_event: &dyn Fn(Event)) {
        let now = browser::now();
        if let Some(channels) = channels
            && !matches!(input, Input::Buffered(_) | Input::Connected { .. })
        {
            // What the channel has sent meanwhile makes room.
            self.machine.handle(now, Input::Buffered(channels.bytes.buffered()));
        }
        self.machine.handle(now, input);
        while let Some(output) = self.machine.poll() {
            self.carry_out(channels, output, on_event);
        }
        let low_mark = self.machine.low_mark();
        if let Some(channels) = channels
            && low_mark != self.low_mark
        {
            self.low_mark = low_mark;
            channels.bytes.set_low_mark(low_mark);
        }
        if channels.is_none() {
            self.low_mark = 0;
        }
    }

    fn carry_out(&mut self, channels: Option<&Channels>, output: Output, on_event: &dyn Fn(Event)) {
        match output {
            Output::Transmit(frame) => {
                // A channel that takes nothing is closed, and says so itself.
                let _ = channels.is_some_and(|channels| channels.words.send_bytes(&frame));
            }
            Output::Send { head, buffer, from, to } => {
                let bytes = self.buffer(buffer).map(|(_, bytes)| bytes.clone());
                if let (Some(channels), Some(bytes)) = (channels, bytes) {
                    let frame = browser::frame(&mut self.space, &head, &bytes, from, to);
                    let _ = channels.bytes.send_buffer(&frame);
                }
            }
            Output::Place { id, buffer, length, skip, at } => {
                let Some(piece) = &self.piece else { return };
                if at == 0 {
                    let spare = if length == CHUNK { self.spare.pop() } else { None };
                    let bytes = spare.unwrap_or_else(|| Uint8Array::new_with_length(length));
                    self.buffers.push((buffer, id, bytes));
                }
                let Some((_, bytes)) = self.buffer(buffer) else { return };
                bytes.set(&piece.subarray(skip as u32, piece.length()), at);
            }
            Output::Read { id, buffer, from, length } => {
                let Some(file) = self.running(id).and_then(|it| it.file.clone()) else { return };
                let space = self.spare.pop();
                self.later(async move {
                    let bytes = browser::read(&file, from, length, space).await;
                    let hash = match &bytes {
                        Ok(bytes) => browser::sha256(bytes).await,
                        Err(words) => Err(words.clone()),
                    };
                    Done::Read(buffer, bytes.and_then(|bytes| Ok((id, bytes, hash?))))
                });
            }
            Output::Digest(buffer) => {
                let Some((id, bytes)) = self.buffer(buffer) else { return };
                self.hash(id, bytes.clone(), Some(buffer));
            }
            Output::Write { id, buffer, chunk, hash } => {
                let bytes = self.buffer(buffer).map(|(_, bytes)| bytes.clone());
                self.discard(buffer);
                let sink = self.running(id).and_then(|it| it.sink.clone());
                let (Some(bytes), Some(sink)) = (bytes, sink) else { return };
                self.later(async move {
                    let outcome = sink.write(chunk, hash, &bytes).await;
                    Done::Written(buffer, outcome, (!sink.keeps_bytes()).then_some(bytes))
                });
            }
            Output::Discard(buffer) => {
                // Of a hash that is being made of it the browser has a copy.
                let bytes = self.buffer(buffer).map(|(_, bytes)| bytes.clone());
                self.discard(buffer);
                bytes.into_iter().for_each(|bytes| self.spare(bytes));
            }
            Output::Root(id, all) => self.hash(id, Uint8Array::from(all.as_slice()), None),
            Output::Finish(id) => self.finish(id),
            Output::Release { id, keep } => self.release(id, keep),
            Output::Event(told) => self.told(told, on_event),
        }
    }

    fn running(&self, id: Id) -> Option<&Running> {
        self.running.iter().find(|it| it.transfer.id() == id)
    }

    fn buffer(&self, buffer: Buffer) -> Option<(Id, &Uint8Array)> {
        self.buffers.iter().find(|(known, ..)| *known == buffer).map(|(_, id, bytes)| (*id, bytes))
    }

    fn discard(&mut self, buffer: Buffer) {
        self.buffers.retain(|(known, ..)| *known != buffer);
    }

    /// Keeps bytes that are of no more use, for the next chunk to go into.
    fn spare(&mut self, bytes: Uint8Array) {
        if bytes.length() == CHUNK && !self.running.is_empty() {
            self.spare.push(bytes);
        }
    }

    /// Hashes a chunk that was received, or what the root is the hash of.
    fn hash(&self, id: Id, bytes: Uint8Array, chunk: Option<Buffer>) {
        self.later(async move {
            Done::Input(match (browser::sha256(&bytes).await, chunk) {
                (Ok(hash), Some(buffer)) => Input::Digested(buffer, hash),
                (Ok(root), None) => Input::Root(id, root),
                (Err(words), Some(_)) => Input::Cancel(id, Reason::CannotSave(words)),
                (Err(words), None) => Input::Cancel(id, Reason::Unreadable(words)),
            })
        });
    }

    fn finish(&self, id: Id) {
        let Some(running) = self.running(id) else { return };
        let (Some(sink), transfer) = (running.sink.clone(), running.transfer.clone()) else { return };
        self.later(async move { Done::Finished(id.number, sink.finish(transfer.file()).await) });
    }

    /// Reports what comes of `work`.
    fn later(&self, work: impl Future<Output = Done> + 'static) {
        self.later_boxed(Box::pin(work));
    }

    /// Not generic, so that it is compiled once.
    fn later_boxed(&self, work: Pin<Box<dyn Future<Output = Done>>>) {
        let done = self.done.clone();
        browser::spawn(async move {
            // Fails only once the task has ended; then what was made for it goes as well.
            let _ = done.send(work.await);
        });
    }

    fn release(&mut self, id: Id, keep: bool) {
        self.buffers.retain(|(_, owner, _)| *owner != id);
        if let Some(running) = self.running.iter_mut().find(|it| it.transfer.id() == id) {
            running.file = None;
            if let Some(sink) = running.sink.take() {
                abandon(sink, keep);
            }
        }
    }

    fn told(&mut self, told: Told, on_event: &dyn Fn(Event)) {
        match told {
            Told::Offered(id, file) => {
                let file = FileInfo { name: safe_name(&file.name), ..file };
                let transfer = Transfer::new(self.peer.clone(), id, file, self.to.clone());
                self.running.push(Running { transfer: transfer.clone(), file: None, sink: None });
                on_event(Event::File(transfer));
            }
            Told::Accepted(id) => self.set(id, TransferState::Active(Default::default())),
            Told::Progress(id, progress) => self.set(id, TransferState::Active(progress)),
            Told::Completed(id) => {
                let saved = self.running(id).and_then(|it| it.transfer.saved());
                self.over(id, TransferState::Done(saved));
            }
            Told::Failed(id, failure) => self.over(id, TransferState::Failed(TransferError(failure))),
            Told::Malformed(what) => on_event(Event::Malformed(what)),
        }
    }

    fn set(&self, id: Id, state: TransferState) {
        if let Some(running) = self.running(id) {
            running.transfer.set(state);
        }
    }

    fn over(&mut self, id: Id, state: TransferState) {
        self.set(id, state);
        self.running.retain(|it| it.transfer.id() != id);
        if self.running.is_empty() {
            self.spare.clear();
            self.space = Uint8Array::new_with_length(0);
        }
    }
}

/// Lets go of a file that will not be whole this time.
fn abandon(sink: Rc<Sink>, keep: bool) {
    browser::spawn(async move { sink.abandon(keep).await });
}
