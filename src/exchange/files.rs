//! Files: carries out what the machine says.

use duologue_engine::Table;
use duologue_engine::transfer::{
    Buffer, Event as Told, Hash, Id, Input, MOST_HEAD_BYTES, Output, Reason, Side, Transfers,
};
use futures_channel::mpsc::UnboundedSender;
use js_sys::Uint8Array;
use web_sys::File;

use super::saving::{Destination, Held, Sink};
use super::transfer::{Saved, Transfer, TransferError, TransferState, describe};
use super::{Channels, Event, Happening};
use crate::browser;
use crate::room::Peer;

pub(super) struct Files {
    peer: Peer,
    machine: Transfers,
    /// What the application holds, of transfers that are not over.
    transfers: Table<Id, Transfer>,
    /// What we send.
    files: Table<u32, File>,
    /// Where goes what we receive.
    sinks: Table<u32, Sink>,
    buffers: Table<Buffer, (Id, Uint8Array)>,
    /// The piece that the machine is told of.
    piece: Option<Uint8Array>,
    low_mark: usize,
    to: UnboundedSender<Happening>,
    done: UnboundedSender<Done>,
}

/// Something that was begun is done.
pub(super) enum Done {
    /// For the machine.
    Input(Input),
    /// A file's bytes were read.
    Read(u32, Result<(Id, Uint8Array, Hash), String>),
    /// A file can be saved, and these chunks are there.
    Ready(u32, Result<(Sink, Held), String>),
    /// A file is saved.
    Finished(u32, Result<Saved, String>),
    /// Time has passed.
    Timer,
}

impl Files {
    pub(super) fn new(peer: Peer, to: UnboundedSender<Happening>, done: UnboundedSender<Done>) -> Self {
        Self {
            peer,
            machine: Transfers::default(),
            transfers: Table::default(),
            files: Table::default(),
            sinks: Table::default(),
            buffers: Table::default(),
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
                let (number, told) = (transfer.id().number, describe(&file));
                self.transfers.insert(transfer.id(), transfer);
                self.files.insert(number, file);
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
                if !self.transfers.contains(Id { sender: Side::There, number }) {
                    // It was cancelled meanwhile.
                    wasm_bindgen_futures::spawn_local(sink.abandon(true));
                    return;
                }
                self.sinks.insert(number, sink);
                Input::Accept { number, held }
            }
            Done::Ready(number, Err(words)) => {
                Input::Cancel(Id { sender: Side::There, number }, Reason::CannotSave(words))
            }
            Done::Read(buffer, Ok((id, bytes, hash))) => {
                self.buffers.insert(buffer, (id, bytes));
                Input::Read(buffer, Ok(hash))
            }
            Done::Read(buffer, Err(words)) => Input::Read(buffer, Err(words)),
            Done::Finished(number, outcome) => {
                let id = Id { sender: Side::There, number };
                let outcome = outcome.map(|saved| {
                    if let Some(transfer) = self.transfers.get(id) {
                        transfer.set_saved(saved);
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
        let Some(transfer) = self.transfers.get(Id { sender: Side::There, number }) else { return };
        let (file, done) = (transfer.file().clone(), self.done.clone());
        wasm_bindgen_futures::spawn_local(async move {
            let ready = Sink::open(&file, destination).await;
            // Fails only once the task has ended; then the sink goes as well.
            let _ = done.unbounded_send(Done::Ready(number, ready));
        });
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
                if let (Some(channels), Some((_, bytes))) = (channels, self.buffers.get(buffer)) {
                    let _ = channels.bytes.send_buffer(&browser::frame(&head, bytes, from, to));
                }
            }
            Output::Place { id, buffer, length, skip, at } => {
                let Some(piece) = &self.piece else { return };
                if !self.buffers.contains(buffer) {
                    self.buffers.insert(buffer, (id, Uint8Array::new_with_length(length)));
                }
                let Some((_, bytes)) = self.buffers.get(buffer) else { return };
                bytes.set(&piece.subarray(skip as u32, piece.length()), at);
            }
            Output::Read { id, buffer, from, length } => self.read(id, buffer, from, length),
            Output::Digest(buffer) => self.digest(buffer),
            Output::Write { id, buffer, chunk, hash } => {
                let (Some((_, bytes)), Some(sink)) =
                    (self.buffers.remove(buffer), self.sinks.get(id.number).cloned())
                else {
                    return;
                };
                self.later(async move { Input::Written(buffer, sink.write(chunk, hash, bytes).await) });
            }
            Output::Discard(buffer) => drop(self.buffers.remove(buffer)),
            Output::Root(id, all) => {
                let bytes = Uint8Array::from(all.as_slice());
                self.later(async move {
                    match browser::sha256(&bytes).await {
                        Ok(root) => Input::Root(id, root),
                        Err(words) => Input::Cancel(id, Reason::Unreadable(words)),
                    }
                });
            }
            Output::Finish(id) => self.finish(id),
            Output::Release { id, keep } => self.release(id, keep),
            Output::Event(told) => self.told(told, on_event),
        }
    }

    fn read(&self, id: Id, buffer: Buffer, from: u64, length: u32) {
        let Some(file) = self.files.get(id.number).cloned() else { return };
        let done = self.done.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let read = async {
                let bytes = browser::read(&file, from, length).await?;
                let hash = browser::sha256(&bytes).await?;
                Ok((id, bytes, hash))
            };
            // Fails only once the task has ended.
            let _ = done.unbounded_send(Done::Read(buffer, read.await));
        });
    }

