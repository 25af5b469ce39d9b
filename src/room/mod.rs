//! A room: everyone in it, one duologue for each of the others.

mod control;
mod driver;
mod duologue;
mod event;
mod local_media;
mod reason;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::queue::{Sender, queue};
use duologue_engine::Governing;
use duologue_engine::messages::{Body, Mode};
use duologue_protocol::{Join, JoinKey, Name, PeerId, RoomId};
use futures_channel::oneshot;

use crate::browser::{RtcOptions, random_token, spawn};
use crate::error::Error;
use crate::exchange::{self, Outbox, Receipt, Transfer};
use crate::signaling::Signaling;
use driver::{Command, Driver, Happening};

pub use control::Sending;
pub use event::{Event, Events, Peer, PeerState};
pub use local_media::{LocalMedia, LocalState, Watch};
pub use reason::Reason;

/// Who is in the room, and where messages to them go in. A page that knows only the plain messages takes none.
type Recipients = Rc<RefCell<Vec<(Peer, Option<Outbox>)>>>;

/// How to be in a room.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// Camera and microphone; `None` to see and hear only.
    pub media: Option<LocalMedia>,
    /// STUN and TURN servers, and which ways may be taken. With no servers here, those that the signaling server
    /// tells of are used.
    pub rtc: RtcOptions,
}

/// A place among the others of a room, or on the way there. Dropping it leaves the room, closes every connection and
/// stops every listener.
pub struct Room {
    /// By it the server knows us if we come in again before it has noticed that we were gone.
    key: Option<JoinKey>,
    happenings: Sender<Happening>,
    recipients: Recipients,
    /// Whether others take what we send.
    speaks: Rc<Cell<bool>>,
}

impl Room {
    /// Begins to connect, outside of any room yet. A page that has a lobby opens this early: then entering takes no
    /// more than one question to the server.
    #[must_use]
    pub fn open(signaling: Signaling, options: Options) -> Self {
        let (happenings, queue) = queue();
        let recipients = Recipients::default();
        let speaks = Rc::new(Cell::new(true));
        let driver =
            Driver::new(signaling, options, happenings.clone(), Rc::clone(&recipients), Rc::clone(&speaks));
        spawn(driver.run(queue));
        Self { key: JoinKey::new(random_token::<26>()).ok(), happenings, recipients, speaks }
    }

    /// Enters the room called `room`, under `name` (may be empty), and gives our id there. Whoever is in a room already
    /// leaves it first.
    ///
    /// Camera and microphone are not waited for: they join the call when they are there.
    ///
    /// # Errors
    /// [`Error::InvalidName`] for names that cannot be, [`Error::Unreachable`] if the server does not answer,
    /// [`Error::Refused`] if it says no (the room is full, most likely). Then one is outside, and may try again.
    pub async fn enter(&self, room: &str, name: &str) -> Result<PeerId, Error> {
        self.enter_with(room, name, None).await
    }

    /// The same, with the token that lets one in where the server asks for it. Where somebody inside has to decide, this
    /// waits for them, and [`Event::Waiting`] says so.
    ///
    /// # Errors
    /// Those of [`enter`](Self::enter).
    pub async fn enter_with(&self, room: &str, name: &str, token: Option<String>) -> Result<PeerId, Error> {
        let name = Name::new(name)?;
        let join = Join {
            room: RoomId::new(room)?,
            name: (!name.as_str().is_empty()).then_some(name),
            token,
            protocol: Some(duologue_protocol::VERSION),
            key: self.key.clone(),
            pairs: Vec::new(),
        };
        self.recipients.take();
        let (answer, question) = oneshot::channel();
        self.tell(Command::Enter(join, answer));
        question.await.unwrap_or(Err(Error::Left))
    }

    /// [`open`](Self::open) and [`enter`](Self::enter) in one.
    ///
    /// # Errors
    /// Those of [`enter`](Self::enter).
    pub async fn join(signaling: Signaling, room: &str, name: &str, options: Options) -> Result<Self, Error> {
        let this = Self::open(signaling, options);
        this.enter(room, name).await?;
        Ok(this)
    }

    /// Leaves the room. The signaling server stays connected, and a room may be entered again.
    pub fn exit(&self) {
        self.recipients.take();
        self.tell(Command::Exit);
    }

    /// Sends a message to one peer, or to everyone who is in the room now. It is on its way as soon as this is called.
    ///
    /// What this gives is done when the channels have taken the message: whoever waits for it never sends faster than
    /// the network can. A reliable message waits for a connection that is not up yet, or is being repaired.
    /// [`Receipt::delivered`] then tells when the others have it.
    ///
    /// # Errors
    /// [`Error::Undelivered`] says who will not get it, and why; [`Error::NoSuchPeer`] if nobody in the room has that id;
    /// [`Error::Listener`] if we may not speak.
    pub fn send(
        &self,
        body: Body,
        to: Option<&PeerId>,
        mode: Mode,
    ) -> impl Future<Output = Result<Receipt, Error>> + use<> {
        let speaks = self.speaks.get();
        let sent: Vec<_> = self
            .recipients
            .borrow()
            .iter()
            .filter(|(peer, _)| speaks && to.is_none_or(|to| peer.id == *to))
            .map(|(peer, outbox)| {
                let taken = match outbox {
                    Some(outbox) => outbox.send(body.clone(), mode),
                    None => exchange::unsupported(),
                };
                (peer.clone(), taken)
            })
            .collect();
        let there_is_none = to.is_some() && sent.is_empty();
        async move {
            if !speaks {
                return Err(Error::Listener);
            }
            if there_is_none {
                return Err(Error::NoSuchPeer);
            }
            let (mut deliveries, mut losses) = (Vec::new(), Vec::new());
            for (peer, taken) in sent {
                match taken.await.unwrap_or(Err(duologue_engine::messages::Loss::Unsent)) {
                    Ok(delivery) => deliveries.push((peer, delivery)),
                    Err(loss) => losses.push((peer, loss)),
                }
            }
            if losses.is_empty() { Ok(Receipt::new(deliveries)) } else { Err(Error::Undelivered(losses)) }
        }
    }

    /// Offers a file to a peer; which one need not be said while there is only one. They have to accept it.
    ///
    /// # Errors
    /// [`Error::NoSuchPeer`], [`Error::WhichPeer`] with several in the room, [`Error::TakesNoFiles`] if the peer's page
    /// is not one of Duologue, [`Error::Listener`] if we may not speak, [`Error::Left`].
    pub fn send_file(
        &self,
        file: &crate::browser::File,
        to: Option<&PeerId>,
    ) -> impl Future<Output = Result<Transfer, Error>> + use<> {
        let (answer, question) = oneshot::channel();
        self.tell(Command::SendFile { file: file.clone(), to: to.cloned(), answer });
        async move { question.await.unwrap_or(Err(Error::Left)) }
    }

    /// Everything that happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        let (sender, receiver) = queue();
        self.tell(Command::Subscribe(sender));
        Events(receiver)
    }

    /// Locks the room or opens it again, lets in who knocks or does not, takes somebody out. Of one who is no admin the server
    /// takes none of that, and [`Event::Error`] says so.
    pub fn govern(&self, what: Governing) {
        self.tell(Command::Govern(what));
    }

    /// Does not wait for the next try to reach the signaling server, and tries again to connect to peers where that has
    /// failed.
    pub fn retry(&self) {
        self.tell(Command::Retry);
    }

    fn tell(&self, command: Command) {
        // Fails only once the task has ended, which is after `End`.
        let _ = self.happenings.send(Happening::Command(command));
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.tell(Command::End);
    }
}
