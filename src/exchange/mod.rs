//! What a pair of people send each other besides sound and picture: messages and files, on channels of their own.
//!
//! One task for each peer takes what happens, one thing at a time, through the machines of the engine to the browser. It
//! begins when the call is up, and outlives the connection: a file goes on over the next one.

mod files;
mod messages;
mod saving;
mod transfer;

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use crate::queue::{Receiver, Sender, queue};
use duologue_engine::messages::{Body, Loss, Mode};
use duologue_engine::transfer::{Id, Input, Side};
use futures_channel::oneshot;
use futures_util::future::{Either, poll_fn};
use futures_util::{FutureExt, StreamExt};

use crate::browser::{Alarm, Connection, DataChannel, DataChannelEvent, DataChannelKind, File, spawn};
use crate::later::NotLoaded;
use crate::room::Peer;
use files::{Done, Files};
use messages::Mail;

pub(crate) use messages::Delivery;
pub use messages::Receipt;
pub use saving::{Destination, MOST_IN_MEMORY};
pub use transfer::{Saved, Transfer, TransferError, TransferState, TransferStates};

/// The channels, the same on both sides. Number 0 is the room's own.
const CHANNELS: [DataChannelKind; 4] = [
    DataChannelKind { label: "duologue-messages", id: 1, lossy: false },
    DataChannelKind { label: "duologue-lossy", id: 2, lossy: true },
    DataChannelKind { label: "duologue-words", id: 3, lossy: false },
    DataChannelKind { label: "duologue-bytes", id: 4, lossy: false },
];

/// The channels of one connection.
pub(crate) struct Channels {
    number: u32,
    messages: DataChannel,
    lossy: DataChannel,
    words: DataChannel,
    bytes: DataChannel,
    /// How many of them are open.
    open: usize,
    /// The most bytes that the peer takes in a message, once that is known.
    most_bytes: Option<usize>,
}

/// What the room is told.
pub(crate) enum Event {
    /// Messages have arrived, together.
    Messages(Vec<(Mode, Body)>),
    /// The peer offers a file.
    File(Transfer),
    /// So many messages were sent, and nobody knows whether they arrived.
    Unconfirmed(usize),
    /// The peer sent something that cannot be read.
    Malformed(&'static str),
    /// The part of the program that does all this did not load. It is tried again.
    NotLoaded(NotLoaded),
}

/// How long to wait before another try to load the program for it.
const LOAD_AGAIN: Duration = Duration::from_secs(5);

crate::later! {
    in rest;
    /// Nothing: once it was called, the rest of the part is there.
    async fn load() {}
}

crate::later! {
    in rest;
    async fn work(peer: Peer, outbox: Outbox, queue: Receiver<Happening>, on_event: OnEvent) {
        run(peer, outbox, queue, on_event).await;
    }
}

type OnEvent = Box<dyn Fn(Event)>;

/// Something that the task has to deal with.
pub(crate) enum Happening {
    /// There is a new connection.
    Channels(Box<Channels>),
    /// The connection of this number is up, and the peer takes messages of up to so many bytes.
    Up(u32, usize),
    /// On a channel of the connection of this number.
    Channel(u32, u16, DataChannelEvent),
    /// The connection of this number is gone.
    Gone(u32),
    /// Send this.
    Send { body: Body, mode: Mode, taken: messages::Taken },
    /// Send this file, which `transfer` stands for.
    Offer(Transfer, File),
    /// Take the file of this number.
    Accept(u32, Destination),
    /// A transfer is to be cancelled, paused or resumed.
    Transfer(Input),
    /// The peer is gone for good.
    End,
}

/// What holds on to the task of a peer.
pub(crate) struct Exchange {
    outbox: Outbox,
    /// Until the task begins. What happens before waits here, and goes with this if the task never does.
    queue: Rc<Cell<Option<Receiver<Happening>>>>,
    /// Once the task was asked for: it does not wait for the program that it takes any longer than this is there.
    wanted: Option<oneshot::Sender<()>>,
    next_channels: Cell<u32>,
    next_file: Cell<u32>,
}

impl Exchange {
    pub(crate) fn new() -> Self {
        let (to, queue) = queue();
        Self {
            outbox: Outbox { to, straight: Rc::default() },
            queue: Rc::new(Cell::new(Some(queue))),
            wanted: None,
            next_channels: Cell::new(0),
            next_file: Cell::new(0),
        }
    }

