//! Messages: carries out what the machine says.

use std::collections::VecDeque;

use duologue_engine::messages::{Body, Input, LOW, Loss, Messages, Mode, Output};
use futures_channel::oneshot;
use js_sys::Uint8Array;

use super::{Channels, Event};
use crate::browser;
use crate::error::Error;
use crate::room::Peer;

/// Told once the other side has a message, or that nobody knows.
pub(crate) type Delivery = oneshot::Receiver<Result<(), Loss>>;
/// Told once a channel has a message, or why not.
pub(crate) type Taken = oneshot::Sender<Result<Delivery, Loss>>;

/// A message that was sent.
#[derive(Debug)]
pub struct Receipt {
    deliveries: Vec<(Peer, Delivery)>,
}

impl Receipt {
    pub(crate) fn new(deliveries: Vec<(Peer, Delivery)>) -> Self {
        Self { deliveries }
    }

    /// Whom it was sent to.
    pub fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.deliveries.iter().map(|(peer, _)| peer)
    }

    /// Waits until everyone it was sent to has it. Of a lossy message nobody hears whether it arrived: then this does not
    /// wait.
    ///
    /// # Errors
    /// [`Error::Undelivered`] if a connection ended before the other side said that it arrived.
    pub async fn delivered(self) -> Result<(), Error> {
        let mut losses = Vec::new();
        for (peer, delivery) in self.deliveries {
            if let Err(loss) = delivery.await.unwrap_or(Err(Loss::Unconfirmed)) {
                losses.push((peer, loss));
            }
        }
        if losses.is_empty() { Ok(()) } else { Err(Error::Undelivered(losses)) }
    }
}

/// Who waits to hear of a message.
struct Pending {
    mode: Mode,
    taken: Option<Taken>,
    delivered: Option<oneshot::Sender<Result<(), Loss>>>,
}

#[derive(Default)]
pub(super) struct Mail {
    machine: Messages,
    /// In the order in which the messages were sent, which is the one in which they arrive.
    pending: VecDeque<Pending>,
    /// The number of the first of them; the others have those that follow.
    first: u32,
}

impl Mail {
    pub(super) fn deadline(&self) -> Option<duologue_engine::Instant> {
        self.machine.deadline()
    }

    pub(super) fn opened(&mut self, channels: &Channels, most_bytes: usize, on_event: &dyn Fn(Event)) {
        channels.messages.set_low_mark(LOW);
        self.tell(Some(channels), Input::Opened { most_bytes }, on_event);
    }

    pub(super) fn interrupted(&mut self, on_event: &dyn Fn(Event)) {
        self.tell(None, Input::Interrupted, on_event);
    }

    pub(super) fn end(&mut self, on_event: &dyn Fn(Event)) {
        self.tell(None, Input::Closed, on_event);
    }

    pub(super) fn timeout(&mut self, channels: Option<&Channels>, on_event: &dyn Fn(Event)) {
        self.tell(channels, Input::Timeout, on_event);
    }

    pub(super) fn drained(&mut self, channels: &Channels, on_event: &dyn Fn(Event)) {
        self.tell(Some(channels), Input::Buffered(Mode::Reliable, channels.messages.buffered()), on_event);
    }

    pub(super) fn frame(
        &mut self,
        channels: &Channels,
        mode: Mode,
        frame: &Uint8Array,
        on_event: &dyn Fn(Event),
    ) {
        self.tell(Some(channels), Input::Frame(mode, frame.to_vec()), on_event);
    }

    pub(super) fn send(
        &mut self,
        channels: Option<&Channels>,
        body: Body,
        mode: Mode,
        taken: Taken,
        on_event: &dyn Fn(Event),
    ) {
        let id = self.first.wrapping_add(self.pending.len() as u32);
        if let Some(channels) = channels {
            let channel = if mode == Mode::Lossy { &channels.lossy } else { &channels.messages };
            self.machine.handle(browser::now(), Input::Buffered(mode, channel.buffered()));
        }
        self.pending.push_back(Pending { mode, taken: Some(taken), delivered: None });
        self.tell(channels, Input::Send { id, mode, body }, on_event);
    }

    fn tell(&mut self, channels: Option<&Channels>, input: Input, on_event: &dyn Fn(Event)) {
        self.machine.handle(browser::now(), input);
        let (mut received, mut unconfirmed) = (Vec::new(), 0);
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Transmit(mode, frame) => {
                    if let Some(channels) = channels {
                        let channel = if mode == Mode::Lossy { &channels.lossy } else { &channels.messages };
                        // A channel that takes nothing is closed, and says so itself.
                        let _ = channel.send_bytes(&frame);
                    }
                }
                Output::Taken(id) => self.taken(id),
                Output::Delivered(id) => {
                    if let Some(delivered) = self.take(id).and_then(|it| it.delivered) {
                        // Fails where nobody waits for it.
                        let _ = delivered.send(Ok(()));
                    }
                }
                Output::Lost(id, loss) => {
                    if let Some(Pending { taken, delivered, .. }) = self.take(id) {
                        unconfirmed += usize::from(taken.is_none());
                        // Both fail where nobody waits for it.
                        if let Some(taken) = taken {
                            let _ = taken.send(Err(loss));
                        }
                        if let Some(delivered) = delivered {
                            let _ = delivered.send(Err(loss));
                        }
                    }
                }
                Output::Received(mode, body) => received.push((mode, body)),
                Output::Malformed(what) => {
                    on_event(Event::Messages(std::mem::take(&mut received)));
                    on_event(Event::Malformed(what));
                }
            }
        }
        if !received.is_empty() {
            on_event(Event::Messages(received));
        }
        if unconfirmed > 0 {
            on_event(Event::Unconfirmed(unconfirmed));
        }
    }

    /// Takes out the first, or the last: what is not sent at all, or is lossy, is over before there is another.
    fn take(&mut self, id: u32) -> Option<Pending> {
        if id == self.first {
            let first = self.pending.pop_front()?;
            self.first = self.first.wrapping_add(1);
            return Some(first);
        }
        let is_last = id.wrapping_sub(self.first) as usize + 1 == self.pending.len();
        if is_last { self.pending.pop_back() } else { None }
    }

    fn taken(&mut self, id: u32) {
        let Some(pending) = self.pending.get_mut(id.wrapping_sub(self.first) as usize) else { return };
        let (delivered, delivery) = oneshot::channel();
        if let Some(taken) = pending.taken.take() {
            // Fails where nobody waits for it.
            let _ = taken.send(Ok(delivery));
        }
        if pending.mode == Mode::Lossy {
            let _ = delivered.send(Ok(()));
            self.take(id);
        } else {
            pending.delivered = Some(delivered);
        }
    }
}
