//! A file on its way, as the application holds it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::queue::{Receiver, Sender, queue};
use duologue_engine::transfer::{Failure, FileInfo, Id, Input, Progress, Reason, Side};
use futures_core::Stream;

use super::Happening;
use super::saving::Destination;
use crate::browser::File;
use crate::room::Peer;

/// A file on its way to a peer, or from one, or offered. Clones are the same one. It goes on when nobody holds it; it
/// ends when it is done, has failed or was cancelled, when the peer leaves, or with the room.
#[derive(Clone)]
pub struct Transfer(Rc<Inner>);

struct Inner {
    peer: Peer,
    id: Id,
    file: FileInfo,
    state: RefCell<TransferState>,
    watchers: RefCell<Vec<Sender<TransferState>>>,
    answered: Cell<bool>,
    /// What was saved, between that and the news that all is done.
    saved: Cell<Option<Saved>>,
    to: Sender<Happening>,
}

/// Where a transfer stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TransferState {
    /// Nobody has said yet whether the file is wanted.
    Offered,
    /// It goes on, or is paused.
    Active(Progress),
    /// The receiver has all of it, as it was sent. With us as the receiver, what was saved.
    Done(Option<Saved>),
    /// It is over, and the file is not there.
    Failed(TransferError),
}

impl TransferState {
    /// Whether nothing more will come.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }
}

/// A file that has arrived.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The file. It lies on the disk as long as this or a clone of it is held, and no longer than the page is open: a
    /// person has to save it, most simply by a link to its object URL. `None` if it was written to where the person chose.
    pub file: Option<File>,
    /// What keeps it there.
    pub(super) _disk: Option<Rc<dyn Any>>,
}

/// Why a file did not arrive, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferError(pub(crate) Failure);

impl TransferError {
    /// A word for programs: `cancelled`, `declined`, `changed`, `unreadable`, `cannot-save`, `damaged`, `malformed`,
    /// `forgotten`, `too-many` or `left`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.0.reason {
            Reason::Cancelled => "cancelled",
            Reason::Declined(_) => "declined",
            Reason::Changed => "changed",
            Reason::Unreadable(_) => "unreadable",
            Reason::CannotSave(_) => "cannot-save",
            Reason::Damaged => "damaged",
            Reason::Malformed => "malformed",
            Reason::Forgotten => "forgotten",
            Reason::TooMany => "too-many",
            Reason::Left => "left",
        }
    }

    /// Whether the reason lies with us, not with the peer.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.0.by == Side::Here
    }
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (who, whose) = match self.0.by {
            Side::Here => ("You", "your"),
            Side::There => ("The other side", "the other"),
        };
        match &self.0.reason {
            Reason::Cancelled => write!(f, "{who} cancelled it."),
            Reason::Declined(words) if words.is_empty() => write!(f, "{who} declined it."),
            Reason::Declined(words) => write!(f, "{who} declined it: {words}"),
            Reason::Changed => f.write_str("The file was changed while it was sent. Send it again."),
            Reason::Unreadable(words) => write!(
                f,
                "The file can no longer be read on {whose} side: it was moved, changed or deleted. Choose it again. \
                 (The browser says: {words})"
            ),
            Reason::CannotSave(words) => write!(
                f,
                "The file could not be saved on {whose} side: the disk is full, or the browser does not allow it. \
                 (It says: {words})"
            ),
            Reason::Damaged => {
                f.write_str("A part of the file arrived altered again and again. Send it again.")
            }
            Reason::Malformed => {
                f.write_str("The two sides do not understand each other. Load both pages again.")
            }
            Reason::Forgotten => f.write_str("The other side knows nothing of it any more. Send it again."),
            Reason::TooMany => {
                f.write_str("Too many files wait already. Send it when some of them are done.")
            }
            Reason::Left => f.write_str("The call was over before the file had arrived. Send it again."),
        }
    }
}

impl std::error::Error for TransferError {}