    fn digest(&self, buffer: Buffer) {
        let Some((id, bytes)) = self.buffers.get(buffer).cloned() else { return };
        self.later(async move {
            match browser::sha256(&bytes).await {
                Ok(hash) => Input::Digested(buffer, hash),
                Err(words) => Input::Cancel(id, Reason::CannotSave(words)),
            }
        });
    }

    fn finish(&self, id: Id) {
        let (Some(sink), Some(transfer)) =
            (self.sinks.get(id.number).cloned(), self.transfers.get(id).cloned())
        else {
            return;
        };
        let done = self.done.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let finished = sink.finish(transfer.file()).await;
            // Fails only once the task has ended.
            let _ = done.unbounded_send(Done::Finished(id.number, finished));
        });
    }

    /// Reports to the machine what comes of `work`.
    fn later(&self, work: impl Future<Output = Input> + 'static) {
        let done = self.done.clone();
        wasm_bindgen_futures::spawn_local(async move {
            // Fails only once the task has ended.
            let _ = done.unbounded_send(Done::Input(work.await));
        });
    }

    fn release(&mut self, id: Id, keep: bool) {
        self.buffers.retain(|(owner, _)| *owner != id);
        match id.sender {
            Side::Here => drop(self.files.remove(id.number)),
            Side::There => {
                if let Some(sink) = self.sinks.remove(id.number) {
                    wasm_bindgen_futures::spawn_local(sink.abandon(keep));
                }
            }
        }
    }

    fn told(&mut self, told: Told, on_event: &dyn Fn(Event)) {
        match told {
            Told::Offered(id, file) => {
                let transfer = Transfer::new(self.peer.clone(), id, &file, self.to.clone());
                self.transfers.insert(id, transfer.clone());
                on_event(Event::File(transfer));
            }
            Told::Accepted(id) => self.set(id, TransferState::Active(Default::default())),
            Told::Progress(id, progress) => self.set(id, TransferState::Active(progress)),
            Told::Completed(id) => {
                if let Some(transfer) = self.transfers.remove(id) {
                    transfer.set(TransferState::Done(transfer.saved()));
                }
            }
            Told::Failed(id, failure) => {
                if let Some(transfer) = self.transfers.remove(id) {
                    transfer.set(TransferState::Failed(TransferError(failure)));
                }
            }
            Told::Malformed(what) => on_event(Event::Malformed(what)),
        }
    }

    fn set(&self, id: Id, state: TransferState) {
        if let Some(transfer) = self.transfers.get(id) {
            transfer.set(state);
        }
    }
}
