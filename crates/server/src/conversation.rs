//! What a client's messages mean: the lobby before a room, the room, and the lobby again after it.

mod entering;
mod relay;

use std::sync::Arc;
use std::time::SystemTime;

use duologue_protocol::{ClientMessage, IceServers, PeerId, Ping, ServerMessage};
use tokio::time::Instant;

use crate::dismissal::Dismissal;
use crate::limits::{Lobby, Throttle, fits, may_be_read};
use crate::membership::Membership;
use crate::outbox::Outbox;
use crate::pace::{Pace, Permit};
use crate::refusal;
use crate::registry::Rooms;
use crate::room::{Governing, Parting};
use crate::token::Tokens;
use crate::turn::Ice;
use entering::Entering;

/// One client's part in things. Dropping it in a room means that its connection broke.
pub(crate) struct Conversation {
    rooms: Rooms,
    ice: Arc<Ice>,
    tokens: Arc<Tokens>,
    outbox: Outbox,
    /// Which connection this is to the room, see [`Rooms::connection`]. Another one each time that it comes in: what belongs to
    /// an earlier time must not pass for what belongs to this one.
    connection: u64,
    bounds: Bounds,
    /// The room that the client has asked to let it in, while that has not answered. In a box: that is a moment of a connection that
    /// may last for hours.
    entering: Option<Box<Entering>>,
    membership: Option<Membership>,
}

/// What one client may do.
pub(crate) struct Bounds {
    /// How much of what it says may wait for others.
    pub(crate) pace: Pace,
    /// How much it may say. In a box: with it the task of a connection would take the next larger size that memory is given out
    /// in.
    pub(crate) throttle: Box<Throttle>,
    /// How long it may be in no room.
    pub(crate) lobby: Lobby,
}

impl Conversation {
    pub(crate) fn new(
        rooms: Rooms,
        ice: Arc<Ice>,
        tokens: Arc<Tokens>,
        outbox: Outbox,
        bounds: Bounds,
    ) -> Self {
        Self { rooms, ice, tokens, outbox, connection: 0, bounds, entering: None, membership: None }
    }

    /// When the client is let go if it goes on like this, and why. Not while it waits for a room.
    pub(crate) fn deadline(&self) -> Option<(Instant, Dismissal)> {
        if self.is_entering() {
            return None;
        }
        self.bounds.lobby.deadline()
    }

    /// Takes in a frame that means nothing here, but was work.
    pub(crate) async fn sense(&mut self) {
        self.bounds.throttle.frame().await;
    }

    /// Takes in a message. Waits for the room's queue and the client's own pace, never for another client.
    pub(crate) async fn hear(&mut self, text: &str) {
        self.bounds.throttle.frame().await;
        let permit = self.bounds.pace.take(text.len()).await;
        // Whoever waits to come in may ask whether the server is there. All else comes after the answer of the room.
        if self.is_entering() && matches!(self.read(text), Ok(ClientMessage::Ping(_))) {
            return self.reply(&ServerMessage::Pong, permit);
        }
        if permit.is_none() && self.is_entering() {
            Box::pin(self.settle()).await;
        }
        self.take_in(text, permit).await;
    }

    /// Takes in a message, or keeps it until the room that is being entered has answered.
    async fn take_in(&mut self, text: &str, permit: Option<Permit>) {
        let permit = match (&mut self.entering, permit) {
            (Some(entering), Some(permit)) => return entering.later.push((text.to_owned(), permit)),
            (_, permit) => permit,
        };
        if let Some((kind, to, what)) = self.read_plain(text) {
            return self.relay(kind, to, what, permit).await;
        }
        match self.read(text) {
            // In a box: it is large, and lasts for a moment of a connection that may last for hours.
            Ok(message) => Box::pin(self.act(message, permit)).await,
            Err(refused) => self.reply(&refused, permit),
        }
    }

    /// What was said is a message.
    fn understood(&mut self) {
        self.learn_how_knocking_ended();
        self.bounds.lobby.spoke();
    }