impl Transfer {
    pub(super) fn new(peer: Peer, id: Id, file: FileInfo, to: Sender<Happening>) -> Self {
        Self(Rc::new(Inner {
            peer,
            id,
            file,
            state: RefCell::new(TransferState::Offered),
            watchers: RefCell::default(),
            answered: Cell::new(false),
            saved: Cell::new(None),
            to,
        }))
    }

    pub(super) fn id(&self) -> Id {
        self.0.id
    }

    pub(super) fn file(&self) -> &FileInfo {
        &self.0.file
    }

    /// The other one.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.0.peer
    }

    /// Whether the file comes to us.
    #[must_use]
    pub fn is_incoming(&self) -> bool {
        self.0.id.sender == Side::There
    }

    /// The file's name. One that a peer told is made safe: it can be shown and saved as it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.file.name
    }

    /// Its media type (MIME), as the sender's browser guessed it; may be empty.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.0.file.kind
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.file.size
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> TransferState {
        self.0.state.borrow().clone()
    }

    /// Where it stands, now and whenever that changes; ends with the transfer. How far it is is told twice a second.
    #[must_use]
    pub fn states(&self) -> TransferStates {
        let (watcher, states) = queue();
        let state = self.state();
        let ended = state.is_final();
        // Cannot fail: we hold the other end.
        let _ = watcher.send(state);
        if !ended {
            self.0.watchers.borrow_mut().push(watcher);
        }
        TransferStates(states)
    }

    /// Takes a file that a peer offers. What has arrived of it before, even before the page was loaded anew, is not sent
    /// again. Does nothing if it was answered already.
    pub fn accept(&self, destination: Destination) {
        if self.is_incoming() && !self.0.answered.replace(true) {
            self.tell(Happening::Accept(self.0.id.number, destination));
        }
    }

    /// Refuses a file that a peer offers. `reason` is for the person on the other side, and may be empty.
    pub fn decline(&self, reason: &str) {
        if self.is_incoming() && !self.0.answered.replace(true) {
            self.stop(Reason::Declined(reason.to_owned()));
        }
    }

    /// Ends it. The other side is told.
    pub fn cancel(&self) {
        self.stop(Reason::Cancelled);
    }

    /// Holds it up, until [`resume`](Self::resume). Both sides can.
    pub fn pause(&self) {
        self.tell(Happening::Transfer(Input::Pause(self.0.id, true)));
    }

    /// Goes on.
    pub fn resume(&self) {
        self.tell(Happening::Transfer(Input::Pause(self.0.id, false)));
    }

    fn stop(&self, reason: Reason) {
        self.tell(Happening::Transfer(Input::Cancel(self.0.id, reason)));
    }

    fn tell(&self, happening: Happening) {
        // Fails only once the task has ended, and with it every transfer.
        let _ = self.0.to.send(happening);
    }

    pub(super) fn set_saved(&self, saved: Saved) {
        self.0.saved.set(Some(saved));
    }

    pub(super) fn saved(&self) -> Option<Saved> {
        self.0.saved.take()
    }

    pub(super) fn set(&self, state: TransferState) {
        let ended = state.is_final();
        self.0.watchers.borrow_mut().retain(|watcher| watcher.send(state.clone()) && !ended);
        self.0.state.replace(state);
    }
}

impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Transfer").field(&self.0.id).finish()
    }
}

/// Where a transfer stands, in order. Ends with the transfer.
#[derive(Debug)]
pub struct TransferStates(Receiver<TransferState>);

impl Stream for TransferStates {
    type Item = TransferState;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<TransferState>> {
        Pin::new(&mut self.0).poll_next(context)
    }
}

/// What is told of a file.
pub(super) fn describe(file: &File) -> FileInfo {
    FileInfo {
        name: file.name(),
        kind: file.type_(),
        // Whole numbers below 2^53.
        size: file.size() as u64,
        modified: file.last_modified().max(0.0) as u64,
    }
}
