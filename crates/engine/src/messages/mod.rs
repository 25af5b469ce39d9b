//! Messages to one peer: whole ones in, whole ones out, over channels that take only so much at a time.
//!
//! The rules:
//! - A reliable message is delivered, in order, or its sender is told that it may not have been. It counts as delivered
//!   when the other side says that it arrived, not when a channel took it.
//! - A lossy message is sent at once or not at all; nobody hears whether it arrived.
//! - What a channel has been given and not sent stays below a mark. What waits behind it is bounded, too: an application
//!   that sends faster than the network can is told so.
//! - Small messages that come while the channel still holds others go together, in one frame: a packet for each would cost
//!   both computers far more than what is in it. The first goes at once.
//! - A message that is larger than the peer's `maxMessageSize` (W3C webrtc-pc, section 6.1.1) is cut and joined.
//! - What cannot be read is reported, and the next message is read again.

mod frame;
mod joined;

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Instant;
use frame::{Bundle, Cut, Frame};
use joined::{Brought, Joined};

/// The most bytes a message may have. What is larger is a file.
pub const MOST_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes that may wait for one peer.
pub const MOST_WAITING: usize = 16 * 1024 * 1024;
/// The most bytes a lossy message may have: the loss of one packet loses all of it.
pub const MOST_LOSSY_BYTES: usize = 16 * 1024;

/// A channel is given no more while it holds this many bytes, (it refuses more than 16 MiB, and then closes)
const HIGH: usize = 1024 * 1024;
/// and is to report when it holds no more than these: [`Input::Buffered`].
pub const LOW: usize = 256 * 1024;
/// The most that lies in the channel for lossy messages. What would come too late is not sent.
const LOSSY_HIGH: usize = 64 * 1024;
/// No frame is larger, whatever the peer would take: chat waits for one frame of whatever else there is, and browsers are
/// not quicker with frames above 128 KiB. (A message of just that size is one frame.)
const MOST_FRAME: usize = 128 * 1024 + 64;
/// The most messages that are under way: their numbers are remembered until the other side says that they arrived.
const MOST_UNDER_WAY: usize = 65_536;

/// A message of up to so many bytes may go together with others, in frames of about so many,
const SMALL: usize = 4 * 1024;
const BUNDLE: usize = 16 * 1024;
/// and waits for others for no longer than this.
const BUNDLE_AFTER: Duration = Duration::from_millis(2);

/// After this long, or so many messages, the other side is told what has arrived.
const TELL_AFTER: Duration = Duration::from_millis(50);
const TELL_EVERY: u32 = 1024;

/// What a message holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Body {
    /// Its length in bytes; of text, as UTF-8.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether it holds nothing. Such a message is sent like any other.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How a message travels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// In order, and again until it arrives.
    #[default]
    Reliable,
    /// Once (`maxRetransmits: 0`), and perhaps out of order: for what is soon out of date, like the place of a cursor.
    Lossy,
}

/// Why a message was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loss {
    /// It has more bytes than a message of its mode may have.
    TooLarge,
    /// Too much waits already. Nothing of it was sent.
    TooMuchWaiting,
    /// There is no connection yet, and a lossy message does not wait.
    NotConnected,
    /// The connection ended before any of it was sent.
    Unsent,
    /// The connection ended before the other side said that it has arrived. It may have, or not.
    Unconfirmed,
    /// The peer's page takes no messages. (This is for the driver to say: a machine has a peer that does.)
    Unsupported,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The channels are open, and the peer takes messages of up to so many bytes.
    Opened {
        /// `RTCSctpTransport.maxMessageSize`.
        most_bytes: usize,
    },
    /// The application wants this sent. `id` is the application's.
    Send {
        /// By which [`Output::Taken`] and the others name it.
        id: u32,
        /// How.
        mode: Mode,
        /// What.
        body: Body,
    },
    /// This has arrived on the channel of a mode.
    Frame(Mode, Vec<u8>),
    /// The channel of a mode holds so many bytes (`bufferedAmount`). To be told before every `Send`, and when it has
    /// come down to [`LOW`].
    Buffered(Mode, usize),
    /// The connection is gone. What waits goes over the next one, which begins with `Opened`.
    Interrupted,
    /// The peer is gone for good.
    Closed,
    /// The moment of [`Messages::deadline`] has come.
    Timeout,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Give this to the channel of the mode.
    Transmit(Mode, Vec<u8>),
    /// The channel has all of this message.
    Taken(u32),
    /// The other side has it.
    Delivered(u32),
    /// It was not delivered, as far as is known.
    Lost(u32, Loss),
    /// A message for the application.
    Received(Mode, Body),
    /// Something has arrived that is no message; it was passed over.
    Malformed(&'static str),
}