    async fn act(&mut self, message: ClientMessage, permit: Option<Permit>) {
        self.understood();
        match message {
            ClientMessage::Ping(ping) => self.ping(&ping, permit).await,
            ClientMessage::Join(join) => self.join(join, permit).await,
            ClientMessage::Resume(resume) => self.resume(resume, permit).await,
            ClientMessage::Leave => match self.membership.take() {
                Some(membership) => {
                    membership.leave().await;
                    self.bounds.lobby.in_room(false);
                }
                None => self.reply(&refusal::not_joined(), permit),
            },
            ClientMessage::Offer(offer) => self.relay_offer(offer, permit).await,
            ClientMessage::Answer(answer) => self.relay_answer(answer, permit).await,
            ClientMessage::Candidate(trickle) => self.relay_candidate(trickle, permit).await,
            ClientMessage::Lock(lock) => self.govern(Governing::Lock(lock.locked), permit).await,
            ClientMessage::Admit(m) => self.govern(Governing::Admit(m.peer), permit).await,
            ClientMessage::Deny(m) => self.govern(Governing::Deny(m.peer), permit).await,
            ClientMessage::Remove(m) => self.govern(Governing::Remove(m.peer), permit).await,
            ClientMessage::IceServers => match self.inside() {
                Some(membership) => {
                    let servers = self.ice_servers(membership.id());
                    self.reply(&ServerMessage::IceServers(servers), permit);
                }
                None => self.reply(&refusal::not_joined(), permit),
            },
        }
    }

    /// Takes in a binary frame, which is text all the same if it is UTF-8.
    pub(crate) async fn hear_bytes(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.hear(text).await,
            Err(_) => {
                self.bounds.throttle.frame().await;
                let permit = self.bounds.pace.take(bytes.len()).await;
                Box::pin(self.settle()).await;
                self.reply(&refusal::not_text(), permit);
            }
        }
    }

    /// The connection has ended. The room is told how; without that it is not told, because it ends as well.
    pub(crate) fn end(mut self, parting: Option<Parting>) {
        if let Some(entering) = &mut self.entering {
            entering.ends(parting);
        } else if let Some(membership) = &mut self.membership {
            membership.ends(parting);
        }
    }

    /// The message in a text that is held to the limits, or what to answer.
    fn read(&self, text: &str) -> Result<ClientMessage, ServerMessage> {
        let limits = self.rooms.settings().limits;
        may_be_read(text, &limits)?;
        let message = ClientMessage::from_json(text).map_err(|problem| refusal::undecodable(&problem))?;
        fits(&message, &limits)?;
        Ok(message)
    }

    async fn ping(&mut self, ping: &Ping, permit: Option<Permit>) {
        self.reply(&ServerMessage::Pong, permit);
        if let (Some(membership), Some(seq)) = (&self.membership, ping.seq) {
            membership.acknowledge(seq).await;
        }
    }

    /// Whoever knocked learns from the room how that ended; this must know it, too, before the next message.
    fn learn_how_knocking_ended(&mut self) {
        match self.membership.as_mut().and_then(Membership::end_of_knocking) {
            Some(true) => self.bounds.lobby.in_room(true),
            Some(false) => {
                if let Some(membership) = self.membership.take() {
                    membership.never_was();
                }
            }
            None => {}
        }
    }

    /// The place in a room, of one who does not wait to be let in.
    fn inside(&self) -> Option<&Membership> {
        self.membership.as_ref().filter(|membership| !membership.is_knocking())
    }

    async fn govern(&mut self, what: Governing, permit: Option<Permit>) {
        match self.inside() {
            Some(membership) => membership.govern(what, permit).await,
            None => self.reply(&refusal::not_joined(), permit),
        }
    }

    fn ice_servers(&self, id: &PeerId) -> IceServers {
        self.ice.servers_for(id, SystemTime::now())
    }

    fn reply(&self, message: &ServerMessage, permit: Option<Permit>) {
        // If it is not taken, the client is let go or is gone, and with it the connection.
        let _ = self.outbox.say(message, permit);
    }
}