    /// Makes the channels of a connection; when the end of that is dropped, they are gone.
    pub(crate) fn attach(&self, connection: &Connection) -> Attached {
        let number = self.next_channels.get().wrapping_add(1);
        self.next_channels.set(number);
        let [messages, lossy, words, bytes] = CHANNELS.map(|kind| {
            let to = self.outbox.to.clone();
            connection.data_channel(&kind, move |event| {
                // Fails only once the task has ended.
                let _ = to.send(Happening::Channel(number, kind.id, event));
            })
        });
        let channels = Channels { number, messages, lossy, words, bytes, open: 0, most_bytes: None };
        self.tell(Happening::Channels(Box::new(channels)));
        Attached { number, to: self.outbox.to.clone() }
    }

    /// Begins to deal with what has happened and will, unless that is done already.
    pub(crate) fn start(&mut self, peer: &Peer, on_event: impl Fn(Event) + 'static) {
        if self.wanted.is_some() {
            return;
        }
        let (wanted, mut unwanted) = oneshot::channel();
        self.wanted = Some(wanted);
        let (peer, outbox, queue) = (peer.clone(), self.outbox.clone(), Rc::downgrade(&self.queue));
        spawn(async move {
            let mut told = false;
            loop {
                let mut loading = pin!(load());
                let loaded = poll_fn(|context| match unwanted.poll_unpin(context) {
                    Poll::Ready(_) => Poll::Ready(None),
                    Poll::Pending => loading.as_mut().poll(context).map(Some),
                });
                match loaded.await {
                    None => return,
                    Some(Ok(())) => break,
                    Some(Err(error)) if !std::mem::replace(&mut told, true) => {
                        on_event(Event::NotLoaded(error));
                    }
                    Some(Err(_)) => {}
                }
                gloo_timers::future::sleep(LOAD_AGAIN).await;
            }
            // Whom it was for may be gone meanwhile.
            if let Some(queue) = queue.upgrade().and_then(|queue| queue.take()) {
                // It is loaded: this cannot fail.
                let _ = work(peer, outbox, queue, Box::new(on_event)).await;
            }
        });
    }

    /// Where messages to the peer go in.
    pub(crate) fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// Offers a file.
    pub(crate) fn offer(&self, peer: &Peer, file: File) -> Transfer {
        let number = self.next_file.get();
        self.next_file.set(number.wrapping_add(1));
        let id = Id { sender: Side::Here, number };
        let transfer = Transfer::new(peer.clone(), id, transfer::describe(&file), self.outbox.to.clone());
        self.tell(Happening::Offer(transfer.clone(), file));
        transfer
    }

    fn tell(&self, happening: Happening) {
        // Fails only once the task has ended.
        let _ = self.outbox.to.send(happening);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.tell(Happening::End);
    }
}

/// Takes what is to be dealt with at once, or gives it back.
type Straight = Box<dyn Fn(Happening) -> Option<Happening>>;

/// Where messages to a peer go in.
#[derive(Clone)]
pub(crate) struct Outbox {
    to: Sender<Happening>,
    /// The way to the task that takes no turn of the page's event loop, while the task runs.
    straight: Rc<RefCell<Option<Straight>>>,
}

impl Outbox {
    /// Sends a message: at once, if nothing else is to be dealt with first.
    pub(crate) fn send(&self, body: Body, mode: Mode) -> oneshot::Receiver<Result<Delivery, Loss>> {
        let (taken, answer) = oneshot::channel();
        let send = Happening::Send { body, mode, taken };
        let left = match &*self.straight.borrow() {
            Some(straight) if self.to.is_empty() => straight(send),
            _ => Some(send),
        };
        if let Some(send) = left {
            // Fails only once the task has ended; then whoever waits for the answer hears that.
            let _ = self.to.send(send);
        }
        answer
    }
}

/// The answer for a peer whose page has no channels for messages.
pub(crate) fn unsupported() -> oneshot::Receiver<Result<Delivery, Loss>> {
    let (taken, answer) = oneshot::channel();
    // Cannot fail: we hold the other end.
    let _ = taken.send(Err(Loss::Unsupported));
    answer
}

/// Stands for the channels of one connection.
pub(crate) struct Attached {
    number: u32,
    to: Sender<Happening>,
}

impl Attached {
    /// The connection is up, and the peer takes messages of up to so many bytes.
    pub(crate) fn up(&self, most_bytes: usize) {
        // Fails only once the task has ended.
        let _ = self.to.send(Happening::Up(self.number, most_bytes));
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // Fails only once the task has ended. Not every browser says that a channel was closed when its own page did it.
        let _ = self.to.send(Happening::Gone(self.number));
    }
}

/// The task of a peer.
struct Task {
    channels: Option<Box<Channels>>,
    mail: Mail,
    files: Files,
    alarm: Alarm,
    on_event: OnEvent,
}

async fn run(peer: Peer, outbox: Outbox, mut happenings: Receiver<Happening>, on_event: OnEvent) {
    // A queue of its own: what is in it is nothing that the rest of the program has to know.
    let (done, mut dones) = queue();
    let files = Files::new(peer, outbox.to, done.clone());
    let alarm = Alarm::new(move || {
        // Fails only once the task has ended.
        let _ = done.send(Done::Timer);
    });
    let task = Task { channels: None, mail: Mail::default(), files, alarm, on_event };
    let task = Rc::new(RefCell::new(task));
    let straight: Straight = {
        let task = Rc::clone(&task);
        Box::new(move |happening| match task.try_borrow_mut() {
            Ok(mut task) => {
                task.handle(happening);
                None
            }
            Err(_) => Some(happening),
        })
    };
    outbox.straight.replace(Some(straight));
    loop {
        // What has happened comes first: it is little, and what was begun gives no more than it was asked for.
        let next = poll_fn(|context| match happenings.poll_next_unpin(context) {
            Poll::Ready(happening) => Poll::Ready(happening.map(Either::Left)),
            Poll::Pending => dones.poll_next_unpin(context).map(|done| done.map(Either::Right)),
        });
        match next.await {
            Some(Either::Left(Happening::End)) | None => break,
            Some(Either::Left(happening)) => task.borrow_mut().handle(happening),
            Some(Either::Right(done)) => task.borrow_mut().done(done),
        }
    }
    outbox.straight.take();
    task.borrow_mut().end();
}

impl Task {
    fn handle(&mut self, happening: Happening) {
        match happening {
            Happening::Channels(channels) => {
                self.gone();
                self.channels = Some(channels);
            }
            Happening::Up(number, most_bytes) => {
                if let Some(channels) = self.channels.as_mut().filter(|channels| channels.number == number) {
                    channels.most_bytes = Some(most_bytes);
                    self.begin();
                }
            }
            Happening::Channel(number, id, event) => self.channel(number, id, event),
            Happening::Gone(number) => {
                if self.channels.as_deref().is_some_and(|channels| channels.number == number) {
                    self.gone();
                }
            }
            Happening::Send { body, mode, taken } => {
                self.mail.send(self.channels.as_deref(), body, mode, taken, &*self.on_event);
            }
            other => self.files.handle(self.channels.as_deref(), other, &*self.on_event),
        }
        self.set_alarm();
    }