/// Messages to and from one peer.
#[derive(Debug, Default)]
pub struct Messages {
    /// The most bytes of a frame, while the channels are open.
    most_frame: Option<usize>,
    buffered: usize,
    lossy_buffered: usize,
    /// What the channel has not taken wholly; the first may be taken in part.
    waiting: VecDeque<(u32, Cut)>,
    waiting_bytes: usize,
    /// What goes together, and when at the latest.
    bundle: Bundle,
    bundle_until: Option<Instant>,
    /// What the channel took and the other side has not confirmed.
    under_way: VecDeque<u32>,
    /// How many the other side has confirmed.
    confirmed: u32,
    joined: Joined,
    /// How many have arrived here, how many of them the other side knows of, and when to tell it.
    arrived: u32,
    told: u32,
    tell: Option<Instant>,
    outputs: VecDeque<Output>,
}

impl Messages {
    /// Takes an input, at the moment `now`.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Opened { most_bytes } => {
                self.end();
                self.most_frame = Some(most_bytes.min(MOST_FRAME));
                self.transmit(now);
            }
            Input::Send { id, mode, body } => self.send(now, id, mode, body),
            Input::Frame(mode, frame) => self.frame(now, mode, &frame),
            Input::Buffered(Mode::Reliable, bytes) => {
                self.buffered = bytes + self.bundle.len();
                if bytes == 0 {
                    self.send_bundle();
                }
                self.transmit(now);
            }
            Input::Buffered(Mode::Lossy, bytes) => self.lossy_buffered = bytes,
            Input::Interrupted => self.end(),
            Input::Closed => {
                self.end();
                for (id, _) in std::mem::take(&mut self.waiting) {
                    self.outputs.push_back(Output::Lost(id, Loss::Unsent));
                }
                self.waiting_bytes = 0;
            }
            Input::Timeout => {
                if self.tell.is_some_and(|at| at <= now) {
                    self.tell_arrived();
                }
                if self.bundle_until.is_some_and(|at| at <= now) {
                    self.send_bundle();
                }
            }
        }
    }

    /// What to do next.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to tell of [`Input::Timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        [self.tell, self.bundle_until].into_iter().flatten().min()
    }

    /// The channels are gone, with all that was in them.
    fn end(&mut self) {
        let cut_short = self.waiting.front().is_some_and(|(_, cut)| cut.begun());
        let half_sent = if cut_short { self.waiting.pop_front() } else { None };
        if let Some((_, cut)) = &half_sent {
            self.waiting_bytes -= cut.left().min(self.waiting_bytes);
        }
        self.under_way.extend(half_sent.map(|(id, _)| id));
        while let Some(id) = self.under_way.pop_front() {
            self.outputs.push_back(Output::Lost(id, Loss::Unconfirmed));
        }
        self.most_frame = None;
        (self.buffered, self.lossy_buffered) = (0, 0);
        (self.confirmed, self.arrived, self.told) = (0, 0, 0);
        (self.tell, self.bundle_until) = (None, None);
        self.bundle = Bundle::default();
        self.joined = Joined::Nothing;
    }

    fn send(&mut self, now: Instant, id: u32, mode: Mode, body: Body) {
        let loss = match mode {
            Mode::Reliable if body.len() > MOST_BYTES => Some(Loss::TooLarge),
            Mode::Reliable if self.waiting_bytes + body.len() > MOST_WAITING => Some(Loss::TooMuchWaiting),
            Mode::Reliable => None,
            Mode::Lossy => match self.most_frame {
                _ if body.len() > MOST_LOSSY_BYTES => Some(Loss::TooLarge),
                None => Some(Loss::NotConnected),
                Some(most) if body.len() >= most => Some(Loss::TooLarge),
                Some(_) if self.lossy_buffered >= LOSSY_HIGH => Some(Loss::TooMuchWaiting),
                Some(_) => None,
            },
        };
        if let Some(loss) = loss {
            self.outputs.push_back(Output::Lost(id, loss));
            return;
        }
        let mut cut = Cut::new(body);
        match mode {
            Mode::Lossy => {
                let (frame, _) = cut.next(usize::MAX);
                self.lossy_buffered += frame.len();
                self.outputs.push_back(Output::Transmit(Mode::Lossy, frame));
                self.outputs.push_back(Output::Taken(id));
            }
            Mode::Reliable => {
                self.waiting_bytes += cut.left();
                self.waiting.push_back((id, cut));
                self.transmit(now);
            }
        }
    }

    /// Gives the channel what it may have.
    fn transmit(&mut self, now: Instant) {
        let Some(most) = self.most_frame else { return };
        while self.buffered < HIGH && self.under_way.len() < MOST_UNDER_WAY {
            let Some((id, cut)) = self.waiting.front_mut() else { return };
            let (id, before) = (*id, cut.left());
            if self.buffered > 0 && before <= SMALL.min(most / 4) && !cut.begun() {
                let had = self.bundle.len();
                self.bundle.add(cut);
                self.buffered += self.bundle.len() - had;
                self.waiting_bytes -= before.min(self.waiting_bytes);
                self.waiting.pop_front();
                self.under_way.push_back(id);
                self.outputs.push_back(Output::Taken(id));
                if self.bundle.len() >= BUNDLE.min(most / 2) {
                    self.send_bundle();
                } else if self.bundle_until.is_none() {
                    self.bundle_until = Some(now + BUNDLE_AFTER);
                }
                continue;
            }
            // It goes behind what came before it.
            self.send_bundle();
            let Some((_, cut)) = self.waiting.front_mut() else { return };
            let (frame, last) = cut.next(most);
            self.waiting_bytes -= (before - cut.left()).min(self.waiting_bytes);
            self.buffered += frame.len();
            self.outputs.push_back(Output::Transmit(Mode::Reliable, frame));
            if last {
                self.waiting.pop_front();
                self.under_way.push_back(id);
                self.outputs.push_back(Output::Taken(id));
            }
        }
    }

    fn send_bundle(&mut self) {
        self.bundle_until = None;
        if let Some(frame) = self.bundle.take() {
            self.outputs.push_back(Output::Transmit(Mode::Reliable, frame));
        }
    }

    fn frame(&mut self, now: Instant, mode: Mode, frame: &[u8]) {
        let brought = match (Frame::read(frame), mode) {
            (Ok(Frame::Arrived(count)), Mode::Reliable) => return self.other_side_has(now, count),
            (Ok(Frame::Several(messages)), Mode::Reliable) => return self.several(now, messages),
            (Ok(frame @ Frame::Whole(..)), Mode::Lossy) => Joined::Nothing.take(&frame),
            (Ok(frame), Mode::Reliable) => {
                if self.joined.cut_off_by(&frame) {
                    self.outputs.push_back(Output::Malformed("a message in the middle of another"));
                }
                self.joined.take(&frame)
            }
            (Ok(_), Mode::Lossy) => Brought::Malformed { what: "a lossy message in parts", ends: false },
            (Err(what), _) => Brought::Malformed { what, ends: false },
        };
        self.deal_with(now, mode, brought);
    }

    /// Messages that came together.
    fn several(&mut self, now: Instant, messages: &[u8]) {
        if self.joined.cut_off_by(&Frame::Several(messages)) {
            self.joined = Joined::Nothing;
            self.outputs.push_back(Output::Malformed("a message in the middle of another"));
        }
        for message in frame::each(messages) {
            let brought = match message {
                Ok((kind, body)) => Joined::Nothing.take(&Frame::Whole(kind, body)),
                Err(what) => Brought::Malformed { what, ends: false },
            };
            self.deal_with(now, Mode::Reliable, brought);
        }
    }

    fn deal_with(&mut self, now: Instant, mode: Mode, brought: Brought) {
        let ends = match brought {
            Brought::Part => false,
            Brought::Skipped => true,
            Brought::Message(body) => {
                self.outputs.push_back(Output::Received(mode, body));
                true
            }
            Brought::Malformed { what, ends } => {
                self.outputs.push_back(Output::Malformed(what));
                ends
            }
        };
        if ends && mode == Mode::Reliable {
            self.arrived = self.arrived.wrapping_add(1);
            if self.arrived.wrapping_sub(self.told) >= TELL_EVERY {
                self.tell_arrived();
            } else if self.tell.is_none() {
                self.tell = Some(now + TELL_AFTER);
            }
        }
    }

    fn tell_arrived(&mut self) {
        self.tell = None;
        self.told = self.arrived;
        self.outputs.push_back(Output::Transmit(Mode::Reliable, frame::arrived(self.arrived)));
    }

    fn other_side_has(&mut self, now: Instant, count: u32) {
        let news = count.wrapping_sub(self.confirmed) as usize;
        if news > self.under_way.len() {
            // Whoever counts wrongly may count wrongly again: nothing is taken as delivered.
            self.outputs.push_back(Output::Malformed("a count of more messages than were sent"));
            return;
        }
        self.confirmed = count;
        for _ in 0..news {
            self.outputs.extend(self.under_way.pop_front().map(Output::Delivered));
        }
        self.transmit(now);
    }
}
