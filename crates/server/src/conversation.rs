//! What a client's messages mean: the lobby before a room, the room, and the lobby again after it.

use std::sync::Arc;
use std::time::SystemTime;

use duologue_protocol::{
    ClientMessage, IceServers, Join, PeerId, PeerInfo, Ping, Resume, ServerMessage, VERSION,
};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::ids;
use crate::outbox::Outbox;
use crate::pace::{Pace, Permit};
use crate::refusal;
use crate::registry::Rooms;
use crate::room::{Command, Newcomer, Parting, Place, Relayed, Resumption};
use crate::turn::Ice;

/// One client's part in things. Dropping it in a room means that its connection broke.
pub(crate) struct Conversation {
    rooms: Rooms,
    ice: Arc<Ice>,
    outbox: Outbox,
    /// Which connection this is, see [`Rooms::connection`].
    connection: u64,
    pace: Pace,
    membership: Option<Membership>,
}

impl Conversation {
    pub(crate) fn new(rooms: Rooms, ice: Arc<Ice>, outbox: Outbox, pace: Pace) -> Self {
        let connection = rooms.connection();
        Self { rooms, ice, outbox, connection, pace, membership: None }
    }

    /// Takes in a message. Waits for the room's queue and the client's own pace, never for another client.
    pub(crate) async fn hear(&mut self, text: &str) {
        let permit = self.pace.take(text.len()).await;
        let message = match ClientMessage::from_json(text) {
            Ok(message) => message,
            Err(problem) => return self.reply(&refusal::undecodable(&problem), permit),
        };
        match message {
            ClientMessage::Ping(ping) => self.ping(&ping, permit).await,
            ClientMessage::Join(join) => self.join(join, permit).await,
            ClientMessage::Resume(resume) => self.resume(resume, permit).await,
            ClientMessage::Leave => match self.membership.take() {
                Some(membership) => membership.leave().await,
                None => self.reply(&refusal::not_joined(), permit),
            },
            ClientMessage::Offer(m) => {
                self.relay(m.to, Relayed::Offer(m.offer, m.negotiation), permit).await;
            }
            ClientMessage::Answer(m) => {
                self.relay(m.to, Relayed::Answer(m.answer, m.negotiation), permit).await;
            }
            ClientMessage::Candidate(m) => self.relay(m.to, Relayed::Candidate(m.candidate), permit).await,
            ClientMessage::IceServers => match &self.membership {
                Some(membership) => {
                    let servers = self.ice_servers(&membership.place.id);
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
                let permit = self.pace.take(bytes.len()).await;
                self.reply(&refusal::not_text(), permit);
            }
        }
    }

    /// The connection has ended. The room is told how; without that it is not told, because it ends as well.
    pub(crate) fn end(mut self, parting: Option<Parting>) {
        if let Some(membership) = &mut self.membership {
            membership.unless_said = parting;
        }
    }

    async fn ping(&mut self, ping: &Ping, permit: Option<Permit>) {
        self.reply(&ServerMessage::Pong, permit);
        if let (Some(membership), Some(seq)) = (&self.membership, ping.seq) {
            membership.acknowledge(seq).await;
        }
    }

    async fn join(&mut self, join: Join, permit: Option<Permit>) {
        if self.membership.is_some() {
            return self.reply(&refusal::already_joined(), permit);
        }
        if let Some(asked) = join.protocol.filter(|asked| *asked > VERSION) {
            return self.reply(&refusal::unsupported_protocol(asked), permit);
        }
        let Some((id, session)) = ids::fresh() else { return self.reply(&refusal::busy(), permit) };
        let (admitted, admission) = oneshot::channel();
        let newcomer = Newcomer {
            info: PeerInfo { id: id.clone(), name: join.name, protocol: join.protocol },
            key: join.key,
            pairs: join.pairs,
            session,
            ice: self.ice_servers(&id),
            outbox: self.outbox.clone(),
            connection: self.connection,
            permit,
            admitted,
        };
        match self.rooms.join(&join.room, newcomer).await {
            Some(room) => self.enter(id, room, admission).await,
            None => self.reply(&refusal::busy(), None),
        }
    }

    async fn resume(&mut self, resume: Resume, permit: Option<Permit>) {
        if self.membership.is_some() {
            return self.reply(&refusal::already_joined(), permit);
        }
        let Some(whereabouts) = self.rooms.find(&resume.session) else {
            return self.reply(&refusal::session_unknown(), permit);
        };
        let id = whereabouts.id;
        let (admitted, admission) = oneshot::channel();
        let resumption = Resumption {
            id: id.clone(),
            seq: resume.seq,
            ice: self.ice_servers(&id),
            outbox: self.outbox.clone(),
            connection: self.connection,
            permit,
            admitted,
        };
        match self.rooms.resume(&whereabouts.room, resumption).await {
            Some(room) => self.enter(id, room, admission).await,
            None => self.reply(&refusal::session_unknown(), None),
        }
    }

    /// Waits for the room to let one in, or not; either way it answers by itself.
    async fn enter(&mut self, id: PeerId, room: mpsc::Sender<Command>, admission: oneshot::Receiver<bool>) {
        // From here on the room must hear when the connection ends, even if that is before it answers.
        let place = Place { id, connection: self.connection };
        let membership = Membership { place, room, unless_said: Some(Parting::Broken) };
        match admission.await {
            Ok(true) => self.membership = Some(membership),
            Ok(false) => membership.never_was(),
            Err(_) => {
                // The room ended without an answer: the server is stopping, or has a fault.
                membership.never_was();
                self.reply(&refusal::busy(), None);
            }
        }
    }

    async fn relay(&mut self, to: Option<PeerId>, what: Relayed, permit: Option<Permit>) {
        match &self.membership {
            Some(membership) => membership.relay(to, what, permit).await,
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

/// A place in a room. The room hears when its connection ends, however it ends.
struct Membership {
    place: Place,
    room: mpsc::Sender<Command>,
    /// What the room hears when this is dropped.
    unless_said: Option<Parting>,
}

impl Membership {
    async fn relay(&self, to: Option<PeerId>, what: Relayed, permit: Option<Permit>) {
        // A room that is gone has nobody to relay to; that only happens while the server stops.
        let _ = self.room.send(Command::Relay { from: self.place.clone(), to, what, permit }).await;
    }

    async fn acknowledge(&self, seq: u64) {
        let _ = self.room.send(Command::Acknowledge { from: self.place.clone(), seq }).await;
    }

    /// Leaves at one's own wish. When this returns, the room has said its last word to the client: what the next one
    /// says is numbered from 1 again, and must not be taken for this one's.
    async fn leave(mut self) {
        self.unless_said = Some(Parting::Left);
        let (heard, end) = oneshot::channel();
        let command = Command::End { of: self.place.clone(), parting: Parting::Left, heard: Some(heard) };
        if self.room.send(command).await.is_ok() {
            self.unless_said = None;
            let _ = end.await;
        }
    }

    /// The room did not let one in, so there is nothing to tell it.
    fn never_was(mut self) {
        self.unless_said = None;
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let Some(parting) = self.unless_said.take() else { return };
        let command = Command::End { of: self.place.clone(), parting, heard: None };
        if let Err(TrySendError::Full(command)) = self.room.try_send(command)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let room = self.room.clone();
            runtime.spawn(async move { room.send(command).await });
        }
    }
}