    /// Something that was begun is done.
    fn done(&mut self, done: Done) {
        if matches!(done, Done::Timer) {
            self.mail.timeout(self.channels.as_deref(), &*self.on_event);
        }
        self.files.done(self.channels.as_deref(), done, &*self.on_event);
        self.set_alarm();
    }

    fn set_alarm(&mut self) {
        let deadlines = [self.mail.deadline(), self.files.deadline()];
        self.alarm.set(deadlines.into_iter().flatten().min());
    }

    fn end(&mut self) {
        self.gone();
        self.mail.end(&*self.on_event);
        self.files.tell(None, Input::Ended, &*self.on_event);
    }

    /// Begins to send, if everything is there that it takes.
    fn begin(&mut self) {
        let Some(channels) = self.channels.as_deref().filter(|it| it.open == CHANNELS.len()) else { return };
        let Some(most_bytes) = channels.most_bytes else { return };
        self.mail.opened(channels, most_bytes, &*self.on_event);
        self.files.tell(Some(channels), Input::Connected { most_bytes }, &*self.on_event);
    }

    fn gone(&mut self) {
        if self.channels.take().is_some() {
            self.mail.interrupted(&*self.on_event);
            self.files.tell(None, Input::Interrupted, &*self.on_event);
        }
    }

    fn channel(&mut self, number: u32, id: u16, event: DataChannelEvent) {
        let Some(channels) = self.channels.as_mut().filter(|channels| channels.number == number) else {
            return;
        };
        let [messages, lossy, words, bytes] = CHANNELS.map(|kind| kind.id);
        match event {
            DataChannelEvent::Opened => {
                channels.open += 1;
                self.begin();
            }
            DataChannelEvent::Closed => self.gone(),
            DataChannelEvent::Drained if id == bytes => self.files.drained(channels, &*self.on_event),
            DataChannelEvent::Drained => self.mail.drained(channels, &*self.on_event),
            DataChannelEvent::Bytes(frame) if id == messages => {
                self.mail.frame(channels, Mode::Reliable, &frame, &*self.on_event);
            }
            DataChannelEvent::Bytes(frame) if id == lossy => {
                self.mail.frame(channels, Mode::Lossy, &frame, &*self.on_event);
            }
            DataChannelEvent::Bytes(frame) if id == words => {
                self.files.tell(Some(channels), Input::Control(frame.to_vec()), &*self.on_event);
            }
            DataChannelEvent::Bytes(frame) => self.files.piece(channels, &frame, &*self.on_event),
            DataChannelEvent::Text(_) => (self.on_event)(Event::Malformed("text, where there is none")),
        }
    }
}
